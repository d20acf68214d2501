"""What one transaction gathers before it writes: the state of all that its batch touches, what is heard folded in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contract import Author, Counted, Deleted, Heard, Hidden, Reacted, Said, storable
from shared.db import Session
from shared.domain.listening import border, counters, merge, rows
from shared.domain.listening.ears import Ears
from shared.domain.listening.merge import EditDraft, MentionState, thing_key
from shared.domain.listening.rows import IdentityState
from shared.ids import new_uuid
from shared.models.enums import Network


@dataclass(frozen=True, slots=True)
class HeardPart:
    """What one arrival said for one channel. `space` is where the channel's ids are unique: see `thing_key`."""

    channel_id: UUID
    network: Network
    space: str
    heard: Sequence[Heard]


@dataclass(slots=True)
class Batch:
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


def at_the_border(part: HeardPart) -> HeardPart:
    """The part as it can be stored."""
    heard = [border.at_the_border(one) if isinstance(one, Said) else one for one in part.heard]
    return HeardPart(part.channel_id, part.network, part.space, heard)


def _key(batch: Batch, part: HeardPart, external_id: str) -> UUID:
    named = (part.network, part.space, external_id)
    key = batch.keys.get(named)
    if key is None:
        key = batch.keys[named] = thing_key(part.network, part.space, storable(external_id))
    return key


async def load(batch: Batch, parts: Sequence[HeardPart]) -> None:
    """Read the state of everything that the parts speak of."""
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
        batch.before[key] = copied(state)


def copied(state: MentionState) -> MentionState:
    """The state as it is now, whatever becomes of it."""
    return MentionState(**{name: getattr(state, name) for name in MentionState.__dataclass_fields__})


def fold(batch: Batch, part: HeardPart, one: Heard) -> UUID:
    """Fold one fact into the state; the key of the mention that it speaks of."""
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


def _fold_said(batch: Batch, part: HeardPart, state: MentionState, said: Said) -> None:
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


def _identity(batch: Batch, part: HeardPart, author: Author, stamp: datetime) -> UUID:
    key = _key(batch, part, author.external_id)
    known = batch.identities.get(key)
    if known is None:
        known = batch.identities[key] = IdentityState(
            new_uuid(), key, part.network, author.external_id, None, None, None, None, {}, dirty=True
        )
        batch.author_keys[known.id] = key
    known.fold(stamp, handle=author.handle, name=author.name, url=author.url, followers=author.followers)
    return known.id
