"""Section 6, REST under `/v1`: idempotency, ETags, and what changes a channel."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contract.conftest import problem
from tests.contract.house import Channel, Tenant


def post_with(tenant: Tenant, key: str, text: str = "once", **more: Any) -> httpx.Response:
    body = {"text": text, "channel_ids": [tenant.channel("sandbox").id], **more}
    return tenant.rest("POST", "/posts", json=body, headers={"idempotency-key": key})


def test_the_same_key_again_replays_the_first_answer(tenant: Tenant) -> None:
    key = uuid.uuid4().hex
    first, again = post_with(tenant, key), post_with(tenant, key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["request-id"] != first.headers["request-id"]


def test_the_same_key_with_another_body_is_a_mismatch(tenant: Tenant) -> None:
    key = uuid.uuid4().hex
    post_with(tenant, key)

    problem(post_with(tenant, key, "another"), 422, "idempotency_mismatch")


def test_of_many_at_once_with_one_key_one_takes_effect(tenant: Tenant) -> None:
    key, text = uuid.uuid4().hex, f"at once {uuid.uuid4().hex}"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post_with(tenant, key, text), range(8)))

    made = [it for it in answers if it.status_code == 201]
    assert made
    assert len({it.json()["id"] for it in made}) == 1
    assert sum("idempotency-replayed" not in it.headers for it in made) == 1
    for it in answers:
        if it.status_code != 201:
            assert problem(it, 409)["retryable"] is True
    assert [it["text"] for it in tenant.get("/posts", limit=100)["data"]].count(text) == 1


def test_an_effect_that_failed_leaves_no_key_behind(tenant: Tenant) -> None:
    key = uuid.uuid4().hex
    problem(post_with(tenant, key, status="published"), 422)

    assert post_with(tenant, key).status_code == 201


def test_keys_are_kept_by_principal(tenant: Tenant, other: Tenant) -> None:
    key = uuid.uuid4().hex
    mine, theirs = post_with(tenant, key), post_with(other, key)

    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert "idempotency-replayed" not in theirs.headers


def test_the_same_key_at_another_address_is_a_mismatch(tenant: Tenant) -> None:
    key = uuid.uuid4().hex
    post_with(tenant, key)
    answer = tenant.rest("POST", f"/channels/{tenant.channel().id}/check", headers={"idempotency-key": key})

    problem(answer, 422, "idempotency_mismatch")


@pytest.mark.parametrize("verb", ["pause", "check", "resume"])
def test_every_post_takes_a_key(tenant: Tenant, verb: str) -> None:
    channel, key = tenant.connect(name=verb), uuid.uuid4().hex
    answers = [
        tenant.rest("POST", f"/channels/{channel.id}/{verb}", headers={"idempotency-key": key}) for _ in range(2)
    ]

    assert answers[0].status_code < 300
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert answers[1].json() == answers[0].json()


def test_a_key_of_a_thousand_characters_is_no_5xx(tenant: Tenant) -> None:
    assert post_with(tenant, "k" * 1000).status_code in {201, 422}


def test_changing_a_post_without_if_match_is_428(tenant: Tenant, draft: httpx.Response) -> None:
    problem(tenant.rest("PATCH", f"/posts/{draft.json()['id']}", json={"text": "x"}), 428)


def test_changing_a_stale_post_is_412(tenant: Tenant, draft: httpx.Response) -> None:
    path = f"/posts/{draft.json()['id']}"
    etag = tenant.rest("GET", path).headers["etag"]
    changed = tenant.rest("PATCH", path, json={"text": "changed"}, headers={"if-match": etag})
    assert (changed.status_code, changed.json()["text"]) == (200, "changed")
    assert changed.headers["etag"] != etag

    problem(tenant.rest("PATCH", path, json={"text": "lost update"}, headers={"if-match": etag}), 412)
    assert tenant.get(path)["text"] == "changed"


@pytest.mark.parametrize("etag", ['"nonsense"', "nonsense", 'W/"1"', '"'])
def test_any_other_if_match_is_412(tenant: Tenant, draft: httpx.Response, etag: str) -> None:
    path = f"/posts/{draft.json()['id']}"

    problem(tenant.rest("PATCH", path, json={"text": "x"}, headers={"if-match": etag}), 412)


def test_the_etag_of_creating_is_good_for_changing(tenant: Tenant, draft: httpx.Response) -> None:
    answer = tenant.rest(
        "PATCH", f"/posts/{draft.json()['id']}", json={"text": "x"}, headers={"if-match": draft.headers["etag"]}
    )
    assert answer.status_code == 200


def test_a_channel_is_renamed_paused_and_resumed(tenant: Tenant) -> None:
    channel: Channel = tenant.connect(name="before")
    path = f"/channels/{channel.id}"
    etag = tenant.rest("GET", path).headers["etag"]

    assert tenant.rest("PATCH", path, json={"name": "after"}, headers={"if-match": etag}).json()["name"] == "after"
    assert tenant.rest("POST", f"{path}/pause").json()["status"] == "paused"
    assert tenant.rest("POST", f"{path}/resume").json()["status"] == "active"
    assert tenant.get(path)["name"] == "after"


def test_a_removed_channel_is_no_longer_listed(tenant: Tenant) -> None:
    channel = tenant.connect(name="unlisted")
    tenant.rest("DELETE", f"/channels/{channel.id}")

    assert channel.id not in {it["id"] for it in tenant.get("/channels", limit=100)["data"]}
