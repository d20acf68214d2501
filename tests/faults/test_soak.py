"""The soak's verdict finds what grows and lets pass what does not; and its short form counts every delivery."""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.faults.soak import verdict, watch
from tests.faults.soak.house import house, soak
from tests.faults.soak.verdict import FLAT, MB

COUNT = 360
AT = [5.0 * n for n in range(COUNT)]
SENT = [250.0 * n for n in range(COUNT)]


def _series(value: Callable[[int, random.Random], float]) -> list[float]:
    chance = random.Random(7)
    return [value(n, chance) for n in range(COUNT)]


def _saw(n: int, chance: random.Random) -> float:
    return 100 * MB + (n % 40) * 0.5 * MB + chance.uniform(-2, 2) * MB


_FLAT = {
    "noise": _series(lambda _, chance: 100 * MB + chance.gauss(0, 3) * MB),
    "a saw of a collector": _series(_saw),
    "a pool that fills at first": _series(lambda n, chance: 100 * MB * (1 - 0.9**n) + chance.uniform(0, 1) * MB),
    "one step": _series(lambda n, _: 100 * MB if n < 270 else 108 * MB),
    "peaks": _series(lambda n, _: 400 * MB if n % 50 == 0 else 100 * MB),
    "something that shrinks": _series(lambda n, _: 100 * MB - n * 0.1 * MB),
    "a constant": [5.0] * COUNT,
}
_GROWING = {
    "a leak in noise": _series(lambda n, chance: 100 * MB + n * 0.05 * MB + chance.gauss(0, 3) * MB),
    "a leak under a saw": _series(lambda n, chance: _saw(n, chance) + n * 0.06 * MB),
    "a stair of many steps": _series(lambda n, _: 100 * MB + (n // 30) * 1.5 * MB),
    "a leak that begins late": _series(lambda n, _: 100 * MB + max(0, n - 200) * 0.1 * MB),
}


@pytest.mark.parametrize("values", _FLAT.values(), ids=_FLAT)
def test_what_is_flat_passes(values: Sequence[float]) -> None:
    assert not verdict.flat("memory x", AT, values, FLAT["memory"]).grows


@pytest.mark.parametrize("values", _GROWING.values(), ids=_GROWING)
def test_what_leaks_is_found(values: Sequence[float]) -> None:
    found = verdict.flat("memory x", AT, values, FLAT["memory"])
    assert (found.grows, found.drift > found.limit) == (True, True)


def test_a_connection_lost_every_five_minutes_is_found() -> None:
    values = [10.0 + n // 60 for n in range(COUNT)]
    assert verdict.flat("connections x", AT, values, FLAT["connections"]).grows


def test_a_table_that_grows_with_what_is_sent_passes() -> None:
    values = _series(lambda n, chance: SENT[n] * 900 + chance.uniform(0, MB))
    assert not verdict.proportional("size mention, sent", SENT, values).grows


def test_a_table_that_grows_faster_than_what_is_sent_is_found() -> None:
    values = [SENT[n] * 900 * (1 + n / 100) for n in range(COUNT)]
    assert verdict.proportional("size mention, sent", SENT, values).grows


def test_each_series_is_judged_by_its_own_rule() -> None:
    rows = {"rows due_poll": [n * 3.0 for n in range(COUNT)], "rows mention, sent": list(SENT)}
    assert [one.name for one in verdict.judge(AT, SENT, rows) if one.grows] == ["rows due_poll"]


@pytest.mark.timeout(240)
def test_a_short_soak_loses_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    up = house(tmp_path / "house")
    up.start()
    try:
        found = asyncio.run(soak(up, seconds=20, interval=2, rate=20, seed=3, say=lambda _: None))
    finally:
        up.stop()

    assert found.wrong == []
    assert found.told.deliveries > 0
    assert found.told.posts
    assert found.told.done["events"] >= len(found.told.heard)
    series = watch.aligned(found.samples)
    for expected in ("memory api", "files postgres", "connections parvis api", "queue arrivals", "size due_poll"):
        assert max(series[expected]) > 0 or expected.startswith("queue"), expected
