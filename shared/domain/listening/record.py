"""What was heard becomes mentions, identities, threads, sums and events: one transaction, one writer a brand.

The brand's row is locked first, so batches of one brand follow each other. That is what lets a batch read the state,
merge in Python and write it back, without ever losing to a neighbour.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.analysis.calibration import NONE
from shared.db import Session, driver
from shared.domain.events import events
from shared.domain.insight import reads, rollups
from shared.domain.listening import (
    batches,
    calibrations,
    copies,
    doubts,
    edits,
    matches,
    own_posts,
    reactions,
    renames,
    rows,
    search_rows,
    trees,
)
from shared.domain.listening import readings as read
from shared.domain.listening.batches import Batch, HeardPart
from shared.domain.listening.ears import Ears
from shared.domain.listening.merge import MentionState, thing_key
from shared.domain.listening.readings import Readings
from shared.domain.publishing import figures
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.models.enums import AuthorKind, EventType, Network


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
    batch = Batch(session, scope.brand_id, zone, now, ears)
    parts = [batches.at_the_border(part) for part in parts]
    await batches.load(batch, parts)
    touched = [[batches.fold(batch, part, heard) for heard in part.heard] for part in parts]
    await own_posts.tie(session, scope.brand_id, batch.states.values())
    await reactions.count(session, scope.brand_id, batch.reactions, batch.states)
    shift = await calibrations.of(session, scope.brand_id) if readings is not None else NONE
    read.follow(batch.states.values(), batch.before, readings, shift)
    await _write(batch)
    await renames.keep(session, scope, zone, ears, batch.identities.values(), now=now)
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


async def _write(batch: Batch) -> None:
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


def _was_heard(batch: Batch, state: MentionState) -> bool:
    old = batch.before.get(state.key)
    return old is not None and old.heard


def _retimed(batch: Batch, changed: Iterable[MentionState]) -> set[UUID]:
    """Threads in which a mention's time changed."""
    return {
        s.thread_id
        for s in changed
        if s.thread_id is not None and _was_heard(batch, s) and batch.before[s.key].published_at != s.published_at
    }


def _events(batch: Batch, changed: Iterable[MentionState]) -> Iterable[events.NewEvent]:
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
    batch = Batch(session, scope.brand_id, await lock_brand(session, scope.brand_id), now, ears)
    batch.states = await rows.load_mentions(session, scope.brand_id, keys)
    batch.before = {key: batches.copied(state) for key, state in batch.states.items()}
    for state in batch.states.values():
        change(state)
    if any(state.dirty or state.noted for state in batch.states.values()):
        await _write(batch)
    return batch.states
