"""What stands out, over REST."""

import pytest

from shared.db import Database
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import hear, said
from tests.services.api.rest.conftest import Caller, problem

DAY = {"from": "2025-11-19T23:00:00Z", "to": "2025-11-20T23:00:00Z"}


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def test_the_most_are_told_with_what_they_mean(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "good"), said("2", "bad"))
    found = (await caller.get("/top/authors", params=DAY)).json()
    assert set(found) == {"what", "data", "mentions", "previous", "sampled", "definition", "fresh_at"}
    assert (found["what"], found["mentions"], len(found["data"])) == ("authors", 2, 2)
    assert {one["value"] for one in found["data"]} == {"h1", "h2"}
    account = (await caller.get(f"/identities/{found['data'][0]['id']}")).json()
    assert account["name"] == found["data"][0]["name"]
    sources = (await caller.get("/top/sources", params={**DAY, "limit": 1})).json()["data"]
    assert [(one["value"], one["id"], one["mentions"], one["net_sentiment"]) for one in sources] == [
        ("generic", None, 2, 0.0)
    ]


@pytest.mark.parametrize(
    ("what", "more", "pointer"),
    [
        ("nothing", {}, "/what"),
        ("authors", {"limit": "0"}, "?limit"),
        ("phrases", {"to": "2026-11-20T00:00:00Z"}, "?to"),
    ],
    ids=["what", "limit", "range"],
)
async def test_what_cant_be_answered_says_where(caller: Caller, what: str, more: dict[str, str], pointer: str) -> None:
    found = problem(await caller.get(f"/top/{what}", params={**DAY, **more}), 422)
    assert pointer in {one["pointer"] for one in found["errors"]}
