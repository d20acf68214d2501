"""By which version of the model mentions stand read, summed by day, so that figures can say what they rest on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.db import Session, driver
from shared.domain.insight.rollups import day_of
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.merge import MentionState
from shared.domain.scope import Scope

_Key = tuple[UUID, str, datetime, str]

_ADD = (
    "INSERT INTO rollup_reading_day AS r (brand_id, channel_id, kind, day, read_by, mentions, corrected)"
    " SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::text[], $6::int[], $7::int[])"
    " ON CONFLICT (brand_id, channel_id, kind, day, read_by) DO UPDATE"
    " SET mentions = r.mentions + excluded.mentions, corrected = r.corrected + excluded.corrected"
)
_COUNTED = (
    "SELECT brand_id, channel_id, kind, date_trunc('day', published_at, $2) AS day,"
    " coalesce(read_by || coalesce(' ' || deep_by, ''), '') AS read_by, count(*) AS mentions,"
    " count(*) FILTER (WHERE corrected <> '{}') AS corrected FROM mention"
    " WHERE brand_id = $1 AND heard AND deleted_at IS NULL AND NOT (kind = 'post' AND author_kind = 'brand')"
)
_MODELS = (
    "SELECT r.read_by, sum(r.mentions)::bigint AS mentions, sum(r.corrected)::bigint AS corrected"
    " FROM rollup_reading_day r JOIN channel c ON c.brand_id = r.brand_id AND c.id = r.channel_id"
    " WHERE r.brand_id = $1 AND r.day >= $2 AND r.day < $3 AND ($4::text[] IS NULL OR c.network = ANY ($4))"
    " AND ($5::text[] IS NULL OR r.kind = ANY ($5)) AND ($6::uuid[] IS NULL OR r.channel_id = ANY ($6))"
    " GROUP BY 1 HAVING sum(r.mentions) > 0 ORDER BY 2 DESC, 1"
)
_RECOUNT = (
    f"WITH counted AS ({_COUNTED} AND published_at >= $3 AND published_at < $4 GROUP BY 1, 2, 3, 4, 5),"  # noqa: S608
    " kept AS (SELECT * FROM rollup_reading_day WHERE brand_id = $1 AND day >= $3 AND day < $4"
    "  AND (mentions <> 0 OR corrected <> 0))"
    " SELECT channel_id, kind, day, read_by, c.mentions AS counted, c.corrected AS counted_corrected,"
    "  k.mentions AS kept, k.corrected AS kept_corrected"
    " FROM counted c FULL JOIN kept k USING (brand_id, channel_id, kind, day, read_by)"
    " WHERE (c.mentions, c.corrected) IS DISTINCT FROM (k.mentions::bigint, k.corrected::bigint) ORDER BY 3, 1, 2, 4"
)


@dataclass(frozen=True, slots=True)
class Model:
    """A version of the model (None: nobody has read them), how many mentions stand read by it, and how many of those a
    person has corrected. Where the mood is the deep tier's, its version stands behind the other after a space."""

    version: str | None
    mentions: int
    corrected: int


async def keep(
    session: Session,
    brand_id: UUID,
    zone: ZoneInfo,
    before: Mapping[UUID, MentionState],
    changed: Iterable[MentionState],
) -> None:
    """Take away what stood of changed mentions, add what stands. Rows are written in key order, against deadlocks."""
    mentions: Counter[_Key] = Counter()
    corrected: Counter[_Key] = Counter()
    for state in changed:
        for one, sign in ((before.get(state.key), -1), (state, 1)):
            if one is not None and one.listed and not one.own:
                key = one.channel_id, one.kind.value, day_of(one.published_at, zone), _read_by(one)
                mentions[key] += sign
                corrected[key] += sign * bool(one.corrected)
    keys = sorted(key for key in mentions if mentions[key] or corrected[key])
    if keys:
        columns = map(list, zip(*keys, strict=True))
        counted = [mentions[key] for key in keys], [corrected[key] for key in keys]
        await (await driver(session)).execute(_ADD, brand_id, *columns, *counted)


def _read_by(state: MentionState) -> str:
    return f"{state.read_by} {state.deep_by}" if state.read_by and state.deep_by else state.read_by or ""


async def models(
    session: Session, scope: Scope, zone: ZoneInfo, since: datetime, until: datetime, where: MentionFilter
) -> list[Model]:
    """Which models have read what was said on the days of a range, on the networks and channels and of the kinds that
    the filter names; it is not narrowed by the rest of it. The greatest part comes first."""
    given = (day_of(since, zone), until, where.networks, where.kinds, where.channel_ids)
    rows = await (await driver(session)).fetch(_MODELS, scope.brand_id, *given)
    return [Model(row["read_by"] or None, row["mentions"], row["corrected"]) for row in rows]


async def rebuild(session: Session, brand_id: UUID, zone: ZoneInfo) -> None:
    """Count the days anew, for a brand whose days now begin at another instant. The caller holds the brand's row."""
    connection = await driver(session)
    await connection.execute("DELETE FROM rollup_reading_day WHERE brand_id = $1", brand_id)
    await connection.execute(
        "INSERT INTO rollup_reading_day (brand_id, channel_id, kind, day, read_by, mentions, corrected)"
        f" {_COUNTED} GROUP BY 1, 2, 3, 4, 5 ON CONFLICT (brand_id, channel_id, kind, day, read_by) DO NOTHING",
        brand_id,
        str(zone),
    )


async def recount(session: Session, brand_id: UUID, zone: ZoneInfo, since: datetime, until: datetime) -> list[str]:
    """Compare the days from `since` to `until` with the mentions themselves; a sentence for each that differs."""
    given = (str(zone), day_of(since, zone), day_of(until, zone))
    rows = await (await driver(session)).fetch(_RECOUNT, brand_id, *given)
    return [
        f"{r['day']:%Y-%m-%d} {r['channel_id']} {r['kind']} read by {r['read_by'] or 'nobody'}: {r['counted'] or 0}"
        f" mentions, {r['counted_corrected'] or 0} corrected, kept {r['kept'] or 0} and {r['kept_corrected'] or 0}"
        for r in rows
    ]
