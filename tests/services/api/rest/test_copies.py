"""Copies over REST."""

from typing import Any

import pytest

from shared.contract import Author
from shared.db import Database
from shared.models.enums import MentionKind
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import at, hear, said
from tests.services.api.rest.conftest import Caller, problem

LONG = "The 7.12 train from Ghent to Brussels is late again this morning and nobody says why it is late"


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def heard(channel: HouseChannel, worker_db: Database) -> None:
    """An original and two copies, one of them near, by two people; and something else."""
    lea, tom = Author("lea", handle="lea"), Author("tom", handle="tom")
    await hear(
        worker_db,
        channel,
        said("a", LONG, minutes=0, author=lea),
        said("b", f"RT @lea: {LONG}", minutes=1, author=tom),
        said("c", LONG.replace("says", "knows"), minutes=70, author=tom),
        said("d", "Something else altogether", minutes=2, kind=MentionKind.POST),
    )


async def listed(caller: Caller, **params: str) -> list[str]:
    return [one["external_id"] for one in (await caller.get("/mentions", params=params)).json()["data"]]


async def copies(caller: Caller, external_id: str, **params: Any) -> dict[str, Any]:
    found = (await caller.get("/mentions")).json()["data"]
    own = next(one["id"] for one in found if one["external_id"] == external_id)
    answer: dict[str, Any] = (await caller.get(f"/mentions/{own}/copies", params=params)).json()
    return answer


@pytest.mark.usefixtures("heard")
async def test_a_list_counts_copies_once_where_asked(caller: Caller) -> None:
    assert await listed(caller) == ["c", "d", "b", "a"]
    assert await listed(caller, duplicates="false") == ["d", "a"]
    assert await listed(caller, duplicates="true") == ["c", "b"]
    assert await listed(caller, duplicates="false", q="train") == ["a"]
    problem(await caller.get("/mentions", params={"duplicates": "maybe"}), 422)


@pytest.mark.usefixtures("heard")
async def test_figures_count_copies_once_where_asked(caller: Caller) -> None:
    asked = {"key": "mentions", "from": "2025-11-20T00:00:00Z", "to": "2025-11-21T00:00:00Z", "interval": "day"}
    found = [
        (await caller.get("/metrics", params={**asked, **more})).json()["data"][0]["points"]
        for more in ({}, {"duplicates": "false"}, {"duplicates": "true"})
    ]
    assert [sum(point["value"] or 0 for point in points) for points in found] == [4, 2, 2]


@pytest.mark.usefixtures("heard")
async def test_a_copy_names_its_original(caller: Caller) -> None:
    data = {one["external_id"]: one for one in (await caller.get("/mentions")).json()["data"]}
    original = data["a"]["id"]
    assert {name: one["duplicate_of"] for name, one in data.items()} == {
        "a": None, "b": original, "c": original, "d": None,
    }  # fmt: skip
    assert (await caller.get(f"/mentions/{data['b']['id']}")).json()["duplicate_of"] == original


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("of", ["a", "b", "c"])
async def test_a_cluster_is_shown_from_each_of_it(of: str, caller: Caller) -> None:
    cluster = await copies(caller, of)
    assert [one["external_id"] for one in cluster["data"]] == ["a", "b", "c"]
    assert cluster["original_id"] == cluster["data"][0]["id"]
    assert (cluster["count"], cluster["first_at"], cluster["last_at"]) == (
        3, "2025-11-20T09:00:00Z", "2025-11-20T10:10:00Z",
    )  # fmt: skip
    assert cluster["interval"] == "hour"
    assert [(one["start"], one["count"]) for one in cluster["spread"]] == [
        ("2025-11-20T09:00:00Z", 2), ("2025-11-20T10:00:00Z", 1),
    ]  # fmt: skip
    assert cluster["networks"] == [{"network": "generic", "count": 3}]
    assert cluster["author_count"] == 2
    assert [(one["author"]["handle"], one["count"]) for one in cluster["authors"]] == [("tom", 2), ("lea", 1)]


@pytest.mark.usefixtures("heard")
async def test_a_cluster_is_paged_without_a_gap(caller: Caller) -> None:
    first = await copies(caller, "b", limit=2)
    rest = await copies(caller, "b", limit=2, cursor=first["next_cursor"])
    assert [[one["external_id"] for one in page["data"]] for page in (first, rest)] == [["a", "b"], ["c"]]
    assert [page["has_more"] for page in (first, rest)] == [True, False]


@pytest.mark.usefixtures("heard")
async def test_what_nobody_copies_is_a_cluster_of_its_own(caller: Caller) -> None:
    cluster = await copies(caller, "d")
    assert (cluster["count"], [one["external_id"] for one in cluster["data"]]) == (1, ["d"])


async def test_the_same_after_two_weeks_is_another_cluster(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    days = 24 * 60
    times = {"a": 0, "b": 13 * days, "c": 28 * days, "d": 29 * days}
    await hear(worker_db, channel, *(said(id_, LONG, minutes=minutes) for id_, minutes in times.items()))
    clusters = [await copies(caller, of) for of in "abcd"]
    assert [one["count"] for one in clusters] == [2, 2, 2, 2]
    assert [[one["external_id"] for one in cluster["data"]] for cluster in clusters] == [
        ["a", "b"], ["a", "b"], ["c", "d"], ["c", "d"],
    ]  # fmt: skip
    assert clusters[0]["interval"] == "day"
    assert clusters[0]["spread"][0]["start"] == at(-10 * 60).strftime("%Y-%m-%dT%H:%M:%SZ")
