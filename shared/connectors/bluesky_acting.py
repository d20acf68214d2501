"""What an account does to what is there already: like, block, delete, hide an answer in a thread of its own.

Likes and blocks are records, which taking back deletes. What is hidden stands in a list with the thread's first post.
"""

from collections.abc import Awaitable, Callable, Mapping

import httpx

from shared.connectors import bluesky_records as records
from shared.connectors.bluesky_posts import POST, Thing, a_post, thing
from shared.connectors.bluesky_saying import ref, view_of
from shared.connectors.bluesky_xrpc import NETWORK, Session, read, session, value
from shared.connectors.reading import identifier
from shared.contract import Login, OutgoingEffect, Sent
from shared.errors import Refused
from shared.models.enums import OutgoingKind

_PROFILE = "app.bsky.actor.getProfile"

# ---------------------------------------------------------------- what the account itself said


async def delete(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Delete a post of the account's own; one that is not there is deleted. Raises Refused for another's."""
    post = _post(outgoing)
    await records.delete(http, session(login), post)
    return Sent(post.uri)


async def find_deleted(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    post = _post(outgoing)
    return Sent(post.uri) if await records.read(http, session(login), post) is None else None


# ---------------------------------------------------------------- likes


async def like(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Like a post; what is liked already is not liked again. It is known by the like, by which it is taken back."""
    here, post = session(login), _post(outgoing)
    view = await view_of(http, here, post)
    if view is None:
        raise Refused(NETWORK, "what is liked is not there (any more), or not shown to this account")
    liked = await _standing(http, here, _by_us(view, "like"))
    if liked is not None:
        return Sent(liked.uri)
    record = {"subject": ref(view), "createdAt": records.made_at(outgoing)}
    return await records.make(http, here, records.own(here, records.LIKE, records.key(outgoing)), record, outgoing)


async def find_liked(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    here = session(login)
    found = await records.find(http, here, records.own(here, records.LIKE, records.key(outgoing)))
    if found is not None:
        return found
    liked = await _liked(http, here, outgoing)
    return None if liked is None else Sent(liked.uri)


async def unlike(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    return await _undo(http, login, outgoing, records.LIKE, _liked)


async def find_unliked(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    return await _find_undone(http, login, outgoing, records.LIKE, _liked)


# ---------------------------------------------------------------- blocks


async def block(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Block an account; one that is blocked already is not blocked again. It is known by the block."""
    here = session(login)
    blocked = await _blocked(http, here, outgoing)
    if blocked is not None:
        return Sent(blocked.uri)
    record = {"subject": _whom(outgoing), "createdAt": records.made_at(outgoing)}
    return await records.make(http, here, records.own(here, records.BLOCK, records.key(outgoing)), record, outgoing)


async def find_blocked(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    here = session(login)
    found = await records.find(http, here, records.own(here, records.BLOCK, records.key(outgoing)))
    if found is not None:
        return found
    blocked = await _blocked(http, here, outgoing)
    return None if blocked is None else Sent(blocked.uri)


async def unblock(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    return await _undo(http, login, outgoing, records.BLOCK, _blocked)


async def find_unblocked(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    return await _find_undone(http, login, outgoing, records.BLOCK, _blocked)


# ---------------------------------------------------------------- taking back


Standing = Callable[[httpx.AsyncClient, Session, OutgoingEffect], Awaitable[Thing | None]]


async def _undo(
    http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, collection: str, standing: Standing
) -> Sent:
    """Delete the record that did it; where none is told, the one that the network shows, if it does."""
    here = session(login)
    record = _undone(outgoing, collection) or await standing(http, here, outgoing)
    if record is not None:
        await records.delete(http, here, record)
    return Sent(_on(outgoing))


async def _find_undone(
    http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, collection: str, standing: Standing
) -> Sent | None:
    here = session(login)
    told = _undone(outgoing, collection)
    if told is None:
        stands = await standing(http, here, outgoing) is not None
    else:
        stands = await records.read(http, here, told) is not None
    return None if stands else Sent(_on(outgoing))


def _undone(outgoing: OutgoingEffect, collection: str) -> Thing | None:
    found = thing(outgoing.undoes)
    return found if found is not None and found.collection == collection else None


async def _liked(http: httpx.AsyncClient, here: Session, outgoing: OutgoingEffect) -> Thing | None:
    return await _standing(http, here, _by_us(await view_of(http, here, _post(outgoing)), "like"))


async def _blocked(http: httpx.AsyncClient, here: Session, outgoing: OutgoingEffect) -> Thing | None:
    profile = value(await read(http, here, _PROFILE, {"actor": _whom(outgoing)}))
    return await _standing(http, here, _by_us(profile, "blocking"))


def _by_us(view: Mapping[str, object] | None, which: str) -> Thing | None:
    """The record of ours that the network shows with a post or a person."""
    viewer = view.get("viewer") if view is not None else None
    return thing(viewer.get(which)) if isinstance(viewer, Mapping) else None


async def _standing(http: httpx.AsyncClient, here: Session, record: Thing | None) -> Thing | None:
    """The record where it is there: the network goes on showing for a moment what was taken back."""
    return record if record is not None and await records.read(http, here, record) is not None else None


# ---------------------------------------------------------------- what is meant


def _post(outgoing: OutgoingEffect) -> Thing:
    found = a_post(outgoing.target.external_id) if outgoing.target is not None else None
    if found is None:
        raise Refused(NETWORK, f"no post is named to {outgoing.kind.value}: its address is at://did:…/{POST}/…")
    return found


def _whom(outgoing: OutgoingEffect) -> str:
    """The account that is meant: itself, or who said what is named."""
    target = outgoing.target
    whom = None if target is None else target.external_id if target.kind is None else target.author_external_id
    if identifier(whom) is None or not str(whom).startswith("did:"):
        raise Refused(NETWORK, f"nobody is named to {outgoing.kind.value}: an account is named by its DID")
    return str(whom)


def _on(outgoing: OutgoingEffect) -> str:
    """The id of what the effect is on."""
    if outgoing.kind is OutgoingKind.UNBLOCK:
        return _whom(outgoing)
    return _post(outgoing).uri
