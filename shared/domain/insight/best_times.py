"""When the brand's own posts did best, and how sure that is: few posts say little, and are believed little."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp, log1p, sqrt
from statistics import fmean
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.db import Session, driver
from shared.domain.brands import brands
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem

FEWEST = 20  # posts, below which nothing is suggested
LONGEST = timedelta(days=366)
RIPE = timedelta(hours=48)  # what was counted by then is a post's result
_Z = 1.645  # of a normal distribution, 90 % lie within so many deviations

DEFINITION = (
    "Likes, replies and shares of each post by 48 hours after it went out, as a ratio to the brand's usual post. Each"
    " hour of the week is drawn towards the usual as far as its posts are few (empirical Bayes over logarithms: a"
    " random effect for each hour, variances by the method of moments); low and high hold with 90 %."
)

_RESULTS = """
SELECT v.published_at, f.likes, f.replies, f.shares
  FROM variant v
  CROSS JOIN LATERAL (
    SELECT likes, replies, shares FROM figure f
     WHERE f.brand_id = $1 AND f.variant_id = v.id AND f.hour <= v.published_at + $4::interval
     ORDER BY f.hour DESC LIMIT 1) f
 WHERE v.brand_id = $1 AND v.published_at >= $2 AND v.published_at < $3
   AND (cardinality($5::uuid[]) = 0 OR v.channel_id = ANY ($5))
   AND coalesce(f.likes, f.replies, f.shares) IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the week in the brand's zone, Monday being 0. Ratios to the usual post: 1.2 is a fifth better."""

    weekday: int
    hour: int
    posts: int
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BestTimes:
    """Hours, the most promising first: by the low end of what is likely. `enough`: whether they say anything yet."""

    posts: int
    enough: bool
    hours: Sequence[Hour]


async def suggest(
    session: Session, scope: Scope, *, channel_ids: Sequence[UUID] = (), days: int = 90, now: datetime
) -> BestTimes:
    """What the last `days` say. Raises Invalid where they are none, or more than a year."""
    if not timedelta(0) < timedelta(days=days) <= LONGEST:
        raise Invalid([Problem("out_of_range", f"days is from 1 to {LONGEST.days}", ("days",))])
    zone = (await brands.get(session, scope)).zone
    rows = await (await driver(session)).fetch(
        _RESULTS, scope.brand_id, now - timedelta(days=days), now - RIPE, RIPE, list(channel_ids)
    )
    results = [
        (row["published_at"], log1p(sum(row[name] or 0 for name in ("likes", "replies", "shares")))) for row in rows
    ]
    return judge(results, zone)


def judge(results: Sequence[tuple[datetime, float]], zone: ZoneInfo) -> BestTimes:
    """Hours by their posts' results (logarithms), each drawn towards the usual."""
    by_hour: Mapping[tuple[int, int], list[float]] = defaultdict(list)
    for at, result in results:
        local = at.astimezone(zone)
        by_hour[local.weekday(), local.hour].append(result)
    if not results:
        return BestTimes(0, False, ())
    usual = fmean(result for _, result in results)
    within, between = _variances(list(by_hour.values()), usual)
    hours = [_hour(place, found, usual, within, between) for place, found in by_hour.items()]
    hours.sort(key=lambda one: (-one.low, -one.expected, one.weekday, one.hour))
    return BestTimes(len(results), len(results) >= FEWEST and len(hours) > 1, hours)


def _hour(place: tuple[int, int], found: Sequence[float], usual: float, within: float, between: float) -> Hour:
    noise = within / len(found)
    trust = between / (between + noise) if between + noise > 0 else 0.0
    shift = trust * (fmean(found) - usual)
    deviation = sqrt(trust * noise)
    low, high = (exp(shift + side * _Z * deviation) for side in (-1, 1))
    return Hour(*place, len(found), exp(shift), low, high)


def _variances(groups: Sequence[Sequence[float]], usual: float) -> tuple[float, float]:
    """Within hours and between them, by the method of moments for unequal groups (Searle, one-way random model)."""
    count, total = len(groups), sum(map(len, groups))
    means = [fmean(group) for group in groups]
    inner = sum((value - mean) ** 2 for group, mean in zip(groups, means, strict=True) for value in group)
    outer = sum(len(group) * (mean - usual) ** 2 for group, mean in zip(groups, means, strict=True))
    within = inner / (total - count) if total > count else 0.0
    if count < 2:
        return within, 0.0
    balance = (total - sum(len(group) ** 2 for group in groups) / total) / (count - 1)
    return within, max(0.0, (outer / (count - 1) - within) / balance) if balance > 0 else 0.0
