"""The page and the terminal say what was reached, what was missed, and what was not proved."""

from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks import __main__ as program
from tests.benchmarks import report
from tests.benchmarks.conditions import Conditions
from tests.benchmarks.measuring import P99, RATE, Result, Target, side
from tests.benchmarks.report import Taken

CONDITIONS = Conditions(
    datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    "Linux 6.1",
    "a processor",
    2,
    8.0,
    {"Python": "3.11.7"},
    2,
    False,
    1,
    0.25,
)
RESULT = Result(
    title="Two ways",
    what="Ten senders.",
    sides=[side("ours", [{RATE: 4000.0, P99: 8.0}, {RATE: 5000.0, P99: 9.0}]), side("theirs", [{RATE: 10_000.0}] * 2)],
    targets=[Target("of theirs", 0.45, "≥", 0.45), Target("p99", 8.5, "≤", 5, "ms")],
    verified="all rows were there.",
    notes=["Half of it is parsing."],
)
DOOR = Taken("door", CONDITIONS, 12.3, RESULT)
PAGE = Taken("page", CONDITIONS, 1.0, None, "a row is missing")


def test_the_page_has_medians_ranges_targets_and_the_proof() -> None:
    page = report.page([DOOR])
    assert "| ours | **4,500** (4,000–5,000) | **8.50** (8.00–9.00) |" in page
    assert "| theirs | **10,000** (10,000–10,000) |  |" in page
    assert "| [door](#door): of theirs | ≥ 0.45× | 0.45× | met |" in page
    assert "- p99: 8.50 ms, wanted ≤ 5.00 ms: **missed**." in page
    assert "Proved: all rows were there." in page
    assert "Half of it is parsing." in page
    assert "2 rounds, 12 s; load average before it 0.25, widest range of a figure 22% of its median" in page
    assert "2 cores of a processor, 8 GB, Linux 6.1" in page


def test_what_was_not_proved_gives_no_figure() -> None:
    page = report.page([PAGE])
    assert "**No figures: a row is missing**" in page
    assert "| [page](#page) | | | **failed** |" in page


def test_a_short_run_says_that_it_is_no_measurement() -> None:
    assert "short form, which is no measurement" in report.page(
        [replace(DOOR, conditions=replace(CONDITIONS, short=True))]
    )


def test_a_benchmark_that_runs_alone_leaves_the_others_sections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "BENCHMARKS", {"door": None, "page": None})
    out, json = tmp_path / "performance.md", tmp_path / "now.json"
    program._keep({"door": DOOR}, out, None)
    program._keep({"page": PAGE}, out, json)
    assert report.read(out.with_suffix(".json")) == {"door": DOOR, "page": PAGE}
    assert report.read(json) == {"page": PAGE}
    assert out.read_text("utf-8").index("## door") < out.read_text("utf-8").index("## page")


def test_a_benchmark_that_no_longer_exists_leaves_the_page() -> None:
    assert report.in_order({"gone": PAGE, "door": DOOR}, ["door", "page"]) == [DOOR]


@pytest.mark.parametrize(("taken", "said"), [(DOOR, "missed p99: 8.50 ms"), (PAGE, "failed a row is missing")])
def test_the_terminal_says_it_too(taken: Taken, said: str) -> None:
    out = StringIO()
    report.show(Console(file=out, width=100), taken)
    assert said in out.getvalue()


@pytest.mark.parametrize(
    ("value", "said"), [(36_900.4, "36,900"), (99.94, "99.9"), (4.234, "4.23"), (0.0451, "0.045"), (0.0, "0.00")]
)
def test_numbers_have_three_figures(value: float, said: str) -> None:
    assert report.number(value) == said
