"""The harness finds wrong designs out, and by the invariant that they break."""

import pytest

from tests.faults.catalogue import REFERENCES
from tests.faults.rig import Rig
from tests.faults.run import RATE, Calm, Plan, run_wrong

pytestmark = pytest.mark.timeout(400)

SHORT = Plan(seed=1, short=True, count=int(RATE * 3))


@pytest.mark.parametrize("name", REFERENCES)
async def test_is_found_out(name: str, hurt: Rig, calm: Calm) -> None:
    outcome = await run_wrong(hurt, calm, name, SHORT)
    assert set(REFERENCES[name].breaks) <= set(outcome.breaches)
