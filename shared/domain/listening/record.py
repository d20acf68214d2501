"""What was heard becomes mentions, identities, threads, sums and events: one transaction, one writer a brand.

The brand's row is locked first, so batches of one brand follow each other. That is what lets a batch read the state,
merge in Python and write it back, without ever losing to a neighbour.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.analysis.calibration import NONE
from shared.contract import Author, Counted, Deleted, Heard, Hidden, Reacted, Said, storable
from shared.db import Session, driver
from shared.domain.events import events
from shared.domain.insight import reads, rollups
from shared.domain.listening import (
    border,
    calibrations,
    copies,
    counters,
    doubts,
    edits,
    matches,
    merge,
    own_posts,
    reactions,
    rows,
    search_rows,
    trees,
)
from shared.domain.listening import readings as read
from shared.domain.listening.ears import Ears
from shared.domain.listening.merge import EditDraft, MentionState, thing_key
from shared.domain.listening.readings import Readings
from shared.domain.listening.rows import IdentityState
from shared.domain.publishing import figures
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import new_uuid
from shared.models.enums import AuthorKind, EventType, Network


@dataclass(frozen=True, slots=True)
class HeardPart:
    """What one arrival said for one channel. `space` is where the channel's ids are unique: see `thing_key`."""

    channel_id: UUID
    network: Network
    space: str
    heard: Sequence[Heard]


@dataclass(slots=True)
class _Batch:
    """Everything that one transaction gathers before it writes."""

    session: Session
    brand_id: UUID
    zone: ZoneInfo
    now: datetime
    ears: Ears | None = None
    states: dict[UUID, MentionState] = field(default_factory=dict)
    identities: dict[UUID, IdentityState] = field(default_factory=dict)
    author_keys: dict[UUID, UUID] = field(default_factory=dict)  # by id: ids are drawn, so only keys have an order
    keys: dict[tuple[Network, str, str], UUID] = field(default_factory=dict)  # each is a digest, and wanted often
    before: dict[UUID, MentionState] = field(default_factory=dict)
    edits: list[EditDraft] = field(default_factory=list)
    reactions: dict[tuple[UUID, UUID], Reacted] = field(default_factory=dict)
    reparented: set[UUID] = field(default_factory=set)


async def record(
    session: Session,
    scope: Scope,
    parts: Sequence[HeardPart],
    *,
    now: datetime,
    readings: Readings | None = None,
    ears: Ears | None = None,
    cascade: doubts.Cascade | None = None,
) -> list[list[UUID]]:
    """Record a batch of one brand, in any order, any number of times, with the same end.

    Without `readings` new texts stand unread. With `ears` the brand's queries are asked of what is new or different,
    with a `cascade` moods that it doubts are queued to be read deep.
    Returns, for each part, the keys of the mentions that it spoke of. Raises NotFound where the brand is gone.
    """
    zone = await lock_brand(session, scope.brand_id)
    batch = _Batch(session, scope.brand_id, zone, now, ears)
    parts = [_at_the_border(part) for part in parts]
    await _load(batch, parts)
    touched = [[_fold(batch, part, heard) for heard in part.heard] for part in parts]
    await own_posts.tie(session, scope.brand_id, batch.states.values())
    await reactions.count(session, scope.brand_id, batch.reactions, batch.states)
    shift = await calibrations.of(session, scope.brand_id) if readings is not None else NONE
    read.follow(batch.states.values(), batch.before, readings, shift)
    await _write(batch)
    await doubts.keep(session, scope.brand_id, batch.states.values(), batch.before, cascade, now=now)
    return touched


async def lock_brand(session: Session, brand_id: UUID) -> ZoneInfo:
    """Be the brand's one writer until the transaction ends; its time zone."""
    name = await (await driver(session)).fetchval(
        "SELECT timezone FROM brand WHERE brand_id = $1 FOR NO KEY UPDATE", brand_id
    )
    if name is None:
        raise NotFound("the brand of these arrivals is gone")
    return ZoneInfo(name)


def _at_the_border(part: HeardPart) -> HeardPart:
    heard = [border.at_the_border(one) if isinstance(one, Said) else one for one in part.heard]
    return HeardPart(part.channel_id, part.network, part.space, heard)


def _key(batch: _Batch, part: HeardPart, external_id: str) -> UUID:
    named = (part.network, part.space, external_id)
    key = batch.keys.get(named)
    if key is None:
        key = batch.keys[named] = thing_key(part.network, part.space, storable(external_id))
    return key


async def _load(batch: _Batch, parts: Sequence[HeardPart]) -> None:
    mention_keys: set[UUID] = set()
    identity_keys: set[UUID] = set()
    for part in parts:
        for one in part.heard:
            mention_keys.add(_key(batch, part, one.external_id))
            if isinstance(one, Said):
                if one.parent_external_id is not None:
                    mention_keys.add(_key(batch, part, one.parent_external_id))
                if one.author is not None:
                    identity_keys.add(_key(batch, part, one.author.external_id))
    batch.states = await rows.load_mentions(batch.session, batch.brand_id, mention_keys)
    batch.identities = await rows.load_identities(batch.session, batch.brand_id, identity_keys)
    batch.author_keys = {one.id: key for key, one in batch.identities.items()}
    others = {s.author_id for s in batch.states.values() if s.author_id is not None} - batch.author_keys.keys()
    if others:
        batch.author_keys |= await rows.identity_keys(batch.session, batch.brand_id, others)
    for key, state in batch.states.items():
        batch.before[key] = _copy(state)


def _copy(state: MentionState) -> MentionState:
    return MentionState(**{name: getattr(state, name) for name in MentionState.__dataclass_fields__})


def _fold(batch: _Batch, part: HeardPart, one: Heard) -> UUID:
    key = _key(batch, part, one.external_id)
    state = batch.states.get(key)
    if state is None:
        state = batch.states[key] = MentionState(
            new_uuid(), key, part.network, storable(one.external_id), part.channel_id, one.stamp, batch.now,
            new=True, dirty=True,
        )  # fmt: skip
    if not state.heard and one.stamp < state.published_at:
        state.published_at, state.dirty = one.stamp, True
    match one:
        case Said():
            _fold_said(batch, part, state, one)
        case Deleted():
            merge.apply_deleted(state, one)
        case Hidden():
            merge.apply_hidden(state, one)
        case Counted():
            counters.apply_counted(state, one)
        case Reacted():
            actor = _key(batch, part, one.actor_external_id)
            known = batch.reactions.get((key, actor))
            if known is None or counters.reacted_order(one) > counters.reacted_order(known):
                batch.reactions[key, actor] = one
    return key


def _fold_said(batch: _Batch, part: HeardPart, state: MentionState, said: Said) -> None:
    author_id = _identity(batch, part, said.author, said.stamp) if said.author is not None else None
    parent_key = _key(batch, part, said.parent_external_id) if said.parent_external_id is not None else None
    old_parent, was_heard = state.parent_key, state.heard
    batch.edits += merge.apply_said(
        state,
        said,
        author_id=author_id,
        author_keys=batch.author_keys,
        parent_key=parent_key,
        channel_id=part.channel_id,
        now=batch.now,
    )
    if was_heard and state.parent_key != old_parent:
        batch.reparented.add(state.key)


def _identity(batch: _Batch, part: HeardPart, author: Author, stamp: datetime) -> UUID:
    key = _key(batch, part, author.external_id)
    known = batch.identities.get(key)
    if known is None:
        known = batch.identities[key] = IdentityState(
            new_uuid(), key, part.network, author.external_id, None, None, None, None, {}, dirty=True
        )
        batch.author_keys[known.id] = key
    known.fold(stamp, handle=author.handle, name=author.name, url=author.url, followers=author.followers)
    return known.id


async def _write(batch: _Batch) -> None:
    session, brand_id = batch.session, batch.brand_id
    await rows.write_identities(session, brand_id, (s for s in batch.identities.values() if s.dirty))
    heard_now = [s for s in batch.states.values() if s.heard and not _was_heard(batch, s)]
    reparented = [batch.states[key] for key in batch.reparented]
    forest = trees.Forest(session, brand_id, batch.states)
    changed = [s for s in batch.states.values() if s.dirty]
    noted = [s for s in batch.states.values() if s.noted and not s.dirty]
    for state in changed:
        state.version += 1
    await forest.plant([*heard_now, *reparented], reparented=bool(reparented))
    await copies.write(session, brand_id, [*changed, *noted], batch.before)
    moved = await forest.settle_children()
    await trees.tidy(session, brand_id, moved | _retimed(batch, changed))
    await edits.keep(session, brand_id, batch.edits, changed)
    await search_rows.keep(session, brand_id, changed, batch.before)
    await matches.keep(session, brand_id, batch.zone, batch.ears, changed, batch.before, batch.identities.values())
    await rollups.add(
        session,
        brand_id,
        batch.zone,
        [rollups.counts_of(old) for s in changed if (old := batch.before.get(s.key)) is not None and old.listed],
        [rollups.counts_of(s) for s in changed if s.listed],
    )
    await reads.keep(session, brand_id, batch.zone, batch.before, [*changed, *noted])
    await figures.keep(session, brand_id, _own_counts([*changed, *noted]))
    await events.add(session, brand_id, list(_events(batch, changed)), now=batch.now)


def _own_counts(changed: Iterable[MentionState]) -> dict[tuple[UUID, datetime], dict[str, Any]]:
    """What the network counted of our own posts."""
    return {
        (s.variant_id, s.counted_at): s.counted
        for s in changed
        if s.variant_id is not None and s.counted_at is not None
    }


def _was_heard(batch: _Batch, state: MentionState) -> bool:
    old = batch.before.get(state.key)
    return old is not None and old.heard


def _retimed(batch: _Batch, changed: Iterable[MentionState]) -> set[UUID]:
    """Threads in which a mention's time changed."""
    return {
        s.thread_id
        for s in changed
        if s.thread_id is not None and _was_heard(batch, s) and batch.before[s.key].published_at != s.published_at
    }


def _events(batch: _Batch, changed: Iterable[MentionState]) -> Iterable[events.NewEvent]:
    for state in changed:
        if not state.heard:
            continue
        old = batch.before.get(state.key)
        if not _was_heard(batch, state):
            kind = EventType.MENTION_RECORDED if state.deleted_at is None else EventType.MENTION_DELETED
        elif state.deleted_at is not None and old is not None and old.deleted_at is None:
            kind = EventType.MENTION_DELETED
        elif old is not None and old.standing != state.standing and old.text != state.text:
            kind = EventType.MENTION_EDITED
        else:
            kind = EventType.MENTION_CHANGED
        yield events.NewEvent(kind, state.id, state.version, {})


async def claim_own(
    session: Session, scope: Scope, *, network: Network, space: str, external_id: str, variant_id: UUID, now: datetime
) -> None:
    """Tie a post that we sent to the mention that the network already told us of, if it did."""

    def tie(state: MentionState) -> None:
        if state.heard and state.variant_id is None:
            state.variant_id, state.author_kind, state.dirty = variant_id, AuthorKind.BRAND, True

    await rewrite(session, scope, [thing_key(network, space, external_id)], tie, now=now)


async def rewrite(
    session: Session,
    scope: Scope,
    keys: Collection[UUID],
    change: Callable[[MentionState], object],
    *,
    now: datetime,
    ears: Ears | None = None,
) -> dict[UUID, MentionState]:
    """Change mentions otherwise than by what is heard of them; what the change marks is written, and all that hangs
    on it follows. The states by their keys, of those that are there. What `change` raises goes on to the caller."""
    batch = _Batch(session, scope.brand_id, await lock_brand(session, scope.brand_id), now, ears)
    batch.states = await rows.load_mentions(session, scope.brand_id, keys)
    batch.before = {key: _copy(state) for key, state in batch.states.items()}
    for state in batch.states.values():
        change(state)
    if any(state.dirty or state.noted for state in batch.states.values()):
        await _write(batch)
    return batch.states
