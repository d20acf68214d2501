"""What an account does on its instance to what is there already: delete, favourite, block, and take these back.

Each may be asked for any number of times and is done once; each can be looked up.
"""

from collections.abc import Mapping
from urllib.parse import quote

import httpx

from shared.connectors import mastodon_calls as calls
from shared.connectors.mastodon_saying import address_of, read_status
from shared.connectors.mastodon_statuses import account_id
from shared.connectors.reading import identifier
from shared.contract import Login, OutgoingEffect, Sent
from shared.errors import Refused, Unavailable
from shared.models.enums import OutgoingKind

_VERBS = {
    OutgoingKind.LIKE: "favourite",
    OutgoingKind.UNLIKE: "unfavourite",
    OutgoingKind.BLOCK: "block",
    OutgoingKind.UNBLOCK: "unblock",
}


async def delete(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Delete a status of the account's own; one that is not there is deleted. Raises Refused for another's."""
    external_id = _target(outgoing)
    status = await read_status(http, login, external_id)
    if status is None:
        return Sent(external_id)
    author = status.get("account")
    if not isinstance(author, Mapping) or identifier(author.get("id")) != account_id(login.channel_external_id):
        raise Refused(calls.NETWORK, "this is somebody else's: an account can delete only what it said itself")
    response = await calls.post(http, login, "DELETE", f"/api/v1/statuses/{quote(external_id, safe='')}", content=b"")
    if not _is_absent(response):
        calls.made_of(response)
    return Sent(external_id)


async def favour(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Favourite a status, or take that back; what is not there any more is nobody's favourite."""
    external_id = _target(outgoing)
    path = f"/api/v1/statuses/{quote(external_id, safe='')}/{_VERBS[outgoing.kind]}"
    response = await calls.post(http, login, "POST", path, content=b"")
    if outgoing.kind is OutgoingKind.UNLIKE and _is_absent(response):
        return Sent(external_id)
    return Sent(external_id, address_of(calls.made_of(response)), calls.room_of(response))


async def block(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Block an account, or take that back."""
    external_id = _whom(outgoing)
    path = f"/api/v1/accounts/{quote(external_id, safe='')}/{_VERBS[outgoing.kind]}"
    response = await calls.post(http, login, "POST", path, content=b"")
    if outgoing.kind is OutgoingKind.UNBLOCK and _is_absent(response):
        return Sent(external_id)
    calls.made_of(response)
    return Sent(external_id, None, calls.room_of(response))


async def find_deleted(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    external_id = _target(outgoing)
    return Sent(external_id) if await read_status(http, login, external_id) is None else None


async def find_favoured(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """Whether the status is a favourite, or none, as it was meant to be."""
    external_id, wanted = _target(outgoing), outgoing.kind is OutgoingKind.LIKE
    status = await read_status(http, login, external_id)
    if status is None:
        return None if wanted else Sent(external_id)
    return Sent(external_id, address_of(status)) if (status.get("favourited") is True) == wanted else None


async def find_blocked(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """Whether the account is blocked, or not, as it was meant to be."""
    external_id, wanted = _whom(outgoing), outgoing.kind is OutgoingKind.BLOCK
    told = await calls.read(http, login, "/api/v1/accounts/relationships", [("id[]", external_id)])
    if not isinstance(told, list):
        raise Unavailable(calls.NETWORK, "the instance answered with something else than relationships", unsent=True)
    for one in told:
        if isinstance(one, Mapping) and identifier(one.get("id")) == external_id:
            return Sent(external_id) if (one.get("blocking") is True) == wanted else None
    return None if wanted else Sent(external_id)


def _is_absent(response: httpx.Response) -> bool:
    """Whether the instance itself says that there is no such thing."""
    return response.status_code in {404, 410} and calls.error_of(response) != calls.NO_REASON


def _target(outgoing: OutgoingEffect) -> str:
    if outgoing.target is None or not outgoing.target.external_id:
        raise Refused(calls.NETWORK, f"nothing is named to {outgoing.kind.value}")
    return outgoing.target.external_id


def _whom(outgoing: OutgoingEffect) -> str:
    """The account that is meant: itself, or who said what is named."""
    target = outgoing.target
    whom = None if target is None else target.external_id if target.kind is None else target.author_external_id
    if not whom:
        raise Refused(calls.NETWORK, f"nobody is named to {outgoing.kind.value}")
    return whom
