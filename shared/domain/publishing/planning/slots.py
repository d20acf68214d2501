"""A brand's weekly times: made, changed, removed. What stands in one moves with it, and the answer says where to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.publishing import reading
from shared.domain.publishing.drafts import MOST_CHANNELS, NEXT, ChannelId, Label, When
from shared.domain.publishing.planning import moving, seats, wallclock
from shared.domain.publishing.planning.moving import PLANS, Move, Seat
from shared.domain.publishing.planning.wallclock import wrong
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.channel import Channel
from shared.models.enums import GrantRole, KeyScope, VariantStatus, Weekday
from shared.models.planning import Slot
from shared.models.post import Post

MOST = 300

TimeOfDay = Annotated[str, Field(max_length=5)]
Zone = Annotated[str, Field(max_length=64)]
Channels = Annotated[list[ChannelId], Field(max_length=MOST_CHANNELS)]


class SlotDraft(BaseModel):
    """A time of the week. Without `timezone` it is the brand's; without `channel_ids` it is for all channels."""

    model_config = ConfigDict(extra="forbid")
    weekday: Weekday
    local_time: TimeOfDay
    timezone: Zone | None = None
    channel_ids: Channels = Field(default_factory=list)
    label: Label = ""
    paused: bool = False


class SlotChanges(BaseModel):
    """What is not set stays."""

    model_config = ConfigDict(extra="forbid")
    weekday: Weekday | None = None
    local_time: TimeOfDay | None = None
    timezone: Zone | None = None
    channel_ids: Channels | None = None
    label: Label | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A post that was planned for `before` and now is for `after`; `slot_id` None: it keeps its time, in no slot."""

    post_id: UUID
    before: datetime
    after: datetime
    slot_id: UUID | None


async def list_(session: Session, scope: Scope) -> list[Slot]:
    """The brand's slots, in the order in which they were made."""
    wanted = select(Slot).where(col(Slot.brand_id) == scope.brand_id, col(Slot.removed_at).is_(None))
    return list((await session.execute(wanted.order_by(col(Slot.id)))).scalars())


async def get(session: Session, scope: Scope, slot_id: UUID) -> Slot:
    """One slot. Raises NotFound."""
    wanted = select(Slot).where(
        col(Slot.brand_id) == scope.brand_id, col(Slot.id) == slot_id, col(Slot.removed_at).is_(None)
    )
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise _unknown(slot_id)
    return found


async def create(session: Session, scope: Scope, *, draft: SlotDraft, now: datetime) -> Slot:
    """Make a slot. Raises Invalid, naming the place, and Conflict beyond 300."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    if len(await seats.lock(session, scope)) >= MOST:
        raise Conflict(f"a brand has at most {MOST} slots", code="too_many")
    made = Slot(brand_id=scope.brand_id, created_at=now, **draft.model_dump())
    await _check(session, scope, made)
    session.add(made)
    await session.flush()
    await audit.add(session, scope, "slot.create", typeid(Prefix.SLOT, made.id))
    return made


async def update(
    session: Session,
    scope: Scope,
    slot_id: UUID,
    *,
    changes: SlotChanges,
    now: datetime,
    if_version: int | None = None,
) -> tuple[Slot, list[Moved]]:
    """Change a slot. What stands in it is placed again, in its order: in this slot, or where it can't be, in others.

    Raises NotFound, Stale, Invalid.
    """
    slot, others = await _mine(session, scope, slot_id, if_version)
    before = slot.model_dump()
    for name in changes.model_fields_set:
        value = getattr(changes, name)
        if value is None and name != "timezone":
            raise wrong("required", f"{name} can't be null", name)
        setattr(slot, name, value)
    await _check(session, scope, slot)
    changed = {name for name in SlotDraft.model_fields if before[name] != getattr(slot, name)}
    slot.version += 1
    await session.flush()
    moved = await _place_again(session, scope, slot, others, now=now) if changed - {"label"} else []
    await audit.add(session, scope, "slot.update", typeid(Prefix.SLOT, slot.id), {"changed": sorted(changed)})
    return slot, moved


async def remove(
    session: Session, scope: Scope, slot_id: UUID, *, now: datetime, if_version: int | None = None
) -> tuple[Slot, list[Moved]]:
    """End a slot. What stands in it moves through the others, in its order; what finds no place keeps its time.

    Raises NotFound, Stale.
    """
    slot, others = await _mine(session, scope, slot_id, if_version)
    slot.removed_at = now
    slot.version += 1
    await session.flush()
    moved = await _place_again(session, scope, slot, others, now=now)
    await audit.add(session, scope, "slot.remove", typeid(Prefix.SLOT, slot.id), {"moved": len(moved)})
    return slot, moved


async def channels_of(session: Session, scope: Scope, posts: Sequence[Post]) -> dict[UUID, list[UUID]]:
    """On which channels each post speaks."""
    variants = await reading.variants_of(session, scope, [post.id for post in posts])
    return {
        post.id: [one.channel_id for one in variants.get(post.id, []) if one.status is not VariantStatus.CANCELLED]
        for post in posts
    }


async def _place_again(
    session: Session, scope: Scope, slot: Slot, others: Sequence[Slot], *, now: datetime
) -> list[Moved]:
    wanted = select(Post.id).where(
        col(Post.brand_id) == scope.brand_id,
        col(Post.slot_id) == slot.id,
        col(Post.status).in_(PLANS),
        col(Post.scheduled_at) > scope.now(now),
    )
    posts = await moving.hold(session, scope, list((await session.execute(wanted)).scalars()))
    posts.sort(key=lambda post: (post.scheduled_at or now, post.id))
    before = {post.id: (post.scheduled_at or now, post.slot_id, post.slot_day) for post in posts}
    channels = await channels_of(session, scope, posts)
    waiting = {post.id for post in posts}
    await moving.vacate(session, posts)
    found = []
    for post in posts:
        seat = await _seat(session, scope, slot, others, channels[post.id], now=now, besides=waiting)
        to = seat.when if seat is not None else When(before[post.id][0], post.local_time, post.timezone)
        waiting.discard(post.id)
        if await moving.move(session, scope, [Move(post, to, seat)], now=now):
            after = (to.at, *((seat.slot_id, seat.day) if seat is not None else (None, None)))
            if after != before[post.id]:
                found.append(Moved(post.id, before[post.id][0], to.at, after[1]))
    return found


async def _seat(
    session: Session,
    scope: Scope,
    slot: Slot,
    others: Sequence[Slot],
    channel_ids: list[UUID],
    *,
    now: datetime,
    besides: set[UUID],
) -> Seat | None:
    """Where a post goes that stood in this slot: there again if it can, else into the next of any; None: nowhere."""
    choices: list[tuple[Sequence[Slot], seats.Wanted]] = [(others, NEXT)]
    if slot.removed_at is None:
        choices.insert(0, ([slot], slot.id))
    for among, wanted in choices:
        try:
            return await seats.find(
                session, scope, among, slot=wanted, channel_ids=channel_ids, now=now, besides=besides
            )
        except (Invalid, Conflict):
            continue
    return None


async def _mine(session: Session, scope: Scope, slot_id: UUID, if_version: int | None) -> tuple[Slot, list[Slot]]:
    """The slot, and the others, all locked."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    slots = await seats.lock(session, scope)
    slot = next((one for one in slots if one.id == slot_id), None)
    if slot is None:
        raise _unknown(slot_id)
    if if_version is not None and slot.version != if_version:
        raise Stale(f"the slot is at version {slot.version}, not {if_version}: read it again")
    return slot, [one for one in slots if one.id != slot_id]


async def _check(session: Session, scope: Scope, slot: Slot) -> None:
    wallclock.read_time(slot.local_time, "local_time")
    if slot.timezone is not None:
        wallclock.require_zone(slot.timezone, "timezone")
    slot.channel_ids = list(dict.fromkeys(slot.channel_ids))
    wanted = select(Channel.id).where(
        col(Channel.brand_id) == scope.brand_id,
        col(Channel.id).in_(slot.channel_ids),
        col(Channel.removed_at).is_(None),
    )
    known = set((await session.execute(wanted)).scalars())
    problems = [
        Problem("unknown_channel", "this brand has no such channel", ("channel_ids", n))
        for n, channel_id in enumerate(slot.channel_ids)
        if channel_id not in known
    ]
    if problems:
        raise Invalid(problems)


def _unknown(slot_id: UUID) -> NotFound:
    return NotFound(f"there is no slot with the id {typeid(Prefix.SLOT, slot_id)!r}")
