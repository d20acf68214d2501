"""Effects on networks happen once, whoever dies: the short forms of `make faults ONLY=publish-*` and the like."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from signal import SIGSTOP

import pytest

from shared.models.enums import Network, OutgoingKind
from tests.faults.effects import together
from tests.faults.effects.catalogue import KINDS, WRONG, found_out, scenarios
from tests.faults.effects.lies import HONEST, LIES
from tests.faults.effects.nursery import Nursery
from tests.faults.effects.points import Blow, Point, Scenario, at_points, count
from tests.faults.effects.stage import Stage
from tests.faults.effects.tally import REACHED, Tally

pytestmark = pytest.mark.timeout(400)

_PUBLISHED = Scenario(OutgoingKind.PUBLISH, Network.SANDBOX, HONEST)
_AFTER_EACH = {
    _PUBLISHED: 12,
    **{
        Scenario(OutgoingKind.PUBLISH, Network.SANDBOX, LIES[name]): 60
        for name in ("accepts-then-silence", "400-after-creating")
    },
    **{Scenario(kind, Network.GENERIC, HONEST): 30 for kind in KINDS[1:]},
}
_STILL_SECONDS = 6.0  # longer than a lease


async def _ways(stage: Stage, nursery: Nursery, wanted: Sequence[Scenario]) -> list[list[Point]]:
    return list(await asyncio.gather(*(count(stage, nursery, scenario, ways=1) for scenario in wanted)))


def _held(tally: Tally) -> bool:
    """Whether all held. That a slow machine did not let some points be reached says nothing about effects."""
    return not {name: ways for name, ways in tally.breaches().items() if name != REACHED}


async def test_the_points_of_a_way_are_its_statements_commits_and_calls(here: Stage) -> None:
    with here.nursery() as nursery:
        words = [point.words for point in await count(here, nursery, _PUBLISHED)]
    commits = [n for n, place in enumerate(words) if place.endswith("the commit")]
    assert [words[n + 1].endswith("the commit, done") for n in commits] == [True, True, True]
    steps = [place.rpartition(", ")[2] for place in words]
    assert steps.index("send event") < steps.index("receive event")


async def test_nothing_is_lost_or_done_twice_wherever_a_scheduler_dies(here: Stage) -> None:
    with here.nursery() as nursery:
        ways = await _ways(here, nursery, list(_AFTER_EACH))
        points = [point for way in ways for point in way[:: _AFTER_EACH[way[0].scenario]]]
        tally = await at_points(here, nursery, points)
    assert _held(tally), tally.breaches()


async def test_a_scheduler_that_stood_still_does_nothing_again(here: Stage) -> None:
    with here.nursery() as nursery:
        (way,) = await _ways(here, nursery, [_PUBLISHED])
        tally = await at_points(here, nursery, way[::16], blow=Blow(SIGSTOP, _STILL_SECONDS), at_once=8)
    assert _held(tally), tally.breaches()


@contextlib.asynccontextmanager
async def _everything(stage: Stage) -> AsyncIterator[None]:
    async with together.two_schedulers(stage), together.flushed(stage), together.postgres_restarted(0.5)(stage):
        yield


async def test_nothing_is_lost_or_done_twice_whatever_happens_to_the_house(here: Stage) -> None:
    tally = await together.all_lies(here, scenarios(KINDS[0]), each=1, trouble=_everything)
    assert _held(tally), tally.breaches()


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_publisher_is_found_out(name: str, here: Stage) -> None:
    assert set(WRONG[name].breaks) <= set((await found_out(here, name)).breaches())
