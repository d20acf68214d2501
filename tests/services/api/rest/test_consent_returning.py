"""The way back from a network: twice, late, forged, and with a network that fails."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from shared.db import Database
from shared.domain.brands import apps
from tests.conftest import House
from tests.services.api import journey
from tests.services.api.journey import come_back, query_of
from tests.services.api.rest.conftest import Caller, problem
from tests.services.api.rest.consenting import authorize, connect, consented, owner_does

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


@pytest.mark.parametrize("code", ["", "a guess"])
async def test_who_knows_the_state_alone_is_not_told_the_consents_id(
    caller: Caller, network: journey.Network, code: str
) -> None:
    """Whoever sent another person to the network knows the state, and must not get hold of what that person gave."""
    back = await network.allow(await authorize(caller, network))
    await come_back(caller.client, back)
    params = {"state": query_of(back)["state"], "code": code}
    answer = await caller.client.get("/v1/oauth/sandbox/callback", params=params)
    said = query_of(answer.headers["location"])
    assert (said["error"], "consent" in said) == ("state_used", False)


async def test_who_knows_the_state_alone_learns_nothing_by_coming_first(
    caller: Caller, network: journey.Network
) -> None:
    back = await network.allow(await authorize(caller, network))
    params = {"state": query_of(back)["state"], "code": "a guess"}
    first = await caller.client.get("/v1/oauth/sandbox/callback", params=params)
    said = [query_of(answer.headers["location"]) for answer in (first, await come_back(caller.client, back))]
    assert [(one["error"], "consent" in one) for one in said] == [("network_refused", False), ("state_used", False)]


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
