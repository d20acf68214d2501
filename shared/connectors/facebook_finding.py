"""Whether what may have been brought about on a Page is there: by text, time and place, since Facebook knows no key."""

from collections.abc import Mapping

from shared.connectors import graph_effects
from shared.connectors.graph import Graph, Value, listed
from shared.connectors.graph_effects import Mark, looking_up, mark, needed, segment, with_link
from shared.connectors.graph_errors import Missing
from shared.connectors.reading import identifier, web_address
from shared.contract import Login, OutgoingEffect, OutgoingMedia, Sent
from shared.errors import Uncertain
from shared.models.enums import MentionKind, OutgoingKind

_POST = (
    "id,message,created_time,permalink_url,attachments{type,url,unshimmed_url,target{id},subattachments{target{id}}}"
)
_FILM = "id,description,created_time,post_id,permalink_url"
_COMMENT = "id,message,from,created_time,permalink_url"
_LIKED = "likes.limit(0).summary(true)"
_DONE = frozenset({OutgoingKind.HIDE, OutgoingKind.LIKE})  # as against what takes them back


async def find(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """What is there, or None where it certainly is not. Raises Uncertain."""
    with looking_up(graph):
        match outgoing.kind:
            case OutgoingKind.PUBLISH if film(outgoing) is not None:
                found = await _find_film(graph, login, outgoing)
            case OutgoingKind.PUBLISH:
                found = await _find_post(graph, login, outgoing)
            case OutgoingKind.FIRST_COMMENT:
                found = await _beneath(graph, login, outgoing, outgoing.parent_external_id or "")
            case OutgoingKind.REPLY:
                found = await _find_reply(graph, login, outgoing)
            case OutgoingKind.BLOCK | OutgoingKind.UNBLOCK:
                found = await _find_block(graph, login, outgoing)
            case OutgoingKind.DELETE:
                found = await _find_nothing(graph, login, outgoing)
            case _:
                found = await _find_shown(graph, outgoing)
    return found


def film(outgoing: OutgoingEffect) -> OutgoingMedia | None:
    """The film that is a post by itself, if this one is."""
    return outgoing.media[0] if len(outgoing.media) == 1 and outgoing.media[0].kind == "video" else None


# ---------------------------------------------------------------- posts


async def _find_post(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """The oldest fitting post since the first try. Pictures that were laid ready tell a post from its twin."""
    wanted = {str(one) for one in _kept(outgoing).values()}
    if outgoing.media and not wanted:
        return None  # without pictures that were laid ready nothing was sent
    asked = mark(outgoing, with_link(outgoing) if outgoing.media else None)
    found = None
    path = f"{segment(login.channel_external_id)}/published_posts"
    async for post in graph_effects.walk(graph, path, asked, "created_time", fields=_POST, since=_since(asked)):
        external_id = identifier(post.get("id"))
        if external_id is None or not asked.fits(post.get("message"), post.get("created_time")):
            continue
        if outgoing.media and not wanted & _attached(post):
            continue
        if not outgoing.media and not _has_link(post, outgoing.link):
            continue
        found = Sent(external_id, web_address(post.get("permalink_url")))
    return found


def _kept(outgoing: OutgoingEffect) -> Mapping[str, object]:
    kept = outgoing.marks.get("photos")
    return kept if isinstance(kept, dict) else {}


def _since(asked: Mark) -> str | None:
    return None if asked.since is None else str(int(asked.since.timestamp()) - 120)


def _attached(post: Value) -> set[str]:
    """The ids of the photos in a post."""
    found: set[str] = set()
    for one in listed(post.get("attachments")):
        for part in [one, *listed(one.get("subattachments"))]:
            target = part.get("target")
            external_id = identifier(target.get("id")) if isinstance(target, Mapping) else None
            found |= set() if external_id is None else {external_id}
    return found


def _has_link(post: Value, link: str | None) -> bool:
    """Whether the post may be the one with this link. Facebook writes addresses anew: any link will do for one."""
    links = [one for one in listed(post.get("attachments")) if one.get("type") in ("share", "link")]
    return bool(links) or not link


async def _find_film(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """Among the Page's films, which show one from the moment it was taken, long before its post is shown."""
    asked, found = mark(outgoing, with_link(outgoing)), None
    path = f"{segment(login.channel_external_id)}/videos"
    async for one in graph_effects.walk(graph, path, asked, "created_time", fields=_FILM, type="uploaded"):
        video = identifier(one.get("id"))
        if video is not None and asked.fits(one.get("description"), one.get("created_time")):
            found = _post_of(login, video, one)
    return None if found is None else Sent(*found)


async def post_of_film(graph: Graph, login: Login, video: str) -> tuple[str, str | None]:
    """The id and address of the post that a film became; the film's own where Facebook does not tell."""
    return _post_of(login, video, await graph_effects.seen(graph, video, _FILM))


def _post_of(login: Login, video: str, told: Value) -> tuple[str, str | None]:
    page = login.channel_external_id
    post = identifier(told.get("post_id")) or video
    where = web_address(told.get("permalink_url"))
    if where is not None and where.startswith("/"):  # a film's address comes without its host
        where = f"https://www.facebook.com{where}"
    return post if "_" in post else f"{page}_{post}", where


# ---------------------------------------------------------------- comments, answers


async def _find_reply(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    target = outgoing.target
    if target is not None and (target.is_private or target.kind is MentionKind.MESSAGE):
        page, own = segment(login.channel_external_id), frozenset({login.channel_external_id})
        return await graph_effects.find_message(graph, page, outgoing, "messenger", own)
    external_id = needed(graph, outgoing)
    found = await _beneath(graph, login, outgoing, external_id)
    if found is not None or target is None or target.kind is not MentionKind.REPLY:
        return found
    # An answer to an answer stands beneath the comment that both belong to.
    try:
        above = (await graph.get(segment(external_id), fields="parent{id}")).value.get("parent")
    except Missing:
        return None
    parent = identifier(above.get("id")) if isinstance(above, Mapping) else None
    return None if parent is None else await _beneath(graph, login, outgoing, parent)


async def _beneath(graph: Graph, login: Login, outgoing: OutgoingEffect, above: str) -> Sent | None:
    """The Page's own comment with this text right beneath a post or comment."""
    asked, found = mark(outgoing, with_link(outgoing)), None
    query = {"fields": _COMMENT, "order": "reverse_chronological", "since": _since(asked)}
    try:
        async for one in graph_effects.walk(graph, f"{segment(above)}/comments", asked, "created_time", **query):
            author, external_id = one.get("from"), identifier(one.get("id"))
            by = identifier(author.get("id")) if isinstance(author, Mapping) else None
            fits = asked.fits(one.get("message"), one.get("created_time"))
            if external_id is not None and by == login.channel_external_id and fits:
                found = Sent(external_id, web_address(one.get("permalink_url")))
    except Missing:
        # With what it stood beneath it is gone as well, provided that comments are shown to us at all.
        await _may_look(graph, login)
        return None
    return found


async def _may_look(graph: Graph, login: Login) -> None:
    """Raises Forbidden where we may not see comments, so that everything would seem gone."""
    page = segment(login.channel_external_id)
    await graph.get(f"{page}/feed", fields="id,comments.limit(1){id}", limit="1")


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


async def _find_shown(graph: Graph, outgoing: OutgoingEffect) -> Sent | None:
    """Hidden or liked, or not any more: the thing says so itself."""
    external_id = needed(graph, outgoing)
    hides = outgoing.kind in (OutgoingKind.HIDE, OutgoingKind.UNHIDE)
    value = (await graph.get(segment(external_id), fields="is_hidden" if hides else _LIKED)).value
    likes = value.get("likes")
    summary = likes.get("summary") if isinstance(likes, Mapping) else None
    liked = summary.get("has_liked") if isinstance(summary, Mapping) else None
    told = value.get("is_hidden") if hides else liked
    if type(told) is not bool:
        raise Uncertain(graph.network, "the network does not tell whether it was done")
    return Sent(external_id) if told is (outgoing.kind in _DONE) else None


async def _find_block(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    person = needed(graph, outgoing)
    answer = await graph.get(f"{segment(login.channel_external_id)}/blocked", uid=person, fields="id")
    is_blocked = any(identifier(one.get("id")) == person for one in answer.items)
    return Sent(person) if is_blocked == (outgoing.kind is OutgoingKind.BLOCK) else None
