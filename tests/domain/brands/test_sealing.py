"""Secrets at rest are sealed again with the newest key."""

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels, hooks, logins, sealing
from shared.vault import Vault
from tests.conftest import House, HouseBrand

OLD, NEW = "a key of the tests", "a newer key"
CREDENTIALS = {"url": "https://receiver.example/posts", "secret": "whsec_c2VjcmV0"}


async def test_after_rotation_the_old_key_is_not_needed(owner_db: Database, house: House, brand: HouseBrand) -> None:
    made = await house.channel(brand, credentials=CREDENTIALS)
    both, newest = Vault([NEW, OLD]), Vault([NEW])

    async with owner_db.session() as session:
        first = await sealing.reseal_platform(session, both)
        scope = await scopes.house(session, brand.brand_id)
        first += await sealing.reseal_brand(session, scope, both)
    async with owner_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        channel = await channels.get(session, scope, made.id)
        hook = (await hooks.by_ids(session, scope, [channel.hook_id]))[channel.hook_id]
        second = await sealing.reseal_platform(session, both) + await sealing.reseal_brand(session, scope, both)

    assert (first, second) == (2, 0)
    assert hooks.open_secret(newest, hook.id, hook.secret).keys == (made.secret,)
    assert dict(logins.login(newest, channel).credentials) == CREDENTIALS


async def test_new_signing_keys_go_in_front_and_the_one_before_still_holds(
    owner_db: Database, house: House, brand: HouseBrand
) -> None:
    made = await house.channel(brand)
    vault = Vault([OLD])

    async with owner_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        hook = (await hooks.by_ids(session, scope, [made.channel.hook_id]))[made.channel.hook_id]
        hooks.renew_secret(vault, hook, key="newer", verify_token=None)

    assert hooks.open_secret(vault, hook.id, hook.secret).keys == ("newer", made.secret)
