"""Webhook endpoints and what was sent to them, by REST."""

from typing import Any

import pytest

from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import GrantRole, KeyScope
from tests.domain.notifying.conftest import Desk, desk
from tests.services.api.rest.conftest import Caller, problem

__all__ = ["desk"]
ENDPOINTS = "/v1/webhook-endpoints"
URL = "http://127.0.0.1:9/hear"


async def opened(caller: Caller, **more: Any) -> dict[str, Any]:
    answer = await caller.post(ENDPOINTS, {"url": URL, "kinds": ["post_failed"], **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{ENDPOINTS}/{found['id']}"
    return found


async def test_the_secret_is_shown_once(caller: Caller) -> None:
    made = await opened(caller)
    assert made["secret"].startswith("whsec_")
    shown = (await caller.get(f"{ENDPOINTS}/{made['id']}")).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert made["secret"] not in (await caller.get(ENDPOINTS)).text


async def test_a_repeat_under_the_same_key_makes_one_endpoint_and_tells_the_same_secret(caller: Caller) -> None:
    key = {"idempotency-key": "once"}
    body = {"url": URL, "kinds": ["post_failed"]}
    first, second = [await caller.post(ENDPOINTS, body, headers=key) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert len((await caller.get(ENDPOINTS)).json()["data"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "http://10.0.0.1/hear", "kinds": ["post_failed"]}, "/url"),
        ({"url": "ftp://127.0.0.1/", "kinds": ["post_failed"]}, "/url"),
        ({"url": "http://no:one@127.0.0.1/", "kinds": ["post_failed"]}, "/url"),
        ({"url": URL, "kinds": []}, "/kinds"),
        ({"url": URL, "kinds": ["everything"]}, "/kinds/0"),
    ],
    ids=["private", "scheme", "password", "no-kinds", "unknown-kind"],
)
async def test_what_can_not_be_called_or_hears_nothing_is_refused(
    caller: Caller, body: dict[str, Any], pointer: str
) -> None:
    found = problem(await caller.post(ENDPOINTS, body), 422)
    assert [one["pointer"] for one in found["errors"]] == [pointer]


async def test_an_endpoint_is_moved_switched_off_and_on_again(caller: Caller) -> None:
    place = f"{ENDPOINTS}/{(await opened(caller))['id']}"
    moved = (await caller.patch(place, {"url": f"{URL}/else", "kinds": ["channel_died"], "is_enabled": False})).json()
    assert (moved["url"], moved["kinds"], moved["is_enabled"]) == (f"{URL}/else", ["channel_died"], False)
    assert moved["disabled_reason"] == "a person switched it off"
    problem(await caller.post(f"{place}/test"), 409)
    again = (await caller.patch(place, {"is_enabled": True})).json()
    assert (again["is_enabled"], again["disabled_reason"], again["version"]) == (True, None, 3)


async def test_a_change_of_another_version_is_stale(caller: Caller) -> None:
    made = await opened(caller)
    place = f"{ENDPOINTS}/{made['id']}"
    tag = (await caller.get(place)).headers["etag"]
    await caller.patch(place, {"kinds": ["channel_died"]}, headers={"if-match": tag})
    problem(await caller.patch(place, {"kinds": ["post_failed"]}, headers={"if-match": tag}), 412)


async def test_an_endpoint_that_is_removed_is_gone_and_its_log_stays(caller: Caller) -> None:
    place = f"{ENDPOINTS}/{(await opened(caller))['id']}"
    await caller.post(f"{place}/test")
    assert (await caller.delete(place)).status_code == 204
    problem(await caller.get(place), 404)
    assert (await caller.get(ENDPOINTS)).json()["data"] == []
    assert len((await caller.get(f"{place}/deliveries")).json()["data"]) == 1


async def test_a_test_message_waits_to_be_delivered_and_is_in_the_log(caller: Caller) -> None:
    place = f"{ENDPOINTS}/{(await opened(caller))['id']}"
    made = await caller.post(f"{place}/test")
    assert made.status_code == 201
    found = (await caller.get(made.headers["location"])).json()
    assert (found["type"], found["state"], found["attempts"]) == ("test", "waiting", [])
    assert (await caller.get(f"{place}/deliveries")).json()["data"] == [found]


async def test_a_delivery_that_is_over_is_sent_again_by_hand_under_its_own_id(caller: Caller, desk: Desk) -> None:
    place = f"{ENDPOINTS}/{(await opened(caller))['id']}"
    made = (await caller.post(f"{place}/test")).json()
    await desk.eye.execute("UPDATE webhook_delivery SET state = 'failed', settled_at = now(); DELETE FROM due_webhook")
    again = (await caller.post(f"/v1/webhook-deliveries/{made['id']}/redeliver")).json()
    assert (again["id"], again["state"]) == (made["id"], "waiting")
    assert await desk.eye.fetchval("SELECT count(*) FROM due_webhook") == 1
    await desk.eye.execute("UPDATE webhook_delivery SET state = 'sending'")
    problem(await caller.post(f"/v1/webhook-deliveries/{made['id']}/redeliver"), 409)


async def test_a_brands_endpoint_needs_a_manager_and_a_key_for_channels(caller: Caller, desk: Desk) -> None:
    reader = caller.as_(await desk.house.key(desk.brand, KeyScope.READ))
    body = {"url": URL, "kinds": ["post_failed"], "brand_id": caller.brand_id}
    problem(await reader.post(ENDPOINTS, body), 403)
    made = await opened(caller, brand_id=caller.brand_id)
    await desk.eye.execute('UPDATE "grant" SET role = $1', GrantRole.EDITOR.value)
    problem(await caller.post(ENDPOINTS, body), 403)
    problem(await caller.get(f"{ENDPOINTS}/{made['id']}"), 404)
    assert (await caller.get(ENDPOINTS)).json()["data"] == []


async def test_a_key_of_one_brand_opens_that_brands_endpoints_alone(caller: Caller, desk: Desk) -> None:
    mine = await opened(caller)
    narrow = await desk.house.key(desk.brand, KeyScope.ALL)
    await desk.eye.execute("UPDATE api_key SET brand_id = $1 WHERE name = 'narrow'", desk.brand.brand_id)
    limited = caller.as_(narrow)
    problem(await limited.post(ENDPOINTS, {"url": URL, "kinds": ["post_failed"]}), 403)
    await opened(limited, brand_id=caller.brand_id)
    problem(await limited.get(f"{ENDPOINTS}/{mine['id']}"), 404)
    assert [one["brand_id"] for one in (await limited.get(ENDPOINTS)).json()["data"]] == [caller.brand_id]


async def test_a_colleagues_own_endpoint_is_not_there(caller: Caller, desk: Desk) -> None:
    made = await opened(caller)
    colleague = await desk.colleague(GrantRole.MANAGER)
    await desk.eye.execute("UPDATE webhook_endpoint SET user_id = $1", colleague.user_id)
    problem(await caller.get(f"{ENDPOINTS}/{made['id']}"), 404)
    problem(await caller.get(f"{ENDPOINTS}/{typeid(Prefix.WEBHOOK_ENDPOINT, new_uuid())}"), 404)


async def test_there_are_so_many_endpoints_and_no_more(caller: Caller) -> None:
    for _ in range(20):
        await opened(caller)
    found = problem(await caller.post(ENDPOINTS, {"url": URL, "kinds": ["post_failed"]}), 409)
    assert "20" in found["detail"]
