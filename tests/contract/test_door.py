"""Section 5: every line of its table, at the running door."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.contract.conftest import Up
from tests.contract.forging import BIGGEST
from tests.contract.house import Channel, Tenant, body, mention


def test_what_is_accepted_says_its_arrival(generic: Channel) -> None:
    answer = generic.post(body("accepted"))

    assert answer.status_code == 200
    assert set(answer.json()) == {"arrival_id", "duplicate"}
    assert answer.json()["arrival_id"].startswith("arr_")
    assert answer.json()["duplicate"] is False
    assert answer.headers["content-type"].startswith("application/json")


def test_the_arrival_is_durable_before_the_answer(tenant: Tenant, generic: Channel) -> None:
    arrival_id = generic.post(body("durable")).json()["arrival_id"]

    assert tenant.rest("GET", f"/arrivals/{arrival_id}").status_code == 200


def test_the_same_delivery_again_is_a_duplicate_and_the_first_body_wins(tenant: Tenant, generic: Channel) -> None:
    key = f"msg_{uuid.uuid4().hex}"
    first = generic.post(body("twice", "the first body"), key=key).json()
    again = generic.post(body("twice", "the second body"), key=key)

    assert again.status_code == 200
    assert again.json() == {"arrival_id": first["arrival_id"], "duplicate": True}
    tenant.arrival(first["arrival_id"])
    assert tenant.by_external_id("twice")["text"] == "the first body"


def test_a_duplicate_after_settling_is_still_one(tenant: Tenant, generic: Channel) -> None:
    key = f"msg_{uuid.uuid4().hex}"
    first = generic.post(body("later"), key=key).json()
    tenant.arrival(first["arrival_id"])

    assert generic.post(body("later"), key=key).json() == {"arrival_id": first["arrival_id"], "duplicate": True}


def test_of_ten_at_once_one_is_the_first(tenant: Tenant, generic: Channel) -> None:
    key = f"msg_{uuid.uuid4().hex}"
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: generic.post(body("ten", f"text {n}"), key=key), range(10)))

    assert [it.status_code for it in answers] == [200] * 10
    assert len({it.json()["arrival_id"] for it in answers}) == 1
    assert sorted(it.json()["duplicate"] for it in answers) == [False] + [True] * 9
    tenant.arrival(answers[0].json()["arrival_id"])
    assert len(tenant.history(tenant.by_external_id("ten")["id"])) == 1


def test_the_same_key_at_another_hook_is_another_delivery(tenant: Tenant, generic: Channel) -> None:
    key = f"msg_{uuid.uuid4().hex}"
    second = tenant.connect(name="another")
    first_answer = generic.post(body("key of both"), key=key).json()
    other_answer = second.post(body("key of both"), key=key).json()

    assert other_answer["duplicate"] is False
    assert other_answer["arrival_id"] != first_answer["arrival_id"]


def test_a_network_without_delivery_ids_is_told_apart_by_its_bytes(facebook: Channel) -> None:
    raw = json.dumps({"object": "page", "entry": [{"id": facebook.external_id, "time": 1, "changes": []}]}).encode()
    first = facebook.post(raw).json()

    assert facebook.post(raw).json() == {"arrival_id": first["arrival_id"], "duplicate": True}
    assert facebook.post(raw + b" ").json()["duplicate"] is False


def test_the_right_handshake_gets_the_challenge_as_it_came(facebook: Channel) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "11584 <b>", "hub.verify_token": facebook.given["verify_token"]}
    answer = facebook.web.get(facebook.address, params=asked)

    assert (answer.status_code, answer.text) == (200, "11584 <b>")
    assert "html" not in answer.headers.get("content-type", "")


@pytest.mark.parametrize("token", ["wrong", "", "é" * 300])
def test_a_wrong_handshake_token_is_403(facebook: Channel, token: str) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": token}

    assert facebook.web.get(facebook.address, params=asked).status_code == 403


def test_a_handshake_without_a_token_is_403(facebook: Channel) -> None:
    assert facebook.web.get(facebook.address, params={"hub.mode": "subscribe", "hub.challenge": "1"}).status_code == 403


@pytest.mark.parametrize(
    "hook", ["hook_01h455vb4pex5vsknk084sn02q", "hook_", "nonsense", "org_01h455vb4pex5vsknk084sn02q", "%00", "a" * 500]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_hook_is_404(up: Up, web: httpx.Client, hook: str, method: str) -> None:
    assert web.request(method, f"{up.local['ingest']}/webhooks/{hook}", content=b"{}").status_code == 404


def test_a_removed_channel_is_404(tenant: Tenant) -> None:
    channel = tenant.connect(name="short-lived")
    assert channel.post(body("before removal")).status_code == 200
    assert tenant.rest("DELETE", f"/channels/{channel.id}").status_code == 204

    assert channel.post(body("after removal")).status_code == 404


def test_removing_a_channel_keeps_its_mentions(tenant: Tenant) -> None:
    channel = tenant.connect(name="removed")
    tenant.hear(mention("outlives its channel"), channel=channel)
    tenant.rest("DELETE", f"/channels/{channel.id}")

    assert tenant.by_external_id("outlives its channel")["text"] == "Bonjour"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("network", ["generic", "facebook"])
def test_another_method_is_405(tenant: Tenant, network: str, method: str) -> None:
    channel = tenant.channel(network)

    assert channel.web.request(method, channel.address, content=b"{}").status_code == 405


def test_a_body_too_large_is_413(generic: Channel) -> None:
    assert generic.post(b" " * (BIGGEST + 1)).status_code == 413


def test_a_body_too_large_in_chunks_is_413(generic: Channel) -> None:
    def chunks() -> list[bytes]:
        return [b" " * 65_536] * (BIGGEST // 65_536 + 1)

    answer = generic.web.post(generic.address, content=iter(chunks()), headers=generic.headers(b"".join(chunks())))
    assert answer.status_code == 413


def test_the_largest_body_is_taken(tenant: Tenant, generic: Channel) -> None:
    raw = body("largest")
    answer = generic.post(raw + b" " * (BIGGEST - len(raw)))

    assert answer.status_code == 200
    assert tenant.arrival(answer.json()["arrival_id"])["state"] == "settled"


def test_a_paused_channel_still_hears(tenant: Tenant) -> None:
    channel = tenant.connect(name="paused")
    assert tenant.rest("POST", f"/channels/{channel.id}/pause").status_code < 300
    arrival = tenant.hear(mention("said while paused"), channel=channel)

    assert arrival["state"] == "settled"
    assert tenant.by_external_id("said while paused")["channel_id"] == channel.id
    resumed = tenant.rest("POST", f"/channels/{channel.id}/resume")
    assert resumed.json()["status"] == "active"


def test_a_channels_hook_attributes_all_to_its_channel_whatever_the_payload_says(
    tenant: Tenant, facebook: Channel
) -> None:
    now = int(time.time())
    value = {
        "item": "comment", "verb": "add", "comment_id": "5_77", "post_id": "999_5", "parent_id": "999_5",
        "from": {"id": "8", "name": "Lena"}, "created_time": now, "message": "other page id",
    }  # fmt: skip
    entry = {"id": "999", "time": now, "changes": [{"field": "feed", "value": value}]}
    answer = facebook.post({"object": "page", "entry": [entry]})

    assert tenant.arrival(answer.json()["arrival_id"])["state"] == "settled"
    found = next(it for it in tenant.mentions(network="facebook") if it["text"] == "other page id")
    assert found["channel_id"] == facebook.id
