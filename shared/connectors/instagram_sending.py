"""Bringing things about on Instagram: posts, comments, private answers, and what a moderator does."""

from shared.connectors import graph_effects, instagram_finding
from shared.connectors.graph import Graph
from shared.connectors.graph_effects import address, given_id, needed, segment, with_link
from shared.connectors.graph_errors import Missing
from shared.connectors.instagram_containers import Laid
from shared.connectors.instagram_polling import owner
from shared.contract import Login, OutgoingEffect, Sent
from shared.errors import Refused, Unprepared
from shared.models.enums import MentionKind, OutgoingKind


async def send(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Bring it about by one call. What may be there from an earlier try is looked for first."""
    match outgoing.kind:
        case OutgoingKind.PUBLISH:
            return await _earlier(graph, login, outgoing) or await _publish(graph, login, outgoing)
        case OutgoingKind.FIRST_COMMENT:
            return await _earlier(graph, login, outgoing) or await _comment(
                graph, outgoing, outgoing.parent_external_id, "comments"
            )
        case OutgoingKind.REPLY:
            return await _earlier(graph, login, outgoing) or await _reply(graph, outgoing)
        case OutgoingKind.DELETE:
            return await _delete(graph, login, outgoing)
        case _:
            return await _hide(graph, outgoing)


async def _earlier(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    if not graph_effects.is_repeat(outgoing):
        return None
    with graph_effects.before_sending(graph):
        return await instagram_finding.find(graph, login, outgoing)


async def _publish(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    """Turn the container into a post: the one step that anybody sees."""
    container = Laid.of(outgoing.marks).container
    if container is None:
        raise Unprepared(graph.network, "the post's media are not laid ready")
    try:
        done = await graph.act("POST", f"{owner(graph, login)}/media_publish", creation_id=container)
    except Missing as error:
        raise Unprepared(graph.network, f"what was laid ready is gone: {error.message}") from error
    external_id = given_id(graph, done)
    return Sent(external_id, await address(graph, external_id, "permalink"), done.room)


async def _comment(graph: Graph, outgoing: OutgoingEffect, beneath: str | None, edge: str) -> Sent:
    if not beneath:
        raise Refused(graph.network, "there is nothing to comment on")
    if outgoing.media:
        raise Refused(graph.network, "a comment on Instagram holds words only")
    done = await graph.act("POST", f"{segment(beneath)}/{edge}", message=with_link(outgoing))
    return Sent(given_id(graph, done), room=done.room)


async def _reply(graph: Graph, outgoing: OutgoingEffect) -> Sent:
    """Where it was said, and nowhere else. An answer to an answer goes beneath the comment that both belong to."""
    external_id, target = needed(graph, outgoing), outgoing.target
    if instagram_finding.is_private(target):
        return await graph_effects.send_message(graph, "me", outgoing)
    is_comment = target is not None and target.kind in (MentionKind.COMMENT, MentionKind.REPLY)
    return await _comment(graph, outgoing, external_id, "replies" if is_comment else "comments")


async def _hide(graph: Graph, outgoing: OutgoingEffect) -> Sent:
    external_id = _of_comment(graph, outgoing)
    hide = "true" if outgoing.kind is OutgoingKind.HIDE else "false"
    done = await graph.act("POST", segment(external_id), hide=hide)
    return Sent(external_id, room=done.room)


async def _delete(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent:
    """What shall be deleted may be gone already."""
    external_id = _of_comment(graph, outgoing)
    try:
        done = await graph.act("DELETE", segment(external_id))
    except Missing:
        with graph_effects.before_sending(graph):
            gone = await instagram_finding.find(graph, login, outgoing)
        if gone is not None:
            return gone
        raise
    return Sent(external_id, room=done.room)


def _of_comment(graph: Graph, outgoing: OutgoingEffect) -> str:
    """The comment that is acted on. Raises Refused for what Instagram lets nobody do by an app."""
    external_id, target = needed(graph, outgoing), outgoing.target
    if target is not None and target.kind not in (MentionKind.COMMENT, MentionKind.REPLY):
        what = "message" if target.is_private or target.kind is None else target.kind.value
        raise Refused(graph.network, f"Instagram lets an app {outgoing.kind.value} comments, and no {what}")
    return external_id
