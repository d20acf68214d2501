"""`parvis up`, for real: what it starts, starts again, says and leaves."""

import asyncio
import os
import signal
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import redis.asyncio
import redis.exceptions

from services.local.processes import is_alive
from services.local.servers import temporary_servers
from tests.services.local.houses import HouseProcess, until

KEYS = {
    "api", "ingest", "sandbox", "database_url", "worker_database_url", "door_database_url", "owner_database_url",
    "redis_url", "pids", "metrics", "schema", "organization_id", "user_id", "brand_id", "api_key", "channels",
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseProcess]:
    """One house that runs for all the tests of this file that only look, or kill a part."""
    house = HouseProcess(tmp_path_factory.mktemp("the house") / "data").start("api", "loop").ready()
    yield house
    house.stop()


@pytest.fixture
def another(tmp_path: Path) -> Iterator[HouseProcess]:
    house = HouseProcess(tmp_path / "data")
    yield house
    if house.process is not None:
        house.stop()


async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer of a server that may still be starting."""
    async with asyncio.timeout(40):
        while True:
            try:
                return await ask()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, redis.exceptions.ConnectionError):
                await asyncio.sleep(0.05)


def test_local_json_has_every_key_and_is_closed_to_others(house: HouseProcess) -> None:
    assert set(house.local) == KEYS
    assert stat.S_IMODE((house.folder / "local.json").stat().st_mode) == 0o600


def test_every_process_of_local_json_lives(house: HouseProcess) -> None:
    assert set(house.pids) == {"api", "scheduler", "postgres", "valkey"}
    assert all(is_alive(pid) for pid in house.pids.values())


async def test_the_row_secured_role_of_local_json_can_log_in(house: HouseProcess) -> None:
    connection = await asyncpg.connect(house.local["database_url"])
    assert await connection.fetchval("SELECT current_user") == "parvis_app"
    await connection.close()


def test_the_secret_keys_are_made_once_and_given_to_the_services(house: HouseProcess) -> None:
    kept = house.folder / "secret_keys"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert httpx.get(house.local["api"], trust_env=False).text == kept.read_text().strip()


def test_a_service_that_dies_is_started_again_however_often(house: HouseProcess) -> None:
    for _ in range(4):
        before = house.kill("scheduler")
        assert until(lambda before=before: house.restarted("scheduler", before), 5) < 5  # type: ignore[misc]


def test_a_dead_api_answers_again_at_the_same_address(house: HouseProcess) -> None:
    before = house.kill("api")
    until(lambda: house.restarted("api", before), 30)

    def answers() -> bool:
        try:
            return httpx.get(house.local["api"], trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    until(answers, 30)


async def test_a_killed_postgres_is_back_on_its_port_with_its_rows(house: HouseProcess) -> None:
    url = house.local["owner_database_url"]
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE public.stays AS SELECT 7 AS n")
    await connection.close()
    before = house.kill("postgres")
    until(lambda: house.restarted("postgres", before), 30)
    connection = await patiently(partial(asyncpg.connect, url))
    assert await connection.fetchval("SELECT n FROM public.stays") == 7
    await connection.execute("DROP TABLE public.stays")
    await connection.close()


async def test_a_killed_valkey_is_back_on_its_port(house: HouseProcess) -> None:
    before = house.kill("valkey")
    until(lambda: house.restarted("valkey", before), 30)
    async with redis.asyncio.Redis.from_url(house.local["redis_url"]) as client:
        assert await patiently(client.ping)


def test_a_second_up_on_the_same_folder_says_who_has_it(house: HouseProcess, tmp_path: Path) -> None:
    second = HouseProcess(house.folder).start("loop")
    assert second.process is not None
    assert second.process.wait(30) == 1
    assert house.process is not None
    assert f"Parvis already runs on {house.folder} (process {house.process.pid})" in second.said
    assert "Traceback" not in second.said


def test_two_houses_run_side_by_side(house: HouseProcess, another: HouseProcess) -> None:
    another.start("api", "loop").ready()
    assert not set(another.pids.values()) & set(house.pids.values())
    assert another.local["redis_url"] != house.local["redis_url"]
    assert another.stop() == 0
    assert all(is_alive(pid) for pid in house.pids.values())


def test_stopping_leaves_no_process_and_no_local_json(another: HouseProcess) -> None:
    pids = another.start("api", "loop").ready().pids
    assert another.process is not None
    another.process.send_signal(signal.SIGTERM)
    assert another.process.wait(30) == 0
    assert not any(is_alive(pid) for pid in pids.values())
    assert not (another.folder / "local.json").exists()


def test_after_a_kill_of_everything_the_next_start_goes_on_where_it_was(another: HouseProcess) -> None:
    before = another.start("api", "loop").ready().local
    assert another.process is not None
    for pid in (another.process.pid, *another.pids.values()):
        os.kill(pid, signal.SIGKILL)
    another.process.wait()
    (another.folder / "local.json").rename(another.folder / "earlier.json")
    after = another.start("api", "loop").ready().local
    same = ("brand_id", "api_key", "database_url", "redis_url", "schema")
    assert [after[name] for name in same] == [before[name] for name in same]


def test_when_up_alone_is_killed_its_children_end_and_the_next_start_waits_for_them(another: HouseProcess) -> None:
    pids = another.start("api", "loop").ready().pids
    assert another.process is not None
    another.process.kill()
    another.process.wait()
    another.start("api", "loop")
    until(lambda: not any(is_alive(pid) for pid in pids.values()), 60)
    # The first run's local.json stands until the second has found that its children ended.
    until(lambda: (another.folder / "local.json").exists() and another.pids != pids, 60)


def test_a_port_in_use_is_said_plainly(another: HouseProcess) -> None:
    with socket.create_server(("127.0.0.1", another.port)):
        another.start("api")
        assert another.process is not None
        assert another.process.wait(30) == 1
    assert f"Port {another.port}, which the api needs, is taken by another program" in another.said
    assert "PARVIS_API_PORT" in another.said
    assert "Traceback" not in another.said


def test_a_service_that_never_starts_is_quoted(another: HouseProcess) -> None:
    another.start("broken")
    assert another.process is not None
    assert another.process.wait(120) == 1
    assert "The sandbox does not start: the broken one says why" in another.said
    assert "Traceback" not in another.said


def test_some_server_urls_without_the_others_are_refused_by_name(another: HouseProcess) -> None:
    another.start("loop", DATABASE_URL="postgresql://x@127.0.0.1/parvis", REDIS_URL="redis://127.0.0.1")
    assert another.process is not None
    assert another.process.wait(30) == 1
    missing = "PARVIS_WORKER_DATABASE_URL, PARVIS_DOOR_DATABASE_URL, PARVIS_OWNER_DATABASE_URL are not set"
    assert missing in another.said


def test_your_own_servers_are_used_and_none_is_embedded(another: HouseProcess, tmp_path: Path) -> None:
    with temporary_servers(tmp_path / "own servers") as urls:
        another.start(
            "api",
            DATABASE_URL=urls.app,
            PARVIS_WORKER_DATABASE_URL=urls.worker,
            PARVIS_DOOR_DATABASE_URL=urls.door,
            PARVIS_OWNER_DATABASE_URL=urls.owner,
            REDIS_URL=urls.redis,
        ).ready()
        assert another.local["database_url"] == urls.app
        assert another.local["pids"]["postgres"] is None
        assert not (another.folder / "postgres").exists()
        assert another.stop() == 0


def test_a_server_that_does_not_answer_is_named_without_its_password(another: HouseProcess) -> None:
    url = "postgresql://parvis_owner:a-secret@127.0.0.1:1/parvis"
    names = ("DATABASE_URL", "PARVIS_WORKER_DATABASE_URL", "PARVIS_DOOR_DATABASE_URL", "PARVIS_OWNER_DATABASE_URL")
    another.start("loop", REDIS_URL="redis://127.0.0.1:1", **dict.fromkeys(names, url))
    assert another.process is not None
    assert another.process.wait(30) == 1
    assert "PARVIS_OWNER_DATABASE_URL (postgresql://parvis_owner@127.0.0.1:1/parvis) can't be reached" in another.said
    assert "a-secret" not in another.said
    assert "Traceback" not in another.said
