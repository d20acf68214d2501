"""Backups, for real: written, brought back, refused, and never half done."""

import asyncio
import stat
import tarfile
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from services.local import backup as backups
from services.local import folder
from services.local.folder import CannotRun
from shared.db import Database
from shared.domain.brands import hooks
from shared.migrations.run import migrate
from shared.settings import SERVER_URLS, Settings
from shared.vault import Vault
from tests.conftest import House, TestDatabase
from tests.services.local.houses import HouseProcess


@pytest.fixture(autouse=True)
def no_servers_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests say themselves which servers there are."""
    for name in (*SERVER_URLS, "PARVIS_SECRET_KEYS", "PARVIS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


async def brands(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [str(row["name"]) for row in await connection.fetch("SELECT name FROM brand ORDER BY name")]
    finally:
        await connection.close()


async def make_brand(settings: Settings, name: str, vault: Vault) -> str:
    """Make a brand with one connected channel; the channel's signing key."""
    assert settings.owner_database_url is not None
    db = Database(settings.owner_database_url, name="test owner", size=2)
    try:
        house = House(db, vault)
        return (await house.channel(await house.brand(name))).secret
    finally:
        await db.close()


async def signing_keys(url: str, vault: Vault) -> list[str]:
    """The signing keys of every hook, opened with this vault."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetch("SELECT id, secret FROM hook")
    finally:
        await connection.close()
    return [key for row in found for key in hooks.open_secret(vault, row["id"], row["secret"]).keys]


async def test_an_embedded_house_moves_to_a_new_folder_with_its_rows_and_secrets(tmp_path: Path) -> None:
    here = Settings(data_dir=folder.prepare(tmp_path / "first house"))
    key = folder.secret_keys(here)
    async with backups.database(here) as running:
        await asyncio.to_thread(migrate, running)
        signing_key = await make_brand(running, "Dunes", Vault(key))
    picture = here.data_dir / "media" / "brand_a" / "med_a.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    (here.data_dir / "media" / ".incoming").mkdir()
    (here.data_dir / "media" / ".incoming" / "half.upload").write_bytes(b"half")
    file = tmp_path / "a backup"
    assert "1 brands at schema" in (said := await backups.backup(here, file))
    assert "1 media" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    there = Settings(data_dir=tmp_path / "second house")
    stale = there.data_dir / "media" / "brand_b" / "med_b.jpg"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of before")
    await backups.restore(there, file, replace=False)
    media = {path.relative_to(there.data_dir): path.read_bytes() for path in there.data_dir.glob("media/*/*")}
    assert media == {Path("media/brand_a/med_a.jpg"): b"a picture"}
    assert folder.kept_keys(there.data_dir) == key
    async with backups.database(there) as running:
        assert running.owner_database_url is not None
        assert running.database_url is not None
        assert await brands(running.owner_database_url) == ["Dunes"]
        assert await brands(running.database_url) == []  # row security came back with the rows
        assert await signing_keys(running.owner_database_url, Vault(key)) == [signing_key]


async def test_a_database_with_brands_is_replaced_only_when_told(database: TestDatabase, tmp_path: Path) -> None:
    await make_brand(database.settings, "Before", Vault(["a key of the tests"]))
    file = tmp_path / "backup"
    await backups.backup(database.settings, file)
    await make_brand(database.settings, "Later", Vault(["a key of the tests"]))
    with pytest.raises(CannotRun, match="has 2 brands already: say --replace"):
        await backups.restore(database.settings, file, replace=False)
    assert await brands(database.owner_url) == ["Before", "Later"]
    await backups.restore(database.settings, file, replace=True)
    assert await brands(database.owner_url) == ["Before"]


async def test_a_damaged_backup_changes_nothing(database: TestDatabase, tmp_path: Path) -> None:
    await make_brand(database.settings, "Stays", Vault(["a key of the tests"]))
    file, whole = tmp_path / "damaged", tmp_path / "whole"
    await backups.backup(database.settings, whole)
    with tarfile.open(whole) as tar:
        tar.extractall(tmp_path / "parts", filter="data")
    dump = tmp_path / "parts" / "database.dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 2 // 3])
    with tarfile.open(file, "w") as tar:
        for part in (tmp_path / "parts").iterdir():
            tar.add(part, part.name)
    with pytest.raises(CannotRun):
        await backups.restore(database.settings, file, replace=True)
    assert await brands(database.owner_url) == ["Stays"]


@pytest.mark.parametrize(("content", "said"), [(b"not a tar", "is not a whole backup"), (None, "does not exist")])
async def test_what_is_no_backup_is_refused_plainly(
    database: TestDatabase, tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "something"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CannotRun, match=said):
        await backups.restore(database.settings, file, replace=False)


async def test_keys_that_the_settings_lack_are_laid_beside(database: TestDatabase, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    await backups.backup(database.settings, file)
    other = database.settings.model_copy(update={"secret_keys": (SecretStr("another key"),)})
    told = await backups.restore(other, file, replace=True)
    beside = database.settings.data_dir / "secret_keys.restored"
    assert str(beside) in told
    assert beside.read_text() == "a key of the tests\n"


async def test_a_folder_that_can_not_be_written_is_said_and_leaves_nothing(
    database: TestDatabase, tmp_path: Path
) -> None:
    with pytest.raises(CannotRun, match="can't be written"):
        await backups.backup(database.settings, tmp_path / "missing" / "backup")
    assert not list(tmp_path.glob("**/*backup*"))


async def test_a_running_house_is_backed_up_and_refuses_to_be_restored_into(tmp_path: Path) -> None:
    house = HouseProcess(tmp_path / "data").start("loop").ready()
    try:
        settings = Settings(data_dir=house.folder)
        file = tmp_path / "backup"
        await backups.backup(settings, file)
        with tarfile.open(file) as tar:
            assert sorted(tar.getnames()) == ["database.dump", "example.json", "manifest.json", "secret_keys"]
        with pytest.raises(CannotRun, match="stop it, then restore"):
            await backups.restore(settings, file, replace=True)
    finally:
        house.stop()
