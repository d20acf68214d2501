"""Counts by bucket: from the sums kept by day and hour, or from the mentions themselves."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from shared.domain.insight.rollups import SUMS
from shared.domain.listening import searching
from shared.domain.listening.filters import MentionFilter, conditions
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models import Match, Mention, RollupHour
from shared.models.base import TIME
from shared.models.enums import AuthorKind, Dimension, Interval, MentionKind, MetricKey


@dataclass(frozen=True, slots=True)
class Range:
    """[since, until)."""

    since: datetime
    until: datetime

    def shrunk(self, up: Callable[[datetime], datetime], down: Callable[[datetime], datetime]) -> "Range | None":
        """The part between whole edges; None where there is none."""
        inner = Range(up(self.since), down(self.until))
        return inner if inner.since < inner.until else None

    def without(self, inner: "Range | None") -> list["Range"]:
        """What is left on both sides of `inner`."""
        if inner is None:
            return [self]
        sides = [Range(self.since, inner.since), Range(inner.until, self.until)]
        return [side for side in sides if side.since < side.until]


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


_OWN = and_(col(Mention.kind) == MentionKind.POST, col(Mention.author_kind) == AuthorKind.BRAND)
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
_ROLLUP_COLUMNS = {Dimension.NETWORK: "c.network", Dimension.KIND: "r.kind"}


async def by_day(
    session: Session,
    scope: Scope,
    edges: Sequence[datetime],
    within: Range,
    interval: Interval,
    dimensions: tuple[Dimension, ...],
    where: MentionFilter,
) -> list[Cell]:
    """From the sums of whole days: `within` begins and ends where local days do."""
    given: list[Any] = [scope.brand_id, within.since, within.until, where.networks, where.kinds, where.channel_ids]
    number: Callable[[Any], int]
    if interval is Interval.DAY:  # whole days are buckets by themselves: only longer ones are looked up among the edges
        bucket, number = "r.day", {edge: n for n, edge in enumerate(edges)}.__getitem__
    else:
        bucket, number = "width_bucket(r.day, $7::timestamptz[]) - 1", int
        given.append(edges)
    columns = "".join(f", {_ROLLUP_COLUMNS[d]}" for d in dimensions if d is not Dimension.CHANNEL)
    sums = ", ".join(f"sum(r.{name})::bigint" for name in SUMS)
    statement = (
        f"SELECT {bucket}, r.channel_id, {sums}{columns}"  # noqa: S608  our words
        " FROM rollup_day r JOIN channel c ON c.brand_id = r.brand_id AND c.id = r.channel_id"
        " WHERE r.brand_id = $1 AND r.day >= $2 AND r.day < $3"
        " AND ($4::text[] IS NULL OR c.network = ANY ($4)) AND ($5::text[] IS NULL OR r.kind = ANY ($5))"
        f" AND ($6::uuid[] IS NULL OR r.channel_id = ANY ($6)) GROUP BY 1, r.channel_id{columns}"
    )
    found = await (await driver(session)).fetch(statement, *given)
    others = [d for d in dimensions if d is not Dimension.CHANNEL]
    values: dict[Any, tuple[str | None, ...]] = {}  # few, and the same for every day
    width = 2 + len(SUMS)
    for _, channel_id, *more in found:
        rest = more[len(SUMS) :]
        if (channel_id, *rest) not in values:
            told = dict(zip(others, rest, strict=True)) | {Dimension.CHANNEL: typeid(Prefix.CHANNEL, channel_id)}
            values[channel_id, *rest] = tuple(told[d] for d in dimensions)
    return [Cell(number(row[0]), row[1], values[row[1], *row[width:]], *row[2:width]) for row in found]


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
    interactions = _known(Mention.likes) + _known(Mention.replies) + _known(Mention.shares)
    statement = (
        select(  # type: ignore[call-overload]
            bucket,
            Mention.channel_id,
            *grouped,
            func.count().filter(not_(_OWN)),
            func.count().filter(_OWN),
            *(func.count().filter(not_(_OWN), type_coerce(Mention.sentiment, Text) == mood) for mood in SUMS[2:]),
            func.coalesce(func.sum(interactions), 0),
            func.coalesce(func.sum(Mention.reach).filter(not_(_OWN)), 0),
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
    if MetricKey.AUTHORS in keys:
        # Different accounts don't add up over channels: they are counted over all of a series at once.
        statement = (
            select(bucket, *grouped, func.count(col(Mention.author_id).distinct()))  # type: ignore[call-overload]
            .select_from(_rows(dimensions, where))
            .where(*rules, not_(_OWN))
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
