"""Sums by day and hour, kept in the batch's own transaction from what changed, so a chart never counts mentions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.db import Session, driver
from shared.domain.listening.merge import MentionState
from shared.models.enums import MentionKind, Sentiment

SUMS = ("mentions", "posts", "positive", "neutral", "negative")


@dataclass(frozen=True, slots=True)
class Counts:
    """What one listed mention adds: where, when, whether it is the brand's own post, and its mood where it was read."""

    channel_id: UUID
    kind: MentionKind
    published_at: datetime
    own: bool
    sentiment: Sentiment | None = None

    @property
    def sums(self) -> tuple[int, ...]:
        """Which of SUMS it adds to; the brand's own posts have no mood."""
        if self.own:
            return (1,)
        return (0,) if self.sentiment is None else (0, SUMS.index(self.sentiment.value))


def counts_of(state: MentionState) -> Counts:
    return Counts(state.channel_id, state.kind, state.published_at, state.own, state.sentiment)


def day_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the local day of `at` begins. Where a zone skips midnight, the day's first instant."""
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def add(session: Session, brand_id: UUID, zone: ZoneInfo, gone: Iterable[Counts], came: Iterable[Counts]) -> None:
    """Take away what no longer counts and add what does. Rows are written in key order, against deadlocks."""
    days: Counter[tuple[UUID, str, datetime, int]] = Counter()
    hours: Counter[tuple[datetime, int]] = Counter()
    for counts, sign in ((gone, -1), (came, 1)):
        for one in counts:
            day, hour = day_of(one.published_at, zone), hour_of(one.published_at)
            for place in one.sums:
                days[one.channel_id, one.kind.value, day, place] += sign
                hours[hour, place] += sign
    by_day: dict[tuple[UUID, str, datetime], list[int]] = {}
    for (channel_id, kind, day, place), n in days.items():
        if n:
            by_day.setdefault((channel_id, kind, day), [0] * len(SUMS))[place] += n
    by_hour: dict[datetime, list[int]] = {}
    for (hour, place), n in hours.items():
        if n:
            by_hour.setdefault(hour, [0] * len(SUMS))[place] += n
    if not by_day and not by_hour:
        return
    keys, slots = sorted(by_day), sorted(by_hour)
    await (await driver(session)).execute(
        _ADD,
        brand_id,
        [k[0] for k in keys],
        [k[1] for k in keys],
        [k[2] for k in keys],
        *([by_day[k][place] for k in keys] for place in range(len(SUMS))),
        slots,
        *([by_hour[h][place] for h in slots] for place in range(len(SUMS))),
    )


_NAMES = ", ".join(SUMS)
_MORE = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in SUMS)

# One round trip for both: neither half reads what the other writes.
_ADD = f"""
WITH days AS (
  INSERT INTO rollup_day AS r (brand_id, channel_id, kind, day, {_NAMES})
  SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[],
                           $5::int[], $6::int[], $7::int[], $8::int[], $9::int[])
  ON CONFLICT (brand_id, channel_id, kind, day) DO UPDATE SET {_MORE}
)
INSERT INTO rollup_hour AS r (brand_id, hour, {_NAMES})
SELECT $1, * FROM unnest($10::timestamptz[], $11::int[], $12::int[], $13::int[], $14::int[], $15::int[])
ON CONFLICT (brand_id, hour) DO UPDATE SET {_MORE}
"""  # noqa: S608  names of our own

_OWN = "(kind = 'post' AND author_kind = 'brand')"
COUNTED = f"count(*) FILTER (WHERE NOT {_OWN}) AS mentions, count(*) FILTER (WHERE {_OWN}) AS posts, " + ", ".join(
    f"count(*) FILTER (WHERE NOT {_OWN} AND sentiment = '{mood.value}') AS {mood.value}"
    for mood in (Sentiment.POSITIVE, Sentiment.NEUTRAL, Sentiment.NEGATIVE)
)
"""SUMS, counted over rows of mention that are listed."""


async def rebuild(session: Session, brand_id: UUID, zone: ZoneInfo) -> None:
    """Count the days anew, for a brand whose days now begin at another instant. The caller holds the brand's row."""
    connection = await driver(session)
    await connection.execute("DELETE FROM rollup_day WHERE brand_id = $1", brand_id)
    await connection.execute(
        f"INSERT INTO rollup_day (brand_id, channel_id, kind, day, {_NAMES})"  # noqa: S608  names of our own
        f" SELECT brand_id, channel_id, kind, date_trunc('day', published_at, $2), {COUNTED}"
        " FROM mention WHERE brand_id = $1 AND heard AND deleted_at IS NULL GROUP BY 1, 2, 3, 4"
        " ON CONFLICT (brand_id, channel_id, kind, day) DO NOTHING",
        brand_id,
        str(zone),
    )


_IS_KEPT = " OR ".join(f"{name} <> 0" for name in SUMS)
_RECOUNT = (
    f"WITH counted AS (SELECT channel_id, kind, date_trunc('day', published_at, $2) AS day, {COUNTED}"  # noqa: S608
    "  FROM mention WHERE brand_id = $1 AND heard AND deleted_at IS NULL"
    "   AND published_at >= $3 AND published_at < $4 GROUP BY 1, 2, 3),"
    f" kept AS (SELECT channel_id, kind, day, {_NAMES} FROM rollup_day"
    f"  WHERE brand_id = $1 AND day >= $3 AND day < $4 AND ({_IS_KEPT}))"
    f" SELECT day, channel_id, kind, ARRAY[{', '.join(f'c.{name}' for name in SUMS)}] AS counted,"
    f"   ARRAY[{', '.join(f'k.{name}::bigint' for name in SUMS)}] AS kept"
    " FROM counted c FULL JOIN kept k USING (channel_id, kind, day)"
    f" WHERE ({', '.join(f'c.{name}' for name in SUMS)}) IS DISTINCT FROM"
    f"   ({', '.join(f'k.{name}::bigint' for name in SUMS)}) ORDER BY 1, 2, 3"
)


async def recount(session: Session, brand_id: UUID, zone: ZoneInfo, since: datetime, until: datetime) -> list[str]:
    """Compare the days from `since` to `until` with the mentions themselves; a sentence for each that differs."""
    rows = await (await driver(session)).fetch(_RECOUNT, brand_id, str(zone), day_of(since, zone), day_of(until, zone))
    return [
        f"{r['day']:%Y-%m-%d} {r['channel_id']} {r['kind']}: {told(r['counted'])}, kept {told(r['kept'])}" for r in rows
    ]


def told(sums: list[int | None]) -> str:
    """Sums in words."""
    return ", ".join(f"{n or 0} {name}" for name, n in zip(SUMS, sums, strict=True))
