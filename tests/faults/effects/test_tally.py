"""What a run of effects is said to have come to, and how the page of promises shows it."""

from pathlib import Path

import pytest

from tests.faults import report
from tests.faults.effects.report import outcome
from tests.faults.effects.tally import ONCE, REACHED, THERE, TOLD, Fate, Tally

GOOD = Fate("point 1", "live", 1, 2.5)


@pytest.mark.parametrize(
    ("state", "copies", "broken"),
    [
        pytest.param("live", 1, set(), id="once and told so"),
        pytest.param("live", 2, {ONCE}, id="twice"),
        pytest.param("refused", 2, {ONCE, TOLD}, id="twice and told refused"),
        pytest.param("refused", 0, {THERE}, id="lost and told so"),
        pytest.param("live", 0, {THERE, TOLD}, id="lost and told live"),
        pytest.param("stuck", 1, {TOLD}, id="there and told under way"),
    ],
)
def test_what_is_not_so_breaks_its_invariant(state: str, copies: int, broken: set[str]) -> None:
    assert set(Tally(fates=[GOOD, Fate("point 2", state, copies, 1.0)]).breaches()) == broken


def test_a_point_that_was_never_reached_is_said() -> None:
    assert Tally(points=2, fates=[GOOD], missed=["point 2"]).breaches() == {REACHED: ["point 2"]}


def test_those_in_doubt_are_counted_by_who_settled_them() -> None:
    fates = [GOOD, Fate("", "live", 1, 1.0, doubted=True), Fate("", "live", 1, 7.0, doubted=True, by_person=True)]
    tally = Tally(fates=fates)
    assert (tally.by_itself, tally.by_person, tally.slowest) == (1, 1, 7.0)


def test_the_page_shows_what_held_what_broke_and_what_was_not_run(tmp_path: Path) -> None:
    results = tmp_path / "promises.json"
    report.keep(results, outcome("publish-kill-honest", Tally(points=52, fates=[GOOD] * 52)))
    twice = Tally(fates=[Fate("publish on sandbox", "live", 2, 1.0)])
    report.keep(results, outcome("publish-flush", twice))
    page = report.render(report.keep(results, outcome("repeats-on-any-error", twice)), rate=320)

    rows = {line.split("ONLY=")[1].split("`")[0]: line for line in page.splitlines() if "ONLY=" in line and "|" in line}
    assert "| 52 | 52 | 0 | 0 | 0 | 0 | 2.5 s | held |" in rows["publish-kill-honest"]
    assert f"**broken**: {ONCE}: publish on sandbox: 2 live, told live |" in rows["publish-flush"]
    assert "not run yet" in rows["reply-kill"]
    assert f"| 1 | 1 | 0 | {ONCE} (publish on sandbox: 2 live, told live) |" in page
