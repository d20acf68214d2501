"""What an account says: a post of its own, parts beneath it, answers.

Source: the lexicons app.bsky.feed.post and app.bsky.embed.*.
"""

from collections.abc import Mapping

import httpx

from shared.connectors import bluesky_records as records
from shared.connectors.bluesky_facets import Span, beneath, facets, host_in
from shared.connectors.bluesky_media import embedded
from shared.connectors.bluesky_posts import POST, Thing, a_post
from shared.connectors.bluesky_xrpc import NETWORK, Session, read, session, value
from shared.contract import Login, OutgoingEffect, Sent, storable
from shared.errors import Refused, Unavailable
from shared.models.enums import OutgoingKind

Value = Mapping[str, object]
_POSTS = "app.bsky.feed.getPosts"


async def say(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Publish the post. Raises Unprepared where its pictures are not there (any more), Refused without its parent."""
    here = session(login)
    text = storable(outgoing.text)
    known: tuple[Span, ...] = ()
    record: dict[str, object] = {}
    if outgoing.media:
        record["embed"] = embedded(outgoing)
        if outgoing.link and outgoing.link not in text:
            # A post has one thing beneath its text: a link that the pictures leave no room for goes into it.
            text, piece = beneath(text, outgoing.link)
            known = (piece,)
    elif outgoing.link:
        record["embed"] = _card(outgoing.link)
    answered = await _answered(http, here, outgoing)
    if answered is not None:
        record["reply"] = answered
    found = await facets(http, here, text, known)
    if found:
        record["facets"] = found
    if outgoing.language:
        record["langs"] = [outgoing.language]
    record |= {"text": text, "createdAt": records.made_at(outgoing)}
    return await records.make(http, here, _wanted(here, outgoing), record, outgoing)


async def find(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """The post, under the key that its effect has."""
    here = session(login)
    return await records.find(http, here, _wanted(here, outgoing))


async def view_of(http: httpx.AsyncClient, here: Session, post: Thing) -> Value | None:
    """The post as the network shows it to the account; None where it shows none."""
    views = value(await read(http, here, _POSTS, {"uris": [post.uri]})).get("posts")
    if not isinstance(views, list):
        raise Unavailable(NETWORK, "the answer holds no list of posts", unsent=True)
    return next((view for view in views if isinstance(view, Mapping) and view.get("uri") == post.uri), None)


def ref(found: Value) -> dict[str, object]:
    """What names one version of a record."""
    return {"uri": found.get("uri"), "cid": found.get("cid")}


def root_of(record: object) -> Value | None:
    """What names the top of the thread that a post says it stands in; None where it is the top itself."""
    reply = record.get("reply") if isinstance(record, Mapping) else None
    root = reply.get("root") if isinstance(reply, Mapping) else None
    return root if isinstance(root, Mapping) and a_post(root.get("uri")) is not None and root.get("cid") else None


def _wanted(here: Session, outgoing: OutgoingEffect) -> Thing:
    return records.own(here, POST, records.key(outgoing))


def _card(link: str) -> Value:
    """A link as a card. The page is not asked for its own words: the card bears the name of its host."""
    title = host_in(link) or link
    return {"$type": "app.bsky.embed.external", "external": {"uri": link, "title": title, "description": ""}}


async def _answered(http: httpx.AsyncClient, here: Session, outgoing: OutgoingEffect) -> Value | None:
    """What the post hangs beneath, with the top of that thread. None for one that stands by itself."""
    if outgoing.kind is OutgoingKind.PUBLISH and outgoing.parent_external_id is None:
        return None
    parent = a_post(outgoing.target.external_id if outgoing.target is not None else outgoing.parent_external_id)
    if parent is None:
        raise Refused(NETWORK, "a post can hang only beneath another post, and none is named")
    if parent.did == here.did:
        # Our own host knows at once what the network shows a moment later.
        found = await records.read(http, here, parent)
        record = None if found is None else found.get("value")
        found = None if found is None else {"uri": parent.uri, "cid": found.get("cid")}
    else:
        found = await view_of(http, here, parent)
        record = None if found is None else found.get("record")
    if found is None:
        raise Refused(NETWORK, "what is answered is not there (any more), or not shown to this account")
    viewer = found.get("viewer")
    if isinstance(viewer, Mapping) and viewer.get("replyDisabled") is True:
        raise Refused(NETWORK, "its author lets this account answer nothing there")
    return {"root": root_of(record) or ref(found), "parent": ref(found)}
