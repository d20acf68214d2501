"""Connecting by what a network says of credentials; terms; looking back, watched and called off."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.sandbox.app import create_app
from tests.conftest import House, TestDatabase
from tests.services.api.rest.conftest import Caller, problem
from tests.services.sandbox.conftest import served


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A fresh practice network, with the page cafe."""
    async with (
        served(lambda url: create_app(tmp_path / "sandbox" / "sandbox.db", url)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        await client.post("/api/accounts", json={"account": "cafe", "name": "Café Parvis"})
        yield client


def url_of(people: httpx.AsyncClient) -> str:
    return str(people.base_url).rstrip("/")


async def log_in(people: httpx.AsyncClient, account: str = "cafe", seconds: float = 3600) -> dict[str, str]:
    answer = (await people.post(f"/api/accounts/{account}/login", json={"seconds": seconds})).json()
    return {name: answer[name] for name in ("access_token", "refresh_token")}


async def connect(caller: Caller, people: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    body = {"network": "sandbox", "base_url": url_of(people), "credentials": await log_in(people), **more}
    answer = await caller.post("/channels", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_network_says_what_credentials_speak_for(caller: Caller, people: httpx.AsyncClient) -> None:
    made = await connect(caller, people)

    assert (made["external_id"], made["name"]) == ("cafe", "Café Parvis")
    assert made["login_expires_at"] is not None
    assert all(finding["ok"] for finding in made["findings"])


async def test_a_persons_own_name_for_a_channel_stands(caller: Caller, people: httpx.AsyncClient) -> None:
    assert (await connect(caller, people, name="Ours"))["name"] == "Ours"


async def test_credentials_that_nobody_takes_connect_nothing(
    caller: Caller, people: httpx.AsyncClient
) -> None:  # fmt: skip
    body = {"network": "sandbox", "base_url": url_of(people), "credentials": {"access_token": "nobody's"}}

    said = problem(await caller.post("/channels", body), 422)

    assert said["code"] == "login_refused"
    assert said["errors"][0]["pointer"] == "/credentials"
    assert (await caller.get("/channels")).json()["data"] == []


async def test_a_network_that_is_away_says_to_try_again(caller: Caller) -> None:
    body = {"network": "sandbox", "base_url": "http://127.0.0.1:9", "credentials": {"access_token": "x"}}

    said = problem(await caller.post("/channels", body), 503)

    assert (said["code"], said["retryable"]) == ("unavailable", True)
    assert "try again" in said["detail"]


async def test_a_repeat_is_answered_without_asking_the_network(caller: Caller, people: httpx.AsyncClient) -> None:
    body = {"network": "sandbox", "base_url": url_of(people), "credentials": await log_in(people)}
    headers = {"idempotency-key": "once"}
    first = await caller.post("/channels", body, headers=headers)

    # The refresh token was used up by the first time: asked again, the network would refuse it.
    second = await caller.post("/channels", body, headers=headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json()["id"] == first.json()["id"]


async def test_new_credentials_of_another_account_are_not_taken(caller: Caller, people: httpx.AsyncClient) -> None:
    made = await connect(caller, people)
    await people.post("/api/accounts", json={"account": "bakery"})

    other = await caller.patch(f"/channels/{made['id']}", {"credentials": await log_in(people, "bakery")})
    own = await caller.patch(f"/channels/{made['id']}", {"credentials": await log_in(people)})

    assert problem(other, 422)["code"] == "other_account"
    assert own.status_code == 200


async def test_a_channel_follows_terms_and_shows_them(caller: Caller, people: httpx.AsyncClient) -> None:
    made = await connect(caller, people, terms=["#parvis", " lanternes ", "#parvis"])
    changed = await caller.patch(f"/channels/{made['id']}", {"terms": ["pavés"]})

    assert made["terms"] == ["#parvis", "lanternes"]
    assert changed.json()["terms"] == ["pavés"]


@pytest.mark.parametrize(
    ("terms", "pointer"), [(["x" * 201], "/terms/0"), (["ok", "  "], "/terms/1"), (["x"] * 51, "/terms")]
)
async def test_terms_that_are_none_are_refused(
    caller: Caller, people: httpx.AsyncClient, terms: list[str], pointer: str
) -> None:
    made = await connect(caller, people)

    said = problem(await caller.patch(f"/channels/{made['id']}", {"terms": terms}), 422)

    assert said["errors"][0]["pointer"] == pointer


async def test_a_network_without_terms_says_so(caller: Caller) -> None:
    said = problem(await caller.post("/channels", {"network": "generic", "terms": ["#parvis"]}), 422)
    assert said["errors"][0] == {"pointer": "/terms", "code": "not_offered", "detail": said["errors"][0]["detail"]}


async def test_looking_back_is_begun_watched_and_called_off(caller: Caller, people: httpx.AsyncClient) -> None:
    made = await connect(caller, people)

    begun = await caller.post(f"/channels/{made['id']}/backfill", {"since": "2026-01-01T00:00:00Z"})
    watched = await caller.get(begun.headers["location"])
    ended = await caller.post(f"{begun.headers['location']}/cancel")

    assert (begun.status_code, begun.json()["status"]) == (202, "pending")
    assert begun.headers["location"] == f"/v1/operations/{begun.json()['id']}"
    assert watched.json() == begun.json()
    assert watched.json()["progress"] == {
        "arrivals": 0, "pages": 0, "reached_at": None, "mentions": 0, "matches": 0, "changed": 0,
        "message": "0 arrivals",
    }  # fmt: skip
    assert (ended.status_code, ended.json()["status"]) == (200, "cancelled")
    assert ended.json()["result"] == {"arrivals": 0, "reached_at": None, "mentions": 0, "matches": 0, "changed": 0}


async def save(caller: Caller, expression: str) -> str:
    answer = await caller.post("/queries", {"name": "Bier", "expression": expression})
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


async def test_a_recall_over_networks_is_begun_watched_and_called_off(
    caller: Caller, people: httpx.AsyncClient
) -> None:
    made = await connect(caller, people)
    place = f"/queries/{await save(caller, 'bier OR *winkel')}/recall"

    begun = await caller.post(place, {"over": ["stored", "networks"]})
    watched = await caller.get(begun.headers["location"])
    ended = await caller.post(f"{begun.headers['location']}/cancel")

    assert (begun.status_code, begun.json()["over"]) == (202, ["stored", "networks"])
    assert watched.json() == begun.json()
    (search,) = watched.json()["searches"]
    assert (search["network"], search["channel_id"], search["status"]) == ("sandbox", made["id"], "pending")
    assert search["left_out"] == ["*winkel"]
    assert search["requests"] == [{"words": ["bier"], "pages": 0, "brought": 0, "reached_at": None, "ended": None}]
    assert [one["status"] for one in ended.json()["searches"]] == ["cancelled"]
    alone = (await caller.get(f"/v1/operations/{search['id']}")).json()
    assert (alone["kind"], alone["searches"], alone["over"]) == ("search", [], [])


@pytest.mark.parametrize(
    ("over", "code", "pointer"),
    [
        (["networks"], "not_offered", "/over"),
        ([], "too_short", "/over"),
        (["everything"], "enum", "/over/0"),
    ],
    ids=["no_network", "nothing", "no_such_thing"],
)
async def test_what_a_query_can_not_be_recalled_over_is_said(
    caller: Caller, over: list[str], code: str, pointer: str
) -> None:
    answer = await caller.post(f"/queries/{await save(caller, 'bier')}/recall", {"over": over})
    (said,) = problem(answer, 422)["errors"]
    assert (said["code"], said["pointer"]) == (code, pointer)


async def test_reading_anew_is_begun_watched_and_called_off(caller: Caller, people: httpx.AsyncClient) -> None:
    made = await connect(caller, people)
    place = f"/channels/{made['id']}/reread"

    begun = await caller.post(place, {})
    again = await caller.post(place, {"since": "2026-01-01T00:00:00Z"})
    backfill = await caller.post(f"/channels/{made['id']}/backfill", {"since": "2026-01-01T00:00:00Z"})
    ended = await caller.post(f"{begun.headers['location']}/cancel")

    assert (begun.status_code, begun.json()["kind"], begun.json()["status"]) == (202, "reading", "pending")
    assert begun.json()["progress"]["message"] == "0 mentions read again, 0 read otherwise"
    assert problem(again, 409)["code"] == "already_running"
    assert backfill.status_code == 202  # one does not stand in the other's way
    assert ended.json()["status"] == "cancelled"


async def test_a_channel_that_goes_away_takes_its_long_work_along(caller: Caller, people: httpx.AsyncClient) -> None:
    made = await connect(caller, people)
    begun = await caller.post(f"/channels/{made['id']}/reread", {})
    await caller.delete(f"/channels/{made['id']}")
    assert (await caller.get(begun.headers["location"])).json()["status"] == "cancelled"
    assert (await caller.post(f"/channels/{made['id']}/reread", {})).status_code == 202  # its mentions stay


async def test_looking_back_twice_at_once_is_a_conflict(caller: Caller, people: httpx.AsyncClient) -> None:
    made = await connect(caller, people)
    place, body = f"/channels/{made['id']}/backfill", {"since": "2026-01-01T00:00:00Z"}
    await caller.post(place, body)

    assert problem(await caller.post(place, body), 409)["code"] == "already_running"


async def test_an_operation_is_nobody_elses(
    caller: Caller, people: httpx.AsyncClient, house: House, database: TestDatabase
) -> None:
    made = await connect(caller, people)
    begun = await caller.post(f"/channels/{made['id']}/backfill", {"since": "2026-01-01T00:00:00Z"})
    stranger = caller.as_((await house.brand("Other")).api_key)

    problem(await stranger.get(begun.headers["location"]), 404)
    problem(await stranger.post(f"{begun.headers['location']}/cancel"), 404)

    connection = await asyncpg.connect(database.worker_url)
    assert await connection.fetchval("SELECT count(*) FROM due_operation") == 1
    await connection.close()
