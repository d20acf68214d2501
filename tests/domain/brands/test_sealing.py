"""Secrets at rest are sealed again with the newest key."""

from shared.contract import Choice
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import apps, channels, consents, hooks, logins, sealing
from shared.domain.brands.apps import AppDraft
from shared.domain.notifying import endpoints
from shared.domain.scope import Principal, Scope
from shared.ids import new_uuid
from shared.models.enums import GrantRole, KeyScope, Network, NotificationKind
from shared.vault import Vault
from tests.conftest import NOW, House, HouseBrand

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


async def test_apps_and_consents_open_with_the_new_key_alone_after_rotation(
    owner_db: Database, brand: HouseBrand
) -> None:
    old, both, newest = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])
    who = Principal(new_uuid(), brand.user_id, brand.organization_id, frozenset({KeyScope.ALL}), {})
    scope = Scope(brand.brand_id, who, GrantRole.OWNER)
    draft = AppDraft(network=Network.SANDBOX, name="P", client_id="1", client_secret="hush")
    given = Choice("cafe", "Café", {"access_token": "t"}, missing=("publish",), expires_at=NOW)
    async with owner_db.session() as session:
        app, _ = await apps.keep(session, old, draft=draft, hears=False, now=NOW)
        asked = await consents.ask(
            session, scope, old, network=Network.SANDBOX, app_id=app.id, return_url="https://front.example/", now=NOW
        )
        await consents.keep(session, scope, old, asked.consent, given=[given], now=NOW)
    verifier = consents.verifier(old, asked.consent)

    async with owner_db.session() as session:
        renewed = await sealing.reseal_platform(session, both)
    async with owner_db.session() as session:
        app, consent = (
            await session.get_one(type(app), app.id),
            await session.get_one(type(asked.consent), asked.consent.id),
        )

    assert renewed == 3
    assert apps.login(newest, app).client_secret == "hush"
    assert consents.verifier(newest, consent) == verifier
    assert consents.choices(newest, consent) == [given]


async def test_a_webhook_endpoints_secrets_open_with_the_new_key_alone_after_rotation(
    owner_db: Database, brand: HouseBrand
) -> None:
    old, both, newest = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])
    who = Principal(new_uuid(), brand.user_id, brand.organization_id, frozenset({KeyScope.ALL}), {})
    kinds = [NotificationKind.POST_FAILED]
    async with owner_db.session() as session:
        first = await endpoints.create(session, who, old, url="https://h.example", kinds=kinds, brand_id=None, now=NOW)
        second = await endpoints.rotate(session, who, old, first.endpoint.id, now=NOW)
    async with owner_db.session() as session:
        renewed = await sealing.reseal_platform(session, both)
    async with owner_db.session() as session:
        endpoint = await session.get_one(type(first.endpoint), first.endpoint.id)

    assert renewed == 2
    assert endpoints.secrets(newest, endpoint, now=NOW) == [second.secret, first.secret]
