"""Bluesky's sessions: who is found behind a handle, how a session is renewed, and what each refusal means."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.connectors.bluesky_session import host
from shared.connectors.bluesky_xrpc import failure
from shared.contract import Login
from shared.errors import LoginDead, LoginExpired, NetworkError, RateLimited, Refused, Unavailable
from tests.connectors.bluesky_house import Place, bluesky, place
from tests.networks.fakes.bluesky import Fault


async def test_a_handle_leads_to_the_did_its_host_and_a_session_there() -> None:
    async with place() as here:
        choice = await bluesky.identify(here.http, here.given(identifier=" @Brand.test "))
    assert (choice.external_id, choice.name, choice.base_url) == (here.brand.did, "brand.test", here.network.url)
    kept = choice.credentials
    assert (kept["did"], kept["service"]) == (here.brand.did, here.network.url)
    assert kept["access_jwt"]
    assert kept["refresh_jwt"]
    assert kept["app_password"] == here.brand.password
    assert choice.expires_at is not None
    assert abs(choice.expires_at - datetime.now(UTC) - timedelta(hours=2)) < timedelta(seconds=10)


async def test_a_did_is_taken_as_it_is() -> None:
    async with place() as here:
        choice = await bluesky.identify(here.http, here.given(identifier=here.brand.did))
        assert choice.external_id == here.brand.did
        assert here.network.asked["com.atproto.identity.resolveHandle"] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"identifier": "nobody.test"}, "nobody goes by the handle"),
        ({"identifier": "me@example.be"}, "is no handle"),
        ({"identifier": "did:key:zabc"}, "no DID that Bluesky knows"),
        ({"app_password": "wrong"}, "does not take this app password"),
    ],
)
async def test_credentials_that_nobody_takes_are_said_to_be_dead(given: dict[str, str], said: str) -> None:
    async with place() as here:
        with pytest.raises(LoginDead, match=said):
            await bluesky.identify(here.http, here.given(**given))


async def test_an_account_that_wants_a_code_by_mail_is_told_to_make_an_app_password() -> None:
    async with place() as here:
        wants = {"error": "AuthFactorTokenRequired", "message": "A sign in code has been sent to your email address"}
        here.network.faults["com.atproto.server.createSession"] = Fault(JSONResponse(wants, 401))
        with pytest.raises(LoginDead, match="app password"):
            await bluesky.identify(here.http, here.given())


async def test_a_deactivated_account_is_told_so_and_not_connected() -> None:
    async with place() as here:
        here.brand.status = "deactivated"
        described = {"did": here.brand.did, "didDoc": here.network.document(here.brand)}
        here.network.faults["com.atproto.repo.describeRepo"] = Fault(JSONResponse(described))
        with pytest.raises(LoginDead, match="deactivated"):
            await bluesky.identify(here.http, here.given())


async def test_the_host_that_the_document_names_is_called_only_where_the_guard_allows_it() -> None:
    async with place() as here:
        document = here.network.document(here.brand)
        document["service"][0]["serviceEndpoint"] = "http://10.0.0.1:2583"
        described = {"did": here.brand.did, "didDoc": document}
        here.network.faults["com.atproto.repo.describeRepo"] = Fault(JSONResponse(described))
        with pytest.raises(Refused, match="not a public address"):
            await bluesky.identify(here.http, here.given())


@pytest.mark.parametrize(
    "endpoint", ["", "ftp://pds.example", "https://user:secret@pds.example", "https://", 7, None, "https://[::1"]
)
def test_a_document_without_a_host_that_can_be_called_is_dead(endpoint: Any) -> None:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": endpoint}
    with pytest.raises(LoginDead, match="names no host"):
        host({"id": "did:plc:a", "service": [service, "x"]}, "did:plc:a")


def test_a_host_is_its_origin_alone_and_other_services_are_none() -> None:
    labeler = {"id": "#atproto_labeler", "serviceEndpoint": "https://labels.example"}
    own = {"id": "did:plc:a#atproto_pds", "serviceEndpoint": "https://pds.example:444/x/y?z#f"}
    assert host({"service": [labeler, own]}, "did:plc:a") == "https://pds.example:444"


async def test_a_session_is_renewed_by_its_refresh_token_and_the_old_one_is_not_needed_again() -> None:
    async with place() as here:
        fresh = await bluesky.renew(here.http, here.login)
        assert fresh.credentials["access_jwt"] != here.login.credentials["access_jwt"]
        assert fresh.credentials["refresh_jwt"] != here.login.credentials["refresh_jwt"]
        assert fresh.credentials["app_password"] == here.brand.password
        assert fresh.expires_at is not None
        assert here.network.asked["com.atproto.server.createSession"] == 0
        await bluesky.poll(here.http, fresh, None)


async def test_a_dead_refresh_token_gives_way_to_the_app_password() -> None:
    async with place() as here:
        here.network.forget_refresh()
        fresh = await bluesky.renew(here.http, here.login)
        await bluesky.poll(here.http, fresh, None)
        assert here.network.asked["com.atproto.server.createSession"] == 1


async def test_a_revoked_app_password_is_dead_when_it_is_renewed() -> None:
    async with place() as here:
        here.network.revoke(here.brand)
        with pytest.raises(LoginDead):
            await bluesky.renew(here.http, here.login)


@pytest.mark.parametrize("left", ["deactivated", "forgotten"])
async def test_an_account_that_moved_is_renewed_at_its_new_host(left: str) -> None:
    async with place() as old, place() as new:
        moved = new.network.document(old.brand)
        if left == "deactivated":
            old.brand.status = left
        else:
            old.network.forget_refresh()
        described = {"did": old.brand.did, "didDoc": moved}
        old.network.faults["com.atproto.repo.describeRepo"] = Fault(JSONResponse(described))
        fresh = await bluesky.renew(old.http, old.login)
    assert fresh.credentials["service"] == fresh.base_url == new.network.url


async def test_a_handle_that_changed_hands_opens_nobody_elses_account() -> None:
    async with place() as here:
        here.brand.handle = "brand-was.test"
        other = here.network.join("other.test", password=here.brand.password)
        other.handle = "brand.test"
        here.network.forget_refresh()
        fresh = await bluesky.renew(here.http, here.login)
    assert fresh.credentials["did"] == here.brand.did


async def test_a_host_that_is_away_while_renewing_kills_no_login() -> None:
    async with place() as here:
        for answer in (Response("<html>", 502), HTMLResponse("<html>ok</html>"), JSONResponse({}, 503)):
            here.network.faults["com.atproto.server.refreshSession"] = Fault(answer)
            with pytest.raises(Unavailable):
                await bluesky.renew(here.http, here.login)


async def test_a_token_goes_to_the_host_that_gave_it_whatever_the_channels_address_says() -> None:
    async with place() as here, place() as other:
        await bluesky.poll(here.http, replace(here.login, base_url=other.network.url), None)
        assert not other.network.asked
        assert here.network.asked["app.bsky.notification.listNotifications"] == 1


async def test_a_login_without_a_session_is_renewed_before_it_polls() -> None:
    async with place() as here:
        with pytest.raises(LoginExpired):
            await bluesky.poll(here.http, here.given(), None)
        fresh = await bluesky.renew(here.http, here.given())
        await bluesky.poll(here.http, fresh, None)


async def test_a_token_that_runs_out_is_renewed_and_the_poll_goes_on() -> None:
    async with place() as here:
        here.network.token_seconds = 1
        login = await bluesky.renew(here.http, here.login)
        first = await bluesky.poll(here.http, login, None)
        await asyncio.sleep(1.1)
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        with pytest.raises(LoginExpired):
            await bluesky.poll(here.http, login, first.cursor)
        page = await bluesky.poll(here.http, await bluesky.renew(here.http, login), first.cursor)
    assert len(page.arrivals) == 1


# ---------------------------------------------------------------- what an error means


def answered(status: int, error: str | None = None, **headers: str) -> httpx.Response:
    body = None if error is None else {"error": error, "message": "so it is"}
    return httpx.Response(status, json=body, headers=headers)


def login(issued_seconds_ago: float = 3600, **credentials: str) -> Login:
    claims = {"iat": int(time.time() - issued_seconds_ago)}
    token = "a." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".c"
    return Login("did:plc:a", None, {"access_jwt": token, **credentials})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answered(400, "ExpiredToken"), LoginExpired),
        (answered(400, "InvalidToken"), LoginDead),
        (answered(401, "AuthMissing"), LoginDead),
        (answered(401, "AuthenticationRequired"), LoginDead),
        (answered(400, "AccountTakedown"), LoginDead),
        (answered(401, "AccountTakedown"), LoginDead),
        (answered(401, "AccountDeactivated"), LoginDead),
        (answered(401, "BadJwtSignature"), Unavailable),
        (answered(400, "InvalidRequest"), Refused),
        (answered(400, "InvalidSwap"), Refused),
        (answered(400, "RecordNotFound"), Refused),
        (answered(302), Refused),
        (answered(501, "MethodNotImplemented"), Unavailable),
        (answered(429, "RateLimitExceeded"), RateLimited),
        (answered(500, "InternalServerError"), Unavailable),
        (answered(502, "UpstreamFailure"), Unavailable),
        (answered(408), Unavailable),
        (httpx.Response(503, content=b"<html>"), Unavailable),
    ],
)
def test_an_error_is_what_the_network_means_by_it(answer: httpx.Response, error: type[NetworkError]) -> None:
    assert type(failure(answer)) is error


@pytest.mark.parametrize("answer", [answered(400, "InvalidToken"), answered(401, "AuthenticationRequired")])
def test_a_token_that_is_not_taken_is_renewed_where_there_is_something_to_renew_by(answer: httpx.Response) -> None:
    assert type(failure(answer, login(refresh_jwt="r"))) is LoginExpired
    assert type(failure(answer, login(app_password="p"))) is LoginExpired
    assert type(failure(answer, login())) is LoginDead


def test_a_token_that_is_not_taken_a_moment_after_it_was_given_is_not_renewed_for_ever() -> None:
    assert type(failure(answered(400, "InvalidToken"), login(5, refresh_jwt="r"))) is LoginDead


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (lambda: {"ratelimit-reset": str(int(time.time()) + 100)}, 100),
        (lambda: {"ratelimit-reset": str(int(time.time()) - 100)}, 1),
        (lambda: {"ratelimit-reset": str(int(time.time()) + 90_000)}, 3600),
        (lambda: {"ratelimit-reset": "soon", "retry-after": "7"}, 7),
        (dict, 60),
    ],
)
def test_the_network_says_until_when_it_wants_to_be_left_alone(
    headers: Callable[[], dict[str, str]], wait: int
) -> None:
    error = failure(answered(429, "RateLimitExceeded", **headers()))
    assert isinstance(error, RateLimited)
    assert abs(error.after - timedelta(seconds=wait)) <= timedelta(seconds=2)


# ---------------------------------------------------------------- the self-test


async def check(here: Place, login: Login) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for finding in await bluesky.check(here.http, login):
        found[finding.code] = found.get(finding.code, True) and finding.ok
    return found


async def test_the_self_test_is_content_with_a_good_login() -> None:
    async with place() as here:
        assert await check(here.following("parvis"), here.following("parvis").login) == {
            "login": True,
            "readable": True,
        }


async def test_the_self_test_of_a_channel_without_a_session_makes_one_for_itself() -> None:
    async with place() as here:
        assert (await check(here, here.given()))["login"] is True
        assert (await check(here, here.given(app_password="wrong"))) == {"login_dead": False}


async def test_the_self_test_says_whose_login_it_is_and_what_the_account_keeps_out() -> None:
    async with place() as here:
        here.brand.preferences = {"reply": {"include": "follows", "list": True}, "quote": {"list": False}}
        found = await bluesky.check(here.http, replace(here.login, channel_external_id="did:plc:other"))
    said = {finding.code: finding.message for finding in found if not finding.ok}
    assert set(said) == {"account", "filtered"}
    assert "replies by people whom it does not follow, all quotes" in said["filtered"]


async def test_the_self_test_says_which_search_can_not_be_read() -> None:
    async with place() as here:
        refusal = JSONResponse({"error": "InvalidRequest", "message": "bad query"}, 400)
        here.network.faults["app.bsky.feed.searchPosts"] = Fault(refusal)
        found = await bluesky.check(here.http, here.following("((").login)
    assert [finding.code for finding in found if not finding.ok] == ["unreadable"]
