"""Section 6, REST under `/v1`: lists and cursors, problems, idempotency, ETags, limits and headers."""

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contract.conftest import FRONTEND, ROOT, Up, free_ports, parvis, problem
from tests.contract.house import Channel, Json, Tenant, eventually, mention

LISTS = ["mentions", "threads", "identities", "arrivals", "channels", "posts"]
UNKNOWN = "men_01h455vb4pex5vsknk084sn02q"


@pytest.fixture(scope="module")
def said(tenant: Tenant) -> list[Json]:
    """Seven mentions of one moment and of others, newest first."""
    tenant.hear(
        *(mention(f"page {n}", f"text {n}", published_at="2026-11-20T10:00:00Z") for n in range(4)),
        mention("review", "bien", kind="review", rating=2, language="fr", published_at="2026-11-19T10:00:00Z"),
        mention("good review", "goed", kind="review", rating=5, language="nl", published_at="2026-11-18T10:00:00Z"),
        mention("message", "geheim", kind="message", visibility="private", author={"id": "lena", "handle": "lena.b"},
                published_at="2026-11-21T10:00:00Z"),
    )  # fmt: skip
    return tenant.mentions()


@pytest.fixture
def draft(tenant: Tenant) -> httpx.Response:
    answer = tenant.rest("POST", "/posts", json={"text": "Bonjour", "channel_ids": [tenant.channel("sandbox").id]})
    assert answer.status_code == 201, answer.text
    return answer


# Lists


@pytest.mark.parametrize("noun", LISTS)
def test_a_list_has_its_three_members(tenant: Tenant, said: list[Json], noun: str) -> None:
    page = tenant.get(f"/{noun}")

    assert set(page) == {"data", "next_cursor", "has_more"}
    assert isinstance(page["data"], list)


def test_brands_are_a_list_too(tenant: Tenant) -> None:
    page = tenant.call("GET", "/v1/brands").json()

    assert set(page) == {"data", "next_cursor", "has_more"}
    assert [it["id"] for it in page["data"]] == [tenant.brand_id]


def test_the_default_page_has_twenty(tenant: Tenant) -> None:
    channel = tenant.connect(name="many")
    tenant.hear(*(mention(f"many {n}", published_at="2026-10-01T10:00:00Z") for n in range(21)), channel=channel)
    page = tenant.get("/mentions", channel_id=channel.id)

    assert (len(page["data"]), page["has_more"]) == (20, True)
    assert page["next_cursor"]


def test_the_order_is_newest_first_and_then_by_id(said: list[Json]) -> None:
    keys = [(it["published_at"], it["id"]) for it in said]

    assert keys == sorted(keys, reverse=True)


def test_the_oldest_first_when_asked(tenant: Tenant, said: list[Json]) -> None:
    found = [it["published_at"] for it in tenant.mentions(order="oldest")]

    assert found == sorted(found)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_cursors_walk_the_whole_list_once(tenant: Tenant, said: list[Json], limit: int) -> None:
    until = {"since": "2026-11-01T00:00:00Z"}
    whole = [it["id"] for it in tenant.mentions(**until)]
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = tenant.get("/mentions", limit=limit, **until, **more)
        found += [it["id"] for it in page["data"]]
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        more = {"cursor": page["next_cursor"]}

    assert found == whole


def cursor_of(tenant: Tenant, noun: str = "mentions", **params: Any) -> str:
    cursor = tenant.get(f"/{noun}", limit=1, **params)["next_cursor"]
    assert isinstance(cursor, str)
    return cursor


@pytest.mark.parametrize("cursor", ["", "nonsense", "é", "AAAA", "bnVsbA==", "0", "x" * 3000])
def test_a_bad_cursor_is_an_error(tenant: Tenant, cursor: str) -> None:
    problem(tenant.rest("GET", "/mentions", params={"cursor": cursor}), 422)


def test_a_changed_cursor_is_an_error(tenant: Tenant, said: list[Json]) -> None:
    cursor = cursor_of(tenant)
    for place in (0, len(cursor) // 2, len(cursor) - 3):
        changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        problem(tenant.rest("GET", "/mentions", params={"cursor": changed}), 422)


def test_a_cursor_is_bound_to_its_brand(tenant: Tenant, other: Tenant, said: list[Json]) -> None:
    problem(other.rest("GET", "/mentions", params={"cursor": cursor_of(tenant)}), 422)


def test_a_cursor_is_bound_to_its_filter(tenant: Tenant, said: list[Json]) -> None:
    cursor = cursor_of(tenant, network="generic")

    problem(tenant.rest("GET", "/mentions", params={"cursor": cursor}), 422)
    problem(tenant.rest("GET", "/mentions", params={"cursor": cursor, "kind": "comment"}), 422)
    problem(tenant.rest("GET", "/threads", params={"cursor": cursor}), 422)


@pytest.mark.parametrize("noun", LISTS)
@pytest.mark.parametrize("limit", ["0", "101", "-1", "1000000000000000000000", "ten", "", "1.5"])
def test_a_page_size_out_of_range_is_an_error(tenant: Tenant, noun: str, limit: str) -> None:
    problem(tenant.rest("GET", f"/{noun}", params={"limit": limit}), 422)


@pytest.mark.parametrize("noun", LISTS)
def test_an_unknown_parameter_is_422(tenant: Tenant, noun: str) -> None:
    found = problem(tenant.rest("GET", f"/{noun}", params={"colour": "red"}), 422)

    assert any("colour" in it["pointer"] for it in found["errors"])


def test_an_unknown_parameter_of_a_single_thing_is_422(tenant: Tenant) -> None:
    problem(tenant.rest("GET", params={"colour": "red"}), 422)


# Filters


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"kind": "review"}, {"review", "good review"}),
        ({"kind": ["review", "message"]}, {"review", "good review", "message"}),
        ({"visibility": "private"}, {"message"}),
        ({"language": "nl"}, {"good review"}),
        ({"language": ["nl", "fr"]}, {"good review", "review"}),
        ({"min_rating": "3"}, {"good review"}),
        ({"network": "facebook"}, set()),
        ({"network": ["facebook", "generic"], "kind": "message"}, {"message"}),
        ({"q": "geheim"}, {"message"}),
        ({"since": "2026-11-21T10:00:00Z"}, {"message"}),
        ({"since": "2026-11-18T10:00:00Z", "until": "2026-11-19T10:00:00Z"}, {"good review"}),
        ({"author_kind": "bot"}, set()),
        ({"deleted": "true"}, set()),
    ],
)
def test_filters_are_query_parameters(
    tenant: Tenant, said: list[Json], params: dict[str, Any], expected: set[str]
) -> None:
    assert {it["external_id"] for it in tenant.mentions(**params)} == expected


def test_filters_by_id(tenant: Tenant, said: list[Json]) -> None:
    message = next(it for it in said if it["external_id"] == "message")

    for params in ({"author_id": message["author"]["id"]}, {"thread_id": message["thread_id"]}):
        assert [it["external_id"] for it in tenant.mentions(**params)] == ["message"]
    assert tenant.mentions(channel_id=tenant.channel("facebook").id) == []


@pytest.mark.parametrize(
    "params",
    [{"kind": "shout"}, {"kind": "REVIEW"}, {"network": "myspace"}, {"since": "yesterday"}, {"min_rating": "good"},
     {"order": "random"}, {"deleted": "perhaps"}, {"visibility": "hidden"}, {"author_kind": "alien"}],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_422(tenant: Tenant, params: dict[str, str]) -> None:
    problem(tenant.rest("GET", "/mentions", params=params), 422)


@pytest.mark.parametrize("q", ["\x00", "'", '"', "((", "a & | !", "\\", "%", "x" * 5000, "💥", ":*", "-", " "])
def test_any_search_text_is_answered(tenant: Tenant, q: str) -> None:
    assert tenant.rest("GET", "/mentions", params={"q": q}).status_code in {200, 422}


def test_identities_are_found_by_handle(tenant: Tenant, said: list[Json]) -> None:
    assert [it["external_id"] for it in tenant.get("/identities", handle="lena.b")["data"]] == ["lena"]


# Single things, ids


def test_a_single_thing_is_the_bare_object_with_an_etag(tenant: Tenant, said: list[Json]) -> None:
    for path in ("", f"/mentions/{said[0]['id']}", f"/threads/{said[0]['thread_id']}",
                 f"/identities/{said[0]['author']['id']}", f"/channels/{tenant.channel().id}"):  # fmt: skip
        answer = tenant.rest("GET", path)
        assert answer.status_code == 200
        assert answer.json()["id"] in (path or tenant.brand_id)
        assert answer.headers["etag"]


def test_times_are_rfc_3339_in_utc(said: list[Json]) -> None:
    for name in ("published_at", "observed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", said[0][name])


@pytest.mark.parametrize("noun", ["mentions", "threads", "identities", "arrivals", "channels", "posts"])
@pytest.mark.parametrize(
    "bad", ["nonsense", UNKNOWN, "men_", "🙂", "org_01h455vb4pex5vsknk084sn02q", "x" * 2000, "%00"]
)
def test_a_malformed_or_unknown_id_is_404(tenant: Tenant, noun: str, bad: str) -> None:
    problem(tenant.rest("GET", f"/{noun}/{bad}"), 404)


def test_a_foreign_id_is_404(tenant: Tenant, other: Tenant) -> None:
    theirs = other.by_external_id("theirs")

    for path in (f"/mentions/{theirs['id']}", f"/threads/{theirs['thread_id']}", f"/channels/{other.channel().id}",
                 f"/identities/{theirs['author']['id']}", f"/mentions/{theirs['id']}/history"):  # fmt: skip
        found = problem(tenant.rest("GET", path), 404)
        assert "secret" not in json.dumps(found)
    problem(tenant.call("GET", f"/v1/brands/{other.brand_id}"), 404)
    problem(tenant.call("GET", f"/v1/brands/{other.brand_id}/mentions"), 404)
    problem(tenant.call("GET", "/v1/brands/nonsense/mentions"), 404)


def test_a_foreign_id_as_a_filter_finds_nothing_of_theirs(tenant: Tenant, other: Tenant) -> None:
    answer = tenant.rest("GET", "/mentions", params={"channel_id": other.channel().id})

    assert answer.status_code in {200, 404, 422}
    assert "secret of the others" not in answer.text


# Problems


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer pv_wrong", "Bearer pv_" + "x" * 43, "Basic cHY6eA==", "pv_wrong",
     "Bearer é".encode(), "Bearer " + "x" * 5000],
)  # fmt: skip
def test_no_or_a_bad_key_is_401(web: httpx.Client, tenant: Tenant, authorization: str | bytes | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    for path in ("/v1/brands", f"/v1/brands/{tenant.brand_id}/mentions", "/v1/viewer"):
        problem(web.get(tenant.local["api"] + path, headers=headers), 401)


def test_a_key_that_may_not_write_is_403(up: Up, tenant: Tenant) -> None:
    made = parvis(up.folder, up.environment, "key", "create", "--user", tenant.given["user_id"], "--scope", "read")
    assert made.returncode == 0, made.stdout + made.stderr
    found = re.search(r"pv_[\w-]+", made.stdout)
    assert found, made.stdout
    headers = {"authorization": f"Bearer {found.group()}"}
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
    "an unknown zone": b'{"text": "a", "channel_ids": [], "local_time": "2026-12-01T09:00", "timezone": "Mars/Olympus"}',
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


# Creating


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


# Idempotency


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


# ETag and If-Match


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


# Headers


def test_every_answer_has_its_own_request_id(tenant: Tenant, web: httpx.Client) -> None:
    api = tenant.local["api"]
    answers = [tenant.rest("GET"), tenant.rest("GET", "/nothing"), web.get(f"{api}/v1/brands"), web.get(f"{api}/"),
               web.get(f"{api}/healthz"), web.put(f"{api}/v1/brands"), web.get(f"{api}/openapi.json")]  # fmt: skip

    ids = [it.headers["request-id"] for it in answers]
    assert all(ids)
    assert len(set(ids)) == len(ids)


def test_the_rate_limit_is_told_on_every_answer(tenant: Tenant) -> None:
    first, second = tenant.rest("GET"), tenant.rest("GET")
    pattern = r'"default";r=(\d+);t=(\d+)'
    left = []
    for answer in (first, second):
        assert re.fullmatch(r'"default";q=6000;w=60', answer.headers["ratelimit-policy"])
        found = re.fullmatch(pattern, answer.headers["ratelimit"])
        assert found
        assert int(found.group(2)) <= 60
        left.append(int(found.group(1)))

    assert left[1] < left[0] or left[1] >= 5990


@pytest.fixture
def narrow_api(up: Up, web: httpx.Client) -> Iterator[str]:
    """Another `parvis api` on the same servers, with three requests a minute."""
    local, port = up.local, free_ports(1)[0]
    told = up.environment | {
        "DATABASE_URL": local["database_url"],
        "PARVIS_WORKER_DATABASE_URL": local["worker_database_url"],
        "PARVIS_DOOR_DATABASE_URL": local["door_database_url"],
        "PARVIS_OWNER_DATABASE_URL": local["owner_database_url"],
        "REDIS_URL": local["redis_url"],
        "PARVIS_SECRET_KEYS": "another installation's",
        "PARVIS_API_PORT": str(port),
        "PARVIS_RATE_LIMIT": "3",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "api"],
        cwd=ROOT, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def answers() -> bool:
        assert process.poll() is None
        try:
            return web.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        eventually(answers, "the second api")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_past_the_limit_is_429_with_retry_after(narrow_api: str, other: Tenant, web: httpx.Client) -> None:
    for _ in range(2):  # a minute may turn over between the first and the last
        answers = [web.get(f"{narrow_api}/v1/brands", headers=other.authorization) for _ in range(4)]
        if answers[-1].status_code == 429:
            break

    found = problem(answers[-1], 429)
    assert found["retryable"] is True
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert re.fullmatch(r'"default";r=0;t=\d+', answers[-1].headers["ratelimit"])


def test_a_frontend_of_a_named_origin_may_call(tenant: Tenant, web: httpx.Client) -> None:
    asked = {
        "origin": FRONTEND,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization, content-type, if-match, idempotency-key",
    }
    for path in (f"/v1/brands/{tenant.brand_id}/mentions", "/graphql"):
        answer = web.options(tenant.local["api"] + path, headers=asked)
        assert answer.status_code in {200, 204}
        assert answer.headers["access-control-allow-origin"] == FRONTEND
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "if-match", "idempotency-key"))
        assert "PATCH" in answer.headers["access-control-allow-methods"]


def test_the_headers_are_exposed_to_a_frontend(tenant: Tenant, web: httpx.Client) -> None:
    for answer in (tenant.rest("GET", headers={"origin": FRONTEND}),
                   web.get(f"{tenant.local['api']}/v1/brands", headers={"origin": FRONTEND})):  # fmt: skip
        assert answer.headers["access-control-allow-origin"] == FRONTEND
        exposed = {it.strip().lower() for it in answer.headers["access-control-expose-headers"].split(",")}
        assert {"ratelimit-policy", "ratelimit", "retry-after", "request-id", "etag", "location",
                "idempotency-replayed"} <= exposed  # fmt: skip


def test_another_origin_gets_no_permission(tenant: Tenant) -> None:
    answer = tenant.rest("GET", headers={"origin": "https://elsewhere.example"})

    assert "access-control-allow-origin" not in answer.headers


# Channels


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
