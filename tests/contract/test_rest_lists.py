"""Section 6, REST under `/v1`: lists and cursors, filters, single things and their ids."""

import json
import re
from typing import Any

import pytest

from tests.contract.conftest import problem
from tests.contract.house import Json, Tenant, mention

LISTS = ["mentions", "threads", "identities", "arrivals", "channels", "posts"]
UNKNOWN = "men_01h455vb4pex5vsknk084sn02q"


@pytest.fixture(scope="module")
def said(tenant: Tenant) -> list[Json]:
    """Seven mentions of one moment and of others, newest first."""
    tenant.hear(
        *(mention(f"page {n}", f"text {n}", published_at="2026-11-20T10:00:00Z") for n in range(4)),
        mention("review", "bien", kind="review", rating=2, language="pt", published_at="2026-11-19T10:00:00Z"),
        mention("good review", "goed", kind="review", rating=5, language="da", published_at="2026-11-18T10:00:00Z"),
        mention("message", "geheim", kind="message", visibility="private", author={"id": "lena", "handle": "lena.b"},
                published_at="2026-11-21T10:00:00Z"),
    )  # fmt: skip
    return tenant.mentions()


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


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"kind": "review"}, {"review", "good review"}),
        ({"kind": ["review", "message"]}, {"review", "good review", "message"}),
        ({"visibility": "private"}, {"message"}),
        ({"language": "da"}, {"good review"}),
        ({"language": ["da", "pt"]}, {"good review", "review"}),
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
