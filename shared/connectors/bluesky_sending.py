"""Every effect that an account has on Bluesky: how it is brought about, and how it is looked up."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

import httpx

from shared.connectors import bluesky_acting as acting
from shared.connectors import bluesky_hiding as hiding
from shared.connectors import bluesky_saying as saying
from shared.contract import Certainty, Login, OutgoingEffect, Sent
from shared.models.enums import OutgoingKind


class Way(NamedTuple):
    """How an effect is brought about, and found."""

    send: Callable[[httpx.AsyncClient, Login, OutgoingEffect], Awaitable[Sent]]
    find: Callable[[httpx.AsyncClient, Login, OutgoingEffect], Awaitable[Sent | None]]


_SAYING = Way(saying.say, saying.find)
_HIDING = Way(hiding.hide, hiding.find)

WAYS: Mapping[OutgoingKind, Way] = {
    OutgoingKind.PUBLISH: _SAYING,
    OutgoingKind.FIRST_COMMENT: _SAYING,
    OutgoingKind.THREAD_PART: _SAYING,
    OutgoingKind.REPLY: _SAYING,
    OutgoingKind.HIDE: _HIDING,
    OutgoingKind.UNHIDE: _HIDING,
    OutgoingKind.DELETE: Way(acting.delete, acting.find_deleted),
    OutgoingKind.LIKE: Way(acting.like, acting.find_liked),
    OutgoingKind.UNLIKE: Way(acting.unlike, acting.find_unliked),
    OutgoingKind.BLOCK: Way(acting.block, acting.find_blocked),
    OutgoingKind.UNBLOCK: Way(acting.unblock, acting.find_unblocked),
}
EFFECTS: Mapping[OutgoingKind, Certainty] = dict.fromkeys(WAYS, Certainty.LOOKED_UP)
