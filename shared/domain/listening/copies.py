"""Which mentions say the same as others, kept with them.

Mentions of one wording are of one cluster, and so are those of wordings near each other (`families`). In a cluster, by
(published_at, key), a mention is a copy when another comes at most `WINDOW` before it; else it is an original, of which
those up to the next original are the copies. Nothing here goes by the order in which mentions come: see decision 0031.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from shared.analysis import fingerprint
from shared.analysis.fingerprint import Fingerprint
from shared.db import Session, driver
from shared.domain.listening import rows
from shared.domain.listening.families import Settled, Wording, settle
from shared.domain.listening.merge import MentionState
from shared.domain.listening.wordings import Stored
from shared.models.enums import AuthorKind

WINDOW = timedelta(days=14)
"""Of silence, after which what is said again is an original again."""

_MOVE = (
    "UPDATE mention m SET cluster = w.cluster"
    " FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS w (wording, was, cluster)"
    " WHERE m.brand_id = $1 AND m.cluster = w.was AND m.wording = w.wording"
)
_JUDGE_ALL = (
    "UPDATE mention m SET is_copy = j.is_copy FROM (SELECT id, coalesce(published_at - lag(published_at)"
    " OVER (PARTITION BY cluster ORDER BY published_at, key) <= $3::interval, false) AS is_copy"
    " FROM mention WHERE brand_id = $1 AND cluster = ANY ($2)) j"
    " WHERE m.brand_id = $1 AND m.id = j.id AND m.is_copy <> j.is_copy"
)
_FORESEE = "SELECT parvis.are_copies($1, $2, $3, $4, $5)"
_JUDGE_PLACES = "SELECT parvis.judge_copies($1, $2, $3, $4, $5)"
_Place = tuple[UUID, datetime, UUID]  # cluster, time and key


@dataclass(slots=True)
class _Turn:
    """What a batch changes: who joins a wording, how many mentions wordings gain, and the places to judge anew.

    Then: the clusters of the wordings joined, but for short ones, and those clusters that are new and of one wording.
    """

    joined: list[tuple[MentionState, Fingerprint]] = field(default_factory=list)
    more: Counter[UUID] = field(default_factory=Counter)
    places: list[_Place] = field(default_factory=list)
    clusters: dict[UUID, UUID] = field(default_factory=dict)
    alone: set[UUID] = field(default_factory=set)


async def write(
    session: Session, brand_id: UUID, states: Sequence[MentionState], before: Mapping[UUID, MentionState]
) -> None:
    """Write changed mentions, and bring up to date whose copies they and the others of their clusters are."""
    turn = _turn(states, before)
    if not turn.joined and not turn.places:
        await rows.write_mentions(session, brand_id, states)
        return
    stored = Stored(session, brand_id)
    settled = await _settle(stored, turn)
    moved = {one.id: one.cluster for one in settled.changed if one.id in settled.moved}
    for state in states:
        if state.wording in moved:
            state.cluster = moved[state.wording]
    for state, print_ in turn.joined:
        state.wording, state.cluster = print_.digest, turn.clusters.get(print_.digest, print_.digest)
    joined = _in_company(turn)
    await _foresee(session, brand_id, joined)
    await rows.write_mentions(session, brand_id, states)
    await _move(session, brand_id, settled)
    await _judge(session, brand_id, [*turn.places, *map(_place, joined)])


def counts(state: MentionState) -> bool:
    """Whether it can be a copy, or have copies: what the brand itself says is neither."""
    return state.listed and bool(state.text) and state.author_kind is not AuthorKind.BRAND


def _turn(states: Iterable[MentionState], before: Mapping[UUID, MentionState]) -> _Turn:
    turn = _Turn()
    for state in states:
        old = before.get(state.key)
        counted = counts(state)
        if state.wording is not None and old is not None and counted and state.text == old.text:
            if state.published_at != old.published_at and state.cluster is not None:
                turn.places += [(state.cluster, at, state.key) for at in (old.published_at, state.published_at)]
            continue
        print_ = fingerprint.of(state.text) if counted and state.text else None
        if state.wording is not None and old is not None and state.cluster is not None:
            turn.places.append((state.cluster, old.published_at, state.key))
            turn.more[state.wording] -= 1
            state.wording, state.cluster, state.is_copy = None, None, False
        if print_ is not None:
            turn.joined.append((state, print_))
    return turn


async def _settle(stored: Stored, turn: _Turn) -> Settled:
    """Bring the wordings up to date with this batch."""
    long = {print_.digest: print_ for _, print_ in turn.joined if print_.is_long}
    turn.more.update(print_.digest for _, print_ in turn.joined if print_.is_long)
    used = await stored.use(turn.more) if turn.more else []
    turn.clusters = {one.id: one.cluster for one in used if one.cluster is not None}
    new = [long[digest] for digest in sorted(long.keys() - turn.clusters.keys())]
    fresh = [
        Wording(print_.digest, signature, turn.more[print_.digest])
        for print_, signature in zip(new, fingerprint.signatures(new), strict=True)
    ]
    gone = [one for one in used if one.uses <= 0]
    if not fresh and not gone:
        return Settled([], {})
    await stored.forget(gone)
    settled = await settle(stored, fresh, gone)
    await stored.put(settled.changed)
    turn.clusters |= {one.id: one.cluster for one in settled.changed if one.cluster is not None}
    sizes = Counter(one.cluster for one in settled.changed)
    turn.alone = {one.cluster for one in fresh if one.cluster is not None and sizes[one.cluster] == 1 and one.leads}
    return settled


async def _move(session: Session, brand_id: UUID, settled: Settled) -> None:
    """The other mentions of wordings that are in another cluster now."""
    moved = [one for one in settled.changed if one.id in settled.moved]
    if not moved:
        return
    connection = await driver(session)
    was = [settled.moved[one.id] for one in moved]
    now = [one.cluster for one in moved]
    await connection.execute(_MOVE, brand_id, [one.id for one in moved], was, now)
    await connection.execute(_JUDGE_ALL, brand_id, list({*was, *now}), WINDOW)


def _in_company(turn: _Turn) -> list[MentionState]:
    """Those that joined, but for such as are by themselves; by cluster and place."""
    joined = [state for state, _ in turn.joined]
    sizes = Counter(state.cluster for state in joined)
    found = [state for state in joined if sizes[state.cluster] > 1 or state.cluster not in turn.alone]
    return sorted(found, key=_place)


def _place(state: MentionState) -> _Place:
    assert state.cluster is not None
    return state.cluster, state.published_at, state.key


async def _foresee(session: Session, brand_id: UUID, joined: Sequence[MentionState]) -> None:
    """Which of these are copies of what is stored or of each other, as far as can be told before they are written."""
    if not joined:
        return
    clusters, times, keys = map(list, zip(*map(_place, joined), strict=True))
    stored = await (await driver(session)).fetchval(_FORESEE, brand_id, clusters, times, keys, WINDOW)
    for state, is_copy in zip(joined, stored, strict=True):
        state.is_copy = is_copy
    for before, state in pairwise(joined):
        if before.cluster == state.cluster and state.published_at - before.published_at <= WINDOW:
            state.is_copy = True


async def _judge(session: Session, brand_id: UUID, places: Sequence[_Place]) -> None:
    """Look again at where mentions came or went."""
    if places:
        clusters, times, keys = map(list, zip(*places, strict=True))
        await (await driver(session)).execute(_JUDGE_PLACES, brand_id, clusters, times, keys, WINDOW)
