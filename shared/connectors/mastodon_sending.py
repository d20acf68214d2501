"""Every effect that an account has on its instance: how it is brought about, and how it is looked up.

Hiding is not among them: what others say on Mastodon is theirs, and can only be reported, or its author blocked.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import httpx

from shared.connectors import mastodon_acting as acting
from shared.connectors import mastodon_saying as saying
from shared.contract import Certainty, Login, OutgoingEffect, Sent
from shared.models.enums import OutgoingKind


class Way(NamedTuple):
    """How an effect is brought about, and found."""

    send: Callable[[httpx.AsyncClient, Login, OutgoingEffect], Awaitable[Sent]]
    find: Callable[[httpx.AsyncClient, Login, OutgoingEffect], Awaitable[Sent | None]]


_SAYING = Way(saying.say, saying.find)
_FAVOURING = Way(acting.favour, acting.find_favoured)
_BLOCKING = Way(acting.block, acting.find_blocked)

WAYS: Mapping[OutgoingKind, Way] = {
    OutgoingKind.PUBLISH: _SAYING,
    OutgoingKind.FIRST_COMMENT: _SAYING,
    OutgoingKind.THREAD_PART: _SAYING,
    OutgoingKind.REPLY: _SAYING,
    OutgoingKind.DELETE: Way(acting.delete, acting.find_deleted),
    OutgoingKind.LIKE: _FAVOURING,
    OutgoingKind.UNLIKE: _FAVOURING,
    OutgoingKind.BLOCK: _BLOCKING,
    OutgoingKind.UNBLOCK: _BLOCKING,
}
EFFECTS: Mapping[OutgoingKind, Certainty] = dict.fromkeys(WAYS, Certainty.LOOKED_UP)
