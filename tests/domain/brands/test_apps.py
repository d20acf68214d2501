"""The installation's registrations with networks: kept sealed, changed in place, registered by one at a time."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.contract import AppLogin
from shared.db import Database
from shared.domain.brands import apps, hooks
from shared.domain.brands.apps import AppDraft
from shared.errors import Invalid, NotFound
from shared.models import App
from shared.models.enums import Network
from shared.vault import Vault
from tests.conftest import NOW

VAULT = Vault(["a key of the tests"])
LEASE = timedelta(seconds=30)
SERVER = "https://one.example"


def draft(**more: Any) -> AppDraft:
    given = {"client_id": "123", "client_secret": "hush", **more}
    return AppDraft.model_validate({"network": Network.FACEBOOK, "name": "Facebook", **given})


async def keep(db: Database, *, hears: bool = True, **more: Any) -> tuple[App, bool]:
    async with db.session() as session:
        return await apps.keep(session, VAULT, draft=draft(**more), hears=hears, now=NOW)


async def claim(db: Database, redirect_uri: str = "https://api.example/back") -> object:
    async with db.session() as session:
        return await apps.claim_registration(
            session, network=Network.SANDBOX, base_url=SERVER, name="Practice", redirect_uri=redirect_uri, lease=LEASE
        )


async def test_an_apps_secret_is_kept_sealed_and_signs_in(owner_db: Database) -> None:
    made, _ = await keep(owner_db)
    assert made.client_secret is not None
    assert b"hush" not in made.client_secret
    assert apps.login(VAULT, made) == AppLogin("123", "hush", None)


async def test_where_nothing_else_is_said_deliveries_are_signed_with_the_client_secret(owner_db: Database) -> None:
    made, _ = await keep(owner_db)
    async with owner_db.session() as session:
        hook = await apps.hook_of(session, made)
        assert hook is not None
        shared = hooks.open_secret(VAULT, hook.id, hook.secret)
    assert shared.keys == ("hush",)
    assert shared.verify_token
    assert hook.app_id == made.id


async def test_the_same_app_again_changes_nothing(owner_db: Database) -> None:
    first, _ = await keep(owner_db)
    again, is_new = await keep(owner_db)
    assert (again.id, again.hook_id, is_new) == (first.id, first.hook_id, False)


async def test_a_new_secret_replaces_the_old_one_which_still_verifies_deliveries(owner_db: Database) -> None:
    first, _ = await keep(owner_db)
    again, is_new = await keep(owner_db, client_secret="louder")
    async with owner_db.session() as session:
        hook = await apps.hook_of(session, again)
        assert hook is not None
    assert is_new
    assert again.id == first.id
    assert apps.login(VAULT, again).client_secret == "louder"
    assert hooks.open_secret(VAULT, hook.id, hook.secret).keys == ("louder", "hush")


async def test_each_server_of_a_network_has_an_app_of_its_own(owner_db: Database) -> None:
    one, _ = await keep(owner_db, hears=False, network="sandbox", base_url="HTTPS://One.example/")
    other, _ = await keep(owner_db, hears=False, network="sandbox", base_url="https://two.example")
    async with owner_db.session() as session:
        found = await apps.find(session, Network.SANDBOX, SERVER)
    assert one.id != other.id
    assert found is not None
    assert found.id == one.id


@pytest.mark.parametrize("lacking", [{"client_secret": None}, {"client_id": None}])
async def test_a_client_id_and_its_secret_come_together(owner_db: Database, lacking: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="come together"):
        await keep(owner_db, **lacking)


async def test_a_removed_app_is_found_no_more_and_its_secret_is_gone(owner_db: Database) -> None:
    made, _ = await keep(owner_db)
    async with owner_db.session() as session:
        await apps.remove(session, made.id, now=NOW)
    async with owner_db.session() as session:
        assert await apps.find(session, Network.FACEBOOK, None) is None
        assert await apps.list_(session) == []
        kept = (await session.execute(text("SELECT client_secret FROM app"))).scalar_one()
        ended = (await session.execute(text("SELECT removed_at IS NOT NULL FROM hook"))).scalar_one()
        with pytest.raises(NotFound):
            await apps.remove(session, made.id, now=NOW)
    assert (kept, ended) == (None, True)


async def test_an_app_that_was_removed_comes_back_with_its_address(owner_db: Database) -> None:
    """Else the channels that were connected through it would not get their part of what it is told."""
    first, _ = await keep(owner_db)
    async with owner_db.session() as session:
        await apps.remove(session, first.id, now=NOW)
    again, is_new = await keep(owner_db)
    async with owner_db.session() as session:
        hook = await apps.hook_of(session, again)
        assert hook is not None
    assert (again.id, again.hook_id, again.removed_at, hook.removed_at) == (first.id, first.hook_id, None, None)
    assert is_new
    assert apps.login(VAULT, again).client_secret == "hush"


async def test_registering_with_a_server_is_for_one_at_a_time(app_db: Database) -> None:
    assert await claim(app_db) is not None
    assert await claim(app_db) is None


async def test_who_gives_up_lets_the_next_one_try(app_db: Database) -> None:
    async with app_db.session() as session:
        mine = await apps.claim_registration(
            session, network=Network.SANDBOX, base_url=SERVER, name="P", redirect_uri="x", lease=LEASE
        )
        assert mine is not None
        await apps.give_up(session, mine)
    assert await claim(app_db) == mine


async def test_a_server_is_registered_with_once_and_again_only_for_another_way_back(app_db: Database) -> None:
    async with app_db.session() as session:
        mine = await apps.claim_registration(
            session, network=Network.SANDBOX, base_url=SERVER, name="P", redirect_uri="first", lease=LEASE
        )
        assert mine is not None
        login = AppLogin("abc", "sesame", SERVER)
        await apps.registered(session, VAULT, mine, login=login, scopes=["read"], redirect_uri="first")
    assert await claim(app_db, "first") is None
    assert await claim(app_db, "second") == mine


async def test_the_api_cannot_touch_an_app_that_was_added_by_hand(owner_db: Database, app_db: Database) -> None:
    made, _ = await keep(owner_db)
    async with app_db.session() as session:
        done = await session.execute(text("UPDATE app SET client_id = 'mine' RETURNING id"))
        assert done.all() == []
    assert await claim(app_db) != made.id
