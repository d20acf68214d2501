"""What was heard, over REST."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from shared.contract import Author, Deleted
from shared.db import Database
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import AuthorKind, MentionKind
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import at, hear, said
from tests.services.api.rest.conftest import Caller, problem


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand, name="Letters")


async def _ids(caller: Caller, **filters: object) -> list[str]:
    response = await caller.get("/mentions", params=filters)
    assert response.status_code == 200, response.text
    return [mention["external_id"] for mention in response.json()["data"]]


async def test_a_mention_has_every_field_of_the_contract(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    author = Author("7", handle="noor", name="Noor", url="https://x.example/noor", followers=1200)
    await hear(
        worker_db,
        channel,
        said(
            "1", "Prachtig!", kind=MentionKind.REVIEW, rating=5, language="nl", url="https://x.example/1", author=author
        ),
    )

    (mention,) = (await caller.get("/mentions")).json()["data"]

    assert mention["id"].startswith("men_")
    assert mention["network"] == "generic"
    assert mention["kind"] == "review"
    assert mention["visibility"] == "public"
    assert mention["text"] == "Prachtig!"
    assert mention["language"] == "nl"
    assert mention["rating"] == 5
    assert mention["published_at"] == "2025-11-20T09:00:00Z"
    assert mention["channel_id"] == typeid(Prefix.CHANNEL, channel.id)
    assert mention["thread_id"].startswith("thr_")
    assert mention["author"]["handle"] == "noor"
    assert mention["author"]["followers"] == mention["reach"] == 1200
    assert mention["author_kind"] == "unknown"
    assert mention["engagement"] == {"likes": None, "replies": None, "shares": None, "views": None}
    assert mention["deleted_at"] is None
    assert (await caller.get(f"/mentions/{mention['id']}")).json() == mention


async def test_mentions_are_newest_first_and_paged_without_a_gap(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, *(said(str(n), minutes=n) for n in range(7)))

    first = (await caller.get("/mentions", params={"limit": 3})).json()
    second = (await caller.get("/mentions", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    last = (await caller.get("/mentions", params={"limit": 3, "cursor": second["next_cursor"]})).json()

    pages = [[mention["external_id"] for mention in page["data"]] for page in (first, second, last)]
    assert pages == [["6", "5", "4"], ["3", "2", "1"], ["0"]]
    assert [page["has_more"] for page in (first, second, last)] == [True, True, False]
    assert last["next_cursor"] is None
    assert await _ids(caller, order="oldest") == list("0123456")


async def test_a_cursor_belongs_to_its_filter(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, *(said(str(n), minutes=n) for n in range(3)))
    cursor = (await caller.get("/mentions", params={"limit": 1})).json()["next_cursor"]

    found = problem(await caller.get("/mentions", params={"cursor": cursor, "kind": "comment"}), 422)
    assert found["code"] == "bad_cursor"


async def test_filters(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(
        worker_db,
        channel,
        said("a", "livraison lente", language="fr", minutes=1),
        said("b", "snelle levering", kind=MentionKind.REVIEW, rating=4, language="nl", minutes=2),
        said("c", "our own", kind=MentionKind.POST, author_kind=AuthorKind.BRAND, minutes=3),
        said("gone", "x", minutes=4),
    )
    await hear(worker_db, channel, Deleted("gone", at(5)))

    assert await _ids(caller) == ["c", "b", "a"]
    assert await _ids(caller, kind=["review", "post"]) == ["c", "b"]
    assert await _ids(caller, language=["fr", "nl"]) == ["b", "a"]
    assert await _ids(caller, network="facebook") == []
    assert await _ids(caller, min_rating=4) == ["b"]
    assert await _ids(caller, author_kind="brand") == ["c"]
    assert await _ids(caller, since="2025-11-20T09:02:00Z", until="2025-11-20T10:03:00+01:00") == ["b"]
    assert await _ids(caller, deleted="true") == ["gone"]
    assert await _ids(caller, deleted="null") == ["gone", "c", "b", "a"]
    assert await _ids(caller, q="livraison") == ["a"]
    assert await _ids(caller, channel_id=typeid(Prefix.CHANNEL, channel.id)) == ["c", "b", "a"]
    assert await _ids(caller, channel_id=typeid(Prefix.CHANNEL, new_uuid())) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "nowhere"), ("kind", "POST"), ("since", "yesterday"), ("since", "2025-11-20T09:00:00"),
        ("since", "0001-01-01T00:00:00+14:00"), ("min_rating", "nan"), ("deleted", "maybe"), ("author_id", "x"),
        ("order", "best"), ("q", "x" * 1001),
    ],
)  # fmt: skip
async def test_a_filter_that_means_nothing_is_422_and_named(caller: Caller, name: str, value: str) -> None:
    found = problem(await caller.get("/mentions", params={name: value}), 422)

    assert found["errors"][0]["pointer"].startswith(f"?{name}")


async def test_history_holds_every_version_in_order(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1", "second", edited_at=at(5), minutes=0))
    await hear(worker_db, channel, said("1", "first", minutes=0))
    (mention,) = (await caller.get("/mentions")).json()["data"]

    found = (await caller.get(f"/mentions/{mention['id']}/history")).json()

    assert mention["text"] == "second"
    assert [version["text"] for version in found["data"]] == ["first", "second"]
    assert [version["edited_at"] for version in found["data"]] == [None, "2025-11-20T09:05:00Z"]


async def test_a_history_is_read_page_by_page(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    for n in range(5):
        await hear(worker_db, channel, said("1", f"version {n}", edited_at=at(n) if n else None, minutes=0))
    (mention,) = (await caller.get("/mentions")).json()["data"]
    place = f"/mentions/{mention['id']}/history"

    pages: list[dict[str, Any]] = []
    cursor = None
    while cursor is not None or not pages:
        asked = {"limit": 2} if cursor is None else {"limit": 2, "cursor": cursor}
        pages.append((await caller.get(place, params=asked)).json())
        cursor = pages[-1]["next_cursor"]

    texts = [[version["text"] for version in page["data"]] for page in pages]
    assert texts == [["version 0", "version 1"], ["version 2", "version 3"], ["version 4"]]
    assert [page["has_more"] for page in pages] == [True, True, False]
    assert problem(await caller.get(place, params={"limit": 0}), 422)["code"] == "limit_out_of_range"
    foreign = (await caller.get("/mentions", params={"limit": 1})).json()["next_cursor"] or "nonsense"
    assert problem(await caller.get(place, params={"cursor": foreign}), 422)["code"] == "bad_cursor"


async def test_threads_and_what_was_said_in_them(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1"), said("2", parent_external_id="1", minutes=1), said("3", minutes=2))

    listed = (await caller.get("/threads")).json()["data"]
    thread = (await caller.get(f"/threads/{listed[1]['id']}")).json()
    inside = (await caller.get(f"/threads/{thread['id']}/mentions")).json()["data"]

    assert [mention["external_id"] for mention in inside] == ["1", "2"]
    assert thread["root_id"] == inside[0]["id"] == inside[1]["parent_id"]
    assert thread["last_at"] == "2025-11-20T09:01:00Z"


async def test_identities(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1"), said("2", minutes=1))

    by_handle = (await caller.get("/identities", params={"handle": "H1"})).json()["data"]
    single = (await caller.get(f"/identities/{by_handle[0]['id']}")).json()

    assert single == by_handle[0]
    assert (single["handle"], single["name"], single["external_id"]) == ("h1", "Name 1", "u-1")


async def _arrive(db: Database, channel: HouseChannel, body: bytes | None, state: str = "unreadable") -> str:
    id_ = new_uuid()
    async with db.session() as session:
        await session.execute(
            text(
                "INSERT INTO arrival (id, hook_id, key, network, source, brand_id, channel_id, unattributed, headers,"
                " body, stamp, received_at, state, claims, problems, ignored, mention_keys) VALUES (:id, :hook, :key,"
                " 'generic', 'webhook', :brand, :channel, false, '{}', :body, now(), now(), :state, 3,"
                """ '[{"index": 0, "path": "text", "message": "too long"}]', '[]', '{}')"""
            ),
            {
                "id": id_, "hook": channel.channel.hook_id, "key": str(id_), "brand": channel.brand.brand_id,
                "channel": channel.id, "body": body, "state": state,
            },
        )  # fmt: skip
    return typeid(Prefix.ARRIVAL, id_)


async def test_an_arrival_is_shown_byte_for_byte_with_its_problems(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    readable = await _arrive(worker_db, channel, b'{"a": "\xc3\xa9"}')
    binary = await _arrive(worker_db, channel, b"\xff\x00")

    first = (await caller.get(f"/arrivals/{readable}")).json()
    second = (await caller.get(f"/arrivals/{binary}")).json()

    assert first["body_text"] == '{"a": "é"}'
    assert base64.b64decode(first["body_base64"]) == b'{"a": "\xc3\xa9"}'
    assert first["problems"] == [{"index": 0, "path": "text", "message": "too long"}]
    assert second["body_text"] is None
    assert base64.b64decode(second["body_base64"]) == b"\xff\x00"


async def test_arrivals_are_listed_by_state_and_replayed(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    id_ = await _arrive(worker_db, channel, b"{}")

    unreadable = (await caller.get("/arrivals", params={"state": "unreadable"})).json()["data"]
    replayed = await caller.post(f"/arrivals/{id_}/replay")

    assert [arrival["id"] for arrival in unreadable] == [id_]
    assert (replayed.status_code, replayed.json()["state"]) == (200, "received")
    assert (await caller.get("/arrivals", params={"state": "unreadable"})).json()["data"] == []


async def test_what_is_forgotten_cant_be_replayed(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    id_ = await _arrive(worker_db, channel, None)

    problem(await caller.post(f"/arrivals/{id_}/replay"), 409)


async def test_metrics_have_the_contracts_shape(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1"), said("2", minutes=1), now=datetime(2025, 11, 20, 13, tzinfo=UTC))

    found = await caller.get(
        "/metrics",
        params={
            "keys": ["mentions"], "from": "2025-11-19T23:00:00Z", "to": "2025-11-20T23:00:00Z", "interval": "day",
            "group_by": ["network"],
        },
    )  # fmt: skip

    (series,) = found.json()["data"]
    assert series["key"] == "mentions"
    assert series["dimensions"] == [{"name": "network", "value": "generic"}]
    (point,) = series["points"]
    assert (point["start"], point["end"]) == ("2025-11-19T23:00:00Z", "2025-11-20T23:00:00Z")
    assert point["value"] == 2
    assert set(series) == {"key", "unit", "dimensions", "points", "definition", "fresh_at"}


@pytest.mark.parametrize("left_out", ["key", "from", "to", "interval"])
async def test_metrics_need_their_parameters(caller: Caller, left_out: str) -> None:
    params = {"key": "mentions", "from": "2025-11-19T23:00:00Z", "to": "2025-11-20T23:00:00Z", "interval": "day"}
    del params[left_out]

    found = problem(await caller.get("/metrics", params=params), 422)
    assert found["errors"][0]["pointer"] == f"?{left_out}"


async def test_nothing_of_another_brand_is_found_by_its_id(
    caller: Caller, house: House, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1"))
    (mention,) = (await caller.get("/mentions")).json()["data"]
    arrival = await _arrive(worker_db, channel, b"{}")
    other = await house.brand("Other")
    theirs = Caller(caller.client, typeid(Prefix.BRAND, other.brand_id), other.api_key)

    for path in (
        f"/mentions/{mention['id']}", f"/mentions/{mention['id']}/history", f"/threads/{mention['thread_id']}",
        f"/threads/{mention['thread_id']}/mentions", f"/identities/{mention['author']['id']}",
        f"/arrivals/{arrival}", f"/channels/{mention['channel_id']}", f"/channels/{mention['channel_id']}/coverage",
    ):  # fmt: skip
        problem(await theirs.get(path), 404)
    problem(await theirs.post(f"/arrivals/{arrival}/replay"), 404)
    for path in ("/mentions", "/threads", "/identities", "/arrivals", "/channels", "/posts"):
        assert (await theirs.get(path)).json()["data"] == []


async def test_another_time_zone_counts_each_mention_in_its_new_day(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", published_at=datetime(2025, 11, 19, 22, 30, tzinfo=UTC)))

    assert (await caller.patch("", {"timezone": "Asia/Tokyo"})).status_code == 200

    found = await caller.get(
        "/metrics",
        params={
            "keys": "mentions", "from": "2025-11-18T15:00:00Z", "to": "2025-11-20T15:00:00Z", "interval": "day",
        },
    )  # fmt: skip
    (series,) = found.json()["data"]
    values = [(point["start"], point["value"]) for point in series["points"]]
    assert ("2025-11-19T15:00:00Z", 1) in values
