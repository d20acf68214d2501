"""Reading a Page by asking: its feed, what tags it, comments, reviews and messages. Webhooks are mostly sooner."""

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from shared.connectors import graph_talk
from shared.connectors.facebook_answers import COMMENT, COMMENTS, FEED, LOOKED, NEWS, POST, RATINGS, TAGGED
from shared.connectors.graph import Graph, Looked, Value, listed, moment, next_page, place_of
from shared.connectors.graph_answers import oldest, total
from shared.connectors.graph_errors import Forbidden, Missing
from shared.connectors.graph_rounds import Read, State, Step, arrival, onward
from shared.connectors.meta_hooks import canonical
from shared.connectors.reading import identifier
from shared.contract import Login, Pointer, RawArrival
from shared.errors import Refused

SOURCES = (FEED, TAGGED, NEWS, RATINGS, graph_talk.CONVERSATIONS)
FILLING = (FEED, TAGGED, RATINGS, graph_talk.CONVERSATIONS)

_POST = (
    "id,message,from,created_time,updated_time,permalink_url,is_hidden,is_published,shares,"
    "attachments{type,media_type,media,title,url,unshimmed_url,subattachments},"
    "reactions.limit(0).summary(total_count),comments.limit(0).summary(total_count)"
)
_COMMENT = "id,message,from,parent{id},created_time,permalink_url,is_hidden,attachment,like_count,comment_count"
_RATING = "open_graph_story{id},created_time,recommendation_type,review_text,rating,reviewer{id,name}"
_MESSAGE = "id,created_time,from,to,message,sticker,attachments{mime_type,name,image_data,video_data,file_url}"
_POST_OR_COMMENT = re.compile(r"\d{1,40}_\d{1,40}")
_FETCHED = {POST: _POST, COMMENT: _COMMENT}
# Backfilling, posts that are older than the moment asked for may have younger comments.
OLDER = timedelta(days=30)


async def take(graph: Graph, login: Login, state: State, step: Step) -> Read:
    """Read one page."""
    page = quote(login.channel_external_id, safe="")
    place = place_of(step.after)
    if step.source in (FEED, TAGGED):
        return await _posts(graph, state, step, f"{page}/{step.source}", place)
    if step.source == NEWS:
        return await _news(graph, state, step)
    if step.source == COMMENTS:
        return await _comments(graph, step, place)
    if step.source == RATINGS:
        return await _ratings(graph, step, f"{page}/ratings", place)
    if step.source == graph_talk.CONVERSATIONS:
        return await graph_talk.conversations(graph, step, page, "messenger")
    return await graph_talk.messages(graph, step, _MESSAGE)


async def _posts(graph: Graph, state: State, step: Step, path: str, place: dict[str, str]) -> Read:
    """Posts, newest first. Those of the Page's own feed are watched for comments."""
    since = step.since - int(OLDER.total_seconds()) if state.filling else step.since
    answer = await graph.get(path, fields=_POST, limit="25", since=str(since) if since > 0 else None, **place)
    follow: list[Step] = []
    for post in reversed(answer.items) if step.source == FEED else ():
        external_id = identifier(post.get("id"))
        if external_id is not None and state.filling and total(post.get("comments")) != 0:
            follow.append(Step(COMMENTS, external_id, since=step.since))
        elif external_id is not None and not state.filling and not step.after:
            state.watch(external_id, step.since)
    arrivals = (arrival(step, answer.body, answer.asked_at),) if _has_new(step, answer.items) else ()
    earliest = oldest(answer.items, "created_time")
    if state.filling and earliest is not None:
        earliest += OLDER
    return Read(arrivals, (*follow, *onward(step, answer.next_page, earliest)), answer.wait)


async def _news(graph: Graph, state: State, step: Step) -> Read:
    """The newest comments on all the posts that are watched, in one call; more on one of them is a step of its own."""
    if not state.seen:
        return Read(asked=False)
    since = f".since({step.since})" if step.since else ""
    edge = f"comments.filter(stream).order(reverse_chronological){since}.limit(50)"
    looked = await graph.look(list(state.seen), f"id,{edge}{{{_COMMENT}}}", together=25)
    for gone in looked.missing:
        state.seen.pop(gone, None)
    shown = {one: post for one, post in looked.found.items() if listed(post.get("comments"))}
    follow: list[Step] = []
    for external_id, post in shown.items():
        inner = post.get("comments")
        walk = Step(COMMENTS, external_id, since=step.since)
        follow += onward(walk, next_page(inner), oldest(listed(inner), "created_time"))
    arrivals = (arrival(step, canonical({"shown": shown}), looked.asked_at),) if shown else ()
    return Read(arrivals, tuple(follow), looked.wait)


async def _comments(graph: Graph, step: Step, place: dict[str, str]) -> Read:
    """Comments on one post and the replies among them, newest first."""
    answer = await graph.get(
        f"{quote(step.about, safe='')}/comments", fields=_COMMENT, filter="stream", order="reverse_chronological",
        since=str(step.since) if step.since else None, limit="100", **place,
    )  # fmt: skip
    arrivals = (arrival(step, answer.body, answer.asked_at),) if answer.items else ()
    return Read(arrivals, onward(step, answer.next_page, oldest(answer.items, "created_time")), answer.wait)


async def _ratings(graph: Graph, step: Step, path: str, place: dict[str, str]) -> Read:
    """Reviews, newest first; nobody but some Pages has them."""
    answer = await graph.get(path, fields=_RATING, limit="25", **place)
    arrivals = (arrival(step, answer.body, answer.asked_at),) if _has_new(step, answer.items) else ()
    return Read(arrivals, onward(step, answer.next_page, oldest(answer.items, "created_time")), answer.wait)


def _has_new(step: Step, items: Sequence[Value]) -> bool:
    """Whether a list tells of anything since the moment down to which the step reads."""
    times = [moment(item.get("created_time")) for item in items]
    return any(at is None or at.timestamp() >= step.since for at in times)


# ---------------------------------------------------------------- single things


async def fetch(graph: Graph, login: Login, pointer: Pointer) -> RawArrival:
    """A post or comment that was only named. Raises Missing where it is gone.

    Not every post of others may be asked for by its id; one that tags the Page stands among its tags, too.
    """
    fields = _FETCHED.get(pointer.kind)
    if fields is None:
        raise Refused(graph.network, f"there is no way to fetch a {pointer.kind[:40]}")
    try:
        answer = await graph.get(quote(pointer.external_id, safe=""), fields=fields)
    except (Missing, Forbidden):
        if pointer.kind != POST:
            raise
        tags = await graph.get(f"{quote(login.channel_external_id, safe='')}/tagged", fields=_POST, limit="50")
        found = [post for post in tags.items if identifier(post.get("id")) == pointer.external_id]
        if not found:
            raise
        body = canonical({"shown": {pointer.external_id: found[0]}})
        return arrival(Step(LOOKED, pointer.external_id), body, tags.asked_at)
    return arrival(Step(pointer.kind, pointer.external_id), answer.body, answer.asked_at)


async def look(graph: Graph, login: Login, external_ids: Sequence[str]) -> Looked:
    """What is shown of these posts and comments. Messages and reviews have ids that can't be asked for this way."""
    known = [one for one in external_ids if _POST_OR_COMMENT.fullmatch(one)]
    posts = [one for one in known if one.partition("_")[0] == login.channel_external_id]
    looked = await graph.look(posts, _POST, together=25)
    # A post of somebody else's that tags the Page has an id like a comment's.
    looked.add(await graph.look([one for one in known if one not in posts], _COMMENT, together=25, other=_POST))
    return looked


async def recheck(graph: Graph, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
    """Posts and comments as they are now, in one arrival.

    What is not shown is gone only while comments are shown at all: without that right everything would seem gone. And
    only what stood on the Page itself: other people's posts, and comments there, may be hidden from us.
    """
    looked = await look(graph, login, external_ids)
    gone = await _gone(graph, login, looked.missing) if looked.missing else []
    if not looked.found and not gone:
        return ()
    return (arrival(Step(LOOKED), canonical({"shown": looked.found, "gone": gone}), looked.asked_at),)


async def _gone(graph: Graph, login: Login, missing: Sequence[str]) -> list[str]:
    page = login.channel_external_id
    await graph.get(f"{quote(page, safe='')}/feed", fields="id,comments.limit(1){id}", limit="1")
    posts = {one: f"{page}_{one.partition('_')[0]}" for one in missing if one.partition("_")[0] != page}
    own = await graph.look(sorted(set(posts.values())), "id", together=25)
    return sorted(one for one in missing if one not in posts or posts[one] in own.found)
