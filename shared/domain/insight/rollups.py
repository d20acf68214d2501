"""Sums by day and hour, kept in the batch's own transaction from what changed, so a chart never counts mentions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.db import Session, driver
from shared.models.enums import MentionKind


@dataclass(frozen=True, slots=True)
class Counts:
    """What one listed mention adds: where, when, and whether it is the brand's own post."""

    channel_id: UUID
    kind: MentionKind
    published_at: datetime
    own: bool


def day_of(at: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the local day of `at` begins. Where a zone skips midnight, the day's first instant."""
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


async def add(session: Session, brand_id: UUID, zone: ZoneInfo, gone: Iterable[Counts], came: Iterable[Counts]) -> None:
    """Take away what no longer counts and add what does. Rows are written in key order, against deadlocks."""
    days: Counter[tuple[UUID, str, datetime, bool]] = Counter()
    hours: Counter[tuple[datetime, bool]] = Counter()
    for counts, sign in ((gone, -1), (came, 1)):
        for one in counts:
            days[one.channel_id, one.kind.value, day_of(one.published_at, zone), one.own] += sign
            hours[hour_of(one.published_at), one.own] += sign
    by_day: dict[tuple[UUID, str, datetime], list[int]] = {}
    for (channel_id, kind, day, own), n in days.items():
        if n:
            by_day.setdefault((channel_id, kind, day), [0, 0])[own] += n
    by_hour: dict[datetime, list[int]] = {}
    for (hour, own), n in hours.items():
        if n:
            by_hour.setdefault(hour, [0, 0])[own] += n
    if not by_day and not by_hour:
        return
    keys, slots = sorted(by_day), sorted(by_hour)
    await (await driver(session)).execute(
        _ADD,
        brand_id,
        [k[0] for k in keys],
        [k[1] for k in keys],
        [k[2] for k in keys],
        [by_day[k][0] for k in keys],
        [by_day[k][1] for k in keys],
        slots,
        [by_hour[h][0] for h in slots],
        [by_hour[h][1] for h in slots],
    )


# One round trip for both: neither half reads what the other writes.
_ADD = """
WITH days AS (
  INSERT INTO rollup_day AS r (brand_id, channel_id, kind, day, mentions, posts)
  SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::int[], $6::int[])
  ON CONFLICT (brand_id, channel_id, kind, day)
  DO UPDATE SET mentions = r.mentions + excluded.mentions, posts = r.posts + excluded.posts
)
INSERT INTO rollup_hour AS r (brand_id, hour, mentions, posts)
SELECT $1, * FROM unnest($7::timestamptz[], $8::int[], $9::int[])
ON CONFLICT (brand_id, hour) DO UPDATE SET mentions = r.mentions + excluded.mentions, posts = r.posts + excluded.posts
"""


async def rebuild(session: Session, brand_id: UUID, zone: ZoneInfo) -> None:
    """Count the days anew, for a brand whose days now begin at another instant. The caller holds the brand's row."""
    connection = await driver(session)
    await connection.execute("DELETE FROM rollup_day WHERE brand_id = $1", brand_id)
    await connection.execute(
        "INSERT INTO rollup_day (brand_id, channel_id, kind, day, mentions, posts)"
        " SELECT brand_id, channel_id, kind, date_trunc('day', published_at, $2),"
        "   count(*) FILTER (WHERE NOT (kind = 'post' AND author_kind = 'brand')),"
        "   count(*) FILTER (WHERE kind = 'post' AND author_kind = 'brand')"
        " FROM mention WHERE brand_id = $1 AND heard AND deleted_at IS NULL GROUP BY 1, 2, 3, 4"
        " ON CONFLICT (brand_id, channel_id, kind, day) DO NOTHING",
        brand_id,
        str(zone),
    )


async def recount(session: Session, brand_id: UUID, zone: ZoneInfo, since: datetime, until: datetime) -> list[str]:
    """Compare the days from `since` to `until` with the mentions themselves; a sentence for each that differs."""
    rows = await (await driver(session)).fetch(
        "WITH counted AS (SELECT channel_id, kind, date_trunc('day', published_at, $2) AS day,"
        "   count(*) FILTER (WHERE NOT (kind = 'post' AND author_kind = 'brand')) AS mentions,"
        "   count(*) FILTER (WHERE kind = 'post' AND author_kind = 'brand') AS posts"
        "  FROM mention WHERE brand_id = $1 AND heard AND deleted_at IS NULL"
        "   AND published_at >= $3 AND published_at < $4 GROUP BY 1, 2, 3),"
        " kept AS (SELECT channel_id, kind, day, mentions, posts FROM rollup_day"
        "  WHERE brand_id = $1 AND day >= $3 AND day < $4 AND (mentions <> 0 OR posts <> 0))"
        " SELECT day, channel_id, kind, c.mentions AS counted, k.mentions AS kept"
        " FROM counted c FULL JOIN kept k USING (channel_id, kind, day)"
        " WHERE (c.mentions, c.posts) IS DISTINCT FROM (k.mentions::bigint, k.posts::bigint) ORDER BY 1, 2, 3",
        brand_id,
        str(zone),
        day_of(since, zone),
        day_of(until, zone),
    )
    return [
        f"{r['day']:%Y-%m-%d} {r['channel_id']} {r['kind']}: {r['counted']} mentions, {r['kept']} kept" for r in rows
    ]
