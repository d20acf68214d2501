"""Section 5: signatures that are wrong, and what is rightly signed but not understood."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import pytest

from tests.contract.forging import RECORDED, forged, replaced, without
from tests.contract.house import Channel, Json, Tenant, body, mention


@pytest.mark.parametrize(
    "change",
    [
        without("webhook-signature"),
        without("webhook-id"),
        without("webhook-timestamp"),
        replaced("webhook-signature", ""),
        replaced("webhook-signature", "v1,AAAA"),
        replaced("webhook-signature", "v1," + base64.b64encode(bytes(32)).decode()),
        replaced("webhook-signature", "not a signature"),
        replaced("webhook-timestamp", "soon"),
        replaced("webhook-timestamp", "9" * 400),
        replaced("webhook-timestamp", "-1"),
        replaced("webhook-id", "msg_another"),
    ],
)
def test_a_missing_or_wrong_signature_is_401(
    generic: Channel, change: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    assert forged(generic, change).status_code == 401


@pytest.mark.parametrize("seconds", [-302, 302, -86_400, 86_400])
def test_a_stamp_more_than_300_seconds_off_is_401(generic: Channel, seconds: int) -> None:
    assert generic.post(body("stale"), stamp=time.time() + seconds).status_code == 401


@pytest.mark.parametrize("seconds", [-297, 297])
def test_a_stamp_within_300_seconds_is_fine(generic: Channel, seconds: int) -> None:
    assert generic.post(body("in time"), stamp=time.time() + seconds).status_code == 200


def test_one_right_signature_among_several_is_enough(generic: Channel) -> None:
    raw = body("rotated")
    headers = generic.headers(raw)
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']} v1a,BBBB"

    assert generic.web.post(generic.address, content=raw, headers=headers).status_code == 200


def test_a_signature_over_other_bytes_is_401(generic: Channel) -> None:
    headers = generic.headers(body("one"))

    assert generic.web.post(generic.address, content=body("another"), headers=headers).status_code == 401


def test_another_channels_secret_is_401(generic: Channel, other: Tenant) -> None:
    raw = body("foreign secret")
    headers = other.channel("generic").headers(raw)

    assert generic.web.post(generic.address, content=raw, headers=headers).status_code == 401


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=00", "sha256=é", "sha1=" + "0" * 40])
def test_facebook_without_a_right_signature_is_401(facebook: Channel, signature: str | None) -> None:
    headers = [] if signature is None else [(b"x-hub-signature-256", signature.encode())]

    answer = facebook.web.post(facebook.address, content=b'{"object": "page", "entry": []}', headers=headers)
    assert answer.status_code == 401


def test_a_legacy_sha1_signature_is_not_enough(facebook: Channel) -> None:
    raw = b'{"object": "page", "entry": []}'
    digest = hmac.new(str(facebook.given["secret"]).encode(), raw, hashlib.sha1).hexdigest()  # Meta's old one

    answer = facebook.web.post(facebook.address, content=raw, headers={"x-hub-signature": f"sha1={digest}"})
    assert answer.status_code == 401


def test_what_is_refused_leaves_no_arrival(tenant: Tenant, generic: Channel) -> None:
    before = tenant.get("/arrivals", limit=1)["data"][0]["id"]
    forged(generic, without("webhook-signature"))

    assert tenant.get("/arrivals", limit=1)["data"][0]["id"] == before


UNREADABLE = {
    "not JSON": b"hello",
    "empty": b"",
    "truncated": body("truncated")[:-7],
    "latin-1": '{"mentions": [{"id": "é"}]}'.encode("latin-1"),
    "utf-16": '{"mentions": []}'.encode("utf-16"),
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "binary": bytes(range(256)),
    "deep": b'{"mentions": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a huge number": b'{"mentions": ' + b"9" * 100_000 + b"}",
    "not a number": b'{"mentions": NaN}',
    "nothing of ours": b'{"ref": "refs/heads/main"}',
    "mentions as text": b'{"mentions": "all"}',
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_not_understood_is_kept_as_unreadable(tenant: Tenant, generic: Channel, name: str) -> None:
    answer = generic.post(UNREADABLE[name])

    assert answer.status_code == 200, answer.text
    arrival = tenant.arrival(answer.json()["arrival_id"])
    assert arrival["state"] == "unreadable"
    assert arrival["problems"]
    assert all(it["message"] for it in arrival["problems"])
    listed = tenant.get("/arrivals", state="unreadable", limit=100)["data"]
    assert answer.json()["arrival_id"] in {it["id"] for it in listed}


def test_an_unreadable_arrival_can_be_replayed(tenant: Tenant, generic: Channel) -> None:
    arrival_id = generic.post(b"again").json()["arrival_id"]
    tenant.arrival(arrival_id)

    answer = tenant.rest("POST", f"/arrivals/{arrival_id}/replay")
    assert answer.status_code < 300, answer.text
    assert tenant.arrival(arrival_id)["state"] == "unreadable"


def test_a_settled_arrival_replayed_changes_nothing(tenant: Tenant) -> None:
    arrival = tenant.hear(mention("replayed", "once"))
    before = tenant.by_external_id("replayed")

    assert tenant.rest("POST", f"/arrivals/{arrival['id']}/replay").status_code < 300
    assert tenant.arrival(arrival["id"])["state"] == "settled"
    assert tenant.by_external_id("replayed") == before
    assert tenant.history(before["id"]) == ["once"]


@pytest.mark.parametrize("name", ["github__push", "gitlab__pull_request", "gitlab__push"])
def test_other_products_webhooks_are_badly_signed_or_unreadable(tenant: Tenant, generic: Channel, name: str) -> None:
    if not RECORDED.is_dir():
        pytest.skip(f"no recorded deliveries in {RECORDED}")
    headers: Json = json.loads((RECORDED / f"{name}-headers.json").read_text())
    theirs = {key: value for key, value in headers.items() if key not in {"host", "content-length"}}
    payload = RECORDED / f"{name}-payload.json"
    raw = payload.read_bytes() if payload.exists() else b'{"object_kind": "push", "commits": []}'
    as_sent = generic.web.post(generic.address, content=raw, headers=theirs)
    rightly_signed = generic.web.post(generic.address, content=raw, headers={**theirs, **generic.headers(raw)})

    assert as_sent.status_code == 401
    assert rightly_signed.status_code == 200
    assert tenant.arrival(rightly_signed.json()["arrival_id"])["state"] == "unreadable"


def test_stored_headers_leave_out_signatures_and_secrets(tenant: Tenant, generic: Channel) -> None:
    raw = body("headers")
    told = {**generic.headers(raw), "authorization": "Bearer canary-1", "cookie": "canary-2"}
    arrival_id = generic.web.post(generic.address, content=raw, headers=told).json()["arrival_id"]

    shown = json.dumps(tenant.arrival(arrival_id)["headers"])
    assert "canary" not in shown
    assert told["webhook-signature"] not in shown


def test_another_tenant_sees_nothing_of_an_arrival(tenant: Tenant, other: Tenant, generic: Channel) -> None:
    arrival_id = generic.post(body("mine")).json()["arrival_id"]

    assert other.rest("GET", f"/arrivals/{arrival_id}").status_code == 404
    assert other.rest("POST", f"/arrivals/{arrival_id}/replay").status_code == 404
    assert tenant.rest("GET", f"/arrivals/{arrival_id}").status_code == 200
