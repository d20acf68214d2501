"""Section 6, REST under `/v1`: problems with every code, and what creating answers."""

import json

import httpx
import pytest

from tests.contract.conftest import Up, parvis, problem
from tests.contract.house import Tenant


@pytest.mark.parametrize(
    "authorization",
    [None, b"", b"Bearer", b"Bearer pv_wrong", b"Bearer pv_" + b"x" * 43, b"Basic cHY6eA==", b"pv_wrong",
     "Bearer é".encode(), b"Bearer " + b"x" * 5000],
)  # fmt: skip
def test_no_or_a_bad_key_is_401(web: httpx.Client, tenant: Tenant, authorization: bytes | None) -> None:
    headers = [] if authorization is None else [(b"authorization", authorization)]
    for path in ("/v1/brands", f"/v1/brands/{tenant.brand_id}/mentions", "/v1/viewer"):
        problem(web.get(tenant.local["api"] + path, headers=headers), 401)


def test_a_key_that_may_not_write_is_403(up: Up, tenant: Tenant) -> None:
    made = parvis(up.folder, up.environment, "key", "create", "--user", tenant.given["user_id"], "--scope", "read")
    assert made.returncode == 0, made.stdout + made.stderr
    headers = {"authorization": f"Bearer {json.loads(made.stdout)['api_key']}"}
    assert tenant.rest("GET", "/mentions", headers=headers).status_code == 200

    body = {"text": "Bonjour", "channel_ids": [tenant.channel("sandbox").id]}
    problem(tenant.rest("POST", "/posts", headers=headers, json=body), 403)
    problem(tenant.rest("POST", f"/channels/{tenant.channel().id}/pause", headers=headers), 403)


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/nothing", "/v1/brands/x/nothing"])
def test_an_unknown_address_is_404(tenant: Tenant, path: str) -> None:
    problem(tenant.call("GET", path), 404)


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("DELETE", ""), ("POST", "/mentions"), ("DELETE", "/posts")])
def test_another_method_is_405(tenant: Tenant, method: str, path: str) -> None:
    problem(tenant.rest(method, path), 405)


def test_publishing_twice_is_409(tenant: Tenant, draft: httpx.Response) -> None:
    post_id = draft.json()["id"]
    assert tenant.rest("POST", f"/posts/{post_id}/cancel").status_code < 300

    problem(tenant.rest("POST", f"/posts/{post_id}/publish"), 409)


def test_the_same_channel_twice_is_409(tenant: Tenant) -> None:
    tenant.connect(name="first", external_id="the same one")
    problem(tenant.rest("POST", "/channels", json={"network": "generic", "external_id": "the same one"}), 409)


BODIES: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"hello",
    "truncated": b'{"text": "a"',
    "a list": b"[]",
    "null": b"null",
    "wrongly encoded": '{"text": "é"}'.encode("latin-1"),
    "no text": b'{"channel_ids": []}',
    "unknown field": b'{"text": "a", "channel_ids": [], "colour": "red"}',
    "channels as text": b'{"text": "a", "channel_ids": "all"}',
    "an unknown channel": b'{"text": "a", "channel_ids": ["chan_01h455vb4pex5vsknk084sn02q"]}',
    "a malformed channel": b'{"text": "a", "channel_ids": ["nonsense"]}',
    "deep": b'{"text": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "not a number": b'{"text": NaN}',
    "an unknown status": b'{"text": "a", "channel_ids": [], "status": "published"}',
    "a time without zone": b'{"text": "a", "channel_ids": [], "scheduled_at": "2026-12-01T09:00:00"}',
    "an unknown zone": b'{"text": "a", "channel_ids": [], "local_time": "2026-12-01T09:00", "timezone": "Mars"}',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_used_is_422(tenant: Tenant, name: str) -> None:
    answer = tenant.rest("POST", "/posts", content=BODIES[name], headers={"content-type": "application/json"})

    found = problem(
        answer, 404 if name in {"an unknown channel", "a malformed channel"} and answer.status_code == 404 else 422
    )
    assert found["detail"]


def test_a_422_points_at_the_place(tenant: Tenant) -> None:
    found = problem(tenant.rest("POST", "/posts", json={"text": ["a"], "channel_ids": []}), 422)

    assert any(it["pointer"].endswith("/text") for it in found["errors"]), found["errors"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800"])
def test_nul_and_lone_surrogates_in_a_body_are_no_5xx(tenant: Tenant, text: str) -> None:
    body = json.dumps({"text": text, "channel_ids": [tenant.channel("sandbox").id]})
    answer = tenant.rest("POST", "/posts", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in {201, 422}, answer.text


def test_a_body_too_large_is_413(tenant: Tenant) -> None:
    body = json.dumps({"text": "a" * 30_000_000, "channel_ids": []})

    problem(tenant.rest("POST", "/posts", content=body, headers={"content-type": "application/json"}), 413)


def test_creating_makes_201_with_a_location(tenant: Tenant, draft: httpx.Response) -> None:
    location = httpx.URL(tenant.local["api"]).join(draft.headers["location"])

    assert tenant.web.get(location, headers=tenant.authorization).json()["id"] == draft.json()["id"]


def test_connecting_makes_201_with_a_location_an_address_and_a_self_test(tenant: Tenant) -> None:
    answer = tenant.rest("POST", "/channels", json={"network": "generic", "name": "Partners"})

    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"].endswith(made["id"])
    assert made["webhook_url"].startswith(f"{tenant.local['ingest']}/webhooks/hook_")
    assert (made["network"], made["name"]) == ("generic", "Partners")
    assert isinstance(made["findings"], list)
    assert made["secret"].startswith("whsec_")


def test_a_secret_is_shown_once_and_credentials_never(tenant: Tenant) -> None:
    credentials = {"url": "http://127.0.0.1:9/never", "secret": "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5"}
    made = tenant.rest("POST", "/channels", json={"network": "generic", "name": "x", "credentials": credentials})
    assert made.status_code == 201, made.text
    shown = made.json()["secret"]

    later = tenant.rest("GET", f"/channels/{made.json()['id']}").text + tenant.rest("GET", "/channels").text
    assert credentials["secret"] not in later + made.text
    assert shown not in later


@pytest.mark.parametrize(
    "url", ["http://10.1.2.3/x", "https://10.1.2.3/x", "http://example.org/x", "https://169.254.169.254/latest",
            "https://[::1]/x", "ftp://example.org/", "nonsense", "https://localhost.:9/", "http://2130706433.:1/"],
)  # fmt: skip
def test_addresses_must_be_public_and_https(tenant: Tenant, url: str) -> None:
    credentials = {"url": url, "secret": "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5"}
    problem(tenant.rest("POST", "/channels", json={"network": "generic", "credentials": credentials}), 422)


def test_an_unknown_network_is_422(tenant: Tenant) -> None:
    problem(tenant.rest("POST", "/channels", json={"network": "myspace"}), 422)


def test_deleting_is_204(tenant: Tenant) -> None:
    channel = tenant.connect(name="to remove")
    answer = tenant.rest("DELETE", f"/channels/{channel.id}")

    assert (answer.status_code, answer.content) == (204, b"")
