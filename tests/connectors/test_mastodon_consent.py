"""Consent on a Mastodon instance: our app, the person's yes, the code, and what it lets us speak for."""

import base64
import hashlib
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.responses import Response

from shared.connectors.mastodon_consent import MastodonConsent
from shared.contract import AppLogin, Consent, Consented
from shared.errors import LoginDead, RateLimited, Refused, Unavailable, Uncertain
from tests.connectors.loopback import guarded
from tests.connectors.mastodon_world import World, mastodon, world
from tests.networks.fakes.mastodon import refused

BACK = "https://parvis.example/v1/oauth/mastodon/callback"
VERIFIER = "a-verifier-that-nobody-else-has-0123456789-abcdef"
consents = MastodonConsent()


def asked(state: str = "s1") -> Consent:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    return Consent(state, BACK, challenge)


async def given(here: World, app: AppLogin, *scopes: str) -> Consented:
    brought = here.instance.approve(consents.authorize(app, asked()), here.cafe, *scopes)
    assert brought["state"] == "s1"
    return Consented(brought["code"], BACK, VERIFIER)


async def register(here: World) -> AppLogin:
    return await consents.register(here.http, f"{here.login.base_url}/@cafe", BACK)


async def test_a_consent_ends_in_a_login_that_hears() -> None:
    async with world() as here:
        here.instance.say(here.lea, "dag", to=[here.cafe])
        app = await register(here)
        [choice] = await consents.exchange(here.http, app, await given(here, app))
        login = replace(here.login, credentials=choice.credentials)
        page = await mastodon.poll(here.http, login, None)
    assert (choice.external_id, choice.name) == (here.channel_id, "@cafe@fake.example")
    assert (choice.base_url, choice.missing, choice.expires_at) == (here.login.base_url, (), None)
    assert here.texts(page.arrivals) == ["@cafe@fake.example dag"]


async def test_the_page_that_asks_is_the_instances_own_and_carries_state_and_challenge() -> None:
    app = AppLogin("id", "secret", "https://mastodon.example/")
    address = urlsplit(consents.authorize(app, asked("s/2")))
    query = {key: values[0] for key, values in parse_qs(address.query).items()}
    assert (address.netloc, address.path) == ("mastodon.example", "/oauth/authorize")
    assert query["state"] == "s/2"
    assert query["code_challenge"] == asked().challenge
    assert "secret" not in address.query


async def test_a_code_is_taken_once_and_only_with_its_own_verifier() -> None:
    async with world() as here:
        app = await register(here)
        consented = await given(here, app)
        with pytest.raises(LoginDead, match="invalid or expired"):
            await consents.exchange(here.http, app, Consented((await given(here, app)).code, BACK, "another"))
        await consents.exchange(here.http, app, consented)
        with pytest.raises(LoginDead):
            await consents.exchange(here.http, app, consented)


async def test_an_app_that_the_instance_forgot_is_to_be_registered_anew() -> None:
    async with world() as here:
        app = await register(here)
        consented = await given(here, app)
        here.instance.apps.clear()
        with pytest.raises(Refused, match="register it anew"):
            await consents.exchange(here.http, app, consented)


async def test_scopes_that_were_left_out_are_named() -> None:
    async with world() as here:
        app = await register(here)
        consented = await given(here, app, "read:accounts", "read:statuses", "write")
        [choice] = await consents.exchange(here.http, app, consented)
    assert choice.missing == ("read:notifications", "read:search")


async def test_an_app_that_was_registered_for_reading_alone_is_registered_anew() -> None:
    async with world() as here:
        app = await register(here)
        assert await consents.is_registered(here.http, app)
        here.instance.apps[app.client_id] = replace(here.instance.apps[app.client_id], scopes=("read",))
        assert not await consents.is_registered(here.http, app)


async def test_an_instance_that_registers_nobody_says_why() -> None:
    async with world() as here:
        with pytest.raises(Refused, match="absolute URI"):
            await consents.register(here.http, str(here.login.base_url), "nowhere")
        with pytest.raises(Refused, match="base_url"):
            await consents.register(here.http, "mastodon.example", BACK)
        here.instance.fault("/api/v1/apps", refused(429))
        with pytest.raises(RateLimited):
            await register(here)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"client_id": 3}'])
async def test_an_answer_that_is_no_app_is_unavailable(body: bytes) -> None:
    async with world() as here:
        here.instance.fault("/api/v1/apps", Response(body, 200))
        with pytest.raises(Unavailable):
            await register(here)


async def test_a_token_that_never_came_is_no_login() -> None:
    async with world() as here:
        app = await register(here)
        consented = await given(here, app)
        here.instance.fault("/oauth/token", Response("{}", 200))
        with pytest.raises(LoginDead):
            await consents.exchange(here.http, app, consented)
        here.instance.fault("/oauth/token", Response("<html>", 502))
        with pytest.raises((Unavailable, Uncertain)):
            await consents.exchange(here.http, app, consented)


async def test_an_instance_at_a_forbidden_address_is_refused() -> None:
    async with guarded(private_networks=()) as http:
        with pytest.raises(Refused):
            await consents.register(http, "http://127.0.0.1:9", BACK)


def test_a_secret_is_shown_by_no_repr() -> None:
    app, consented = AppLogin("id", "hush", "https://m.example"), Consented("hush", BACK, "hush")
    assert "hush" not in repr(app) + repr(consented)
    assert isinstance(consents.authorize(app, asked()), str)
    assert httpx.URL(consents.authorize(app, asked())).host == "m.example"


async def test_an_app_that_the_instance_has_swept_away_is_known_to_be_gone() -> None:
    async with world() as here:
        app = await register(here)
        before = await consents.is_registered(here.http, app)
        here.instance.apps.clear()
        after = await consents.is_registered(here.http, app)
    assert (before, after) == (True, False)
