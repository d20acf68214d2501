"""The page of promises: each run keeps its own row, and says what did not hold."""

from pathlib import Path

from tests.faults import report
from tests.faults.run import Outcome
from tests.faults.world import World


def _outcome(name: str, **more: object) -> Outcome:
    told: dict[str, object] = {
        "seed": 1, "date": "2026-11-22", "faults": {"kill -9 api": 3}, "deliveries": 19200, "rate": 318.0, "posts": 40,
        "recover": 1.25,
    }  # fmt: skip
    return Outcome(name, **{**told, **more})  # type: ignore[arg-type]


def test_a_run_replaces_its_own_row_and_no_other(tmp_path: Path) -> None:
    results = tmp_path / "promises.json"
    report.keep(results, _outcome("kill-api", posts=1))
    report.keep(results, _outcome("flush"))
    report.keep(results, _outcome("kill-api", posts=2))

    assert {name: row["posts"] for name, row in report.read(results).items()} == {"kill-api": 2, "flush": 40}


def test_what_held_what_broke_and_what_was_not_run_is_said(tmp_path: Path) -> None:
    results = tmp_path / "promises.json"
    report.keep(results, _outcome("kill-api"))
    report.keep(results, _outcome("flush", breaches={"each post is on the network once": ["a post is 2 times there"]}))
    page = report.render(report.keep(results, _outcome("disk-full", skipped="there is no disk")), rate=320)

    rows = {line.split("ONLY=")[1].split("`")[0]: line for line in page.splitlines() if "ONLY=" in line and "|" in line}
    assert "19,200 at 318/s, 40 posts | 1.2 s | held |" in rows["kill-api"]
    assert "**broken**: each post is on the network once: a post is 2 times there" in rows["flush"]
    assert "skipped: there is no disk" in rows["disk-full"]
    assert "not run yet" in rows["kill-door"]


def test_the_same_seed_says_the_same(tmp_path: Path) -> None:
    assert World(3, 500).deliveries == World(3, 500).deliveries
    assert World(3, 500).deliveries != World(4, 500).deliveries
