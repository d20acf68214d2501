"""Consent on the practice network, by its connector, against the practice network itself on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.sandbox.app import create_app
from services.sandbox.consents import challenge_of
from shared.connectors.sandbox import Sandbox
from shared.connectors.sandbox_consent import SandboxConsent
from shared.contract import AppLogin, Consent, Consented, HookAddress, Login
from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Unavailable, Uncertain
from tests.connectors.loopback import Reply, guarded, receiver, serving

BACK = "https://api.example/v1/oauth/sandbox/callback"
VERIFIER = "v" * 64
consents = SandboxConsent()


@dataclass
class World:
    people: httpx.AsyncClient
    http: httpx.AsyncClient
    app: AppLogin

    async def answer(self, **changes: object) -> httpx.Response:
        """What the network sends the browser away with, once lea has answered the page."""
        question = Consent("the state", BACK, challenge_of(VERIFIER))
        asked = dict(_query(consents.authorize(self.app, question)))
        form = {**asked, "as": "lea", "page": ["cafe", "shop"], "give": ["publish", "webhook"], "answer": "allow"}
        return await self.people.post("/oauth/authorize", data={**form, **changes})

    async def code(self, **changes: object) -> str:
        return _query((await self.answer(**changes)).headers["location"])["code"]

    async def exchange(self, code: str, **changes: str) -> list[object]:
        given = {"code": code, "redirect_uri": BACK, "verifier": VERIFIER, **changes}
        return list(await consents.exchange(self.http, self.app, Consented(**given)))


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    app = create_app(folder / "sandbox.db", "http://sandbox.test")
    async with serving(app, lifespan="on") as port, guarded() as http:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url) as people:
            for account, name in (("cafe", "Café Parvis"), ("shop", "Shop"), ("other", "Other")):
                await people.post("/api/accounts", json={"account": account, "name": name})
            yield World(people, http, await consents.register(http, url, BACK))


async def test_a_person_gives_some_pages_and_each_comes_with_a_login_of_its_own(here: World) -> None:
    cafe, shop = await consents.exchange(here.http, here.app, Consented(await here.code(), BACK, VERIFIER))
    assert [(one.external_id, one.name, one.missing) for one in (cafe, shop)] == [
        ("cafe", "Café Parvis", ()),
        ("shop", "Shop", ()),
    ]
    assert cafe.granted_by == shop.granted_by
    assert cafe.granted_by
    login = Login("cafe", cafe.base_url, cafe.credentials)
    findings = await Sandbox().check(here.http, login)
    assert [finding.code for finding in findings if finding.ok] == ["login", "publish"]


async def test_scopes_that_were_not_given_are_named_and_not_allowed(here: World) -> None:
    code = await here.code(give=["webhook"])
    cafe, _ = await consents.exchange(here.http, here.app, Consented(code, BACK, VERIFIER))
    assert cafe.missing == ("publish",)
    login = Login("cafe", cafe.base_url, cafe.credentials)
    await Sandbox().subscribe(here.http, login, HookAddress("http://127.0.0.1:9/", "s"))
    answer = await here.people.post(
        "/api/v1/posts", json={"text": "x"}, headers={"authorization": f"Bearer {cafe.credentials['access_token']}"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_granted")


async def test_a_code_holds_once_and_what_it_gave_is_taken_back_the_second_time(here: World) -> None:
    code = await here.code()
    cafe, _ = await consents.exchange(here.http, here.app, Consented(code, BACK, VERIFIER))
    with pytest.raises(LoginDead):
        await here.exchange(code)
    findings = await Sandbox().check(here.http, Login("cafe", cafe.base_url, cafe.credentials))
    assert [(finding.ok, finding.code) for finding in findings] == [(False, "login_dead")]


@pytest.mark.parametrize(
    "changes", [{"verifier": "w" * 64}, {"redirect_uri": "https://elsewhere.example/"}, {"code": "forged"}]
)
async def test_a_code_is_bound_to_its_verifier_and_its_way_back(here: World, changes: dict[str, str]) -> None:
    code = await here.code()
    with pytest.raises(LoginDead):
        await here.exchange(**{"code": code, **changes})


async def test_an_app_with_another_secret_is_refused_and_not_called_a_dead_login(here: World) -> None:
    here.app = AppLogin(here.app.client_id, "another", here.app.base_url)
    with pytest.raises(Refused):
        await here.exchange(await here.code())


async def test_who_says_no_sends_the_browser_back_with_that(here: World) -> None:
    back = _query((await here.answer(answer="refuse")).headers["location"])
    assert (back["error"], back["state"]) == ("access_denied", "the state")


@pytest.mark.parametrize("changes", [{"client_id": "app_of_nobody"}, {"redirect_uri": "https://evil.example/"}])
async def test_nobody_is_sent_to_an_address_that_the_app_did_not_register(here: World, changes: dict[str, str]) -> None:
    answer = await here.answer(**changes)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_question_without_pkce_goes_back_as_an_invalid_request(here: World) -> None:
    back = _query((await here.answer(code_challenge_method="plain")).headers["location"])
    assert back["error"] == "invalid_request"


async def test_who_takes_everything_back_ends_every_login(here: World) -> None:
    cafe, _ = await consents.exchange(here.http, here.app, Consented(await here.code(), BACK, VERIFIER))
    await here.people.post("/api/oauth/withdraw", json={"as": "lea", "client_id": here.app.client_id})
    findings = await Sandbox().check(here.http, Login("cafe", cafe.base_url, cafe.credentials))
    assert [finding.code for finding in findings] == ["login_dead"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(500), Unavailable),
        (Reply(429, headers={"retry-after": "7"}), RateLimited),
        (Reply(200, b"<html>"), Unavailable),
        (Reply(200, b'{"access_token": 7}'), Unavailable),
        (Reply(400, b'{"error": "invalid_request"}'), Refused),
        (Reply(200, b"{}", after_seconds=5), Uncertain),
    ],
)
async def test_what_the_network_says_wrong_is_an_error_that_says_what_to_do(
    reply: Reply, error: type[NetworkError]
) -> None:
    async with receiver() as network, guarded(send_timeout_seconds=0.5) as http:
        network.replies["POST", "/api/oauth/token"] = reply
        with pytest.raises(error):
            await consents.exchange(http, AppLogin("a", "b", network.url), Consented("c", BACK, VERIFIER))


async def test_a_page_without_a_token_does_not_take_its_neighbours_with_it() -> None:
    async with receiver() as network, guarded() as http:
        network.replies["POST", "/api/oauth/token"] = Reply(200, b'{"access_token": "t"}')
        network.replies["GET", "/api/oauth/pages"] = Reply(
            200, b'{"pages": [7, {"account": "a"}, {"account": "b", "token": "t", "may": null}], "person": []}'
        )
        (found,) = await consents.exchange(http, AppLogin("a", "b", network.url), Consented("c", BACK, VERIFIER))
    assert (found.external_id, found.missing, found.granted_by) == ("b", ("read", "publish", "webhook"), None)


async def test_the_network_knows_the_app_that_it_registered_and_no_other(here: World) -> None:
    other = AppLogin("app_of_nobody", "secret", here.app.base_url)
    assert await consents.is_registered(here.http, here.app)
    assert not await consents.is_registered(here.http, other)
