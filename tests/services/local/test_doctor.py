"""`parvis doctor` tells what is well, what is not, and what to do about it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.local import doctor
from services.local.doctor import Line
from services.local.servers import free_port
from shared.settings import SERVER_URLS, Settings
from tests.conftest import House, HouseBrand, TestDatabase
from tests.services.local.houses import HouseProcess


@pytest.fixture(autouse=True)
def no_servers_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests say themselves which servers there are."""
    for name in (*SERVER_URLS, "PARVIS_SECRET_KEYS", "PARVIS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


async def lines(settings: Settings) -> list[Line]:
    return [line async for line in doctor.look(settings)]


def about(found: list[Line], word: str) -> Line:
    return next(line for line in found if word in line.text)


def quiet(folder: Path) -> Settings:
    """Settings for `folder` whose ports nobody has."""
    return Settings(data_dir=folder, api_port=free_port(), ingest_port=free_port(), sandbox_port=free_port())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseProcess]:
    house = HouseProcess(tmp_path_factory.mktemp("a house") / "data").start("api", "loop").ready()
    yield house
    house.stop()


async def test_a_fresh_machine_is_well_and_told_how_to_start(tmp_path: Path) -> None:
    found = await lines(quiet(tmp_path / "new"))
    assert not [line for line in found if line.ok is False]
    assert about(found, "Parvis does not run").mend == "start it by `make up`"
    assert not (tmp_path / "new").exists()


async def test_a_taken_port_is_found_and_named(tmp_path: Path) -> None:
    settings = quiet(tmp_path / "new")
    with socket.create_server(("127.0.0.1", settings.ingest_port)):
        line = about(await lines(settings), f"port {settings.ingest_port}")
    assert line.ok is False
    assert "PARVIS_INGEST_PORT" in (line.mend or "")


async def test_a_database_of_another_version_is_found(tmp_path: Path) -> None:
    cluster = tmp_path / "data" / "postgres" / "data"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("16\n")
    line = about(await lines(quiet(tmp_path / "data")), "embedded servers")
    assert (line.ok, "made by PostgreSQL 16" in (line.mend or "")) == (False, True)


async def test_your_own_servers_their_roles_and_schema_are_looked_at(database: TestDatabase) -> None:
    found = await lines(database.settings)
    assert not [line for line in found if line.ok is False]
    assert about(found, "role parvis_app").text == "role parvis_app is held by row security"
    assert about(found, "schema at").ok is True


async def test_secrets_that_the_keys_open_are_well(database: TestDatabase, house: House, brand: HouseBrand) -> None:
    await house.channel(brand, credentials={"url": "https://cms.example/", "secret": "whsec_c2VjcmV0"})
    line = about(await lines(database.settings), "sealed secret")
    assert (line.ok, line.text) == (True, "every sealed secret opens with the keys in PARVIS_SECRET_KEYS")


async def test_secrets_that_no_key_opens_any_more_are_counted(
    database: TestDatabase, house: House, brand: HouseBrand
) -> None:
    await house.channel(brand, credentials={"url": "https://cms.example/", "secret": "whsec_c2VjcmV0"})
    await house.channel(brand, external_id="a second one")
    settings = database.settings.model_copy(update={"secret_keys": (SecretStr("another key"),)})
    line = about(await lines(settings), "do not open")
    assert line.ok is False
    assert line.text.endswith("2 of 2 signing secrets of hooks and 1 of 1 credentials of channels")
    assert "parvis key rotate" in (line.mend or "")


async def test_a_service_that_runs_as_the_owner_is_warned_of(database: TestDatabase) -> None:
    settings = database.settings.model_copy(update={"database_url": database.owner_url})
    line = about(await lines(settings), "role parvis_owner")
    assert line.ok is False
    assert line.text == "role parvis_owner passes by row security and owns tables"


async def test_missing_server_urls_are_named(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "REDIS_URL": "redis://127.0.0.1"})
    assert "PARVIS_DOOR_DATABASE_URL" in (about(await lines(settings), "server URLs").mend or "")


async def test_a_running_house_is_seen_alive(running: HouseProcess) -> None:
    found = await lines(quiet(running.folder))
    assert about(found, "parvis up runs").ok is True
    assert about(found, "schema at").ok is True
    assert about(found, "postgres lives").ok is True
    assert about(found, "api at").text.endswith("answers 200 to /readyz")


async def test_a_service_that_does_not_answer_is_what_makes_it_unwell(
    running: HouseProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await doctor.examine(quiet(running.folder)) is False
    said = capsys.readouterr().out
    assert f"✗ ingest at http://127.0.0.1:{running.unused} does not answer" in said
    assert said.endswith("Something needs mending.\n")
