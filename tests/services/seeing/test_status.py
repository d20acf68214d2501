"""A picture is taken whole, whatever of the house is away, and says so in sentences."""

import dataclasses
import io
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from services.local.folder import write_local
from services.seeing import figures, picture, rates
from services.seeing.figures import Figures
from services.seeing.page import render, span
from services.seeing.picture import Eye, Heart, Picture, Place
from services.seeing.rates import Rates
from shared.db import Database
from shared.domain import leases
from shared.domain.troubles import Trouble
from shared.ids import new_uuid
from tests.conftest import TestDatabase

HEART = timedelta(seconds=15)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def drawn(seen: Picture, *, width: int = 80, through: Rates | None = None) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(render(seen, through, width=width))
    return out.getvalue()


async def taken(place: Place) -> Picture:
    eye = Eye(place)
    try:
        return await eye.look()
    finally:
        await eye.close()


@pytest.fixture
async def place(database: TestDatabase, worker_db: Database) -> Place:
    async with worker_db.session() as session:
        for service in ("ingest-worker", "scheduler"):
            await leases.beat(session, f"{service}:here", new_uuid(), HEART)
    return Place("a house", None, database.worker_url, database.settings.redis_url)


async def test_a_house_in_which_all_is_well_is_said_to_be(place: Place) -> None:
    seen = await taken(place)
    assert seen.wrong == []
    assert seen.hearts == [Heart("ingest-worker", "here", True), Heart("scheduler", "here", True)]
    assert "✓ All is well." in drawn(seen)


async def test_a_worker_whose_heart_stopped_is_missed(place: Place, worker_db: Database) -> None:
    async with worker_db.session() as session:
        await leases.beat(session, "ingest-worker:here", new_uuid(), timedelta(seconds=-1))
    seen = await taken(place)
    assert seen.wrong == ["No ingest-worker says that it is alive: arrivals are kept and wait."]


async def test_postgresql_being_away_is_a_sentence_and_the_rest_is_still_shown(place: Place) -> None:
    url = f"postgresql://parvis_worker:secret@127.0.0.1:{closed_port()}/parvis"
    seen = await taken(Place("a house", None, url, place.redis_url))

    assert len(seen.wrong) == 1
    assert seen.wrong[0].startswith("PostgreSQL can't be asked: ")
    assert "secret" not in seen.wrong[0]
    assert (seen.waiting, seen.troubles) == (None, None)
    assert seen.letters is not None


async def test_redis_being_away_is_a_sentence_and_the_rest_is_still_shown(place: Place) -> None:
    seen = await taken(Place("a house", None, place.worker_url, f"redis://127.0.0.1:{closed_port()}/0"))
    assert seen.wrong == ["Redis does not answer: all goes on, up to a second later. Nothing is lost."]
    assert seen.waiting is not None


def test_a_folder_without_a_house_has_none(database: TestDatabase, tmp_path: Path) -> None:
    unset = dict.fromkeys(
        ("database_url", "worker_database_url", "door_database_url", "owner_database_url", "redis_url")
    )
    settings = database.settings.model_copy(update={**unset, "data_dir": tmp_path / "none"})
    assert picture.find(settings) == Place(str(tmp_path / "none"), False)


async def test_what_a_killed_house_left_is_not_taken_for_a_running_one(database: TestDatabase, tmp_path: Path) -> None:
    write_local(tmp_path, {"pids": {"api": 2**22 + 1}, "metrics": {}})
    seen = await taken(picture.find(database.settings.model_copy(update={"data_dir": tmp_path})))

    assert [one.alive for one in seen.processes] == [False]
    assert seen.wrong == [f"Parvis ended on {tmp_path} without putting its things away: start it again by `parvis up`."]


def test_a_pool_that_somebody_waits_for_is_said() -> None:
    shown = figures.of('parvis_pool_size{pool="api"} 10\nparvis_pool_waiting{pool="api"} 3\n')
    [said] = picture.of_pools({"api": shown})
    assert said.startswith("3 transactions of api wait for one of its 10 connections to PostgreSQL: ")


async def test_a_reason_from_a_network_stays_on_its_line_and_draws_nothing(place: Place) -> None:
    seen = await taken(place)
    why = "no\x1b[31m such\npage [bold]"
    trouble = Trouble("login_dead", "facebook", "Dunes", why, datetime.now(UTC) - timedelta(minutes=5))
    page = drawn(dataclasses.replace(seen, troubles=[trouble]), width=200)

    assert "A channel's login is dead (facebook): Dunes, 5 min ago: no [31m such page [bold]" in page
    assert "\x1b" not in page


@pytest.mark.parametrize("width", [80, 140])
async def test_a_page_keeps_to_its_width(place: Place, width: int) -> None:
    page = drawn(await taken(place), width=width)
    assert max(len(line) for line in page.splitlines()) <= width
    assert "arrivals to settle" in page


def test_rates_are_what_grew_between_two_pictures() -> None:
    def pictured(seconds: float, text: str) -> Picture:
        at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=seconds)
        return Picture(at, Place("x", True), [], [], None, None, None, {"ingest": figures.of(text)}, [])

    def page(accepted: int, refused: int, quick: int, slow: int) -> str:
        return (
            f'parvis_door_deliveries_total{{outcome="accepted"}} {accepted}\n'
            f'parvis_door_deliveries_total{{outcome="bad_signature"}} {refused}\n'
            f'parvis_worker_visible_seconds_bucket{{le="0.1"}} {quick}\n'
            f'parvis_worker_visible_seconds_bucket{{le="1.0"}} {slow}\n'
        )

    found = rates.between(pictured(0, page(10, 0, 5, 6)), pictured(2, page(50, 6, 7, 26)))

    assert found == Rates(20.0, 3.0, 0.0, 0.0, 0.0, 1.0)
    assert "20 deliveries kept, 3 turned away" in found.said()


def test_without_figures_there_are_no_rates() -> None:
    empty = Picture(datetime.now(UTC), Place("x", True), [], [], None, None, None, {}, [])
    assert rates.between(empty, empty) is None


async def test_a_service_that_does_not_answer_shows_no_figures() -> None:
    assert await figures.read({"api": f"http://127.0.0.1:{closed_port()}/metrics"}) == {}


def test_figures_add_up_by_label() -> None:
    found: Figures = figures.of('x_total{a="1",b="1"} 2\nx_total{a="1",b="2"} 3\nx_total{a="2",b="1"} 5\n')
    assert (found.total("x_total"), found.total("x_total", a="1")) == (10, 5)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.25, "250 ms"), (59, "59 s"), (119, "119 s"), (120, "2 min"), (86400 * 3, "3 d")]
)
def test_a_span_is_said_in_the_unit_that_says_enough(seconds: float, said: str) -> None:
    assert span(seconds) == said
