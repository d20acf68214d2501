"""Which wordings belong together, found so that the order in which they come makes no difference.

A wording is what all exact copies have in common. It leads a family, or follows the first that leads and is near it.
"First" goes by the wordings' ids, which are digests: they have nothing to do with time. So a wording leads exactly when
none that comes before it leads and is near it, which is the maximal independent set that is greedy in a random order.
It follows from the wordings alone, and a change to it moves one leader on average, however large the families are
(Censor-Hillel, Haramaty, Karnin: Optimal dynamic distributed MIS, 2016).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol
from uuid import UUID

import numpy as np

from shared.analysis import fingerprint
from shared.analysis.fingerprint import Signatures
from shared.ids import new_uuid

_AT_ONCE = 256


@dataclass(slots=True)
class Wording:
    """A wording and its place: whom it follows (itself, where it leads), and the name of the family's cluster.

    `uses` are the mentions that are worded so.
    """

    id: UUID
    signature: Signatures
    uses: int
    leader: UUID | None = None
    cluster: UUID | None = None

    @property
    def leads(self) -> bool:
        return self.leader == self.id


class Wordings(Protocol):
    """Those that are stored. Each may come more often than once."""

    async def leading(self, bands: fingerprint.Bands) -> Sequence[Wording]:
        """The leaders that share a band with a row of these."""

    async def following(self, bands: fingerprint.Bands) -> Sequence[Wording]:
        """The others that do."""

    async def followers(self, leaders: Collection[UUID]) -> Sequence[Wording]:
        """Those that follow one of these."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What is different: new wordings and those that follow another, and the old cluster of those that moved."""

    changed: list[Wording]
    moved: Mapping[UUID, UUID]


async def settle(stored: Wordings, fresh: Collection[Wording], gone: Collection[Wording]) -> Settled:
    """Place new wordings, and whatever they and those that went move."""
    at_work = _Settling(stored, {one.id for one in gone})
    await at_work.begin(fresh, gone)
    while at_work.waiting:
        await at_work.place(at_work.known[heappop(at_work.waiting)])
    return at_work.settled()


@dataclass(slots=True)
class _Settling:
    stored: Wordings
    gone: set[UUID]
    known: dict[UUID, Wording] = field(default_factory=dict)
    waiting: list[UUID] = field(default_factory=list)
    before: dict[UUID, tuple[UUID | None, UUID | None]] = field(default_factory=dict)  # leader and cluster
    old: dict[UUID, UUID] = field(default_factory=dict)  # the clusters of those that lead no more
    bands: dict[UUID, list[int]] = field(default_factory=dict)
    by_band: dict[int, list[UUID]] = field(default_factory=dict)  # each once: a new wording's bands are mostly its own
    leaders_by_band: dict[int, list[UUID]] = field(default_factory=dict)
    has_leaders: set[UUID] = field(default_factory=set)  # whose leaders of now are known
    has_followers: set[UUID] = field(default_factory=set)  # whose near followers are

    async def begin(self, fresh: Collection[Wording], gone: Collection[Wording]) -> None:
        self._learn(fresh)
        await self._ask_leaders([one.id for one in fresh])
        alone = [one.id for one in fresh if not self._near(one, self.leaders_by_band, before=one.id)]
        await self._ask_followers(alone)
        led = {one.id: one.cluster for one in gone if one.leads and one.cluster is not None}
        self.old |= led
        self._wait(fresh)
        if led:
            self._wait(self._learn(await self.stored.followers(led)))

    async def place(self, one: Wording) -> None:
        """Whom it follows now. All that come before it are placed already."""
        leader = await self._first_near(one)
        if leader == one.leader:
            return
        led, one.leader = one.leads, leader
        if led and one.cluster is not None:
            self.old[one.id] = one.cluster
            self._lead(one, False)
            self._wait(self._learn(await self.stored.followers([one.id])))
        elif one.leads:
            self._lead(one, True)
            await self._ask_followers([one.id])
            near = [self.known[other] for other in self._near(one, self.by_band) if other > one.id]
            self._wait(other for other in near if other.leader is None or other.leader > one.id)

    async def _first_near(self, one: Wording) -> UUID:
        """The first leader near it that comes before it; itself, where there is none."""
        found = min(self._near(one, self.leaders_by_band, before=one.id), default=one.id)
        was = self.before[one.id][0]
        if one.id in self.has_leaders or (was is not None and found <= was):
            return found  # none stored that comes before the one that it followed leads and is near it
        await self._ask_leaders([one.id, *self.waiting[:_AT_ONCE]])
        return min(self._near(one, self.leaders_by_band, before=one.id), default=one.id)

    def settled(self) -> Settled:
        self._name()
        changed, moved = [], {}
        for one in self.known.values():
            leader, cluster = self.before[one.id]
            if one.leader != leader or one.cluster != cluster:
                changed.append(one)
            if cluster is not None and cluster != one.cluster:
                moved[one.id] = cluster
        return Settled(changed, moved)

    def _learn(self, wordings: Iterable[Wording]) -> list[Wording]:
        """Take in what is new; the same wordings as they are known here."""
        found = list({one.id: one for one in wordings if one.id not in self.gone}.values())
        new = [one for one in found if one.id not in self.known]
        bands = fingerprint.bands(np.stack([one.signature for one in new])).tolist() if new else []
        for one, mine in zip(new, bands, strict=True):
            self.known[one.id] = one
            self.before[one.id] = one.leader, one.cluster
            self.bands[one.id] = mine
            for band in mine:
                self.by_band.setdefault(band, []).append(one.id)
            if one.leads:
                self._lead(one, True)
        return [self.known[one.id] for one in found]

    def _lead(self, one: Wording, leads: bool) -> None:
        for band in self.bands[one.id]:
            leaders = self.leaders_by_band.setdefault(band, [])
            if leads:
                leaders.append(one.id)
            else:
                leaders.remove(one.id)

    def _wait(self, wordings: Iterable[Wording]) -> None:
        for one in wordings:
            heappush(self.waiting, one.id)

    def _near(self, one: Wording, by_band: Mapping[int, list[UUID]], before: UUID | None = None) -> list[UUID]:
        """The known ones near it, but for itself; of those that come `before` one, where that is given."""
        sharing: set[UUID] = set()
        for band in self.bands[one.id]:
            if band in by_band:
                sharing.update(by_band[band])
        sharing.discard(one.id)
        found = [other for other in sharing if before is None or other < before]
        if not found:
            return []
        near = fingerprint.are_near(one.signature, np.stack([self.known[other].signature for other in found]))
        return [other for other, is_near in zip(found, near, strict=True) if is_near]

    async def _ask_leaders(self, ids: Iterable[UUID]) -> None:
        asked = [one for one in ids if one not in self.has_leaders]
        self.has_leaders.update(asked)
        if asked:
            self._learn(await self.stored.leading(self._bands_of(asked)))

    async def _ask_followers(self, ids: Iterable[UUID]) -> None:
        asked = [one for one in ids if one not in self.has_followers]
        self.has_followers.update(asked)
        if asked:
            self._learn(await self.stored.following(self._bands_of(asked)))

    def _bands_of(self, ids: Iterable[UUID]) -> fingerprint.Bands:
        return np.array([self.bands[one] for one in ids], dtype=np.int64)

    def _name(self) -> None:
        """Each family its cluster's name. One that has a new leader takes over the name that most of its mentions have
        from a leader that leads no more, so that few move; the others get new names."""
        heard: dict[UUID, Counter[UUID]] = {one: Counter() for one in self.old}
        leaders = [one for one in self.known.values() if one.leads]
        named = {one.id: one.cluster for one in leaders if self.before[one.id][0] == one.id}
        for one in self.known.values():
            was = self.before[one.id][0]
            if was in heard and one.leader not in named and one.leader is not None:
                heard[was][one.leader] += one.uses
        for was in sorted(heard):
            heir = next((leader for leader, _ in heard[was].most_common() if leader not in named), None)
            if heir is not None:
                named[heir] = self.old[was]
        for leader in leaders:
            leader.cluster = named.setdefault(leader.id, None) or new_uuid()
        for one in self.known.values():
            if one.leader is not None and one.leader in self.known:
                one.cluster = self.known[one.leader].cluster
