"""The queue of arrivals: claimed in batches by any number of workers, settled once, put aside after three deaths.

A claim is committed before the work begins and ends by itself with its lease, by the database's clock. A worker that
dies leaves the claim behind: after three such deaths the arrival is dead, kept, shown, and can be replayed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from shared.contract import Part, Pointer, RawArrival
from shared.db import Session, driver
from shared.domain.listening.rows import to_json
from shared.errors import Problem
from shared.ids import new_uuid
from shared.models.enums import ArrivalSource, ArrivalState, Network

DEATHS = 3


@dataclass(frozen=True, slots=True)
class Claimed:
    """An arrival in this worker's hands. `claims` counts this claim and the ones that died before it.

    `claimed_until` is when the claim ends, and whose it is: no two claims of an arrival end at the same microsecond.
    """

    id: UUID
    network: Network
    hook_id: UUID
    brand_id: UUID | None
    channel_id: UUID | None
    stamp: datetime
    received_at: datetime
    claims: int
    claimed_until: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Settled:
    """How an arrival ended."""

    id: UUID
    state: ArrivalState
    problems: Sequence[Mapping[str, Any]] = ()
    ignored: Sequence[Mapping[str, Any]] = ()
    mention_keys: Sequence[UUID] = ()
    unattributed: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A channel that an app hook's delivery speaks for."""

    brand_id: UUID
    channel_id: UUID
    hook_id: UUID


async def claim(session: Session, *, limit: int, lease: timedelta) -> list[Claimed]:
    """Take up to `limit` arrivals that nobody has claimed yet, oldest first."""
    rows = await (await driver(session)).fetch(
        _CLAIM.format(which="claims = 0 AND claimed_until IS NULL"), limit, lease, DEATHS, _PUT_ASIDE
    )
    return _claimed(rows)


async def claim_again(session: Session, *, lease: timedelta) -> list[Claimed] | None:
    """Take one arrival whose claim has ended, alone: it may be what ended it.

    None where there is none; an empty list where it had died three times and was put aside.
    """
    rows = await (await driver(session)).fetch(
        _CLAIM.format(which="claimed_until < clock_timestamp()"), 1, lease, DEATHS, _PUT_ASIDE
    )
    return _claimed(rows) if rows else None


_CLAIM = (
    "WITH x AS MATERIALIZED (SELECT id FROM arrival WHERE state = 'received' AND {which}"
    "   ORDER BY received_at LIMIT $1 FOR UPDATE SKIP LOCKED)"
    " UPDATE arrival a SET claimed_until = clock_timestamp() + $2, claims = a.claims + 1,"
    "   state = CASE WHEN a.claims >= $3 THEN 'dead' ELSE a.state END,"
    "   settled_at = CASE WHEN a.claims >= $3 THEN clock_timestamp() END,"
    "   problems = CASE WHEN a.claims >= $3 THEN a.problems || $4::jsonb ELSE a.problems END"
    " FROM x WHERE a.id = x.id"
    " RETURNING a.id, a.network, a.hook_id, a.brand_id, a.channel_id, a.stamp, a.received_at, a.claims,"
    "   a.claimed_until, coalesce(octet_length(a.body), 0) AS size, a.state"
)


def _claimed(rows: Sequence[Any]) -> list[Claimed]:
    return [
        Claimed(
            row["id"], Network(row["network"]), row["hook_id"], row["brand_id"], row["channel_id"], row["stamp"],
            row["received_at"], row["claims"], row["claimed_until"], row["size"],
        )
        for row in sorted(rows, key=lambda r: (r["received_at"], r["id"]))
        if row["state"] != ArrivalState.DEAD
    ]  # fmt: skip


class Raw(NamedTuple):
    """An arrival's bytes, and the headers that its connector gave what it polled or fetched."""

    body: bytes
    headers: Mapping[str, str]


async def bodies(session: Session, ids: Sequence[UUID]) -> dict[UUID, Raw]:
    """The raw bytes of claimed arrivals that are still waiting: another worker may have settled them meanwhile."""
    rows = await (await driver(session)).fetch(
        "SELECT id, body, CASE WHEN source IN ('poll', 'fetch') THEN headers::text END AS headers FROM arrival"
        " WHERE id = ANY ($1) AND state = 'received' AND body IS NOT NULL",
        list(ids),
    )
    return {row["id"]: Raw(row["body"], orjson.loads(row["headers"]) if row["headers"] else {}) for row in rows}


async def settle(session: Session, settled: Sequence[Settled], *, now: datetime) -> None:
    """Close arrivals, in the transaction of what they said."""
    if not settled:
        return
    rows = [
        {"id": s.id, "state": s.state, "problems": s.problems, "ignored": s.ignored,
         "mention_keys": s.mention_keys, "unattributed": s.unattributed}
        for s in sorted(settled, key=lambda s: s.id)
    ]  # fmt: skip
    await (await driver(session)).execute(
        "UPDATE arrival a SET state = r.state, problems = r.problems, ignored = r.ignored,"
        "   mention_keys = r.mention_keys, unattributed = r.unattributed, settled_at = $2, claimed_until = NULL"
        " FROM jsonb_to_recordset($1::jsonb) AS r (id uuid, state text, problems jsonb, ignored jsonb,"
        "   mention_keys uuid[], unattributed boolean) WHERE a.id = r.id AND a.state = 'received'",
        to_json(rows),
        now,
    )


async def release(session: Session, held: Collection[Claimed], *, after: timedelta, died: bool, why: str) -> None:
    """Give claims back that are still ours: not those that ended, which others may have taken meanwhile.

    What `died` of itself keeps its count and waits for `after`; the rest is as never claimed.
    """
    mine = sorted(held, key=lambda one: one.id)
    await (await driver(session)).execute(
        "UPDATE arrival a SET claimed_until = CASE WHEN $4 THEN clock_timestamp() + $3 END,"
        "   claims = CASE WHEN $4 THEN a.claims ELSE 0 END, problems = $5::jsonb"
        " FROM unnest($1::uuid[], $2::timestamptz[]) AS mine (id, claimed_until)"
        " WHERE a.id = mine.id AND a.claimed_until = mine.claimed_until AND a.state = 'received'",
        [one.id for one in mine],
        [one.claimed_until for one in mine],
        after,
        died,
        to_json([problem_row(Problem("retrying", why))]),
    )


async def targets(session: Session, whole: Claimed, external_ids: Sequence[str]) -> dict[str, list[Target]]:
    """The channels, of any brand, that go by these ids on the network and have a part in what this app is told.

    Anybody may say that a page is theirs. Who knows the key that signs the app's deliveries could read them anyway, and
    of what was connected through the app itself the network has said whose it is.
    """
    rows = await (await driver(session)).fetch(
        "SELECT c.external_id, c.brand_id, c.channel_id, c.id FROM hook c"
        " JOIN hook a ON a.id = $3 AND (c.key_digests && a.key_digests OR c.through_app_id = a.app_id)"
        " WHERE c.network = $1 AND c.external_id = ANY ($2) AND c.removed_at IS NULL"
        " AND c.brand_id IS NOT NULL AND c.channel_id IS NOT NULL ORDER BY c.id",
        whole.network.value,
        list(external_ids),
        whole.hook_id,
    )
    found: dict[str, list[Target]] = {}
    for row in rows:
        found.setdefault(row["external_id"], []).append(Target(row["brand_id"], row["channel_id"], row["id"]))
    return found


async def cut(session: Session, whole: Claimed, parts: Sequence[tuple[Part, Target]]) -> None:
    """Make one arrival for each channel that a shared delivery speaks for. Cutting twice makes no second one."""
    await (await driver(session)).execute(
        "INSERT INTO arrival (id, hook_id, key, network, source, brand_id, channel_id, part_of, unattributed, headers,"
        "   body, stamp, received_at, state, claims, problems, ignored, mention_keys)"
        " SELECT p.id, p.hook_id, $1, $2, $3, p.brand_id, p.channel_id, $4, false, '{}', p.body, $5, $6, 'received',"
        "   0, '[]', '[]', '{}'"
        " FROM unnest($7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::bytea[])"
        "   AS p (id, hook_id, brand_id, channel_id, body) ON CONFLICT (hook_id, key) DO NOTHING",
        f"part:{whole.id}",
        whole.network.value,
        ArrivalSource.PART.value,
        whole.id,
        whole.stamp,
        whole.received_at,
        [new_uuid() for _ in parts],
        [target.hook_id for _, target in parts],
        [target.brand_id for _, target in parts],
        [target.channel_id for _, target in parts],
        [part.body for part, _ in parts],
    )


async def receive(
    session: Session, target: Target, network: Network, source: ArrivalSource, arrivals: Sequence[RawArrival],
    *, now: datetime,
) -> None:  # fmt: skip
    """Keep what was polled or fetched, like what came through the door."""
    await (await driver(session)).execute(
        "INSERT INTO arrival (id, hook_id, key, network, source, brand_id, channel_id, unattributed, headers, body,"
        "   stamp, received_at, state, claims, problems, ignored, mention_keys)"
        " SELECT p.id, $1, p.key, $2, $3, $4, $5, false, p.headers::jsonb, p.body, p.stamp, $6, 'received', 0, '[]',"
        "   '[]', '{}' FROM unnest($7::uuid[], $8::text[], $9::text[], $10::bytea[], $11::timestamptz[])"
        "   AS p (id, key, headers, body, stamp) ON CONFLICT (hook_id, key) DO NOTHING",
        target.hook_id,
        network.value,
        source.value,
        target.brand_id,
        target.channel_id,
        now,
        [new_uuid() for _ in arrivals],
        [a.key for a in arrivals],
        [orjson.dumps(dict(a.headers)).decode() for a in arrivals],
        [a.body for a in arrivals],
        [a.stamp for a in arrivals],
    )


def problem_row(problem: Problem) -> dict[str, Any]:
    """A problem as an arrival keeps it: `index` of the bad item where there is one, its path, and a sentence."""
    index = next((step for step in problem.path if isinstance(step, int)), None)
    path = ".".join(str(step) for step in problem.path)
    return {"index": index, "path": path, "code": problem.code, "message": problem.message}


_PUT_ASIDE = to_json([problem_row(Problem("dead", f"put aside: {DEATHS} readings of it did not end well"))])


def pointer_row(pointer: Pointer) -> dict[str, Any]:
    return {"reason": f"only named, not told: {pointer.kind} {pointer.external_id}"}
