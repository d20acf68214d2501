"""Connecting by consent: through the practice network's own page, to the api and back, to a channel."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels, keys
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import KeyScope, Network
from tests.conftest import NOW, House, HouseBrand
from tests.services.api import journey
from tests.services.api.journey import RETURN, come_back, query_of
from tests.services.api.rest.conftest import Caller, problem
from tests.services.api.rest.consenting import authorize, connect, consented, owner_does

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


async def test_of_a_network_that_is_to_push_no_more_is_said_than_that_it_took_the_request(
    caller: Caller, network: journey.Network
) -> None:
    made = (await connect(caller, await consented(caller, network))).json()
    messages = {finding["code"]: finding["message"] for finding in made["findings"]}
    assert messages["subscribed"].endswith(f"took our request to push to {made['webhook_url']}")


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


# ---------------------------------------------------------------- choosing


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
