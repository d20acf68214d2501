"""Hooks that change while the door remembers them. It remembers for long here, so that nothing passes by waiting."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from shared.contract import Secret
from shared.domain.brands import hooks
from shared.vault import Vault
from tests.conftest import HouseChannel, TestDatabase
from tests.services.ingest.doorstep import DELIVERY, Doorstep, Kept, signed

NEW = "whsec_bmV3IGtleSBvZiB0aGUgdGVzdHMsIGxvbmcgZW5vdWdo"


@pytest.fixture(autouse=True)
def long_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.hooks.REMEMBER_SECONDS", 60.0)


async def change_secret(database: TestDatabase, channel: HouseChannel) -> HouseChannel:
    """The channel as it is once its hook has another secret, and only that."""
    hook_id = channel.channel.hook_id
    assert hook_id is not None
    sealed = hooks.seal(Vault(["a key of the tests"]), hook_id, Secret((NEW,)))
    owner = await asyncpg.connect(database.owner_url)
    assert await owner.execute("UPDATE hook SET secret = $2 WHERE id = $1", hook_id, sealed) == "UPDATE 1"
    await owner.close()
    return replace(channel, secret=NEW)


async def knock_badly(door: Doorstep, channel: HouseChannel) -> int:
    headers = signed(channel.secret, DELIVERY + b" ")
    return (await door.http.post(door.place(channel), content=DELIVERY, headers=headers)).status_code


async def test_a_delivery_under_a_secret_that_was_just_changed_is_taken(
    door: Doorstep, channel: HouseChannel, database: TestDatabase, kept: Kept
) -> None:
    assert (await door.knock(channel)).status_code == 200
    changed = await change_secret(database, channel)
    assert (await door.knock(changed)).status_code == 200
    assert (await door.knock(channel)).status_code == 401
    assert await kept.fetchval("SELECT count(*) FROM arrival") == 2


async def test_bad_signatures_do_not_make_the_door_look_more_than_once_in_its_time(
    door: Doorstep, channel: HouseChannel, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.hooks.DOUBT_SECONDS", 60.0)
    assert (await door.knock(channel)).status_code == 200
    assert await knock_badly(door, channel) == 401
    changed = await change_secret(database, channel)
    assert {await knock_badly(door, changed) for _ in range(5)} == {401}
    assert (await door.knock(changed)).status_code == 401  # it did not look: it looked a moment ago
    assert (await door.knock(channel)).status_code == 200  # the remembered one still holds


async def test_after_bad_signatures_it_looks_again_in_time(
    door: Doorstep, channel: HouseChannel, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.hooks.DOUBT_SECONDS", 0.2)
    assert (await door.knock(channel)).status_code == 200
    assert await knock_badly(door, channel) == 401
    changed = await change_secret(database, channel)
    await asyncio.sleep(0.25)
    assert (await door.knock(changed)).status_code == 200


async def test_a_bad_signature_at_a_hook_that_was_just_removed_is_404(
    door: Doorstep, channel: HouseChannel, database: TestDatabase
) -> None:
    assert (await door.knock(channel)).status_code == 200
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("UPDATE hook SET removed_at = now() WHERE id = $1", channel.channel.hook_id)
    await owner.close()
    assert await knock_badly(door, channel) == 404
