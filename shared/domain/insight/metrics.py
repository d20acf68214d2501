"""Figures over time: sums kept by day and hour, and counting where a filter asks for more than they hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import coverage
from shared.domain.insight import counts, points
from shared.domain.insight.buckets import Watch, bounds, observed
from shared.domain.insight.counts import Cell, Range
from shared.domain.insight.points import Point
from shared.domain.insight.rollups import day_of
from shared.domain.listening import queries
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.errors import Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models import Brand, Channel
from shared.models.enums import Dimension, Interval, MetricKey

COUNTED_DAYS = timedelta(days=90)
_A_CHANGE = timedelta(hours=1)  # ninety local days may hold the end of summer time

_UNITS = {
    MetricKey.MENTIONS: "mentions",
    MetricKey.POSTS: "posts",
    MetricKey.AUTHORS: "authors",
    MetricKey.ENGAGEMENT: "interactions",
    MetricKey.NET_SENTIMENT: "share",
    MetricKey.REACH: "people",
}
_DEFINITIONS = {
    MetricKey.MENTIONS: "What was said to or about the brand, by the time it was published; deleted mentions and the"
    " brand's own posts are not counted.",
    MetricKey.POSTS: "The brand's own posts, by the time they were published; deleted ones are not counted.",
    MetricKey.AUTHORS: "Different accounts that said something in the bucket, the brand's own posts left out. Buckets"
    " can't be added up: one account may speak in several.",
    MetricKey.ENGAGEMENT: "Likes, replies and shares, as the networks last counted them, of what was published in the"
    " bucket, the brand's own posts included; an unknown counter adds nothing.",
    MetricKey.NET_SENTIMENT: "(positive - negative) / (positive + neutral + negative), from -1 to 1, over the mentions"
    " whose mood is known, a person's word before the model's; null where there is none. `low` and `high` bound it with"
    " 95 % confidence: (b - c) / n give or take 1.96 times the root of (b + c) / n - ((b - c) / n)^2 over n, where b is"
    " positive + 1, c negative + 1 and n all + 2, cut at -1 and 1 (Bonett and Price, Journal of Educational and"
    " Behavioral Statistics 37, 2012).",
    MetricKey.REACH: "The sum of the reach of what was said to or about the brand, by the time it was published: of"
    " each mention its views as its network last counted them, else its author's followers as the network last told"
    " them with it; an unknown reach adds nothing. Deleted mentions and the brand's own posts are not counted, and who"
    " reads two mentions counts twice.",
}
_FROM_SUMS = frozenset({MetricKey.MENTIONS, MetricKey.POSTS, MetricKey.NET_SENTIMENT})
_SUMMED_BY = frozenset({Dimension.NETWORK, Dimension.KIND, Dimension.CHANNEL})
_SUMMED_FILTERS = frozenset({"networks", "kinds", "channel_ids"})

_WAITING = text("SELECT parvis.waiting_since(CAST(:brand AS uuid))")


@dataclass(frozen=True, slots=True)
class DimensionValue:
    """One coordinate of a series. A channel or query is named by its id; an unknown language has no value."""

    name: Dimension
    value: str | None


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart, with what it means and how fresh it is: all that came in before `fresh_at` is counted."""

    key: MetricKey
    unit: str
    dimensions: tuple[DimensionValue, ...]
    points: list[Point]
    definition: str
    fresh_at: datetime


async def series(
    session: Session,
    scope: Scope,
    *,
    keys: Sequence[MetricKey],
    since: datetime,
    until: datetime,
    interval: Interval,
    group_by: Sequence[Dimension] = (),
    where: MentionFilter | None = None,
    now: datetime,
) -> list[Series]:
    """A series for each key and each value of the dimensions, from `since` up to `until`, in the brand's zone.

    Raises Invalid: for an empty range, for too many points, and for more than 90 days where the kept sums can't answer.
    """
    brand = await session.get(Brand, scope.brand_id)
    if brand is None:
        raise NotFound(f"there is no brand with the id {typeid(Prefix.BRAND, scope.brand_id)!r}")
    where = replace(where or MentionFilter(), deleted=False)
    edges = bounds(since, until, interval, brand.zone)
    fresh_at = await _fresh_at(session, scope, now)  # first: what is settled meanwhile makes it fresher, not less so
    channels = await _channels(session, scope, where)
    dimensions = tuple(dict.fromkeys(group_by))
    seen = await coverage.intervals(session, scope, list(channels), edges[0], edges[-1])
    spans = {channel_id: observed(found, now) for channel_id, found in seen.items()}
    # The hours' sums don't say which channel spoke, which only matters where some were watched and others not.
    is_even = len(spans) <= 1 or all(it.covers(edges[0], min(edges[-1], now)) for it in spans.values())
    cells = await _cells(session, scope, set(keys), edges, interval, brand.zone, dimensions, where, now, is_even)
    lines = _lines(cells, channels, dimensions)
    if dimensions == (Dimension.QUERY,):
        lines = {(name,): lines.get((name,), []) for name in await _queries(session, scope, where)}
    watched = {channel_id: it.over(edges) for channel_id, it in spans.items()}
    return [
        Series(
            key=key,
            unit=_UNITS[key],
            dimensions=tuple(DimensionValue(d, v) for d, v in zip(dimensions, values, strict=True)),
            points=points.of(key, edges, line, _belonging(channels, watched, dimensions, values)),
            definition=_DEFINITIONS[key],
            fresh_at=fresh_at,
        )
        for key in dict.fromkeys(keys)
        for values, line in lines.items()
    ]


async def _fresh_at(session: Session, scope: Scope, now: datetime) -> datetime:
    """The moment up to which everything that was received is settled."""
    waiting: datetime | None = await session.scalar(_WAITING, {"brand": scope.brand_id})
    return min(waiting, now) if waiting is not None else now


async def _channels(session: Session, scope: Scope, where: MentionFilter) -> dict[UUID, Channel]:
    """The channels, removed ones too, that the filter lets speak."""
    statement = select(Channel).where(Channel.brand_id == scope.brand_id).order_by(col(Channel.id))
    if where.channel_ids is not None:
        statement = statement.where(col(Channel.id).in_(where.channel_ids))
    if where.networks is not None:
        statement = statement.where(col(Channel.network).in_(where.networks))
    return {channel.id: channel for channel in (await session.execute(statement)).scalars()}


async def _queries(session: Session, scope: Scope, where: MentionFilter) -> list[str]:
    """The brand's queries that the filter asks for, by their ids."""
    found = await queries.list_(session, scope)
    return [typeid(Prefix.QUERY, one.id) for one in found if where.query_ids is None or one.id in where.query_ids]


async def _cells(
    session: Session,
    scope: Scope,
    keys: set[MetricKey],
    edges: list[datetime],
    interval: Interval,
    zone: ZoneInfo,
    dimensions: tuple[Dimension, ...],
    where: MentionFilter,
    now: datetime,
    is_even: bool,
) -> list[Cell]:
    """Counts by bucket, channel and dimensions: from the kept sums where they can say it, else from the mentions."""
    whole = Range(edges[0], edges[-1])
    if not _summed(keys, dimensions, where):
        return await _counted(session, scope, keys, edges, whole, dimensions, where)
    if interval is Interval.HOUR:
        plain = is_even and not dimensions and not where.given()
        if not (plain and _has_whole_hours(zone, edges) and whole.since >= now.astimezone(UTC) - COUNTED_DAYS):
            return await _counted(session, scope, keys, edges, whole, dimensions, where)
        inner = whole.shrunk(_hour_after, _hour_before)
        sums = await counts.by_hour(session, scope, edges, inner) if inner else []
    else:
        inner = whole.shrunk(lambda at: _day_after(at, zone), lambda at: day_of(at, zone))
        sums = await counts.by_day(session, scope, edges, inner, interval, dimensions, where) if inner else []
    for rest in whole.without(inner):
        sums += await counts.by_mention(session, scope, keys, edges, rest, dimensions, where)
    return sums


def _summed(keys: set[MetricKey], dimensions: tuple[Dimension, ...], where: MentionFilter) -> bool:
    return keys <= _FROM_SUMS and _SUMMED_BY.issuperset(dimensions) and _SUMMED_FILTERS.issuperset(where.given()) and (
        where.words is None
    )  # fmt: skip


async def _counted(
    session: Session,
    scope: Scope,
    keys: set[MetricKey],
    edges: list[datetime],
    whole: Range,
    dimensions: tuple[Dimension, ...],
    where: MentionFilter,
) -> list[Cell]:
    if whole.until - whole.since > COUNTED_DAYS + _A_CHANGE:
        raise Invalid(
            [
                Problem(
                    "range_too_long",
                    "these keys, dimensions or filters are counted mention by mention: at most 90 days; ask for less,"
                    " or for mentions and posts by day, network, kind or channel",
                    ("to",),
                )
            ]
        )
    return await counts.by_mention(session, scope, keys, edges, whole, dimensions, where)


def _has_whole_hours(zone: ZoneInfo, edges: Sequence[datetime]) -> bool:
    offsets = (edge.astimezone(zone).utcoffset() for edge in (edges[0], edges[-1]))
    return all(offset is not None and offset % timedelta(hours=1) == timedelta(0) for offset in offsets)


def _hour_before(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _hour_after(at: datetime) -> datetime:
    before = _hour_before(at)
    return at if before == at else before + timedelta(hours=1)


def _day_after(at: datetime, zone: ZoneInfo) -> datetime:
    """The first beginning of a local day that is not before `at`."""
    begun = day_of(at, zone)
    if begun == at:
        return begun
    return day_of(begun.astimezone(zone).replace(hour=12) + timedelta(days=1), zone)


def _lines(
    cells: Sequence[Cell], channels: dict[UUID, Channel], dimensions: tuple[Dimension, ...]
) -> dict[tuple[str | None, ...], list[Cell]]:
    """The cells of each series, by its values; those that may be empty stand in it from the start."""
    lines: dict[tuple[str | None, ...], list[Cell]] = {}
    if not dimensions:
        lines[()] = []
    elif dimensions == (Dimension.CHANNEL,):
        lines = {(typeid(Prefix.CHANNEL, channel_id),): [] for channel_id in channels}
    elif dimensions == (Dimension.NETWORK,):
        lines = {(network,): [] for network in sorted({channel.network.value for channel in channels.values()})}
    for cell in cells:
        lines.setdefault(cell.values, []).append(cell)
    return lines


def _belonging(
    channels: dict[UUID, Channel],
    watched: dict[UUID, Watch],
    dimensions: tuple[Dimension, ...],
    values: tuple[str | None, ...],
) -> dict[UUID, Watch]:
    """The channels that speak in a series."""
    wanted = dict(zip(dimensions, values, strict=True))
    return {
        channel_id: watched[channel_id]
        for channel_id, channel in channels.items()
        if wanted.get(Dimension.CHANNEL, typeid(Prefix.CHANNEL, channel_id)) == typeid(Prefix.CHANNEL, channel_id)
        and wanted.get(Dimension.NETWORK, channel.network.value) == channel.network.value
    }
