"""Where a figure is counted: in the kept sums where they can say it, else over the mentions of 90 days at most."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.db import Session
from shared.domain.insight import counts
from shared.domain.insight.buckets import Range
from shared.domain.insight.counts import Cell, Gap
from shared.domain.insight.rollups import day_of
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.models.enums import Dimension, Interval, MetricKey

COUNTED_DAYS = timedelta(days=90)
_A_CHANGE = timedelta(hours=1)  # ninety local days may hold the end of summer time
_FROM_SUMS = frozenset({MetricKey.MENTIONS, MetricKey.POSTS, MetricKey.NET_SENTIMENT})
_SUMMED_BY = frozenset({Dimension.NETWORK, Dimension.KIND, Dimension.CHANNEL})
_SUMMED_FILTERS = frozenset({"networks", "kinds", "channel_ids"})
_MATCHED_BY = frozenset({Dimension.QUERY, Dimension.NETWORK, Dimension.CHANNEL})
_MATCHED_FILTERS = frozenset({"networks", "channel_ids", "query_ids"})


async def of(
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
    gaps: Sequence[Gap],
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
        sums = await counts.by_day(session, scope, edges, inner, interval, dimensions, where, gaps) if inner else []
    for rest in whole.without(inner):
        sums += await counts.by_mention(session, scope, keys, edges, rest, dimensions, where)
    return sums


def _summed(keys: set[MetricKey], dimensions: tuple[Dimension, ...], where: MentionFilter) -> bool:
    """Whether the sums kept by day can say it."""
    given = where.given().keys()
    if where.words is not None:
        return False
    if Dimension.QUERY not in dimensions:
        by = _SUMMED_BY | {Dimension.SENTIMENT} if keys == {MetricKey.MENTIONS} else _SUMMED_BY
        return keys <= _FROM_SUMS and by.issuperset(dimensions) and _SUMMED_FILTERS.issuperset(given)
    if MetricKey.SHARE_OF_VOICE in keys and "query_ids" in given:
        return False  # what any query matched is kept of all of them, not of some
    return (
        keys <= _FROM_SUMS | {MetricKey.SHARE_OF_VOICE}
        and _MATCHED_BY.issuperset(dimensions)
        and _MATCHED_FILTERS.issuperset(given)
    )


async def _counted(
    session: Session,
    scope: Scope,
    keys: set[MetricKey],
    edges: list[datetime],
    whole: Range,
    dimensions: tuple[Dimension, ...],
    where: MentionFilter,
) -> list[Cell]:
    refuse_long(
        whole.since,
        whole.until,
        "these keys, dimensions or filters are counted mention by mention: at most 90 days; ask for less,"
        " or for mentions, posts and net sentiment by day, network, kind, channel or query",
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


def refuse_long(since: datetime, until: datetime, message: str) -> None:
    """Raises Invalid for more than what is counted mention by mention."""
    if until - since > COUNTED_DAYS + _A_CHANGE:
        raise Invalid([Problem("range_too_long", message, ("to",))])
