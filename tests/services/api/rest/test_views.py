"""Filters that are kept under a name, and what they show, by REST."""

from typing import Any
from uuid import uuid4

import pytest

from shared.db import Database
from shared.domain.listening import views
from shared.ids import Prefix, typeid
from tests.conftest import House, HouseBrand
from tests.services.api.graphql.asking import hear, said
from tests.services.api.rest.conftest import Caller, problem

VIEW = {"name": "Red", "where": {"search": "red", "networks": ["generic"]}, "order": "best"}


@pytest.fixture
async def heard(house: House, brand: HouseBrand, worker_db: Database) -> None:
    channel = await house.channel(brand)
    texts = ["red lantern", "red", "green lantern", "red lantern in a long street with other lanterns"]
    facts = [said(f"m{n}", text, language="en", minutes=n) for n, text in enumerate(texts)]
    await hear(worker_db, channel, *facts, reader=None)


async def _shown(caller: Caller, **params: Any) -> list[str]:
    answer = await caller.get("/mentions", params=params)
    assert answer.status_code == 200, answer.text
    return [one["external_id"] for one in answer.json()["data"]]


async def test_a_view_is_made_read_changed_and_deleted(caller: Caller) -> None:
    made = await caller.post("/views", VIEW)
    assert made.status_code == 201, made.text
    own = made.headers["location"]
    read = await caller.get(own)
    assert read.json() == made.json()
    assert (read.json()["where"]["search"], read.json()["where"]["deleted"], read.json()["order"]) == (
        "red",
        False,
        "best",
    )
    problem(await caller.patch(own, {"name": "Green"}), 428)
    problem(await caller.patch(own, {"name": "Green"}, headers={"if-match": '"7"'}), 412)
    body = {"where": {"kinds": ["review"], "since": "2026-11-01T00:00:00Z", "deleted": None}, "order": "newest"}
    changed = await caller.patch(own, body, headers={"if-match": read.headers["etag"]})
    assert (changed.json()["name"], changed.json()["version"]) == ("Red", 2)
    assert {name for name, value in changed.json()["where"].items() if value is not None} == {"kinds", "since"}
    assert [one["id"] for one in (await caller.get("/views")).json()["data"]] == [made.json()["id"]]
    problem(await caller.delete(own), 428)
    assert (await caller.delete(own, headers={"if-match": changed.headers["etag"]})).status_code == 204
    problem(await caller.get(own), 404)
    problem(await caller.get("/mentions", params={"view": made.json()["id"]}), 404)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"order": "best", "where": {"search": "  "}}, "/order"),
        ({"where": {"networks": ["smoke"]}}, "/where/networks/0"),
        ({"where": {"weather": ["rain"]}}, "/where/weather"),
        ({"where": {"channel_ids": [typeid(Prefix.CHANNEL, uuid4())]}}, "/where/channel_ids"),
        ({"where": {"query_ids": [typeid(Prefix.QUERY, uuid4())]}}, "/where/query_ids"),
        ({"where": {"author_id": typeid(Prefix.IDENTITY, uuid4())}}, "/where/author_id"),
        ({"where": {"since": "2026-11-01T00:00:00"}}, "/where/since"),
        ({"where": {"search": "a" * 1001}}, "/where/search"),
        ({"where": {"languages": ["nl"] * 101}}, "/where/languages"),
    ],
)
async def test_what_means_nothing_is_not_kept(caller: Caller, wrong: dict[str, Any], pointer: str) -> None:
    refused = problem(await caller.post("/views", {"name": "x", **wrong}), 422)
    assert [one["pointer"] for one in refused["errors"]] == [pointer]


async def test_a_view_shows_its_mentions_in_its_order_and_is_narrowed(caller: Caller, heard: None) -> None:
    view = (await caller.post("/views", VIEW)).json()["id"]
    assert await _shown(caller, view=view) == ["m1", "m0", "m3"]
    assert await _shown(caller, view=view, order="newest") == ["m3", "m1", "m0"]
    assert await _shown(caller, view=view, q="lantern") == ["m0", "m3"]
    assert await _shown(caller, view=view, network="feed") == []
    assert await _shown(caller, view=view, until="2025-11-20T09:01:30Z", order="oldest") == ["m0", "m1"]


async def test_pages_of_the_best_show_what_was_found(caller: Caller, heard: None) -> None:
    first = (await caller.get("/mentions", params={"q": "red", "order": "best", "limit": 2})).json()
    assert [one["highlights"] for one in first["data"]] == [[{"start": 0, "end": 3}]] * 2
    rest = {"q": "red", "order": "best", "limit": 2, "cursor": first["next_cursor"]}
    assert await _shown(caller, **rest) == ["m3"]
    problem(await caller.get("/mentions", params={**rest, "order": "newest"}), 422)
    problem(await caller.get("/mentions", params={**rest, "q": "green"}), 422)
    assert (await caller.get("/mentions")).json()["data"][0]["highlights"] is None


async def test_best_first_without_words_is_refused(caller: Caller) -> None:
    refused = problem(await caller.get("/mentions", params={"order": "best"}), 422)
    assert [one["code"] for one in refused["errors"]] == ["search_needed"]


async def test_a_view_that_names_a_query_that_is_gone_says_so(caller: Caller) -> None:
    query = await caller.post("/queries", {"name": "q", "expression": "red"})
    view = (await caller.post("/views", {"name": "x", "where": {"query_ids": [query.json()["id"]]}})).json()["id"]
    assert await _shown(caller, view=view) == []
    await caller.delete(query.headers["location"])
    refused = problem(await caller.get("/mentions", params={"view": view}), 409)
    assert refused["code"] == "view_outlived"
    assert query.json()["id"] in refused["detail"]


async def test_a_brand_has_no_more_views_than_it_may(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 1)
    await caller.post("/views", VIEW)
    assert problem(await caller.post("/views", VIEW), 409)["code"] == "too_many"
