"""Families of wordings: whatever the order in which wordings come and go, they are those of the wordings that stay."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.analysis import fingerprint
from shared.domain.listening.families import Settled, Wording, settle

_ROWS = fingerprint.PLACES // fingerprint.BANDS


class InMemory:
    """Wordings as a table keeps them: what is handed out are copies."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Wording] = {}

    async def leading(self, bands: fingerprint.Bands) -> Sequence[Wording]:
        return [one for one in self._sharing(bands) if one.leads]

    async def following(self, bands: fingerprint.Bands) -> Sequence[Wording]:
        return [one for one in self._sharing(bands) if not one.leads]

    async def followers(self, leaders: Collection[UUID]) -> Sequence[Wording]:
        return [replace(one) for one in self.rows.values() if one.leader in leaders and not one.leads]

    def _sharing(self, bands: fingerprint.Bands) -> list[Wording]:
        asked = set(bands.ravel().tolist())
        return [
            replace(one)
            for one in self.rows.values()
            if asked & set(fingerprint.bands(one.signature[np.newaxis]).ravel().tolist())
        ]

    def change(self, fresh: Iterable[Wording], gone: Iterable[UUID]) -> Settled:
        lost = [self.rows.pop(one) for one in gone]
        settled = asyncio.run(settle(self, list(fresh), lost))
        self.rows |= {one.id: replace(one) for one in settled.changed}
        return settled

    def leaders(self) -> dict[UUID, UUID | None]:
        return {one.id: one.leader for one in self.rows.values()}


def wording(number: int, *groups: int) -> Wording:
    """Near to those that have eight groups of sixteen in common with it."""
    signature = np.repeat(np.array(groups, dtype=np.uint32), fingerprint.PLACES // len(groups))
    return Wording(UUID(int=number), signature, 1)


def expected(wordings: Collection[Wording]) -> dict[UUID, UUID | None]:
    """The definition, said plainly."""
    leaders: list[Wording] = []
    found: dict[UUID, UUID | None] = {}
    for one in sorted(wordings, key=lambda it: it.id):
        near = [it.id for it in leaders if fingerprint.are_near(one.signature, it.signature[np.newaxis])[0]]
        found[one.id] = min(near, default=one.id)
        if not near:
            leaders.append(one)
    return found


_GROUPS = st.tuples(*[st.integers(0, 2)] * 4)
_WORLD = st.dictionaries(st.integers(1, 10_000), _GROUPS, min_size=1, max_size=14)
_STEPS = st.lists(st.sets(st.integers(0, 13), min_size=1), max_size=10)


@given(_WORLD, _STEPS)
def test_families_are_the_same_however_wordings_came_and_went(
    world: dict[int, tuple[int, ...]], steps: list[set[int]]
) -> None:
    everything = [wording(number, *groups) for number, groups in world.items()]
    kept = InMemory()
    for step in steps:  # each says which wordings come, or go where they are there already
        turned = [everything[place] for place in step if place < len(everything)]
        fresh = [replace(one) for one in turned if one.id not in kept.rows]
        kept.change(fresh, [one.id for one in turned if one.id in kept.rows])
        assert kept.leaders() == expected([one for one in everything if one.id in kept.rows])


@given(_WORLD, _STEPS)
def test_a_family_is_a_cluster_and_a_cluster_a_family(world: dict[int, tuple[int, ...]], steps: list[set[int]]) -> None:
    everything = [wording(number, *groups) for number, groups in world.items()]
    kept = InMemory()
    for step in steps:
        turned = [everything[place] for place in step if place < len(everything)]
        was = {one.id: one.cluster for one in kept.rows.values()}
        fresh = [replace(one) for one in turned if one.id not in kept.rows]
        gone = [one.id for one in turned if one.id in kept.rows]
        settled = kept.change(fresh, gone)
        families = {(one.leader, one.cluster) for one in kept.rows.values()}
        assert len(families) == len({leader for leader, _ in families}) == len({cluster for _, cluster in families})
        now = {one.id: one.cluster for one in kept.rows.values()}
        assert settled.moved == {id_: was[id_] for id_ in now if id_ in was and was[id_] != now[id_]}


def test_one_that_takes_the_lead_leaves_the_family_its_name() -> None:
    kept = InMemory()
    kept.change([wording(5, 1, 1, 1, 1)], [])
    kept.change([wording(7, 1, 1, 1, 2)], [])
    settled = kept.change([wording(3, 1, 1, 1, 3)], [])
    assert {str(one.leader)[-1] for one in kept.rows.values()} == {"3"}
    assert settled.moved == {}


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_family_goes_on_without_any_one_of_it(gone: int) -> None:
    kept = InMemory()
    kept.change([wording(number, 1, 1, 1, number) for number in (1, 2, 3)], [])
    cluster = {one.cluster for one in kept.rows.values()}
    kept.change([], [UUID(int=gone)])
    assert {one.cluster for one in kept.rows.values()} == cluster
