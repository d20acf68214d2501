"""Whether what may have been brought about on Instagram is there: a post by its container, the rest by its words."""

from collections.abc import Mapping
from datetime import UTC, datetime

from shared.connectors import graph_effects
from shared.connectors.graph import Graph
from shared.connectors.graph_effects import looking_up, mark, needed, segment, with_link
from shared.connectors.graph_errors import Missing
from shared.connectors.instagram_changes import author_of
from shared.connectors.instagram_containers import Laid, Status, status
from shared.connectors.instagram_polling import owner
from shared.connectors.meta_events import Entry
from shared.connectors.reading import identifier, web_address
from shared.contract import Login, OutgoingEffect, Sent, Target
from shared.errors import Uncertain
from shared.models.enums import AuthorKind, MentionKind, OutgoingKind

_MEDIUM = "id,caption,permalink,timestamp"
_COMMENT = "id,text,timestamp,username,from,user"


async def find(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """What is there, or None where it certainly is not. Raises Uncertain."""
    with looking_up(graph):
        match outgoing.kind:
            case OutgoingKind.PUBLISH:
                found = await _find_post(graph, login, outgoing)
            case OutgoingKind.FIRST_COMMENT:
                found = await _beneath(graph, login, outgoing, outgoing.parent_external_id or "", "comments")
            case OutgoingKind.REPLY:
                found = await _find_reply(graph, login, outgoing)
            case OutgoingKind.DELETE:
                found = await _find_nothing(graph, login, outgoing)
            case _:
                found = await _find_hidden(graph, outgoing)
    return found


def is_private(target: Target | None) -> bool:
    return target is not None and (target.is_private or target.kind is MentionKind.MESSAGE)


async def _find_post(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """By its container, which knows whether it was published; the list of media only tells under which id."""
    container = Laid.of(outgoing.marks).container
    if container is None:
        return None  # without a container nothing was sent
    try:
        code, _ = await status(graph, container)
    except Missing:
        code = None  # Instagram forgets a container some time after it ended
    if code in (Status.FINISHED, Status.EXPIRED, Status.ERROR):
        return None
    if code is Status.IN_PROGRESS:
        raise Uncertain(graph.network, "Instagram is still at work on it")
    found = await _listed(graph, login, outgoing)
    if found is None and code is Status.PUBLISHED:
        raise Uncertain(graph.network, "it is published, and Instagram does not show it yet: look again")
    return found


async def _listed(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """The oldest medium with this caption since the first try."""
    asked, found = mark(outgoing, with_link(outgoing)), None
    path = f"{owner(graph, login)}/media"
    async for one in graph_effects.walk(graph, path, asked, "timestamp", fields=_MEDIUM):
        external_id = identifier(one.get("id"))
        if external_id is not None and asked.fits(one.get("caption"), one.get("timestamp")):
            found = Sent(external_id, web_address(one.get("permalink")))
    return found


# ---------------------------------------------------------------- comments, answers


async def _find_reply(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    target, external_id = outgoing.target, needed(graph, outgoing)
    if is_private(target):
        return await graph_effects.find_message(graph, "me", outgoing, "instagram", await _own(graph, login))
    if target is not None and target.kind is MentionKind.COMMENT:
        return await _beneath(graph, login, outgoing, external_id, "replies")
    if target is None or target.kind is not MentionKind.REPLY:
        return await _beneath(graph, login, outgoing, external_id, "comments")
    try:
        above = (await graph.get(segment(external_id), fields="parent_id")).value.get("parent_id")
    except Missing:
        await _may_look(graph, login)
        return None
    return await _beneath(graph, login, outgoing, identifier(above) or external_id, "replies")


async def _own(graph: Graph, login: Login) -> frozenset[str]:
    """The ids under which the account writes: it has one of its own for messages, and may have another for the app."""
    if graph.by_page:
        return frozenset({login.channel_external_id})
    me = (await graph.get("me", fields="id,user_id")).value
    told = (identifier(me.get("id")), identifier(me.get("user_id")), login.channel_external_id)
    return frozenset(one for one in told if one)


async def _beneath(graph: Graph, login: Login, outgoing: OutgoingEffect, above: str, edge: str) -> Sent | None:
    """The account's own words beneath a medium or comment. Answers come oldest first: all of them are read."""
    asked, found = mark(outgoing, with_link(outgoing)), None
    place = Entry(frozenset({login.channel_external_id}), datetime.now(UTC))
    path = f"{segment(above)}/{edge}"
    try:
        async for one in graph_effects.walk(graph, path, asked, "timestamp", fields=_COMMENT):
            external_id, (_, kind) = identifier(one.get("id")), author_of(place, one)
            if (
                kind is AuthorKind.BRAND
                and external_id is not None
                and asked.fits(one.get("text"), one.get("timestamp"))
            ):
                found = Sent(external_id)
    except Missing:
        await _may_look(graph, login)
        return None
    return found


async def _may_look(graph: Graph, login: Login) -> None:
    """Raises Forbidden where we may not see comments, so that everything would seem gone."""
    await graph.get(f"{owner(graph, login)}/media", fields="id,comments.limit(1){id}", limit="1")


# ---------------------------------------------------------------- what a moderator did


async def _find_nothing(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """Deleted is what is not shown any more, while its neighbours are."""
    external_id = needed(graph, outgoing)
    try:
        await graph.get(segment(external_id), fields="id")
    except Missing:
        await _may_look(graph, login)
        return Sent(external_id)
    return None


async def _find_hidden(graph: Graph, outgoing: OutgoingEffect) -> Sent | None:
    external_id = needed(graph, outgoing)
    told: Mapping[str, object] = (await graph.get(segment(external_id), fields="hidden")).value
    hidden = told.get("hidden")
    if type(hidden) is not bool:
        raise Uncertain(graph.network, "Instagram does not tell whether it is hidden")
    return Sent(external_id) if hidden == (outgoing.kind is OutgoingKind.HIDE) else None
