"""Which mentions say the same as others, kept with them.

Mentions of one wording are of one cluster, and so are those of wordings near each other (`families`). In a cluster, by
(published_at, key), a mention is a copy when another comes at most `WINDOW` before it; else it is an original, of which
those up to the next original are the copies. Nothing here goes by the order in which mentions come: see decision 0031.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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


def _beside(is_copy: str) -> str:
    """The first two originals, or copies, from a place in a cluster on."""
    return (
        "(SELECT m.id, m.published_at, m.key FROM mention m WHERE m.brand_id = $1 AND m.cluster = s.cluster"  # noqa: S608  our words
        f" AND {is_copy} AND (m.published_at, m.key) >= (s.at, s.key) ORDER BY m.published_at, m.key LIMIT 2)"
    )


def _before(is_copy: str) -> str:
    return (
        "EXISTS (SELECT FROM mention p WHERE p.brand_id = $1 AND p.cluster = n.cluster"
        f" AND {is_copy} AND p.published_at >= n.published_at - $5::interval"
        " AND (p.published_at, p.key) < (n.published_at, n.key))"
    )


# Whether a mention is a copy changes where one came or went, and for the one behind it: for nobody else.
_JUDGE_PLACES = (
    "UPDATE mention m SET is_copy = j.is_copy FROM (SELECT n.id,"  # noqa: S608  our words
    f" {_before('NOT p.is_copy')} OR {_before('p.is_copy')} AS is_copy"
    " FROM (SELECT DISTINCT b.id, b.published_at, b.key, s.cluster"
    " FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[]) AS s (cluster, at, key),"
    f" LATERAL ({_beside('NOT m.is_copy')} UNION ALL {_beside('m.is_copy')}) b) n) j"
    " WHERE m.brand_id = $1 AND m.id = j.id AND m.is_copy <> j.is_copy"
)
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
    await rows.write_mentions(session, brand_id, states)
    await _move(session, brand_id, settled)
    await _judge(session, brand_id, [*turn.places, *_joined_places(turn)])


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


def _joined_places(turn: _Turn) -> list[_Place]:
    """Where mentions joined, but for those that are by themselves."""
    joined = [(state.cluster, state.published_at, state.key) for state, _ in turn.joined if state.cluster is not None]
    sizes = Counter(cluster for cluster, _, _ in joined)
    return [place for place in joined if sizes[place[0]] > 1 or place[0] not in turn.alone]


async def _judge(session: Session, brand_id: UUID, places: Sequence[_Place]) -> None:
    if places:
        clusters, times, keys = map(list, zip(*places, strict=True))
        await (await driver(session)).execute(_JUDGE_PLACES, brand_id, clusters, times, keys, WINDOW)
