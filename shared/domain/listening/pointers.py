"""What a delivery only named: remembered with its settling, fetched later, and told of where it could not be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from shared.contract import Pointer, RawArrival, storable
from shared.db import Session, driver
from shared.domain.listening.inbox import problem_row
from shared.domain.listening.merge import thing_key
from shared.domain.listening.rows import to_json
from shared.domain.scope import Scope
from shared.domain.turns import Turn
from shared.errors import Problem
from shared.ids import new_uuid
from shared.models.enums import Network

OWN = "own"  # the kind of what we brought about ourselves, and that its network may not tell us of
DEEPEST = 3  # things that only name others, in a row, before the next one is not followed any more
_DEPTH = "parvis-depth"  # a header: with what was fetched goes how deep it lay


@dataclass(frozen=True, slots=True)
class Named:
    """Something to be fetched for a channel, and the arrival that named it, or the effect that brought it about."""

    channel_id: UUID
    arrival_id: UUID
    network: Network
    pointer: Pointer
    depth: int


def depth_of(headers: Mapping[str, str]) -> int:
    """How many fetched things in a row have led to an arrival with these headers."""
    value = headers.get(_DEPTH, "0")
    return int(value) if value.isdecimal() else 0


def fetched(found: RawArrival, named: Named) -> RawArrival:
    """The answer as it is kept: what it names lies one deeper."""
    return replace(found, headers={**found.headers, _DEPTH: str(named.depth)})


async def note(
    session: Session,
    scope: Scope,
    found: Sequence[Named],
    *,
    lanes: Mapping[UUID, str],
    after: timedelta = timedelta(0),
) -> None:
    """Let these be fetched, each once. One that is being fetched right now is fetched again: it may have changed."""
    once = {(one.channel_id, _key(one)): one for one in found}
    ordered = [once[place] for place in sorted(once)]
    await (await driver(session)).execute(
        _NOTE,
        scope.brand_id,
        [new_uuid() for _ in ordered],
        [one.channel_id for one in ordered],
        [lanes[one.channel_id] for one in ordered],
        [storable(one.pointer.kind) for one in ordered],
        [storable(one.pointer.external_id) for one in ordered],
        [_key(one) for one in ordered],
        [one.depth for one in ordered],
        [one.arrival_id for one in ordered],
        after,
    )


_NOTE = """
INSERT INTO due_fetch AS f
  (id, brand_id, channel_id, lane, due_at, failures, kind, external_id, key, depth, arrival_id)
SELECT p.id, $1, p.channel_id, p.lane, clock_timestamp() + $10, 0, p.kind, p.external_id, p.key, p.depth, p.arrival_id
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::int[], $9::uuid[])
    AS p (id, channel_id, lane, kind, external_id, key, depth, arrival_id)
ON CONFLICT (channel_id, key) DO UPDATE
  SET due_at = excluded.due_at, leased_until = NULL, failures = 0, arrival_id = excluded.arrival_id,
      depth = least(f.depth, excluded.depth)
"""


async def named(session: Session, turn: Turn, network: Network) -> Named | None:
    """What is to be fetched in this turn; None where somebody else has it by now."""
    row = await (await driver(session)).fetchrow(
        "SELECT arrival_id, kind, external_id, depth FROM due_fetch WHERE id = $1 AND leased_until = $2",
        turn.id,
        turn.leased_until,
    )
    if row is None:
        return None
    pointer = Pointer(row["external_id"], row["kind"])
    return Named(turn.channel_id, row["arrival_id"], network, pointer, row["depth"])


async def tell(session: Session, scope: Scope, named: Named, problem: Problem) -> None:
    """Write beside the arrival that named it what became of it."""
    pointer = named.pointer
    told = replace(problem, message=f"{pointer.kind} {pointer.external_id[:200]}: {problem.message}")
    await (await driver(session)).execute(
        "UPDATE arrival SET problems = problems || $3::jsonb WHERE id = $1 AND brand_id = $2",
        named.arrival_id,
        scope.brand_id,
        to_json([problem_row(told)]),
    )


def _key(one: Named) -> UUID:
    return thing_key(one.network, one.pointer.kind, one.pointer.external_id)
