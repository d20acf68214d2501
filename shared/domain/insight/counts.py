"""Counts by bucket: from the sums kept by day and hour, or from the mentions themselves."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    column,
    func,
    join,
    literal,
    not_,
    outerjoin,
    true,
    type_coerce,
)
from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain.insight.buckets import Range
from shared.domain.insight.rollups import SUMS
from shared.domain.listening import searching
from shared.domain.listening.filters import MentionFilter, conditions, is_matched
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models import Match, Mention, RollupHour
from shared.models.base import TIME
from shared.models.enums import AuthorKind, Dimension, Interval, MentionKind, MetricKey, Sentiment
from shared.models.query import ANY


@dataclass(frozen=True, slots=True)
class Cell:
    """What was counted in one bucket for one channel (None: for all of them) and one value of each dimension."""

    bucket: int
    channel_id: UUID | None
    values: tuple[str | None, ...]
    mentions: int = 0
    posts: int = 0
    positive: int = 0
    neutral: int = 0
    negative: int = 0
    authors: int = 0
    engagement: int = 0
    reach: int = 0

    @property
    def counted(self) -> bool:
        return bool(self.mentions or self.posts or self.authors or self.engagement)


OWN = and_(col(Mention.kind) == MentionKind.POST, col(Mention.author_kind) == AuthorKind.BRAND)
_COLUMNS: dict[Dimension, Any] = {
    Dimension.NETWORK: col(Mention.network),
    Dimension.KIND: col(Mention.kind),
    Dimension.LANGUAGE: col(Mention.language),
    Dimension.CHANNEL: col(Mention.channel_id),
    Dimension.SENTIMENT: col(Mention.sentiment),
    Dimension.INTENT: column("intent", Text),
    Dimension.QUERY: col(Match.query_id),
}
_NAMED = {Dimension.CHANNEL: Prefix.CHANNEL, Dimension.QUERY: Prefix.QUERY}
_ROLLUP_COLUMNS = {
    Dimension.NETWORK: "c.network",
    Dimension.KIND: "r.kind",
    Dimension.CHANNEL: "r.channel_id",
    Dimension.QUERY: "r.query_id",
}
Gap = tuple[UUID, datetime, datetime]  # of a channel: [since, until), in which it was not observed
_UNSEEN = (
    "CASE WHEN EXISTS (SELECT 1 FROM unnest($7::uuid[], $8::timestamptz[], $9::timestamptz[]) AS g (id, since, until)"
    " WHERE g.id = r.channel_id AND g.since <= r.day AND r.day < g.until) THEN r.channel_id END"
)
ANY_QUERY = (typeid(Prefix.QUERY, ANY),)
"""The values of the cells that hold what any query matched, each mention once."""


async def by_day(
    session: Session,
    scope: Scope,
    edges: Sequence[datetime],
    within: Range,
    interval: Interval,
    dimensions: tuple[Dimension, ...],
    where: MentionFilter,
    gaps: Sequence[Gap],
) -> list[Cell]:
    """From the sums of whole days: `within` begins and ends where local days do. Which channel spoke is said of the
    gaps, in which it was not observed; otherwise channels are summed up. By query, what none matched is left out, and
    what any of them matched stands under ANY_QUERY where queries are the one dimension."""
    given: list[Any] = [scope.brand_id, within.since, within.until, where.networks, where.channel_ids]
    table, narrowed = "rollup_day", "r.kind = ANY ($6)"
    if Dimension.QUERY in dimensions:
        table, narrowed = "rollup_query_day", "r.query_id = ANY ($6)"
        given.append([*where.query_ids, ANY] if where.query_ids is not None else None)
    else:
        given.append(where.kinds)
    channel = "NULL::uuid"
    if Dimension.CHANNEL in dimensions:
        channel = "r.channel_id"
    elif gaps:
        channel = _UNSEEN
        given += [list(column) for column in zip(*gaps, strict=True)]
    number: Callable[[Any], int]
    if interval is Interval.DAY:  # whole days are buckets by themselves: only longer ones are looked up among the edges
        bucket, number = "r.day", {edge: n for n, edge in enumerate(edges)}.__getitem__
    else:
        bucket, number = f"width_bucket(r.day, ${len(given) + 1}::timestamptz[]) - 1", int
        given.append(edges)
    grouped = [d for d in dimensions if d is not Dimension.SENTIMENT]
    columns = "".join(f", {_ROLLUP_COLUMNS[d]}" for d in grouped)
    sums = ", ".join(f"sum(r.{name})::bigint" for name in SUMS)
    kind = "uuid" if Dimension.QUERY in dimensions else "text"
    statement = (
        f"SELECT {bucket}, {channel}, {sums}{columns}"  # noqa: S608  our words
        f" FROM {table} r JOIN channel c ON c.brand_id = r.brand_id AND c.id = r.channel_id"
        " WHERE r.brand_id = $1 AND r.day >= $2 AND r.day < $3"
        " AND ($4::text[] IS NULL OR c.network = ANY ($4)) AND ($5::uuid[] IS NULL OR r.channel_id = ANY ($5))"
        f" AND ($6::{kind}[] IS NULL OR {narrowed}) GROUP BY 1, 2{columns}"
    )
    found = await (await driver(session)).fetch(statement, *given)
    told = cache(lambda values: _values(grouped, values))  # few, and the same for every day
    width, is_alone = 2 + len(SUMS), len(dimensions) == 1  # a share is one query's among all, and not one network's
    cells = [
        Cell(number(row[0]), row[1], told(row[width:]), *row[2:width])
        for row in found
        if is_alone or ANY not in row[width:]
    ]
    return cells if grouped == list(dimensions) else list(_by_mood(cells, dimensions.index(Dimension.SENTIMENT)))


def _by_mood(cells: Iterable[Cell], place: int) -> Iterator[Cell]:
    """Cells for each mood, and for none, with its value at this place."""
    for cell in cells:
        told = {
            Sentiment.POSITIVE: cell.positive,
            Sentiment.NEUTRAL: cell.neutral,
            Sentiment.NEGATIVE: cell.negative,
            None: cell.mentions - cell.positive - cell.neutral - cell.negative,
        }
        for mood, n in told.items():
            if n:
                values = (*cell.values[:place], mood.value if mood is not None else None, *cell.values[place:])
                yield Cell(cell.bucket, cell.channel_id, values, n)


async def by_hour(session: Session, scope: Scope, edges: Sequence[datetime], within: Range) -> list[Cell]:
    """From the sums of whole hours, all channels together."""
    bucket = _bucket(col(RollupHour.hour), edges)
    statement = (
        select(bucket, *(func.sum(getattr(RollupHour, name)) for name in SUMS))
        .where(
            RollupHour.brand_id == scope.brand_id,
            col(RollupHour.hour) >= within.since,
            col(RollupHour.hour) < within.until,
        )
        .group_by(bucket)
    )
    return [Cell(row[0] - 1, None, (), *row[1:]) for row in (await session.execute(statement)).all()]


async def by_mention(
    session: Session,
    scope: Scope,
    keys: Collection[MetricKey],
    edges: Sequence[datetime],
    within: Range,
    dimensions: tuple[Dimension, ...],
    where: MentionFilter,
) -> list[Cell]:
    """By counting every mention of the range that the filter lets through."""
    bucket = _bucket(col(Mention.published_at), edges)
    grouped = [_COLUMNS[d] for d in dimensions]
    rules = [
        *conditions(where.shape()),
        col(Mention.published_at) >= bindparam("range_since", within.since, type_=TIME),
        col(Mention.published_at) < bindparam("range_until", within.until, type_=TIME),
    ]
    values: dict[str, Any] = {"brand_id": scope.brand_id, **where.given()}
    if where.words is not None:
        values["among"] = await searching.found_between(session, where.words, within.since, within.until)
        rules.append(col(Mention.id) == any_(bindparam("among", type_=ARRAY(Uuid))))
    statement = (
        select(  # type: ignore[call-overload]
            bucket,
            Mention.channel_id,
            *grouped,
            func.count().filter(not_(OWN)),
            func.count().filter(OWN),
            *felt(),
            func.coalesce(func.sum(interactions()), 0),
            func.coalesce(func.sum(Mention.reach).filter(not_(OWN)), 0),
        )
        .select_from(_rows(dimensions, where))
        .where(*rules)
        .group_by(bucket, Mention.channel_id, *grouped)
    )
    cells = [
        Cell(
            row[0] - 1,
            row[1],
            _values(dimensions, row[2:-7]),
            **_sums(row[-7:-2]),
            engagement=int(row[-2]),
            reach=int(row[-1]),
        )
        for row in (await session.execute(statement, values)).all()
    ]
    if MetricKey.SHARE_OF_VOICE in keys:
        statement = (
            select(bucket, func.count()).select_from(Mention).where(*rules, not_(OWN), is_matched()).group_by(bucket)
        )
        found = (await session.execute(statement, values)).all()
        cells += [Cell(row[0] - 1, None, ANY_QUERY, mentions=row[1]) for row in found]
    if MetricKey.AUTHORS in keys:
        # Different accounts don't add up over channels: they are counted over all of a series at once.
        statement = (
            select(bucket, *grouped, func.count(col(Mention.author_id).distinct()))  # type: ignore[call-overload]
            .select_from(_rows(dimensions, where))
            .where(*rules, not_(OWN))
            .group_by(bucket, *grouped)
        )
        found = (await session.execute(statement, values)).all()
        cells += [Cell(row[0] - 1, None, _values(dimensions, row[1:-1]), authors=row[-1]) for row in found]
    return cells


def _sums(counted: Sequence[int]) -> dict[str, int]:
    return dict(zip(SUMS, counted, strict=True))


def _rows(dimensions: tuple[Dimension, ...], where: MentionFilter) -> Any:
    """What is counted: each mention once; by intent once for each that it has, or once for none that is known; by query
    once for each that it matches, of those that are asked for, if any are."""
    rows: Any = Mention
    if Dimension.INTENT in dimensions:
        intents = func.unnest(Mention.intents).table_valued(column("intent", Text), name="intents")
        rows = outerjoin(rows, intents.render_derived().lateral(), true())
    if Dimension.QUERY in dimensions:
        on = and_(
            col(Match.brand_id) == bindparam("brand_id", type_=Uuid),
            col(Match.brand_id) == col(Mention.brand_id),
            col(Match.mention_id) == col(Mention.id),
        )
        if where.query_ids is not None:
            on = and_(on, col(Match.query_id) == any_(bindparam("query_ids", type_=ARRAY(Uuid))))
        rows = join(rows, Match, on)
    return rows


def felt() -> list[ColumnElement[int]]:
    """How many are positive, neutral and negative, of what is not the brand's own."""
    return [func.count().filter(not_(OWN), type_coerce(Mention.sentiment, Text) == mood) for mood in SUMS[2:]]


def interactions() -> ColumnElement[int]:
    """Likes, replies and shares; an unknown counter adds nothing."""
    return _known(Mention.likes) + _known(Mention.replies) + _known(Mention.shares)


def _known(counter: Any) -> ColumnElement[int]:
    return func.coalesce(counter, 0)


def _bucket(at: Any, edges: Sequence[datetime]) -> ColumnElement[int]:
    """The bucket of a time, counted from 1."""
    return func.width_bucket(at, literal(list(edges), ARRAY(TIME)))


def _values(dimensions: Sequence[Dimension], row: Sequence[Any]) -> tuple[str | None, ...]:
    return tuple(
        typeid(_NAMED[dimension], value) if dimension in _NAMED else None if value is None else str(value)
        for dimension, value in zip(dimensions, row, strict=True)
    )
