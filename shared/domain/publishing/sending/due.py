"""When effects are tried next, and who holds them: rows of ids and times that any scheduler may claim."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, text
from sqlmodel import col, select

from shared.contract import Card
from shared.db import Session
from shared.domain.scope import Scope
from shared.models.enums import OutgoingState
from shared.models.post import DueOutgoing, Outgoing

# A lane or a channel that its network has no room for rests as a whole.
_FREE = """(leased_until IS NULL OR leased_until < clock_timestamp()) AND lane <> ALL (CAST(:full AS text[]))
     AND NOT (ARRAY[lane, channel_id::text] && ARRAY(SELECT key FROM budget WHERE until > clock_timestamp()))"""
# What is due by people's time and nobody's by the database's: an equal share for each of the brands that have something
# due, then what some left of theirs for those that have more; at most `room` a lane. Brands are found one by one along
# their index, which costs as much for one that holds ten thousand as for one that holds two. Rows that are locked here
# but not taken are free again at the commit.
_CLAIM = text(f"""
WITH RECURSIVE brands (brand_id, place) AS (
  (SELECT brand_id, 1 FROM due_outgoing WHERE brand_id > :after AND due_at <= :now AND {_FREE}
    ORDER BY brand_id LIMIT 1)
  UNION ALL
  SELECT n.brand_id, b.place + 1 FROM brands b CROSS JOIN LATERAL (
    SELECT d.brand_id FROM due_outgoing d WHERE d.brand_id > b.brand_id AND due_at <= :now AND {_FREE}
     ORDER BY d.brand_id LIMIT 1) n
   WHERE b.place < :brands
), due AS MATERIALIZED (
  SELECT b.brand_id, t.* FROM brands b CROSS JOIN LATERAL (
    SELECT outgoing_id, lane, due_at FROM due_outgoing d WHERE d.brand_id = b.brand_id AND due_at <= :now AND {_FREE}
     ORDER BY due_at, outgoing_id LIMIT greatest(:limit / (SELECT count(*) FROM brands), 1) FOR UPDATE SKIP LOCKED) t
), full_shares AS (
  SELECT DISTINCT ON (brand_id) brand_id, due_at, outgoing_id FROM (
    SELECT *, count(*) OVER (PARTITION BY brand_id) AS taken FROM due) t
   WHERE taken >= :limit / (SELECT count(*) FROM brands) ORDER BY brand_id, due_at DESC, outgoing_id DESC
), more AS MATERIALIZED (
  SELECT t.* FROM full_shares f CROSS JOIN LATERAL (
    SELECT outgoing_id, lane, due_at FROM due_outgoing d WHERE d.brand_id = f.brand_id AND due_at <= :now AND {_FREE}
       AND (due_at, outgoing_id) > (f.due_at, f.outgoing_id)
     ORDER BY due_at, outgoing_id
     LIMIT greatest(:limit - (SELECT count(*) FROM due), 0) / greatest((SELECT count(*) FROM full_shares), 1)
     FOR UPDATE SKIP LOCKED) t
), ranked AS (
  SELECT it.outgoing_id, row_number() OVER (PARTITION BY it.lane ORDER BY it.due_at, it.outgoing_id) AS place,
         coalesce(lanes.room, :room) AS room
    FROM (SELECT outgoing_id, lane, due_at FROM due UNION ALL SELECT * FROM more) it
    LEFT JOIN unnest(CAST(:lanes AS text[]), CAST(:rooms AS int[])) AS lanes (lane, room) ON lanes.lane = it.lane
)
UPDATE due_outgoing d SET leased_until = clock_timestamp() + :lease, fence = d.fence + 1
  FROM ranked WHERE d.outgoing_id = ranked.outgoing_id AND ranked.place <= ranked.room
RETURNING d.outgoing_id, d.brand_id, d.lane, d.fence, d.due_at
""")  # noqa: S608  a condition of our own
_NEXT = text(f"SELECT min(due_at) FROM due_outgoing WHERE {_FREE}")  # noqa: S608  the same
_KEEP = text(
    "UPDATE due_outgoing d SET leased_until = clock_timestamp() + :lease"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:fences AS int[])) AS mine (id, fence)"
    " WHERE d.outgoing_id = mine.id AND d.fence = mine.fence AND d.brand_id = :brand RETURNING d.outgoing_id"
)
_REST = text(
    "UPDATE due_outgoing SET due_at = :due_at, leased_until = NULL"
    " WHERE outgoing_id = :id AND brand_id = :brand AND fence = :fence"
)
_AT_ONCE = text("SELECT least(CAST(:now AS timestamptz), clock_timestamp())")
_END = text("DELETE FROM due_outgoing WHERE outgoing_id = :id AND brand_id = :brand AND fence = :fence")
_SHIFT = text(
    "UPDATE due_outgoing SET due_at = due_at + :by, leased_until = NULL, fence = fence + 1"
    " WHERE brand_id = :brand AND outgoing_id = ANY (:ids)"
)
_RELEASE = text(
    "UPDATE due_outgoing SET due_at = least(due_at, :now) WHERE brand_id = :brand"
    " AND outgoing_id = ANY (:ids) AND (leased_until IS NULL OR leased_until < clock_timestamp())"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """An effect that is this process's for a while. A claim with a smaller fence than the row's is over."""

    outgoing_id: UUID
    brand_id: UUID
    lane: str
    fence: int
    due_at: datetime


# So many brands share a claim; others come with the next one.
BRANDS = 50
BEFORE_ALL = UUID(int=0)


async def claim(
    session: Session,
    *,
    now: datetime,
    limit: int,
    lease: timedelta,
    rooms: Mapping[str, int] | None = None,
    room: int = 1_000_000,
    after: UUID = BEFORE_ALL,
) -> list[Claim]:
    """Take about `limit` effects that are due at `now`, the oldest of each brand; no two callers ever hold the same.

    `rooms` says how many a lane still takes, `room` how many one that it does not name. Brands come in the order of
    their ids, from `after` on.
    """
    rooms = rooms or {}
    wanted = {
        "now": now,
        "limit": limit,
        "lease": lease,
        "room": room,
        "after": after,
        "brands": BRANDS,
        "full": [lane for lane, free in rooms.items() if free <= 0],
        "lanes": list(rooms),
        "rooms": list(rooms.values()),
    }
    return [Claim(*row) for row in (await session.execute(_CLAIM, wanted))]


def turn_after(claims: Sequence[Claim]) -> UUID:
    """After which brand the next claim goes on: where one could not hold all brands, after its last."""
    brands = {claim.brand_id for claim in claims}
    return max(brands) if len(brands) >= BRANDS else BEFORE_ALL


async def next_at(session: Session, *, full: Collection[str] = ()) -> datetime | None:
    """When the first effect that nobody holds is due, outside the lanes that are full."""
    moment: datetime | None = (await session.execute(_NEXT, {"full": list(full)})).scalar_one()
    return moment


async def keep(session: Session, scope: Scope, claims: Sequence[Claim], lease: timedelta) -> list[Claim]:
    """Hold claims for another `lease`, their rows locked; without those that were called off or are another's now."""
    wanted = {
        "lease": lease,
        "brand": scope.brand_id,
        "ids": [claim.outgoing_id for claim in claims],
        "fences": [claim.fence for claim in claims],
    }
    kept = set((await session.execute(_KEEP, wanted)).scalars())
    return [claim for claim in claims if claim.outgoing_id in kept]


async def rest(session: Session, claim: Claim, due_at: datetime) -> None:
    """Let go of a claim until `due_at`."""
    wanted = {"due_at": due_at, "id": claim.outgoing_id, "brand": claim.brand_id, "fence": claim.fence}
    await session.execute(_REST, wanted)


async def end(session: Session, claim: Claim) -> None:
    """The effect is not tried again."""
    await session.execute(_END, {"id": claim.outgoing_id, "brand": claim.brand_id, "fence": claim.fence})


async def at_once(session: Session, scope: Scope, now: datetime) -> datetime:
    """The brand's now, by `now` or the database's clock where that is earlier: who says "at once" does not mean a
    wrong clock's hour."""
    moment: datetime = (await session.execute(_AT_ONCE, {"now": now})).scalar_one()
    return scope.now(moment)


def really(scope: Scope, card: Card | None, moment: datetime) -> datetime:
    """When a moment that people mean really is, for an effect on this network.

    By the brand's clock only where the network keeps a time of its own: nothing goes out early anywhere else, whatever
    was moved.
    """
    return scope.real(moment) if card is not None and card.keeps_time else moment


async def enqueue(
    session: Session,
    scope: Scope,
    outgoing: Outgoing,
    lane: str,
    *,
    card: Card | None = None,
    fence: int = 0,
    ahead: timedelta = timedelta(0),
) -> None:
    """Let an effect be sent when it is due; it is taken up `ahead` of that, to be laid ready.

    `fence`: greater than any that an earlier holder may still have.
    """
    session.add(
        DueOutgoing(
            outgoing_id=outgoing.id,
            brand_id=scope.brand_id,
            channel_id=outgoing.channel_id,
            lane=lane,
            due_at=really(scope, card, outgoing.due_at) - ahead,
            fence=fence,
        )
    )
    await session.flush()


async def call_off(session: Session, scope: Scope, outgoing_ids: Sequence[UUID]) -> None:
    """Take effects out of the queue; a holder that has not begun finds its claim gone."""
    await session.execute(
        delete(DueOutgoing)
        .where(col(DueOutgoing.brand_id) == scope.brand_id, col(DueOutgoing.outgoing_id).in_(outgoing_ids))
        .execution_options(synchronize_session=False)
    )


async def bring_forward(session: Session, scope: Scope, outgoing_ids: Sequence[UUID], at: datetime) -> None:
    """Let effects be due at `at` that rest until later; those that somebody has in hand are left."""
    await session.execute(_RELEASE, {"now": at, "brand": scope.brand_id, "ids": list(outgoing_ids)})


async def release(session: Session, scope: Scope, channel_id: UUID, *, now: datetime) -> None:
    """Look at once at what waited for a channel that stood still."""
    waiting = select(Outgoing.id).where(
        col(Outgoing.brand_id) == scope.brand_id,
        col(Outgoing.channel_id) == channel_id,
        col(Outgoing.first_attempt_at).is_not(None) | (col(Outgoing.due_at) <= scope.now(now)),
        col(Outgoing.state).in_([OutgoingState.WAITING, OutgoingState.RETRYING, OutgoingState.SENDING]),
    )
    ids = list((await session.execute(waiting)).scalars())
    await session.execute(_RELEASE, {"now": now, "brand": scope.brand_id, "ids": ids})


async def shift(session: Session, scope: Scope, outgoing_ids: Sequence[UUID], by: timedelta) -> None:
    """Let effects be due by so much later, or earlier; a holder that has not begun finds its claim gone."""
    await session.execute(_SHIFT, {"by": by, "brand": scope.brand_id, "ids": list(outgoing_ids)})
