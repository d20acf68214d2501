"""Connecting by consent: through the practice network's own page, to the api and back, to a channel."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import apps, channels, consents, keys
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import KeyScope, Network
from tests.conftest import NOW, House, HouseBrand
from tests.services.api import journey
from tests.services.api.journey import RETURN, come_back, query_of
from tests.services.api.rest.conftest import Caller, problem


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[journey.Network]:
    async with journey.opened(tmp_path) as found:
        yield found


async def authorize(caller: Caller, network: journey.Network, **more: Any) -> str:
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN, **more}
    answer = await caller.post("/channels/authorize", body)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["authorize_url"]
    return url


async def consented(caller: Caller, network: journey.Network, **changes: Any) -> str:
    """The id of a consent that lea gave."""
    back = await network.allow(await authorize(caller, network), **changes)
    said = query_of((await come_back(caller.client, back)).headers["location"])
    assert "error" not in said, said
    return said["consent"]


async def connect(caller: Caller, consent: str, external_id: str = "cafe", **more: Any) -> httpx.Response:
    return await caller.post("/channels", {"consent_id": consent, "external_id": external_id, **more})


async def owner_does(owner_db: Database, statement: str, **values: Any) -> None:
    async with owner_db.session() as session:
        await session.execute(text(statement), values)


# ---------------------------------------------------------------- the whole way


async def test_a_person_is_sent_to_the_network_and_comes_back_to_the_frontend_with_a_consent(
    caller: Caller, network: journey.Network
) -> None:
    asked = await authorize(caller, network)
    assert asked.startswith(f"{network.url}/oauth/authorize?")
    assert query_of(asked)["redirect_uri"] == "http://127.0.0.1:8000/v1/oauth/sandbox/callback"
    answer = await come_back(caller.client, await network.allow(asked))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://front.example/channels?tab=2&consent=consent_")
    assert answer.headers["location"].endswith("#new")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_what_was_given_is_shown_to_choose_from_without_its_logins(
    caller: Caller, network: journey.Network
) -> None:
    consent = await consented(caller, network, give=["webhook"])
    answer = await caller.get(f"/consents/{consent}")
    found = answer.json()
    assert (found["status"], found["error"], found["network"]) == ("given", None, "sandbox")
    assert found["choices"] == [
        {
            "external_id": account,
            "name": name,
            "base_url": network.url,
            "missing": ["publish"],
            "channel_id": None,
        }
        for account, name in (("cafe", "Café Parvis"), ("shop", "Shop"))
    ]
    assert "sbp_" not in answer.text


async def test_a_choice_becomes_a_channel_that_hears_and_speaks(caller: Caller, network: journey.Network) -> None:
    answer = await connect(caller, await consented(caller, network))
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert (made["external_id"], made["name"], made["base_url"]) == ("cafe", "Café Parvis", network.url)
    assert {finding["code"]: finding["ok"] for finding in made["findings"]} == {
        "subscribed": True, "login": True, "publish": True, "webhook": True,
    }  # fmt: skip
    assert "sbp_" not in answer.text


async def test_the_only_thing_that_was_given_needs_no_name(caller: Caller, network: journey.Network) -> None:
    consent = await consented(caller, network, page=["shop"])
    answer = await caller.post("/channels", {"consent_id": consent})
    assert (answer.status_code, answer.json()["external_id"]) == (201, "shop")


async def test_several_choices_of_one_consent_become_channels(caller: Caller, network: journey.Network) -> None:
    consent = await consented(caller, network)
    answers = [await connect(caller, consent, external_id) for external_id in ("cafe", "shop")]
    assert [answer.status_code for answer in answers] == [201, 201]
    found = (await caller.get(f"/consents/{consent}")).json()
    assert [one["channel_id"] for one in found["choices"]] == [answer.json()["id"] for answer in answers]


async def test_the_same_choice_at_once_is_connected_once(caller: Caller, network: journey.Network) -> None:
    consent = await consented(caller, network)
    answers = await asyncio.gather(*(connect(caller, consent) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


# ---------------------------------------------------------------- connecting again


async def _mine(owner_db: Database, brand: HouseBrand) -> Scope:
    async with owner_db.session() as session:
        return await scopes.house(session, brand.brand_id)


async def test_connecting_again_wakes_a_dead_login_and_keeps_the_channel_and_what_waits_for_it(
    caller: Caller, network: journey.Network, owner_db: Database, brand: HouseBrand
) -> None:
    made = (await connect(caller, await consented(caller, network))).json()
    post = await caller.post(
        "/posts", {"text": "soon", "channel_ids": [made["id"]], "scheduled_at": "2099-01-01T00:00:00Z"}
    )
    assert post.status_code == 201, post.text
    async with owner_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await channels.login_died(session, scope, parse_typeid(Prefix.CHANNEL, made["id"]), reason="gone", now=NOW)

    answer = await connect(caller, await consented(caller, network))

    again = answer.json()
    assert answer.status_code == 200
    assert (again["id"], again["status"], again["status_reason"]) == (made["id"], "active", None)
    assert (again["secret"], again["verify_token"]) == (None, None)
    kept = (await caller.get(f"/posts/{post.json()['id']}")).json()
    assert (kept["status"], kept["variants"][0]["channel_id"]) == ("scheduled", made["id"])
    async with owner_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        channel = await channels.get(session, scope, parse_typeid(Prefix.CHANNEL, made["id"]))
        login = await channels.login(session, scope, House(owner_db).vault, channel)
    me = await network.people.get(
        "/api/v1/me", headers={"authorization": f"Bearer {login.credentials['access_token']}"}
    )
    assert me.json()["account"] == "cafe"


async def test_a_channel_by_token_gets_the_login_of_a_consent(
    caller: Caller, network: journey.Network, house: House, brand: HouseBrand
) -> None:
    by_token = await house.channel(
        brand, Network.SANDBOX, external_id="cafe", base_url=f"{network.url}/", credentials={"access_token": "old"}
    )
    answer = await connect(caller, await consented(caller, network))
    assert (answer.status_code, answer.json()["id"]) == (200, typeid(Prefix.CHANNEL, by_token.id))


async def test_the_same_id_on_another_server_is_another_place(
    caller: Caller, network: journey.Network, house: House, brand: HouseBrand
) -> None:
    await house.channel(
        brand, Network.SANDBOX, external_id="cafe", base_url="https://two.example", credentials={"access_token": "old"}
    )
    refused = problem(await connect(caller, await consented(caller, network)), 409)
    assert refused["code"] == "channel_exists"


# ---------------------------------------------------------------- the way back, twice, late, forged


async def test_a_way_back_that_is_taken_twice_has_no_second_effect_and_names_the_consent(
    caller: Caller, network: journey.Network
) -> None:
    back = await network.allow(await authorize(caller, network))
    first = query_of((await come_back(caller.client, back)).headers["location"])
    again = query_of((await come_back(caller.client, back)).headers["location"])
    assert (again["error"], again["consent"]) == ("state_used", first["consent"])
    # A second exchange would have made the network take everything back.
    assert (await connect(caller, first["consent"])).json()["status"] == "active"


async def test_a_way_back_that_is_taken_twice_at_once_is_taken_once(caller: Caller, network: journey.Network) -> None:
    back = await network.allow(await authorize(caller, network))
    answers = await asyncio.gather(*(come_back(caller.client, back) for _ in range(4)))
    said = [query_of(answer.headers["location"]) for answer in answers]
    assert sorted(one.get("error", "") for one in said) == ["", "state_used", "state_used", "state_used"]
    assert len({one["consent"] for one in said}) == 1


@pytest.mark.parametrize("state", ["forged", "", "x" * 5000, "\x00"])
async def test_a_state_that_nobody_gave_out_leads_nowhere(client: httpx.AsyncClient, state: str) -> None:
    answer = await client.get("/v1/oauth/sandbox/callback", params={"code": "c", "state": state})
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "unknown_state" in answer.text
    assert "script" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["facebook", "generic", "no-such-network", "%3Cscript%3E"])
async def test_a_state_of_another_network_leads_nowhere_and_stays_good(
    caller: Caller, network: journey.Network, name: str
) -> None:
    back = await network.allow(await authorize(caller, network))
    answer = await come_back(caller.client, back.replace("/oauth/sandbox/", f"/oauth/{name}/"))
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "consent" in query_of((await come_back(caller.client, back)).headers["location"])


async def test_a_state_holds_ten_minutes(caller: Caller, network: journey.Network, owner_db: Database) -> None:
    back = await network.allow(await authorize(caller, network))
    await owner_does(owner_db, "UPDATE consent SET expires_at = expires_at - interval '10 minutes'")
    said = query_of((await come_back(caller.client, back)).headers["location"])
    assert said["error"] == "consent_expired"


async def test_who_says_no_comes_back_with_that_in_our_words(caller: Caller, network: journey.Network) -> None:
    back = await network.allow(await authorize(caller, network), answer="refuse")
    location = (await come_back(caller.client, back)).headers["location"]
    said = query_of(location)
    assert (said["error"], said["error_description"]) == ("access_denied", "the person said no")
    assert "consent" not in said


async def test_a_networks_own_words_do_not_reach_the_frontend(caller: Caller, network: journey.Network) -> None:
    state = query_of(await authorize(caller, network))["state"]
    answer = await caller.client.get(
        "/v1/oauth/sandbox/callback",
        params={"state": state, "error": "server_error", "error_description": "<b>words</b>"},
    )
    assert query_of(answer.headers["location"])["error"] == "network_error"
    assert "words" not in answer.headers["location"]


async def test_a_way_back_without_an_answer_is_said_to_be_one(caller: Caller, network: journey.Network) -> None:
    state = query_of(await authorize(caller, network))["state"]
    answer = await caller.client.get("/v1/oauth/sandbox/callback", params={"state": state})
    assert query_of(answer.headers["location"])["error"] == "invalid_return"


@pytest.mark.parametrize(
    "taken_away",
    [
        "UPDATE api_key SET revoked_at = now()",
        "UPDATE api_key SET expires_at = now()",
        "UPDATE \"grant\" SET role = 'viewer'",
        'DELETE FROM "grant"',
        "UPDATE api_key SET scopes = '{read}'",
    ],
)
async def test_whoever_may_no_longer_connect_gets_nothing_and_the_code_is_not_spent(
    caller: Caller, network: journey.Network, owner_db: Database, taken_away: str
) -> None:
    back = await network.allow(await authorize(caller, network))
    await owner_does(owner_db, taken_away)
    await network.fault("POST /api/oauth/token", "500")
    said = query_of((await come_back(caller.client, back)).headers["location"])
    assert said["error"] == "not_allowed"
    # The fault still waits: nobody has tried to turn the code into a token.
    assert len((await network.people.get("/api/faults")).json()["faults"]) == 1


# ---------------------------------------------------------------- the network, failing


@pytest.mark.parametrize(
    ("path", "effect", "error"),
    [
        ("POST /api/oauth/token", "500", "network_away"),
        ("POST /api/oauth/token", "429", "network_away"),
        ("POST /api/oauth/token", "created_then_400", "network_refused"),
        ("GET /api/oauth/pages", "reset", "network_away"),
        ("GET /api/oauth/pages", "expired_token", "network_refused"),
    ],
)
async def test_a_network_that_fails_is_said_and_nothing_is_half_there(
    caller: Caller, network: journey.Network, path: str, effect: str, error: str, owner_db: Database
) -> None:
    back = await network.allow(await authorize(caller, network))
    await network.fault(path, effect)
    said = query_of((await come_back(caller.client, back)).headers["location"])
    assert said["error"] == error
    async with owner_db.session() as session:
        row = (await session.execute(text("SELECT choices, error FROM consent"))).one()
    assert tuple(row) == (None, error)


async def test_a_browser_that_gives_up_in_the_middle_has_used_the_state_up(
    caller: Caller, network: journey.Network, owner_db: Database
) -> None:
    """As where the api dies there: the code may be spent, so nobody tries it again."""
    back = await network.allow(await authorize(caller, network))
    await network.fault("POST /api/oauth/token", {"type": "timeout", "seconds": 30})
    coming = asyncio.create_task(come_back(caller.client, back))
    while len((await network.people.get("/api/faults")).json()["faults"]):
        await asyncio.sleep(0.02)
    coming.cancel()
    await asyncio.wait([coming])
    said = query_of((await come_back(caller.client, back)).headers["location"])
    assert said["error"] == "state_used"
    assert (await caller.get(f"/consents/{said['consent']}")).json()["status"] == "returned"


async def test_nothing_secret_of_a_consent_is_logged(
    caller: Caller, network: journey.Network, owner_db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = await authorize(caller, network)
    back = await network.allow(asked)
    said = query_of((await come_back(caller.client, back)).headers["location"])
    await connect(caller, said["consent"])
    refused = await network.allow(await authorize(caller, network))
    await network.fault("POST /api/oauth/token", "created_then_400")
    await come_back(caller.client, refused)
    async with owner_db.session() as session:
        row = (await session.execute(text("SELECT id, client_secret FROM app"))).one()
    secret = House(owner_db).vault.open(row.client_secret, apps.place(row.id))
    logged = "".join(capsys.readouterr())
    assert "consent.not_taken" in logged
    for hush in (query_of(asked)["state"], query_of(back)["code"], secret, said["consent"], "sbp_", "sbu_"):
        assert hush not in logged


async def test_a_person_who_gives_no_page_is_told_so(caller: Caller, network: journey.Network) -> None:
    back = await network.allow(await authorize(caller, network), page=[])
    assert query_of((await come_back(caller.client, back)).headers["location"])["error"] == "nothing_given"


async def test_an_api_that_dies_after_the_exchange_leaves_a_consent_that_says_so(
    caller: Caller, network: journey.Network, owner_db: Database
) -> None:
    consent = await consented(caller, network)
    await owner_does(owner_db, "UPDATE consent SET choices = NULL")
    waiting = (await caller.get(f"/consents/{consent}")).json()
    await owner_does(
        owner_db, "UPDATE consent SET returned_at = returned_at - CAST(:ago AS interval)", ago=timedelta(minutes=2)
    )
    found = (await caller.get(f"/consents/{consent}")).json()
    assert (waiting["status"], waiting["error"]) == ("returned", None)
    assert (found["status"], found["error"], found["choices"]) == ("failed", "interrupted", [])
    assert problem(await connect(caller, consent), 409)["code"] == "consent_not_given"


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://front.example.evil.example/",
        "https://front.example@evil.example/",
        "https://front.example:444/",
        "http://front.example/",
        "https://front.example\\@evil.example/",
        "https://evil.example\\.front.example/",
        "//front.example/",
        "/channels",
        "javascript:alert(1)//https://front.example",
        "https://front.example/\r\nset-cookie: a=b",
        "https://front.exämple/",
        "https://front.example:x/",
        "",
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_no_frontends(caller: Caller, url: str) -> None:
    body = {"network": "sandbox", "base_url": "http://127.0.0.1:9", "return_url": url}
    refused = problem(await caller.post("/channels/authorize", body), 422)
    assert refused["errors"][0]["pointer"] == "/return_url"


@pytest.mark.parametrize("url", ["https://front.example", "https://FRONT.example:443/x", "http://127.0.0.1:8000/docs"])
async def test_a_frontends_origin_and_the_apis_own_are_allowed(
    caller: Caller, network: journey.Network, url: str
) -> None:
    assert await authorize(caller, network, return_url=url)


async def test_a_star_among_the_origins_sends_nobody_anywhere() -> None:
    with pytest.raises(Exception, match="PARVIS_CORS_ORIGINS"):
        consents.check_return_url("https://evil.example/", ["*"])


async def test_a_network_that_asks_nobody_says_how_to_connect_it(caller: Caller) -> None:
    answer = await caller.post("/channels/authorize", {"network": "generic", "return_url": RETURN})
    assert problem(answer, 422)["code"] == "no_consent"


async def test_a_network_with_servers_needs_one(caller: Caller) -> None:
    answer = await caller.post("/channels/authorize", {"network": "sandbox", "return_url": RETURN})
    assert problem(answer, 422)["errors"][0]["pointer"] == "/base_url"


async def test_a_server_on_a_private_address_is_not_asked(caller: Caller) -> None:
    body = {"network": "sandbox", "base_url": "https://10.0.0.1", "return_url": RETURN}
    assert problem(await caller.post("/channels/authorize", body), 422)["code"] == "address_not_allowed"


async def test_asking_needs_the_right_to_connect_channels(
    caller: Caller, network: journey.Network, house: House, brand: HouseBrand
) -> None:
    reader = caller.as_(await house.key(brand, KeyScope.READ))
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN}
    problem(await reader.post("/channels/authorize", body), 403)
    consent = await consented(caller, network)
    problem(await reader.get(f"/consents/{consent}"), 403)
    problem(await connect(reader, consent), 403)


async def test_a_consent_is_its_askers_own_and_no_colleagues(
    caller: Caller, network: journey.Network, owner_db: Database, brand: HouseBrand
) -> None:
    consent = await consented(caller, network)
    async with owner_db.session() as session:
        made = await session.execute(
            text('INSERT INTO "user" (id, name) VALUES (gen_random_uuid(), :name) RETURNING id'), {"name": "Jo"}
        )
        colleague = made.scalar_one()
        await session.execute(
            text("INSERT INTO membership (organization_id, user_id, role) VALUES (:o, :u, 'member')"),
            {"o": brand.organization_id, "u": colleague},
        )
        _, key = await keys.create(
            session, organization_id=brand.organization_id, user_id=colleague, name="jo", scopes=[KeyScope.ALL],
            brand_id=None, expires_at=None, now=NOW,
        )  # fmt: skip
    problem(await caller.as_(key).get(f"/consents/{consent}"), 404)
    problem(await connect(caller.as_(key), consent), 404)


async def test_where_the_browser_goes_is_the_only_place_that_says_a_consents_id(
    caller: Caller, network: journey.Network
) -> None:
    """Else whoever sends another person to a network could fetch what that person gave."""
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN}
    asked = await caller.post("/channels/authorize", body)
    await come_back(caller.client, await network.allow(asked.json()["authorize_url"]))
    audit = await caller.get("/audit")
    assert {entry["action"] for entry in audit.json()["data"]} >= {"consent.ask", "consent.give"}
    assert "consent_" not in asked.text.replace("consent_id", "")
    assert "consent_" not in audit.text


async def test_a_choice_that_was_not_given_is_refused_with_those_that_were(
    caller: Caller, network: journey.Network
) -> None:
    refused = problem(await connect(caller, await consented(caller, network), "other"), 422)
    assert "'cafe', 'shop'" in refused["detail"]


@pytest.mark.parametrize(
    "beside", [{"network": "sandbox"}, {"base_url": "http://127.0.0.1:9"}, {"credentials": {"access_token": "mine"}}]
)
async def test_beside_a_consent_nothing_else_says_what_to_connect(
    caller: Caller, network: journey.Network, beside: dict[str, Any]
) -> None:
    problem(await connect(caller, await consented(caller, network), **beside), 422)


async def test_a_token_without_its_network_is_refused(caller: Caller) -> None:
    refused = problem(await caller.post("/channels", {"credentials": {"access_token": "t"}}), 422)
    assert refused["errors"][0]["pointer"] == "/network"


async def test_a_consent_is_gone_after_its_hour(caller: Caller, network: journey.Network, owner_db: Database) -> None:
    consent = await consented(caller, network)
    await owner_does(owner_db, "UPDATE consent SET expires_at = now()")
    problem(await caller.get(f"/consents/{consent}"), 404)
    problem(await connect(caller, consent), 404)


async def test_a_repeat_under_the_same_key_is_the_same_question(caller: Caller, network: journey.Network) -> None:
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN}
    first, again = [
        await caller.post("/channels/authorize", body, headers={"idempotency-key": "once"}) for _ in range(2)
    ]
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


# ---------------------------------------------------------------- registering with a server


async def test_asking_many_at_once_registers_with_the_server_once(
    caller: Caller, network: journey.Network, owner_db: Database
) -> None:
    asked = await asyncio.gather(*(authorize(caller, network) for _ in range(5)))
    assert len({query_of(url)["client_id"] for url in asked}) == 1
    async with owner_db.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM app"))).scalar_one() == 1


async def test_a_server_that_does_not_register_us_can_be_asked_again(caller: Caller, network: journey.Network) -> None:
    await network.fault("POST /api/oauth/apps", "500")
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN}
    refused = problem(await caller.post("/channels/authorize", body), 503)
    assert refused["retryable"]
    assert await authorize(caller, network)


async def test_an_api_that_has_moved_registers_its_new_way_back(
    app: FastAPI, caller: Caller, network: journey.Network
) -> None:
    first = await authorize(caller, network)
    services = app.state.services
    moved = services.settings.model_copy(update={"api_url": "https://api.elsewhere.example/"})
    app.state.services = replace(services, settings=moved)
    again = await authorize(caller, network)
    assert query_of(again)["redirect_uri"] == "https://api.elsewhere.example/v1/oauth/sandbox/callback"
    assert query_of(again)["client_id"] != query_of(first)["client_id"]
    await network.allow(again)


async def test_a_server_that_has_forgotten_us_is_registered_with_again_before_a_person_is_sent_there(
    caller: Caller, network: journey.Network, tmp_path: Path
) -> None:
    first = await authorize(caller, network)
    with closing(sqlite3.connect(tmp_path / "sandbox.db")) as memory, memory:
        memory.execute("DELETE FROM client")
    asked = await asyncio.gather(*(authorize(caller, network) for _ in range(3)))
    assert len({query_of(url)["client_id"] for url in asked}) == 1
    assert query_of(asked[0])["client_id"] != query_of(first)["client_id"]
    await network.allow(asked[0])


async def test_a_page_of_the_server_names_the_server(
    caller: Caller, network: journey.Network, owner_db: Database
) -> None:
    await authorize(caller, network)
    assert (await authorize(caller, network, base_url=f"{network.url}/pages/cafe")).startswith(f"{network.url}/oauth/")
    async with owner_db.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM app"))).scalar_one() == 1
