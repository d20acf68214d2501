"""Where figures are shown on one machine, and what loops and the sequencer tell of themselves."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from services import serving
from services.local.plan import SERVICES, metrics_ports
from services.rounds import Rounds
from services.scheduler import measuring
from shared.db import Database
from shared.ids import new_uuid
from tests.conftest import TestDatabase


def shown(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_every_service_of_the_house_has_its_own_port_for_figures(database: TestDatabase) -> None:
    ports = metrics_ports(database.settings, SERVICES)
    assert set(ports) == {"api", "ingest", "ingest_worker", "scheduler"}
    assert (ports["api"], ports["ingest"]) == (database.settings.api_port, database.settings.ingest_port)
    assert len(set(ports.values())) == 4


def test_a_port_that_is_asked_for_is_the_first_of_those_that_are_taken(database: TestDatabase) -> None:
    ports = metrics_ports(database.settings.model_copy(update={"metrics_port": 9400}), SERVICES)
    assert (ports["ingest_worker"], ports["scheduler"]) == (9400, 9401)


def test_a_port_that_is_taken_stops_nobody(database: TestDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = database.settings.model_copy(update={"metrics_port": taken.getsockname()[1]})
        serving.metrics(settings)


async def test_a_loop_tells_when_it_last_turned_and_how_often_it_failed(worker_db: Database) -> None:
    stop, rounds = asyncio.Event(), 0

    async def round_() -> float:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise RuntimeError("once")
        stop.set()
        return 0.0

    before = shown("parvis_loop_failures_total", loop="a test's", why="broken")
    began = datetime.now(UTC).timestamp()
    async with asyncio.timeout(20):
        await Rounds(worker_db, "test", new_uuid(), stop).turn("a test's", round_)

    assert shown("parvis_loop_failures_total", loop="a test's", why="broken") == before + 1
    assert shown("parvis_loop_turned_timestamp_seconds", loop="a test's") >= began


def test_numbering_tells_how_many_and_how_long_the_first_of_them_waited() -> None:
    now = datetime.now(UTC)
    old = UUID(int=int((now - timedelta(seconds=8)).timestamp() * 1000) << 80)
    count, seconds = shown("parvis_events_numbered_total"), shown("parvis_event_number_seconds_sum")

    measuring.numbered([old, new_uuid()], now=now)
    measuring.numbered([], now=now)

    assert shown("parvis_events_numbered_total") == count + 2
    assert shown("parvis_event_number_seconds_sum") - seconds == pytest.approx(8, abs=0.01)
