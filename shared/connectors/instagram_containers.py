"""What Instagram wants laid ready before a post: containers, which it fills from public addresses and nobody sees.

A container holds a picture, a film, or up to ten others. It is made harmlessly, is worked at for seconds to minutes,
and ends after a day.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never

from shared.connectors.graph import Done, Graph, Value, moment
from shared.connectors.graph_answers import amount
from shared.connectors.graph_effects import SOON, given_id, segment, with_link
from shared.connectors.graph_errors import Missing, comes_later
from shared.connectors.instagram_polling import owner
from shared.contract import Login, OutgoingEffect, OutgoingMedia, Prepared
from shared.errors import NetworkError, RateLimited, Refused, Unavailable, Uncertain

MOST_MEDIA = 10
_MOST_TAGS, _MOST_NAMES = 30, 20
_TAG, _NAME = re.compile(r"(?<![\w&])#\w+"), re.compile(r"(?<![\w.])@\w[\w.]*")
_PICTURE_WAIT, _FILM_WAIT = timedelta(seconds=5), timedelta(seconds=60)  # it wants to be asked once a minute
_AT_WORK = timedelta(hours=1)  # after which nothing will come of it any more
_TIMES = 3  # that containers are made again
_FULL = timedelta(hours=1)  # of the 24 over which Instagram counts posts
_SUBCODE = re.compile(r"\b(2207\d{3})\b")


class Status(StrEnum):
    """Where a container stands, in Instagram's words."""

    IN_PROGRESS = "IN_PROGRESS"
    FINISHED = "FINISHED"
    PUBLISHED = "PUBLISHED"
    EXPIRED = "EXPIRED"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Laid:
    """What was laid ready so far: the container, those within it by their places, since when, how often before."""

    container: str | None = None
    children: Mapping[str, str] = field(default_factory=dict)
    begun: str | None = None
    again: int = 0

    @classmethod
    def of(cls, marks: Mapping[str, Any]) -> "Laid":
        kept = marks.get("children")
        container, begun, again = marks.get("container"), marks.get("begun"), marks.get("again")
        return cls(
            container if isinstance(container, str) else None,
            {str(place): str(one) for place, one in kept.items()} if isinstance(kept, dict) else {},
            begun if isinstance(begun, str) else None,
            again if type(again) is int else 0,
        )

    @property
    def marks(self) -> Mapping[str, Any]:
        told = {
            "container": self.container, "children": dict(self.children), "begun": self.begun, "again": self.again,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value}


async def prepare(graph: Graph, login: Login, outgoing: OutgoingEffect) -> Prepared:
    """Make the containers, or look how far they are. Raises Refused in words for what Instagram will not take."""
    refuse(graph, outgoing)
    laid, mine = Laid.of(outgoing.marks), owner(graph, login)
    if laid.begun is None:
        await _refuse_full(graph, mine)
        laid = replace(laid, begun=datetime.now(UTC).isoformat(timespec="seconds"))
    if laid.container is None and len(outgoing.media) > 1:
        found = await _children(graph, mine, outgoing, laid)
        if found.wait is not None:
            return found
        laid = Laid.of(found.marks)
    if laid.container is None:
        form = _whole(outgoing, laid)
        laid = replace(laid, container=await _made(graph, mine, form, outgoing.media, "the post"))
    return await _looked(graph, laid, outgoing)


async def status(graph: Graph, container: str) -> tuple[Status, str]:
    """Where a container stands, and why. Raises Missing where it is not there any more."""
    told = (await graph.get(segment(container), fields="status_code,status")).value
    code, words = told.get("status_code"), told.get("status")
    if code not in list(Status):
        raise Unavailable(graph.network, "Instagram does not say how far it is with the media", unsent=True)
    return Status(str(code)), str(words)[:300] if words else ""


def refuse(graph: Graph, outgoing: OutgoingEffect) -> None:
    """Raise Refused for what no post on Instagram can hold."""
    kinds, text = [item.kind for item in outgoing.media], with_link(outgoing)
    wrong = None
    if not kinds:
        wrong = "a post needs a picture or a film"
    elif set(kinds) - {"image", "video"}:
        wrong = f"a post can't hold {', '.join(sorted(set(kinds) - {'image', 'video'}))}"
    elif len(kinds) > MOST_MEDIA:
        wrong = f"a post holds {MOST_MEDIA} pictures and films at most, this one has {len(kinds)}"
    elif (tags := len(_TAG.findall(text))) > _MOST_TAGS:
        wrong = f"a caption holds {_MOST_TAGS} hashtags at most, this one has {tags}"
    elif (names := len(_NAME.findall(text))) > _MOST_NAMES:
        wrong = f"a caption names {_MOST_NAMES} accounts at most, this one names {names}"
    if wrong is not None:
        raise Refused(graph.network, wrong)


def quota(items: Sequence[Value]) -> tuple[int | None, int | None]:
    """How many posts of the last 24 hours count, and how many may; None where it is not told."""
    for one in items:
        config, used = one.get("config"), one.get("quota_usage")
        total = config.get("quota_total") if isinstance(config, Mapping) else None
        return amount(used), amount(total)
    return None, None


async def _refuse_full(graph: Graph, mine: str) -> None:
    """Raise RateLimited where the account has published as much as it may in 24 hours."""
    answer = await graph.get(f"{mine}/content_publishing_limit", fields="config,quota_usage")
    used, total = quota(answer.items)
    if used is not None and total is not None and used >= total:
        message = f"Instagram takes {total} posts of an account in 24 hours, and has {used}"
        raise RateLimited(graph.network, message, after=_FULL)


# ---------------------------------------------------------------- making


async def _children(graph: Graph, mine: str, outgoing: OutgoingEffect, laid: Laid) -> Prepared:
    """A container for each picture and film; `wait` until all of them can be put into one."""
    media = outgoing.media
    waiting = [place for place in range(len(media)) if str(place) not in laid.children]
    made = await asyncio.gather(
        *(_made(graph, mine, _part(media[place]), [media[place]], _which(media, place)) for place in waiting),
        return_exceptions=True,
    )
    found = {str(place): one for place, one in zip(waiting, made, strict=True) if isinstance(one, str)}
    failed = [one for one in made if isinstance(one, BaseException)]
    if failed and (not found or isinstance(failed[0], Refused) or not isinstance(failed[0], NetworkError)):
        raise failed[0]
    laid = replace(laid, children={**laid.children, **found})
    if failed:
        return Prepared(laid.marks, wait=SOON)
    for place, item in enumerate(media):
        if item.kind == "video":  # pictures are there as soon as they are taken
            looked = await _looked(graph, laid, outgoing, place)
            if looked.wait is not None:
                return looked
    return Prepared(laid.marks)


async def _made(
    graph: Graph, mine: str, form: Mapping[str, str | None], media: Sequence[OutgoingMedia], which: str
) -> str:
    try:
        return given_id(graph, Done((await graph.post(f"{mine}/media", **form)).value))
    except Refused as error:
        raise Refused(graph.network, f"{which} is not taken: {error.message}") from error
    except (Unavailable, Uncertain) as error:
        raise Unavailable(graph.network, f"{which}: {error.message}", unsent=True) from error


def _part(item: OutgoingMedia) -> dict[str, str | None]:
    if item.kind == "video":
        return {"media_type": "VIDEO", "video_url": item.url, "is_carousel_item": "true"}
    return {"image_url": item.url, "alt_text": item.alt or None, "is_carousel_item": "true"}


def _whole(outgoing: OutgoingEffect, laid: Laid) -> dict[str, str | None]:
    caption = with_link(outgoing) or None
    if len(outgoing.media) > 1:
        children = ",".join(laid.children[str(place)] for place in range(len(outgoing.media)))
        return {"media_type": "CAROUSEL", "children": children, "caption": caption}
    [item] = outgoing.media
    if item.kind == "video":
        return {"media_type": "REELS", "video_url": item.url, "share_to_feed": "true", "caption": caption}
    return {"image_url": item.url, "alt_text": item.alt or None, "caption": caption}


def _which(media: Sequence[OutgoingMedia], place: int) -> str:
    return f"{'film' if media[place].kind == 'video' else 'picture'} {place + 1}"


# ---------------------------------------------------------------- waiting


async def _looked(graph: Graph, laid: Laid, outgoing: OutgoingEffect, place: int | None = None) -> Prepared:
    """How far the container is, or the one within it at that place."""
    container = laid.container if place is None else laid.children[str(place)]
    which = "the post" if place is None else _which(outgoing.media, place)
    try:
        code, words = await status(graph, container or "")
    except Missing:
        code, words = Status.EXPIRED, "it is not there any more"
    match code:
        case Status.FINISHED | Status.PUBLISHED:
            return Prepared(laid.marks)
        case Status.IN_PROGRESS:
            begun = moment(laid.begun)
            if begun is not None and datetime.now(UTC) - begun > _AT_WORK:
                raise Refused(graph.network, f"{which}: Instagram has been at work on it for an hour; send it again")
            films = any(item.kind == "video" for item in outgoing.media)
            return Prepared(laid.marks, wait=_FILM_WAIT if films else _PICTURE_WAIT)
        case Status.EXPIRED:
            return _anew(graph, laid, f"{which}: {words or 'it was not published within a day'}")
        case Status.ERROR:
            subcode = _SUBCODE.search(words)
            if subcode is not None and comes_later(int(subcode[1])):
                return _anew(graph, laid, f"{which}: {words}")
            raise Refused(graph.network, f"{which} can't be used: {words or 'Instagram does not say why'}")
        case other:
            assert_never(other)


def _anew(graph: Graph, laid: Laid, why: str) -> Prepared:
    """Begin again with other containers, a few times."""
    if laid.again >= _TIMES:
        raise Refused(graph.network, f"tried {_TIMES + 1} times: {why}")
    return Prepared(Laid(again=laid.again + 1).marks, wait=SOON)
