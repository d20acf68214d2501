"""Connecting, testing and removing channels over REST."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import hooks
from shared.ids import Prefix, parse_typeid, typeid
from shared.vault import Vault
from tests.conftest import House, HouseBrand
from tests.services.api.rest.conftest import Caller, problem

SECRET = "whsec_c2VjcmV0IG9mIHRoZSByZWNlaXZlcg=="


@pytest.fixture
async def receiver() -> AsyncIterator[str]:
    """A server on loopback that knows no post: what a generic channel's self-test wants to hear."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    yield f"http://{host}:{port}/posts"
    server.close()
    await server.wait_closed()


async def _connect(caller: Caller, **more: Any) -> dict[str, Any]:
    response = await caller.post("/channels", {"network": "generic", **more})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


async def test_connecting_answers_the_channel_its_webhook_and_its_self_test(caller: Caller, receiver: str) -> None:
    response = await caller.post(
        "/channels", {"network": "generic", "name": "Letters", "credentials": {"url": receiver, "secret": SECRET}}
    )

    made = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/brands/{caller.brand_id}/channels/{made['id']}"
    assert made["webhook_url"].startswith("http://127.0.0.1:8001/webhooks/hook_")
    assert made["secret"].startswith("whsec_")
    assert [(finding["ok"], finding["code"]) for finding in made["findings"]] == [(True, "reachable")]
    assert SECRET not in response.text


async def test_the_secret_is_shown_once_and_credentials_never(caller: Caller, receiver: str) -> None:
    made = await _connect(caller, credentials={"url": receiver, "secret": SECRET})

    listed = await caller.get("/channels")
    single = await caller.get(f"/channels/{made['id']}")
    for answer in (listed, single):
        assert made["secret"] not in answer.text
        assert SECRET not in answer.text
    assert "credentials" not in single.json()


async def test_what_is_kept_opens_with_the_vault_only(caller: Caller, app_db: Database, brand: HouseBrand) -> None:
    made = await _connect(caller)

    async with app_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        hook_id = parse_typeid(Prefix.HOOK, made["webhook_url"].rpartition("/")[2])
        hook = (await hooks.by_ids(session, scope, [hook_id]))[hook_id]
        vault = Vault(["a key of the tests"])
    assert hooks.open_secret(vault, hook.id, hook.secret).keys == (made["secret"],)
    assert made["secret"].encode() not in hook.secret


async def test_a_network_that_cant_be_reached_is_a_finding_and_not_an_error(caller: Caller) -> None:
    made = await _connect(caller, credentials={"url": "http://127.0.0.1:1/", "secret": SECRET})

    assert made["findings"][0]["ok"] is False
    assert made["findings"][0]["mend"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"network": "nowhere"}, "/network", "enum"),
        ({"network": "generic", "base_url": "http://93.184.216.34"}, "/base_url", "address_not_allowed"),
        ({"network": "generic", "base_url": "https://10.1.2.3"}, "/base_url", "address_not_allowed"),
        (
            {"network": "generic", "credentials": {"url": "http://192.168.0.1/"}},
            "/credentials/url",
            "address_not_allowed",
        ),
        ({"network": "generic", "credentials": {"colour": "red"}}, "/credentials/colour", "unknown"),
        ({"network": "facebook"}, "/credentials/app_secret", "required"),
        ({"network": "generic", "name": "x" * 201}, "/name", "too_long"),
    ],
)
async def test_bad_input_is_422_at_its_place(caller: Caller, body: dict[str, Any], pointer: str, code: str) -> None:
    found = problem(await caller.post("/channels", body), 422)

    assert [(e["pointer"], e["code"]) for e in found["errors"]] == [(pointer, code)]
    assert (await caller.get("/channels")).json()["data"] == []


async def test_the_same_presence_twice_is_409_until_it_is_removed(caller: Caller) -> None:
    made = await _connect(caller, external_id="shop")

    assert problem(await caller.post("/channels", {"network": "generic", "external_id": "shop"}), 409)["code"] == (
        "channel_exists"
    )
    await caller.delete(f"/channels/{made['id']}")
    await _connect(caller, external_id="shop")


async def test_pause_and_resume(caller: Caller) -> None:
    made = await _connect(caller)

    paused = await caller.post(f"/channels/{made['id']}/pause")
    resumed = await caller.post(f"/channels/{made['id']}/resume")

    assert (paused.status_code, paused.json()["status"]) == (200, "paused")
    assert (resumed.status_code, resumed.json()["status"]) == (200, "active")


async def test_a_removed_channel_is_404_and_its_coverage_ends(
    caller: Caller, app_db: Database, brand: HouseBrand
) -> None:
    made = await _connect(caller)

    removed = await caller.delete(f"/channels/{made['id']}")

    assert (removed.status_code, removed.content) == (204, b"")
    problem(await caller.get(f"/channels/{made['id']}"), 404)
    problem(await caller.post(f"/channels/{made['id']}/pause"), 404)
    async with app_db.session() as session:
        await scopes.house(session, brand.brand_id)
        ended = await session.execute(text("SELECT count(*) FROM coverage WHERE to_at IS NOT NULL"))
        hook = await session.execute(text("SELECT removed_at IS NOT NULL FROM hook"))
        sealed = await session.execute(text("SELECT credentials FROM channel"))
        assert ended.scalar_one() == 1
        assert hook.scalar_one() is True
        assert sealed.scalar_one() is None


async def test_coverage_is_open_from_connecting(caller: Caller) -> None:
    made = await _connect(caller)

    found = (await caller.get(f"/channels/{made['id']}/coverage")).json()

    assert [(i["kind"], i["via"], i["from"], i["to"]) for i in found["data"]] == [
        ("observed", "webhook", made["created_at"], None)
    ]


async def test_patch_changes_what_is_sent_and_nothing_else(caller: Caller) -> None:
    made = await _connect(caller, name="Letters")

    changed = await caller.patch(f"/channels/{made['id']}", {"name": "Mail"})

    assert changed.json()["name"] == "Mail"
    assert {**changed.json(), "name": None, "version": None} == {
        **{name: value for name, value in made.items() if name not in {"secret", "verify_token"}},
        "name": None,
        "version": None,
    }


async def test_a_stale_if_match_is_412(caller: Caller) -> None:
    made = await _connect(caller)
    tag = (await caller.get(f"/channels/{made['id']}")).headers["etag"]
    await caller.patch(f"/channels/{made['id']}", {"name": "Mail"}, headers={"if-match": tag})

    stale = await caller.patch(f"/channels/{made['id']}", {"name": "Post"}, headers={"if-match": tag})

    assert problem(stale, 412)["code"] == "stale"


@pytest.mark.parametrize(("method", "verb"), [("POST", "/pause"), ("POST", "/resume"), ("DELETE", "")])
async def test_a_stale_if_match_stops_every_verb_and_a_current_one_does_not(
    caller: Caller, method: str, verb: str
) -> None:
    made = await _connect(caller)
    tag = (await caller.get(f"/channels/{made['id']}")).headers["etag"]
    now = (await caller.patch(f"/channels/{made['id']}", {"name": "Mail"})).headers["etag"]

    stale = await caller.ask(method, f"/channels/{made['id']}{verb}", headers={"if-match": tag})
    still = (await caller.get(f"/channels/{made['id']}")).headers["etag"]
    done = await caller.ask(method, f"/channels/{made['id']}{verb}", headers={"if-match": now})

    assert problem(stale, 412)["code"] == "stale"
    assert still == now
    assert done.status_code in {200, 204}


async def test_checking_runs_the_self_test_again(caller: Caller, receiver: str) -> None:
    made = await _connect(caller, credentials={"url": "http://127.0.0.1:1/", "secret": SECRET})
    await caller.patch(f"/channels/{made['id']}", {"credentials": {"url": receiver, "secret": SECRET}})

    checked = (await caller.post(f"/channels/{made['id']}/check")).json()

    assert [finding["ok"] for finding in checked["findings"]] == [True]
    assert checked["checked_at"] > made["checked_at"]


async def test_facebooks_own_secret_is_not_shown_back_but_its_verify_token_is(caller: Caller) -> None:
    body = {"network": "facebook", "external_id": "1234", "credentials": {"app_secret": "the app's own"}}
    made = (await caller.post("/channels", body)).json()

    assert made["secret"] is None
    assert len(made["verify_token"]) >= 16


async def test_what_was_done_is_in_the_audit_log_without_secrets(caller: Caller) -> None:
    made = await _connect(caller)
    await caller.delete(f"/channels/{made['id']}")

    entries = (await caller.get("/audit")).json()["data"]

    assert [entry["action"] for entry in entries] == ["channel.remove", "channel.check", "channel.connect"]
    assert {entry["target"] for entry in entries} == {made["id"]}
    assert all(entry["user_id"].startswith("user_") for entry in entries)
    assert made["secret"] not in str(entries)


async def test_lists_are_paged_newest_first(caller: Caller) -> None:
    made = [(await _connect(caller))["id"] for _ in range(5)]

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await caller.get("/channels", params={"limit": 2, **cursor})).json()
        seen += [channel["id"] for channel in page["data"]]
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == made[::-1]


async def test_a_cursor_of_another_brand_is_an_error(caller: Caller, house: House) -> None:
    for _ in range(2):
        await _connect(caller)
    cursor = (await caller.get("/channels", params={"limit": 1})).json()["next_cursor"]
    other = await house.brand("Other")
    theirs = Caller(caller.client, _id(other), other.api_key)

    assert problem(await theirs.get("/channels", params={"cursor": cursor}), 422)["code"] == "bad_cursor"


def _id(brand: HouseBrand) -> str:
    return typeid(Prefix.BRAND, brand.brand_id)
