"""Bringing things about on a Page: posts, comments, private answers, and what a moderator does."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.connectors import facebook_finding, graph_effects
from shared.connectors.graph import Done, Graph
from shared.connectors.graph_effects import address, given_id, needed, segment, with_link
from shared.connectors.graph_errors import Missing
from shared.contract import Login, OutgoingEffect, OutgoingMedia, Prepared, Sent
from shared.errors import NetworkError, Refused, Unavailable, Uncertain, Unprepared
from shared.models.enums import MentionKind, OutgoingKind

MOST_PHOTOS = 10
_PHOTOS = "photos"
# What a network is asked to make of something that is there: the method, the place after its id, and with what.
_ACTIONS: Mapping[OutgoingKind, tuple[str, str, Mapping[str, str]]] = {
    OutgoingKind.HIDE: ("POST", "", {"is_hidden": "true"}),
    OutgoingKind.UNHIDE: ("POST", "", {"is_hidden": "false"}),
    OutgoingKind.DELETE: ("DELETE", "", {}),
    OutgoingKind.LIKE: ("POST", "/likes", {}),
    OutgoingKind.UNLIKE: ("DELETE", "/likes", {}),
}


# ---------------------------------------------------------------- what is laid ready


async def prepare(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Prepared:
    """Upload the pictures of a post, to be seen by nobody until it is published; a film is published as it is sent.

    `marks` keeps the photos' ids by their places, those of a call that brought some of them as well.
    """
    if outgoing.kind is not OutgoingKind.PUBLISH or facebook_finding.film(outgoing) is not None:
        return Prepared(dict(outgoing.marks))
    refuse_media(graph, outgoing.media)
    known = photos_of(outgoing)
    waiting = [place for place in range(len(outgoing.media)) if str(place) not in known]
    done = await asyncio.gather(
        *(_photo(graph, login, outgoing.media[place], place) for place in waiting), return_exceptions=True
    )
    found = {str(place): one for place, one in zip(waiting, done, strict=True) if isinstance(one, str)}
    failed = [one for one in done if isinstance(one, BaseException)]
    if failed and (not found or isinstance(failed[0], Refused) or not isinstance(failed[0], NetworkError)):
        raise failed[0]
    marks = {_PHOTOS: {**known, **found}}
    return Prepared(marks, wait=graph_effects.SOON if failed else None)


async def _photo(graph: Graph, login: Login, picture: OutgoingMedia, place: int) -> str:
    which = f"picture {place + 1}"
    try:
        answer = await graph.post(
            f"{segment(login.channel_external_id)}/photos", url=picture.url, published="false",
            alt_text_custom=picture.alt,
        )  # fmt: skip
        return given_id(graph, Done(answer.value))
    except Refused as error:
        raise Refused(graph.network, f"{which} is not taken: {error.message}") from error
    except (Unavailable, Uncertain) as error:
        raise Unavailable(graph.network, f"{which}: {error.message}", unsent=True) from error


def refuse_media(graph: Graph, media: Sequence[OutgoingMedia]) -> None:
    """Raise Refused for what no post of a Page can hold."""
    kinds = {item.kind for item in media}
    if kinds - {"image", "gif", "video"}:
        raise Refused(graph.network, f"a post can't hold {', '.join(sorted(kinds - {'image', 'gif', 'video'}))}")
    if "video" in kinds and len(media) > 1:
        raise Refused(graph.network, "a post holds one film, or pictures: not both, and not two films")
    if len(media) > MOST_PHOTOS:
        raise Refused(graph.network, f"a post holds {MOST_PHOTOS} pictures at most, this one has {len(media)}")


def photos_of(outgoing: OutgoingEffect) -> Mapping[str, str]:
    """The ids of the photos that were laid ready, by their places in the post."""
    kept: Any = outgoing.marks.get(_PHOTOS)
    return {str(place): str(one) for place, one in kept.items()} if isinstance(kept, dict) else {}


# ---------------------------------------------------------------- sending


async def send(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Bring it about by one call. What may be there from an earlier try is looked for first."""
    match outgoing.kind:
        case OutgoingKind.PUBLISH:
            refuse_media(graph, outgoing.media)
            return await _earlier(graph, login, outgoing) or await _publish(graph, login, outgoing)
        case OutgoingKind.FIRST_COMMENT:
            return await _earlier(graph, login, outgoing) or await _comment(
                graph, outgoing, outgoing.parent_external_id
            )
        case OutgoingKind.REPLY:
            return await _earlier(graph, login, outgoing) or await _reply(graph, login, outgoing)
        case OutgoingKind.BLOCK | OutgoingKind.UNBLOCK:
            return await _block(graph, login, outgoing)
        case _:
            return await _act(graph, login, outgoing)


async def _earlier(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    if not graph_effects.is_repeat(outgoing):
        return None
    with graph_effects.before_sending(graph):
        return await facebook_finding.find(graph, login, outgoing)


async def _publish(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    page, film = segment(login.channel_external_id), facebook_finding.film(outgoing)
    if film is not None:
        done = await graph.act("POST", f"{page}/videos", file_url=film.url, description=with_link(outgoing) or None)
        video = given_id(graph, done)
        external_id, url = await facebook_finding.post_of_film(graph, login, video)
        return Sent(external_id, url, done.room)
    form = {"message": outgoing.text or None, "link": outgoing.link}
    if outgoing.media:
        photos = photos_of(outgoing)
        if photos.keys() != {str(place) for place in range(len(outgoing.media))}:
            raise Unprepared(graph.network, "the post's pictures are not laid ready")
        form = {"message": with_link(outgoing) or None}
        for place in range(len(outgoing.media)):
            form[f"attached_media[{place}]"] = json.dumps({"media_fbid": photos[str(place)]})
    try:
        done = await graph.act("POST", f"{page}/feed", **form)
    except Refused as error:
        if outgoing.media and await _is_gone(graph, outgoing):
            raise Unprepared(graph.network, f"a picture that was laid ready is gone: {error.message}") from error
        raise
    external_id = given_id(graph, done, "post_id", "id")
    return Sent(external_id, await address(graph, external_id, "permalink_url"), done.room)


async def _is_gone(graph: Graph, outgoing: OutgoingEffect) -> bool:
    """Whether Facebook has thrown away a photo that was laid ready, as it does after a day."""
    try:
        return bool((await graph.look(sorted(photos_of(outgoing).values()), "id", together=50)).missing)
    except NetworkError:
        return False


async def _comment(graph: Graph, outgoing: OutgoingEffect, beneath: str | None) -> Sent:
    if not beneath:
        raise Refused(graph.network, "there is nothing to comment on")
    if len(outgoing.media) > 1 or any(item.kind not in ("image", "gif") for item in outgoing.media):
        raise Refused(graph.network, "a comment holds one picture, and nothing else")
    picture = outgoing.media[0].url if outgoing.media else None
    done = await graph.act(
        "POST", f"{segment(beneath)}/comments", message=with_link(outgoing) or None, attachment_url=picture
    )
    external_id = given_id(graph, done)
    return Sent(external_id, await address(graph, external_id, "permalink_url"), done.room)


async def _reply(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Where it was said, and nowhere else: a private message is answered in private."""
    target = outgoing.target
    if target is not None and (target.is_private or target.kind is MentionKind.MESSAGE):
        page = segment(login.channel_external_id)
        return await graph_effects.send_message(graph, page, outgoing, messaging_type="RESPONSE")
    return await _comment(graph, outgoing, needed(graph, outgoing))


# ---------------------------------------------------------------- moderating


async def _act(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Done twice it is as if done once; what shall be deleted may be gone already."""
    external_id, target = needed(graph, outgoing), outgoing.target
    if target is not None and (target.is_private or target.kind is MentionKind.MESSAGE):
        raise Refused(graph.network, f"there is no way to {outgoing.kind.value} a private message on Facebook")
    method, place, form = _ACTIONS[outgoing.kind]
    try:
        done = await graph.act(method, f"{segment(external_id)}{place}", **form)
    except Missing:
        if outgoing.kind is OutgoingKind.DELETE:
            with graph_effects.before_sending(graph):
                gone = await facebook_finding.find(graph, login, outgoing)
            if gone is not None:
                return gone
        raise
    return Sent(external_id, room=done.room)


async def _block(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    person, page = needed(graph, outgoing), segment(login.channel_external_id)
    method, name = ("POST", "user") if outgoing.kind is OutgoingKind.BLOCK else ("DELETE", "uid")
    done = await graph.act(method, f"{page}/blocked", **{name: person})
    return Sent(person, room=done.room)
