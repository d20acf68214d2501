"""Every run for effects by name, and the wrong publishers that the same harness has to find out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from signal import SIGSTOP

from shared.models.enums import Network, OutgoingKind
from tests.faults.effects import together
from tests.faults.effects.lies import LIES, Lie
from tests.faults.effects.points import Blow, Scenario, at_points, count
from tests.faults.effects.stage import Stage
from tests.faults.effects.tally import ONCE, THERE, Tally

KINDS = (OutgoingKind.PUBLISH, OutgoingKind.REPLY, OutgoingKind.HIDE, OutgoingKind.DELETE)
NETWORKS = (Network.SANDBOX, Network.GENERIC)
STILL_SECONDS = 60.0
_STOPS = 6  # points of each scenario at which a scheduler stands still
_EACH = 5  # effects of each scenario in the middle of a trouble


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the table."""

    what: str
    how: str
    inflict: Callable[[Stage], Awaitable[Tally]]


@dataclass(frozen=True, slots=True)
class WrongPublisher:
    """A scheduler with one wrong act, the lies that show it, and the invariants that must break."""

    what: str
    module: str
    lies: tuple[str, ...]
    breaks: tuple[str, ...]


def scenarios(*kinds: OutgoingKind, lies: tuple[Lie, ...] = tuple(LIES.values())) -> list[Scenario]:
    """The kinds on both networks with each of these lies that it can tell: a partner's login does not run out."""
    return [
        Scenario(kind, network, lie)
        for kind in kinds
        for network in NETWORKS
        for lie in lies
        if network is Network.SANDBOX or not lie.runs_out
    ]


def killed(*wanted: Scenario) -> Callable[[Stage], Awaitable[Tally]]:
    """`kill -9` at every point of every one of these."""

    async def inflict(stage: Stage) -> Tally:
        with stage.nursery() as nursery:
            points = [point for scenario in wanted for point in await count(stage, nursery, scenario)]
            return await at_points(stage, nursery, points)

    return inflict


def stopped(*wanted: Scenario, seconds: float = STILL_SECONDS) -> Callable[[Stage], Awaitable[Tally]]:
    """A scheduler stands still, at some points of each of these, while another takes over, and then goes on."""

    async def inflict(stage: Stage) -> Tally:
        with stage.nursery() as nursery:
            ways = [await count(stage, nursery, scenario) for scenario in wanted]
            points = [point for way in ways for point in way[:: max(len(way) // _STOPS, 1)]]
            return await at_points(stage, nursery, points, blow=Blow(SIGSTOP, seconds), at_once=len(stage.urls))

    return inflict


def troubled(trouble: together.Trouble, *wanted: Scenario) -> Callable[[Stage], Awaitable[Tally]]:
    """Some effects of each of these at once, in the middle of a trouble for the whole house."""

    async def inflict(stage: Stage) -> Tally:
        return await together.all_lies(stage, wanted, each=_EACH, trouble=trouble)

    return inflict


_TROUBLES = {
    "two-schedulers": ("two schedulers at once", together.two_schedulers),
    "flush": ("FLUSHALL five times a second", together.flushed),
    "postgres": ("kill -9 of PostgreSQL, three times", together.postgres_restarted(0.3, 3.0, 6.0)),
}


def _runs() -> dict[str, Run]:
    found = {}
    for lie in LIES.values():
        how = f"kill -9 at every await and commit; the network {lie.says}"
        found[f"publish-kill-{lie.name}"] = Run("publish", how, killed(*scenarios(OutgoingKind.PUBLISH, lies=(lie,))))
    for kind in KINDS:
        if kind is not OutgoingKind.PUBLISH:
            how = "kill -9 at every await and commit; each of the lies"
            found[f"{kind.value}-kill"] = Run(kind.value, how, killed(*scenarios(kind)))
        how = f"SIGSTOP for {STILL_SECONDS:.0f} s, another takes over, SIGCONT; each of the lies"
        found[f"{kind.value}-stop"] = Run(kind.value, how, stopped(*scenarios(kind)))
        for name, (how, trouble) in _TROUBLES.items():
            found[f"{kind.value}-{name}"] = Run(
                kind.value, f"{how}; each of the lies", troubled(trouble, *scenarios(kind))
            )
    return found


RUNS: dict[str, Run] = _runs()

_ROOM = "tests.faults.references"
WRONG: dict[str, WrongPublisher] = {
    "repeats-on-any-error": WrongPublisher(
        "a scheduler that sends again after any error",
        f"{_ROOM}.repeats_on_any_error",
        ("accepts-then-silence", "400-after-creating", "500-after-creating"),
        (ONCE,),
    ),
    "trusts-the-key-alone": WrongPublisher(
        "a scheduler that sends again under the same key what is in doubt",
        f"{_ROOM}.trusts_the_key_alone",
        ("accepts-then-silence", "400-after-creating", "500-after-creating"),
        (ONCE,),
    ),
    "gives-up-at-503": WrongPublisher(
        "a scheduler that takes 503 for a refusal",
        f"{_ROOM}.gives_up_at_503",
        ("503",),
        (THERE,),
    ),
}


async def found_out(stage: Stage, name: str) -> Tally:
    """The wrong publisher in the place of ours, where the network tells the lies that have to show it."""
    wrong = WRONG[name]
    lies = tuple(LIES[lie] for lie in wrong.lies)
    async with stage.rig.instead("scheduler", module=wrong.module):
        return await together.all_lies(
            stage, scenarios(OutgoingKind.PUBLISH, OutgoingKind.REPLY, lies=lies), each=1, trouble=together.nothing
        )
