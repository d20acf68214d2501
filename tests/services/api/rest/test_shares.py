"""Share of voice over REST, and the figures by query that stand behind it."""

import pytest

from shared.db import Database
from shared.ids import Prefix, typeid
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening import words
from tests.services.api.graphql.asking import hear, said
from tests.services.api.rest.conftest import Caller, problem
from tests.services.api.rest.test_queries import _hear as listen
from tests.services.api.rest.test_queries import _save as save

DAY = {"from": "2025-11-19T23:00:00Z", "to": "2025-11-20T23:00:00Z"}
YEARS = {"from": "2023-11-20T23:00:00Z", "to": "2025-11-20T23:00:00Z"}


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.mark.parametrize("when", [DAY, YEARS], ids=["a day", "two years"])
async def test_each_query_has_its_share_of_what_any_matched(
    caller: Caller, channel: HouseChannel, worker_db: Database, when: dict[str, str]
) -> None:
    ours = await save(caller, "bier", name="Ours", group="brand")
    theirs = await save(caller, "koffie", name="Theirs", group="competitor")
    silent = await save(caller, "thee", name="Silent", group="competitor")
    await listen(worker_db, channel, "bier", "bier en koffie", "koffie", "koffie", "water")
    found = (await caller.get("/share-of-voice", params=when)).json()
    assert [(one["query_id"], one["name"], one["group"]) for one in found["data"]] == [
        (ours["id"], "Ours", "brand"), (theirs["id"], "Theirs", "competitor"), (silent["id"], "Silent", "competitor"),
    ]  # fmt: skip
    assert [(one["mentions"], one["matched"], one["share"]) for one in found["data"]] == [
        (2, 4, 0.5), (3, 4, 0.75), (0, 4, 0.0),
    ]  # fmt: skip
    assert all(one["low"] <= one["share"] <= one["high"] for one in found["data"])
    assert found["next_cursor"] is None


async def test_without_matches_there_are_no_shares(caller: Caller, channel: HouseChannel) -> None:
    await save(caller, "bier")
    (one,) = (await caller.get("/share-of-voice", params=DAY)).json()["data"]
    assert (one["mentions"], one["matched"], one["share"], one["low"], one["high"]) == (0, 0, None, None, None)


async def test_shares_are_narrowed_by_the_filters_of_mentions(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await save(caller, "bier")
    await listen(worker_db, channel, "bier")
    for where, mentions in (({"network": "generic"}, 1), ({"network": "mastodon"}, 0), ({"language": "fr"}, 0)):
        (one,) = (await caller.get("/share-of-voice", params={**DAY, **where})).json()["data"]
        assert one["mentions"] == mentions
    refused = problem(await caller.get("/share-of-voice", params={**YEARS, "language": "fr"}), 422)
    assert refused["errors"][0]["code"] == "range_too_long"


async def test_share_of_voice_is_a_series_by_query(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    made = await save(caller, "bier")
    await listen(worker_db, channel, "bier", "bier")
    params = {**YEARS, "key": "share_of_voice", "interval": "day", "group_by": "query"}
    (series,) = (await caller.get("/metrics", params=params)).json()["data"]
    assert (series["key"], series["unit"]) == ("share_of_voice", "share")
    assert series["dimensions"] == [{"name": "query", "value": made["id"]}]
    assert series["points"][-1]["value"] == 1
    assert series["points"][-1]["low"] < 1
    refused = problem(await caller.get("/metrics", params={**params, "group_by": "network"}), 422)
    assert refused["errors"][0]["code"] == "needs_query"


async def test_figures_that_rest_on_readings_name_their_models(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "good"))
    await hear(worker_db, channel, said("2", "bad"), reader=None)
    params = {**YEARS, "key": ["net_sentiment", "mentions"], "interval": "day"}
    mood, plain = (await caller.get("/metrics", params=params)).json()["data"]
    assert mood["models"] == [
        {"version": None, "mentions": 1, "corrected": 0},
        {"version": words.VERSION, "mentions": 1, "corrected": 0},
    ]
    assert "models" not in plain


async def test_shares_of_another_brand_are_not_found(caller: Caller, house: House, channel: HouseChannel) -> None:
    await save(caller, "bier")
    other = await house.brand("Other")
    theirs = Caller(caller.client, typeid(Prefix.BRAND, other.brand_id), other.api_key)
    assert (await theirs.get("/share-of-voice", params=DAY)).json()["data"] == []
    problem(await caller.as_(other.api_key).get("/share-of-voice", params=DAY), 404)
