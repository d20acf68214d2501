"""Hiding what others answer in a thread of the account's own, for everybody, and showing it again.

The list of what is hidden stands in the thread's gate, a record under the key of its first post, with what else its
owner set there: it is read, changed, and put back on the condition that it still is what was read.
Source: the lexicon app.bsky.feed.threadgate.
"""

from collections.abc import Mapping

import httpx

from shared.connectors import bluesky_records as records
from shared.connectors.bluesky_posts import Thing, a_post
from shared.connectors.bluesky_saying import root_of, view_of
from shared.connectors.bluesky_xrpc import NETWORK, Session, effect_failure, room, session, value
from shared.contract import Login, OutgoingEffect, Sent
from shared.errors import Refused, Unavailable, Uncertain
from shared.models.enums import OutgoingKind

MOST_HIDDEN = 300
TURNS = 5
_PUT = "com.atproto.repo.putRecord"


async def hide(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Hide an answer, or show it again. Raises Refused where the thread is not the account's own."""
    here = session(login)
    post, root = await _meant(http, here, outgoing)
    gate = records.own(here, records.GATE, root.key)
    for _ in range(TURNS):
        found = await records.read(http, here, gate)
        hidden = _hidden(found)
        if (post.uri in hidden) == (outgoing.kind is OutgoingKind.HIDE):
            return Sent(post.uri, post.page)
        changed = _changed(found, root, post, outgoing)
        was = None if found is None else found.get("cid")
        response = await records.write(http, here, _PUT, gate, record=changed, swapRecord=was)
        if response.status_code == 200 and value(response).get("uri") == gate.uri:
            return Sent(post.uri, post.page, room(response, records.CHANGING))
        if value(response).get("error") == "InvalidSwap":
            continue
        if response.status_code == 200:
            raise Uncertain(NETWORK, "the host answered with something else than what it wrote")
        raise effect_failure(response, login)
    raise Unavailable(NETWORK, "others keep changing what is hidden in this thread", unsent=True)


async def find(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """Whether the answer is hidden, or is not, as it was meant to be."""
    here = session(login)
    post, root = await _meant(http, here, outgoing)
    hidden = _hidden(await records.read(http, here, records.own(here, records.GATE, root.key)))
    return Sent(post.uri, post.page) if (post.uri in hidden) == (outgoing.kind is OutgoingKind.HIDE) else None


async def _meant(http: httpx.AsyncClient, here: Session, outgoing: OutgoingEffect) -> tuple[Thing, Thing]:
    """The answer and the first post of its thread, as the network shows them."""
    post = a_post(outgoing.target.external_id) if outgoing.target is not None else None
    if post is None:
        raise Refused(NETWORK, f"no post is named to {outgoing.kind.value}")
    view = await view_of(http, here, post)
    if view is None:
        raise Refused(NETWORK, "the answer is not there (any more), or not shown to this account")
    found = root_of(view.get("record"))
    root = a_post(found.get("uri")) if found is not None else None
    if root is None:
        raise Refused(NETWORK, "only an answer can be hidden, and this answers nothing")
    if root.did != here.did:
        raise Refused(NETWORK, "an answer can be hidden only by who began the thread")
    return post, root


def _hidden(gate: Mapping[str, object] | None) -> list[str]:
    """The addresses that a gate hides."""
    told = gate.get("value") if gate is not None else None
    hidden = told.get("hiddenReplies") if isinstance(told, Mapping) else None
    return [uri for uri in hidden if isinstance(uri, str)] if isinstance(hidden, list) else []


def _changed(
    gate: Mapping[str, object] | None, root: Thing, post: Thing, outgoing: OutgoingEffect
) -> dict[str, object]:  # fmt: skip
    """The gate as it shall be: whatever else stands in it is kept. One without rules lets everybody answer."""
    told = gate.get("value") if gate is not None else None
    kept = dict(told) if isinstance(told, Mapping) else {"post": root.uri, "createdAt": records.made_at(outgoing)}
    hidden = _hidden(gate)
    if outgoing.kind is OutgoingKind.HIDE:
        if len(hidden) >= MOST_HIDDEN:
            raise Refused(NETWORK, f"{MOST_HIDDEN} answers are hidden in this thread: no more can be")
        hidden = [*hidden, post.uri]
    else:
        hidden = [uri for uri in hidden if uri != post.uri]
    return {"$type": records.GATE, **kept, "hiddenReplies": hidden}
