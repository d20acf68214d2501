"""What stands out in a range: who spoke most, where, of what, with what intent, and which phrases rise."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, any_, bindparam, column, func, join, not_, true, type_coerce
from sqlmodel import col, select

from shared.db import Session
from shared.domain.insight import cells, metrics
from shared.domain.insight.counts import OWN, felt, interactions
from shared.domain.insight.points import net_sentiment
from shared.domain.insight.watching.phrases import Tally, phrases_of, rises
from shared.domain.listening import identities, mentions, searching
from shared.domain.listening.filters import MentionFilter, conditions
from shared.domain.page import PageRequest
from shared.domain.scope import Scope
from shared.models import Mention
from shared.models.base import TIME
from shared.models.enums import MentionOrder, TopKind

MOST_TEXTS = 5000

_BESIDE = (
    " `mentions` are what was said in the range, the brand's own posts left out, `share` their part of all of it,"
    " `previous` the same in as long a range before, `change` what came on top by what was, null where that is none."
    " `engagement` is likes, replies and shares, and `net_sentiment` (positive - negative) / all that was read."
)
_DEFINITIONS = {
    TopKind.AUTHORS: f"Accounts by how much they said.{_BESIDE}",
    TopKind.SOURCES: "Where it was said: the host of the mention's own address without `www.`, else its network."
    f"{_BESIDE}",
    TopKind.TOPICS: f"Key phrases that were found in texts, at most five in each.{_BESIDE}",
    TopKind.INTENTS: f"What people want; a mention counts for each intent that it has.{_BESIDE}",
    TopKind.PHRASES: "Words and pairs of words that stand in more mentions than in as long a range before, of two"
    " authors at least, by `score`: the log-odds ratio with an informative Dirichlet prior, as a z-score (Monroe,"
    f" Colaresi and Quinn, Political Analysis 16, 2008). Of each range the newest {MOST_TEXTS:,} texts are read;"
    " `sampled`: there were more, and the counts are of those that were read. `net_sentiment` is not known of phrases.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TopItem:
    """One of the most. `value` names it, `id` is an account's. `score` is a rising phrase's; `low` and `high` bound the
    net sentiment with 95 % confidence."""

    value: str
    id: UUID | None
    name: str | None
    mentions: int
    share: float
    engagement: int
    net_sentiment: float | None
    low: float | None
    high: float | None
    previous: int
    change: float | None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Top:
    """The most of one kind, of all `mentions` of the range and `previous` before it."""

    what: TopKind
    items: list[TopItem]
    mentions: int
    previous: int
    sampled: bool
    definition: str
    fresh_at: datetime


@dataclass(frozen=True, slots=True)
class _Span:
    since: datetime
    until: datetime


async def of(
    session: Session,
    scope: Scope,
    *,
    what: TopKind,
    since: datetime,
    until: datetime,
    first: int = 10,
    where: MentionFilter | None = None,
    now: datetime,
) -> Top:
    """The first so many, 1 to 100, from `since` up to `until`. Raises Invalid, for more than 90 days too."""
    PageRequest(first)
    where = replace(where or MentionFilter(), deleted=False)
    _, edges = await metrics.whole_range(session, scope, since, until)
    cells.refuse_long(edges[0], edges[1], "what stands out is counted mention by mention: at most 90 days")
    fresh = await metrics.fresh_at(session, scope, now)
    span, before = _Span(edges[0], edges[1]), _Span(edges[0] - (edges[1] - edges[0]), edges[0])
    if what is TopKind.PHRASES:
        items, said, said_before, sampled = await _phrases(session, scope, span, before, first, where)
    else:
        said, said_before = [await _total(session, scope, one, where) for one in (span, before)]
        items, sampled = await _counted(session, scope, what, span, before, first, where, said), False
    return Top(what, items, said, said_before, sampled, _DEFINITIONS[what], fresh)


# ---------------------------------------------------------------- counted mention by mention


def _value(what: TopKind) -> tuple[Any, Any]:
    """What is counted, and the rows that it is counted over."""
    match what:
        case TopKind.AUTHORS:
            return col(Mention.author_id), Mention
        case TopKind.SOURCES:
            host = func.substring(func.lower(col(Mention.url)), r"^https?://(?:[^/?#]*@)?(?:www\.)?([^/:?#]+)")
            return func.coalesce(host, type_coerce(Mention.network, Text)), Mention
        case TopKind.TOPICS | TopKind.INTENTS:
            values = col(Mention.topics if what is TopKind.TOPICS else Mention.intents)
            found = func.unnest(values).table_valued(column("value", Text), name="found").render_derived().lateral()
            return found.c.value, join(Mention, found, true())
        case TopKind.PHRASES:
            raise AssertionError(what)


async def _counted(
    session: Session,
    scope: Scope,
    what: TopKind,
    span: _Span,
    before: _Span,
    first: int,
    where: MentionFilter,
    said: int,
) -> list[TopItem]:
    value, rows = _value(what)
    rules, given = await _within(session, scope, span, where)
    statement = (
        select(value, func.count(), func.coalesce(func.sum(interactions()), 0), *felt())
        .select_from(rows)
        .where(*rules, value.is_not(None))
        .group_by(value)
        .order_by(func.count().desc(), value)
        .limit(first)
    )
    most = (await session.execute(statement, given)).all()
    rules, given = await _within(session, scope, before, where)
    kind = Uuid if what is TopKind.AUTHORS else Text
    earlier = (
        select(value, func.count())
        .select_from(rows)
        .where(*rules, value == any_(bindparam("values", type_=ARRAY(kind))))
        .group_by(value)
    )
    found = (await session.execute(earlier, {**given, "values": [row[0] for row in most]})).all() if most else []
    known: dict[Any, int] = {row[0]: row[1] for row in found}
    authors = await identities.by_ids(session, scope, [row[0] for row in most]) if what is TopKind.AUTHORS else {}
    return [_item(row, known.get(row[0], 0), said, authors) for row in most]


def _item(row: Sequence[Any], previous: int, said: int, authors: dict[UUID, Any]) -> TopItem:
    value, count, engagement, *moods = row
    author = authors.get(value)
    felt_, low, high = net_sentiment(*moods) or (None, None, None)
    return TopItem(
        value=(author.handle or author.name or author.external_id) if author is not None else str(value),
        id=value if author is not None else None,
        name=author.name if author is not None else None,
        mentions=count,
        share=count / said,
        engagement=int(engagement),
        net_sentiment=felt_,
        low=low,
        high=high,
        previous=previous,
        change=_change(count, previous),
    )


def _change(now: int, before: int) -> float | None:
    return (now - before) / before if before else None


async def _total(session: Session, scope: Scope, span: _Span, where: MentionFilter) -> int:
    rules, given = await _within(session, scope, span, where)
    statement = select(func.count()).select_from(Mention).where(*rules)
    return int((await session.execute(statement, given)).scalar_one())


async def _within(
    session: Session, scope: Scope, span: _Span, where: MentionFilter
) -> tuple[list[ColumnElement[bool]], dict[str, Any]]:
    """The WHERE of a range without the brand's own posts, and what its parameters stand for."""
    rules = [
        *conditions(where.shape()),
        not_(OWN),
        col(Mention.published_at) >= bindparam("range_since", type_=TIME),
        col(Mention.published_at) < bindparam("range_until", type_=TIME),
    ]
    given = {"brand_id": scope.brand_id, **where.given(), "range_since": span.since, "range_until": span.until}
    if where.words is not None:
        rules.append(col(Mention.id) == any_(bindparam("among", type_=ARRAY(Uuid))))
        given["among"] = await searching.found_between(session, where.words, span.since, span.until)
    return rules, given


# ---------------------------------------------------------------- phrases, read


_Read = tuple[str, UUID | None, int]  # a text, its author, and how many liked, answered and shared it


async def _phrases(
    session: Session, scope: Scope, span: _Span, before: _Span, first: int, where: MentionFilter
) -> tuple[list[TopItem], int, int, bool]:
    """The phrases that rise, how many texts were read of each range, and whether there were more."""
    said, said_before = [await _texts(session, scope, one, where) for one in (span, before)]
    is_sampled = len(said) > MOST_TEXTS or len(said_before) > MOST_TEXTS
    said, said_before = said[:MOST_TEXTS], said_before[:MOST_TEXTS]
    # In a thread: thousands of texts take a part of a second, and others wait for this loop.
    return *await asyncio.to_thread(_rising, said, said_before, first), is_sampled


async def _texts(session: Session, scope: Scope, span: _Span, where: MentionFilter) -> list[_Read]:
    """The newest texts of a range, and one more than are read where there are more."""
    rules, given = await _within(session, scope, span, where)
    statement = (
        select(Mention.text, Mention.author_id, interactions())
        .where(*rules, col(Mention.text).is_not(None))
        .order_by(*mentions.ordering(MentionOrder.NEWEST))
        .limit(MOST_TEXTS + 1)
    )
    return [(row[0], row[1], row[2]) for row in (await session.execute(statement, given)).all()]


def _rising(said: Sequence[_Read], said_before: Sequence[_Read], first: int) -> tuple[list[TopItem], int, int]:
    now, before = Tally(), Tally()
    read = [phrases_of(text) for text, _, _ in said]
    for phrases, (_, author, _) in zip(read, said, strict=True):
        now.add(phrases, author)
    for text, author, _ in said_before:
        before.add(phrases_of(text), author)
    found = rises(now, before)[:first]
    engagement = _engagement({one.phrase for one in found}, read, said)
    items = [
        TopItem(
            value=one.phrase, id=None, name=None, mentions=one.seen, share=one.seen / now.mentions,
            engagement=engagement[one.phrase], net_sentiment=None, low=None, high=None,
            previous=before.counts[one.phrase], change=_change(one.seen, before.counts[one.phrase]), score=one.z,
        )
        for one in found
    ]  # fmt: skip
    return items, len(said), len(said_before)


def _engagement(wanted: set[str], read: Iterable[set[str]], said: Iterable[_Read]) -> dict[str, int]:
    found = dict.fromkeys(wanted, 0)
    for phrases, (_, _, count) in zip(read, said, strict=True):
        for phrase in phrases & wanted:
            found[phrase] += count
    return found
