"""Every fault in its short form: under load, and with all invariants."""

from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS
from tests.faults.rig import Rig, rig
from tests.faults.run import RATE, Calm, Plan, run
from tests.faults.scene import Fault
from tests.faults.surroundings import small_disk

pytestmark = pytest.mark.timeout(400)

SHORT = Plan(seed=1, short=True, count=int(RATE * 3))


async def _holds(house: Rig, calm: Calm, name: str, fault: Fault) -> None:
    outcome = await run(house, calm, name, fault, SHORT)
    assert outcome.breaches == {}


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if not fault.small_disk])
async def test_everything_holds_through(name: str, hurt: Rig, calm: Calm) -> None:
    if missing := FAULTS[name].missing():
        pytest.skip(missing)
    await _holds(hurt, calm, name, FAULTS[name])


async def test_everything_holds_through_disk_full(calm: Calm, tmp_path: Path) -> None:
    fault = FAULTS["disk-full"]
    if missing := fault.missing():
        pytest.skip(missing)
    with small_disk(tmp_path / "disk") as disk:
        async with rig(disk / "house") as house:
            await _holds(house, calm, "disk-full", fault)
