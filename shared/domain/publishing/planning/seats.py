"""Which occurrence of a slot is free, and whose it is: one post each, whoever else looks at the same time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select as select_columns
from sqlmodel import col, select

from shared.db import Session
from shared.domain.publishing import drafts
from shared.domain.publishing.drafts import NEXT, Planning, When
from shared.domain.publishing.planning import blackouts, repeats
from shared.domain.publishing.planning.moving import PLANS, Seat
from shared.domain.publishing.planning.repeats import Occurrence, Silence
from shared.domain.publishing.planning.wallclock import written, wrong
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import PostStatus, VariantStatus
from shared.models.planning import Slot
from shared.models.post import Post, Variant

Wanted = UUID | Literal["next"]
_STEP = timedelta(weeks=8)
_STEPS = 13  # two years
# A draft with a time of its own is nobody's claim on that time.
SPEAKING = frozenset((PLANS - {PostStatus.DRAFT}) | {PostStatus.PUBLISHING, PostStatus.PUBLISHED})


@dataclass(frozen=True, slots=True)
class Taken:
    """What stands where: occurrences that are a post's, and who speaks at which moment."""

    seats: Collection[tuple[UUID, date]] = frozenset()
    speaking: Mapping[datetime, Collection[UUID]] = field(default_factory=dict)

    def is_free(self, slot: Slot, occurrence: Occurrence) -> bool:
        """Whether nothing stands there, and nobody speaks on one of the slot's channels at that moment."""
        if (slot.id, occurrence.on) in self.seats:
            return False
        at_that_moment = self.speaking.get(occurrence.at)
        return not at_that_moment or not repeats.meets(slot, at_that_moment)


async def lock(session: Session, scope: Scope) -> list[Slot]:
    """The brand's slots, and nobody else books or changes one until this transaction ends.

    Ask before locking a post, so that two never wait for each other.
    """
    wanted = (
        select(Slot)
        .where(col(Slot.brand_id) == scope.brand_id, col(Slot.removed_at).is_(None))
        .order_by(col(Slot.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list((await session.execute(wanted)).scalars())


async def meant(
    session: Session,
    scope: Scope,
    planning: Planning,
    slots: Sequence[Slot],
    *,
    channel_ids: Collection[UUID],
    now: datetime,
    besides: Collection[UUID] = (),
) -> tuple[When | None, Seat | None]:
    """The time that is meant, or the place in one of the locked `slots` and its time. Raises as `find` does."""
    moment = drafts.when(planning, await _brand_zone(session, scope))
    if planning.slot is None:
        return moment, None
    if moment is not None:
        raise _bad("exclusive", "give a time or a slot, not both")
    seat = await find(session, scope, slots, slot=planning.slot, channel_ids=channel_ids, now=now, besides=besides)
    return seat.when, seat


async def find(
    session: Session,
    scope: Scope,
    slots: Sequence[Slot],
    *,
    slot: Wanted,
    channel_ids: Collection[UUID],
    now: datetime,
    besides: Collection[UUID] = (),
) -> Seat:
    """The next free occurrence of this slot, or of any that is for these channels, among the locked `slots`.

    Posts `besides` are not in the way. Raises Invalid where no slot is for these channels, Conflict where all
    occurrences of the next two years are taken.
    """
    now = scope.now(now)
    suitable = _suitable(slots, slot, channel_ids)
    brand_zone = await _brand_zone(session, scope)
    silence = await blackouts.silence(session, scope, now.date() - timedelta(days=2))
    start = now
    for _ in range(_STEPS):
        end = start + _STEP
        taken = await taken_between(session, scope, start, end, besides)
        for one, occurrence in _candidates(suitable, brand_zone, silence, start, end):
            if taken.is_free(one, occurrence):
                when = When(occurrence.at, written(occurrence.local), occurrence.zone)
                return Seat(one.id, occurrence.on, when)
        start = end
    raise Conflict("every occurrence in the next two years is taken", code="no_free_slot")


async def taken_between(
    session: Session, scope: Scope, since: datetime, until: datetime, besides: Collection[UUID] = ()
) -> Taken:
    """What stands at moments in [since, until]."""
    on_its_channel = (
        (col(Variant.brand_id) == col(Post.brand_id))
        & (col(Variant.post_id) == col(Post.id))
        & (col(Variant.status) != VariantStatus.CANCELLED)
    )
    wanted = (
        select_columns(
            col(Post.status), col(Post.slot_id), col(Post.slot_day), col(Post.scheduled_at), col(Variant.channel_id)
        )
        .outerjoin(Variant, on_its_channel)
        .where(
            col(Post.brand_id) == scope.brand_id,
            col(Post.scheduled_at) >= since,
            col(Post.scheduled_at) <= until,
            col(Post.status) != PostStatus.CANCELLED,
            col(Post.id).not_in(besides),
        )
    )
    seats: set[tuple[UUID, date]] = set()
    speaking: dict[datetime, set[UUID]] = {}
    for status, slot_id, day, at, channel_id in await session.execute(wanted):
        if slot_id is not None and day is not None:
            seats.add((slot_id, day))
        if status in SPEAKING and at is not None and channel_id is not None:
            speaking.setdefault(at, set()).add(channel_id)
    return Taken(seats, speaking)


def _suitable(slots: Sequence[Slot], slot: Wanted, channel_ids: Collection[UUID]) -> list[Slot]:
    if not channel_ids:
        raise wrong("required", "a post needs a channel to go into a slot", "channel_ids")
    if slot != NEXT:
        found = [one for one in slots if one.id == slot]
        if not found:
            raise _bad("unknown_slot", f"this brand has no slot {typeid(Prefix.SLOT, slot)!r}")
        if found[0].paused:
            raise _bad("slot_paused", "this slot is paused")
        if not repeats.suits(found[0], channel_ids):
            raise _bad("wrong_channels", "this slot is not for all of the post's channels")
        return found
    found = [one for one in slots if not one.paused and repeats.suits(one, channel_ids)]
    if not found:
        raise _bad("no_slot", "no slot is for all of the post's channels: make one, or give a time")
    return found


def _candidates(
    slots: Sequence[Slot], brand_zone: str, silence: Silence, after: datetime, until: datetime
) -> Iterator[tuple[Slot, Occurrence]]:
    """Occurrences at moments in (after, until], in order."""
    found: list[tuple[Slot, Occurrence]] = []
    for slot in slots:
        zone = slot.timezone or brand_zone
        first, last = (moment.astimezone(ZoneInfo(zone)).date() for moment in (after, until))
        # A gap at midnight carries a time into the next day.
        between = repeats.slot_occurrences(slot, zone, silence, first - timedelta(days=1), last)
        found += [(slot, one) for one in between if after < one.at <= until]
    yield from sorted(found, key=lambda pair: (pair[1].at, pair[0].id))


async def _brand_zone(session: Session, scope: Scope) -> str:
    wanted = select(Brand.timezone).where(col(Brand.brand_id) == scope.brand_id)
    return (await session.execute(wanted)).scalar_one()


def _bad(code: str, message: str) -> Invalid:
    return Invalid([Problem(code, message, ("slot",))])
