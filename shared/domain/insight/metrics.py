"""Figures over time: sums kept by day and hour, and counting where a filter asks for more than they hold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import coverage
from shared.domain.insight import cells, counts, points, reads
from shared.domain.insight.buckets import Watch, bounds, observed
from shared.domain.insight.counts import Cell
from shared.domain.insight.points import Point
from shared.domain.insight.reads import Model
from shared.domain.listening import queries
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.errors import Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models import Brand, Channel
from shared.models.enums import Dimension, Interval, MetricKey

_UNITS = {
    MetricKey.MENTIONS: "mentions",
    MetricKey.POSTS: "posts",
    MetricKey.AUTHORS: "authors",
    MetricKey.ENGAGEMENT: "interactions",
    MetricKey.NET_SENTIMENT: "share",
    MetricKey.SHARE_OF_VOICE: "share",
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
    MetricKey.SHARE_OF_VOICE: "Of the mentions that one at least of the brand's queries matched (of those asked for, if"
    " some are), the share that this query matched, from 0 to 1; null where none matched. A mention that two queries"
    " matched counts for both, and once in the whole: shares may add up to more than 1. The brand's own posts are left"
    " out. `low` and `high` bound it with 95 % confidence (Wilson, Journal of the American Statistical Association 22,"
    " 1927).",
    MetricKey.REACH: "The sum of the reach of what was said to or about the brand, by the time it was published: of"
    " each mention its views as its network last counted them, else its author's followers as the network last told"
    " them with it; an unknown reach adds nothing. Deleted mentions and the brand's own posts are not counted, and who"
    " reads two mentions counts twice.",
}
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
    models: list[Model] | None = None  # what has read the mentions, where the figures rest on what was read


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
    where = replace(where or MentionFilter(), deleted=False)
    dimensions = tuple(dict.fromkeys(group_by))
    _refuse_shares(keys, dimensions)
    zone = await _zone(session, scope)
    edges = bounds(since, until, interval, zone)
    found = await measure(session, scope, set(keys), edges, interval, zone, dimensions, where, now)
    read = [key for key in keys if key is MetricKey.NET_SENTIMENT or _rests_on_readings(dimensions, where)]
    models = await reads.models(session, scope, zone, edges[0], edges[-1], where) if read else None
    return [
        Series(
            key=key,
            unit=_UNITS[key],
            dimensions=tuple(DimensionValue(d, v) for d, v in zip(dimensions, values, strict=True)),
            points=found.points(key, values),
            definition=_DEFINITIONS[key],
            fresh_at=found.fresh_at,
            models=models if key in read else None,
        )
        for key in dict.fromkeys(keys)
        for values in found.lines
    ]


_READ = (Dimension.SENTIMENT, Dimension.INTENT, Dimension.LANGUAGE)


def _rests_on_readings(dimensions: tuple[Dimension, ...], where: MentionFilter) -> bool:
    """Whether what is grouped or let through is what was read of texts."""
    return any(one in _READ for one in dimensions) or not where.given().keys().isdisjoint(
        ("sentiments", "intents", "languages")
    )


def _refuse_shares(keys: Sequence[MetricKey], dimensions: tuple[Dimension, ...]) -> None:
    if MetricKey.SHARE_OF_VOICE in keys and dimensions != (Dimension.QUERY,):
        message = "a share of voice is one query's among all: group by query, and by nothing else"
        raise Invalid([Problem("needs_query", message, ("group_by",))])


async def whole_range(
    session: Session, scope: Scope, since: datetime, until: datetime
) -> tuple[ZoneInfo, list[datetime]]:
    """The brand's zone, and the range as the edges of one bucket. Raises Invalid for an empty one."""
    zone = await _zone(session, scope)
    edges = bounds(since, until, Interval.MONTH, zone)
    return zone, [edges[0], edges[-1]]


async def _zone(session: Session, scope: Scope) -> ZoneInfo:
    brand = await session.get(Brand, scope.brand_id)
    if brand is None:
        raise NotFound(f"there is no brand with the id {typeid(Prefix.BRAND, scope.brand_id)!r}")
    return brand.zone


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted between `edges`, by the values of the dimensions; `matched` is what any query matched."""

    edges: list[datetime]
    dimensions: tuple[Dimension, ...]
    lines: dict[tuple[str | None, ...], list[Cell]]
    matched: list[Cell]
    channels: dict[UUID, Channel]
    watched: dict[UUID, Watch]
    fresh_at: datetime

    def points(self, key: MetricKey, values: tuple[str | None, ...]) -> list[Point]:
        watched = _belonging(self.channels, self.watched, self.dimensions, values)
        return points.of(key, self.edges, self.lines[values], watched, self.matched)


async def measure(
    session: Session,
    scope: Scope,
    keys: set[MetricKey],
    edges: list[datetime],
    interval: Interval,
    zone: ZoneInfo,
    dimensions: tuple[Dimension, ...],
    where: MentionFilter,
    now: datetime,
) -> Measured:
    """Count. The edges are those of the interval's buckets, or farther apart."""
    fresh = await fresh_at(session, scope, now)  # first: what is settled meanwhile makes it fresher, not less so
    channels = await _channels(session, scope, where)
    seen = await coverage.intervals(session, scope, list(channels), edges[0], edges[-1])
    spans = {channel_id: observed(found, now) for channel_id, found in seen.items()}
    ends = min(edges[-1], now)
    gaps = [(channel_id, *gap) for channel_id, it in spans.items() for gap in it.gaps(edges[0], ends)]
    # The hours' sums don't say which channel spoke, which only matters where some were watched and others not.
    is_even = len(spans) <= 1 or not gaps
    counted = await cells.of(session, scope, keys, edges, interval, zone, dimensions, where, now, is_even, gaps)
    lines = _lines(counted, channels, dimensions)
    matched = lines.pop(counts.ANY_QUERY, [])
    if dimensions == (Dimension.QUERY,):
        lines = {(name,): lines.get((name,), []) for name in await _queries(session, scope, where)}
    watched = {channel_id: it.over(edges) for channel_id, it in spans.items()}
    return Measured(edges, dimensions, lines, matched, channels, watched, fresh)


async def fresh_at(session: Session, scope: Scope, now: datetime) -> datetime:
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
