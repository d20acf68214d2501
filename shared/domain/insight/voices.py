"""Sums of what queries matched, by day: kept with the matches, so that share of voice over years never counts mentions.

Beside each query's own there is a row of what any of them matched (`ANY`): a mention that two queries matched counts
for both, and there once.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.db import Session, driver
from shared.domain.insight.rollups import COUNTED, SUMS, Counts, day_of, told
from shared.models.query import ANY

Queries = frozenset[UUID]
Counted = tuple[Counts, Queries]  # a listed mention, and the queries that matched it
NONE: Final[Queries] = frozenset()

_NAMES = ", ".join(SUMS)
_MORE = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in SUMS)
_COLUMNS = f"(brand_id, query_id, channel_id, day, {_NAMES})"
_ADD = (
    f"INSERT INTO rollup_query_day AS r {_COLUMNS}"  # noqa: S608  names of our own
    " SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[],"
    " $5::int[], $6::int[], $7::int[], $8::int[], $9::int[])"
    f" ON CONFLICT (brand_id, query_id, channel_id, day) DO UPDATE SET {_MORE}"
)
_LISTED = "m.brand_id = $1 AND m.heard AND m.deleted_at IS NULL"
_MATCHED = "FROM mention m JOIN match q ON q.brand_id = m.brand_id AND q.mention_id = m.id"
_ANY_MATCHED = "EXISTS (SELECT 1 FROM match q WHERE q.brand_id = m.brand_id AND q.mention_id = m.id)"


async def add(
    session: Session, brand_id: UUID, zone: ZoneInfo, gone: Iterable[Counted], came: Iterable[Counted]
) -> None:
    """Take away what no longer counts and add what does. Rows are written in key order, against deadlocks."""
    found: Counter[tuple[UUID, UUID, datetime, int]] = Counter()
    for counted, sign in ((gone, -1), (came, 1)):
        for counts, queries in counted:
            if not queries:
                continue
            day = day_of(counts.published_at, zone)
            for query_id in (*queries, ANY):
                for place in counts.sums:
                    found[query_id, counts.channel_id, day, place] += sign
    sums: dict[tuple[UUID, UUID, datetime], list[int]] = {}
    for (query_id, channel_id, day, place), n in found.items():
        if n:
            sums.setdefault((query_id, channel_id, day), [0] * len(SUMS))[place] += n
    if sums:
        keys = sorted(sums)
        columns = [[sums[key][place] for key in keys] for place in range(len(SUMS))]
        await (await driver(session)).execute(_ADD, brand_id, *map(list, zip(*keys, strict=True)), *columns)


async def forget(session: Session, brand_id: UUID, zone: ZoneInfo, query_id: UUID) -> None:
    """A query's sums go, and what it alone matched no longer counts as matched; before its matches go themselves.

    The brand's row is locked.
    """
    connection = await driver(session)
    await connection.execute(
        "DELETE FROM rollup_query_day WHERE brand_id = $1 AND query_id = $2", brand_id, query_id
    )  # fmt: skip
    less = ", ".join(f"-{name}" for name in SUMS)
    await connection.execute(
        f"INSERT INTO rollup_query_day AS r {_COLUMNS}"  # noqa: S608  names of our own
        f" SELECT brand_id, $4::uuid, channel_id, day, {less} FROM ("
        f"  SELECT m.brand_id, m.channel_id, date_trunc('day', m.published_at, $2) AS day, {COUNTED} {_MATCHED}"
        f"   WHERE {_LISTED} AND q.query_id = $3 AND NOT EXISTS (SELECT 1 FROM match o"
        "     WHERE o.brand_id = m.brand_id AND o.mention_id = m.id AND o.query_id <> $3) GROUP BY 1, 2, 3) alone"
        f" ON CONFLICT (brand_id, query_id, channel_id, day) DO UPDATE SET {_MORE}",
        brand_id,
        str(zone),
        query_id,
        ANY,
    )


async def rebuild(session: Session, brand_id: UUID, zone: ZoneInfo) -> None:
    """Count the days anew, for a brand whose days now begin at another instant. The caller holds the brand's row."""
    connection = await driver(session)
    await connection.execute("DELETE FROM rollup_query_day WHERE brand_id = $1", brand_id)
    day = "date_trunc('day', m.published_at, $2)"
    await connection.execute(
        f"INSERT INTO rollup_query_day {_COLUMNS}"
        f" SELECT m.brand_id, q.query_id, m.channel_id, {day}, {COUNTED} {_MATCHED} WHERE {_LISTED}"
        " GROUP BY 1, 2, 3, 4 ON CONFLICT (brand_id, query_id, channel_id, day) DO NOTHING",
        brand_id,
        str(zone),
    )
    await connection.execute(
        f"INSERT INTO rollup_query_day {_COLUMNS}"  # noqa: S608  names of our own
        f" SELECT m.brand_id, $3::uuid, m.channel_id, {day}, {COUNTED}"
        f" FROM mention m WHERE {_LISTED} AND {_ANY_MATCHED} GROUP BY 1, 3, 4"
        " ON CONFLICT (brand_id, query_id, channel_id, day) DO NOTHING",
        brand_id,
        str(zone),
        ANY,
    )


_IS_KEPT = " OR ".join(f"{name} <> 0" for name in SUMS)
_WITHIN = f"{_LISTED} AND m.published_at >= $3 AND m.published_at < $4"
_GIVEN = "m.channel_id, date_trunc('day', m.published_at, $2) AS day"
_RECOUNT = (
    f"WITH counted AS (SELECT q.query_id, {_GIVEN}, {COUNTED} {_MATCHED} WHERE {_WITHIN} GROUP BY 1, 2, 3"  # noqa: S608
    f"  UNION ALL SELECT $5::uuid, {_GIVEN}, {COUNTED}"
    f"   FROM mention m WHERE {_WITHIN} AND {_ANY_MATCHED} GROUP BY 2, 3),"
    f" kept AS (SELECT query_id, channel_id, day, {_NAMES} FROM rollup_query_day"
    f"  WHERE brand_id = $1 AND day >= $3 AND day < $4 AND ({_IS_KEPT}))"
    f" SELECT day, channel_id, query_id, ARRAY[{', '.join(f'c.{name}' for name in SUMS)}] AS counted,"
    f"   ARRAY[{', '.join(f'k.{name}::bigint' for name in SUMS)}] AS kept"
    " FROM counted c FULL JOIN kept k USING (query_id, channel_id, day)"
    f" WHERE ({', '.join(f'c.{name}' for name in SUMS)}) IS DISTINCT FROM"
    f"   ({', '.join(f'k.{name}::bigint' for name in SUMS)}) ORDER BY 1, 2, 3"
)


async def recount(session: Session, brand_id: UUID, zone: ZoneInfo, since: datetime, until: datetime) -> list[str]:
    """Compare the days from `since` to `until` with the matches themselves; a sentence for each that differs."""
    given = (str(zone), day_of(since, zone), day_of(until, zone))
    rows = await (await driver(session)).fetch(_RECOUNT, brand_id, *given, ANY)
    return [
        f"{r['day']:%Y-%m-%d} {r['channel_id']} query {r['query_id']}: {told(r['counted'])}, kept {told(r['kept'])}"
        for r in rows
    ]
