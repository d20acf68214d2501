"""What a running house shows of itself: figures that the dashboard and the alerts ask for, and `parvis status`."""

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.contract.conftest import ROOT, Up, parvis
from tests.contract.house import Tenant, eventually, mention

_WORD = re.compile(r"\b(?:parvis|process)_[a-z0-9_]+\b")


@pytest.fixture(scope="module")
def shown(up: Up, web: httpx.Client, first: Tenant) -> dict[str, str]:
    """The kind of every family of figures that the house's services show, after something went through."""
    first.hear(mention("seen"))
    pages = [web.get(address) for address in up.local["metrics"].values()]
    assert [page.status_code for page in pages] == [200] * 4
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", "\n".join(page.text for page in pages), re.MULTILINE))


def samples(shown: dict[str, str]) -> set[str]:
    """The names that a question may use."""
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + part for name, kind in shown.items() for part in parts.get(kind, ("",))}


@pytest.mark.parametrize("file", ["ops/grafana/parvis.json", "ops/prometheus/alerts.yml"])
def test_dashboard_and_alerts_ask_only_for_what_is_there(shown: dict[str, str], file: str) -> None:
    asked = set(_WORD.findall((ROOT / file).read_text("utf-8")))
    assert asked - samples(shown) == set()
    assert len(asked) > 10


def test_every_figure_of_ours_is_in_the_dashboard_and_explained(shown: dict[str, str]) -> None:
    ours = {name for name in shown if name.startswith("parvis_") and not name.endswith("_created")}
    asked = " ".join(_WORD.findall((ROOT / "ops/grafana/parvis.json").read_text("utf-8")))
    page = (ROOT / "docs/operate.md").read_text("utf-8")
    assert {name for name in ours if name not in asked} == {"parvis_events_numbered_total"}
    assert {name for name in ours if f"`{name}" not in page} == set()


def test_the_scheduler_measures_every_queue(up: Up, web: httpx.Client) -> None:
    def queues() -> set[str]:
        page = web.get(up.local["metrics"]["scheduler"]).text
        return set(re.findall(r'^parvis_queue_oldest_seconds\{queue="(\w+)"\}', page, re.MULTILINE))

    claimed = {
        "arrivals",
        "polls",
        "fetches",
        "operations",
        "upkeep",
        "deepenings",
        "outgoing",
        "notices",
        "mails",
        "webhooks",
        "alerts",
    }
    expected = {*claimed, *(f"{name}_claimed" for name in claimed), "events"}
    assert eventually(lambda: queues() == expected and expected, "measuring") == expected


def test_every_service_tells_of_its_pool_and_itself(up: Up, web: httpx.Client) -> None:
    for name, address in up.local["metrics"].items():
        page = web.get(address).text
        assert "process_resident_memory_bytes" in page, name
        if name != "ingest":  # the door has connections of its own
            assert re.search(r'^parvis_pool_size\{pool="[a-z ]+"\} [1-9]', page, re.MULTILINE), name


def test_status_tells_programs_what_runs_and_what_waits(up: Up) -> None:
    done = parvis(up.folder, up.environment, "status", "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 0, found["wrong"]
    assert {one["name"]: one["pid"] for one in found["processes"]} == up.local["pids"]
    assert all(one["alive"] and one["memory"] > 1e6 and one["since"] for one in found["processes"])
    assert {queue["name"] for queue in found["waiting"]["queues"]} >= {"arrivals", "polls", "outgoing", "events"}
    assert {one["service"] for one in found["heartbeats"] if one["alive"]} == {"ingest-worker", "scheduler"}
    assert not re.search(r"postgresql://|redis://|pv_|whsec_", done.stdout)


def test_status_tells_people_the_same_without_a_terminal(up: Up) -> None:
    done = parvis(up.folder, up.environment, "status")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for word in ("What runs", "ingest_worker", "What waits", "arrivals to settle"):
        assert word in done.stdout


def test_status_says_in_a_sentence_that_no_house_runs(up: Up, tmp_path: Path) -> None:
    done = parvis(tmp_path, up.environment | {"PARVIS_DATA_DIR": str(tmp_path / "empty")}, "status", "--once")
    assert done.returncode == 1
    assert f"Parvis does not run on {tmp_path / 'empty'}" in done.stdout.replace("\n", "").replace("  ", " ")
    assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "empty").exists()


def test_the_start_page_shows_the_workers(up: Up, web: httpx.Client) -> None:
    def lights() -> list[str]:
        page = web.get(f"{up.local['api']}/").text
        return re.findall(r'<li class="up"><strong>([^<]+)</strong>', page)

    expected = ["PostgreSQL", "Redis", "Ingest worker", "Scheduler"]
    assert eventually(lambda: lights() == expected and expected, "the lights") == expected
