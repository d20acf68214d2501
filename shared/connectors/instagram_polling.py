"""Reading an Instagram account by asking: its media and their comments, what tags it, and its messages."""

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from shared.connectors import graph_talk
from shared.connectors.graph import Graph, Looked, Value, listed, moment, next_page, place_of
from shared.connectors.graph_answers import amount, oldest
from shared.connectors.graph_errors import Forbidden, Missing
from shared.connectors.graph_rounds import Read, State, Step, arrival, onward
from shared.connectors.instagram_answers import COMMENTS, LOOKED, MEDIA, REPLIES, TAGS
from shared.connectors.instagram_changes import MENTIONED_COMMENT, MENTIONED_MEDIA
from shared.connectors.meta_hooks import canonical
from shared.connectors.reading import identifier
from shared.contract import Login, Pointer, RawArrival
from shared.errors import Refused

_REPLY = "id,text,timestamp,username,from,user,like_count,hidden,parent_id"
_COMMENT = f"{_REPLY},media{{id}}"
_MEDIUM = (
    "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,timestamp,username,owner,"
    "like_count,comments_count,children{media_type,media_url,thumbnail_url}"
)
_MESSAGE = "id,created_time,from,to,message,attachments,shares,story"
_MENTIONED = {
    MENTIONED_COMMENT: "mentioned_comment.comment_id({id}){{id,text,timestamp,username,like_count,media{{id}}}}",
    MENTIONED_MEDIA: "mentioned_media.media_id({id}){{id,caption,media_type,media_url,permalink,timestamp,username,"
    "like_count,comments_count}}",
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
# Backfilling, media that are older than the moment asked for may have younger comments.
OLDER = timedelta(days=30)
_RECHECKED = timedelta(days=8)  # what is looked at again is a week old at most


def sources(graph: Graph) -> tuple[str, ...]:
    """What a round asks. Who tagged the account is told by the Page's host only."""
    return (MEDIA, TAGS, graph_talk.CONVERSATIONS) if graph.by_page else (MEDIA, graph_talk.CONVERSATIONS)


def owner(graph: Graph, login: Login) -> str:
    """The account, as its host wants it called: a Page's token stands for the Page, not for the account."""
    return quote(login.channel_external_id, safe="") if graph.by_page else "me"


async def take(graph: Graph, login: Login, state: State, step: Step) -> Read:
    """Read one page."""
    if step.source == graph_talk.CONVERSATIONS:
        return await graph_talk.conversations(graph, step, "me", "instagram")
    if step.source == graph_talk.MESSAGES:
        return await graph_talk.messages(graph, step, _MESSAGE)
    place = place_of(step.after)
    if step.source in (COMMENTS, REPLIES):
        return await _comments(graph, step, place)
    return await _media(graph, state, step, f"{owner(graph, login)}/{step.source}", place)


async def _media(graph: Graph, state: State, step: Step, path: str, place: dict[str, str]) -> Read:
    """Media, newest first. Of the account's own, those whose comments have changed in number are looked into."""
    answer = await graph.get(path, fields=_MEDIUM, limit="25", **place)
    follow = _commented(state, step, answer.items) if step.source == MEDIA else []
    new = [one for one in answer.items if (at := moment(one.get("timestamp"))) is None or at.timestamp() >= step.since]
    arrivals = (arrival(step, answer.body, answer.asked_at),) if new else ()
    earliest = oldest(answer.items, "timestamp")
    if state.filling and earliest is not None:
        earliest += OLDER
    return Read(arrivals, (*follow, *onward(step, answer.next_page, earliest)), answer.wait)


def _commented(state: State, step: Step, items: Sequence[Value]) -> list[Step]:
    follow = []
    for one in reversed(items):
        external_id, count = identifier(one.get("id")), amount(one.get("comments_count"))
        if external_id is None or count is None:
            continue
        if count != state.seen.get(external_id, 0) or (state.filling and count):
            follow.append(Step(COMMENTS, external_id, since=step.since))
        if not step.after:
            state.watch(external_id, count)
    return follow


async def _comments(graph: Graph, step: Step, place: dict[str, str]) -> Read:
    """Comments on one medium, newest first, or the replies to one of them."""
    fields = f"{_COMMENT},replies.limit(25){{{_REPLY}}}" if step.source == COMMENTS else _REPLY
    answer = await graph.get(f"{quote(step.about, safe='')}/{step.source}", fields=fields, limit="50", **place)
    follow: list[Step] = []
    for one in answer.items:
        beyond, external_id = next_page(one.get("replies")), identifier(one.get("id"))
        if beyond is not None and external_id is not None and listed(one.get("replies")):
            # Replies come oldest first: all of them are read, for the newest are at the end.
            follow.append(Step(REPLIES, external_id, beyond, since=1))
    earliest = oldest(answer.items, "timestamp") if step.source == COMMENTS else None
    arrivals = (arrival(step, answer.body, answer.asked_at),) if answer.items else ()
    return Read(arrivals, (*follow, *onward(step, answer.next_page, earliest)), answer.wait)


# ---------------------------------------------------------------- single things


async def fetch(graph: Graph, login: Login, pointer: Pointer) -> RawArrival:
    """What a mention is: only the account that was mentioned may ask. Raises Missing where it is gone."""
    asked = _MENTIONED.get(pointer.kind)
    if asked is None or not _ID.fullmatch(pointer.external_id):
        raise Refused(graph.network, f"there is no way to fetch a {pointer.kind[:40]}")
    answer = await graph.get(owner(graph, login), fields=asked.format(id=pointer.external_id))
    if not isinstance(answer.value.get(pointer.kind), dict):
        raise Missing(graph.network, "the mention is not there, or not for this account to see")
    return arrival(Step(pointer.kind, pointer.external_id), answer.body, answer.asked_at)


async def look(graph: Graph, external_ids: Sequence[str]) -> Looked:
    """What is shown of these comments and media. Messages are passed over: their ids can't be asked for this way."""
    return await graph.look([one for one in external_ids if one.isdecimal()], _COMMENT, together=1, other=_MEDIUM)


async def recheck(graph: Graph, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
    """Comments and media as they are now, in one arrival.

    What is not shown is gone only while comments are shown at all: without that right everything would seem gone. Other
    people's things can't be asked for by their ids: they are looked for where the account heard of them.
    """
    looked = await look(graph, external_ids)
    gone = await _gone(graph, login, looked) if looked.missing else []
    if not looked.found and not gone:
        return ()
    return (arrival(Step(LOOKED), canonical({"shown": looked.found, "gone": gone}), looked.asked_at),)


async def _gone(graph: Graph, login: Login, looked: Looked) -> list[str]:
    """Which of the missing things are no longer there; what is found after all is added to what was looked at."""
    mine = owner(graph, login)
    await graph.get(f"{mine}/media", fields="id,comments.limit(1){id}", limit="1")
    gone = [one for one in looked.missing if not await _is_mention(graph, mine, one, looked)]
    if not gone or not graph.by_page:
        return sorted(gone)
    tags = await graph.listed_since(f"{mine}/{TAGS}", "timestamp", looked.asked_at - _RECHECKED)
    return [] if tags is None else sorted(set(gone) - tags)


async def _is_mention(graph: Graph, mine: str, external_id: str, looked: Looked) -> bool:
    """Whether it is shown to the account because it was mentioned in it."""
    for kind, asked in _MENTIONED.items():
        try:
            answer = await graph.get(mine, fields=asked.format(id=external_id))
        except Forbidden:
            raise
        except Refused:
            continue
        if isinstance(shown := answer.value.get(kind), dict):
            looked.found[external_id] = shown
            return True
    return False
