"""Recalls over networks: what is asked, of whom, how far it is, and how it ends."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.connectors.registry import CARDS
from shared.contract import Page, RawArrival
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.listening import backfills, queries, recalls, searches
from shared.domain.listening.recalls import Step
from shared.domain.listening.searches import Search, SearchEnd
from shared.errors import Conflict, Invalid, Problem
from shared.models.enums import Network, OperationKind, OperationStatus, RecallOver
from shared.models.operation import Operation
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening.test_matches import saved
from tests.domain.listening.test_record import T0

NETWORKS = (RecallOver.NETWORKS,)
BOTH = (RecallOver.STORED, RecallOver.NETWORKS)
SINCE = T0 - timedelta(days=30)


@pytest.fixture
def db(worker_db: Database) -> Database:
    return worker_db


async def page_of(house: House, brand: HouseBrand, name: str, port: int = 9) -> HouseChannel:
    return await house.channel(
        brand, Network.SANDBOX, base_url=f"http://127.0.0.1:{port}", external_id=name, credentials={"access_token": "t"}
    )


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await page_of(house, brand, "cafe")


async def start(db: Database, brand: HouseBrand, id_: UUID, over: Sequence[RecallOver] = NETWORKS) -> Operation:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await recalls.start(session, scope, id_, since=SINCE, over=over, cards=CARDS, now=T0)


async def of(db: Database, brand: HouseBrand, recall: Operation) -> list[Search]:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        return (await searches.of(session, scope, [recall.id])).get(recall.id, [])


async def advance(db: Database, brand: HouseBrand, search: Operation, page: Page, **more: Any) -> Operation | None:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        stands = await backfills.get(session, scope, search.id)
        asked = more.get("asked", stands.cursor)
        return await searches.advance(
            session, scope, search.id, page, asked=asked, brought=more.get("brought", 1), now=T0
        )


async def go_on(db: Database, brand: HouseBrand, recall: Operation) -> tuple[Step | None, Operation]:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        step = await recalls.go_on(session, scope, recall.id, now=T0)
        return step, await backfills.get(session, scope, recall.id)


def page(cursor: str | None, reached: datetime | None) -> Page:
    return Page((RawArrival("a", b"{}", T0),), cursor, more=cursor is not None, reached=reached)


async def test_each_host_is_searched_once_by_a_channel_of_the_brand(
    db: Database, house: House, brand: HouseBrand, channel: HouseChannel
) -> None:
    await page_of(house, brand, "velo")
    elsewhere = await page_of(house, brand, "resto", port=10)
    await house.channel(brand)
    found = await of(db, brand, await start(db, brand, await saved(db, brand, "bier OR *wijn")))
    assert [one.operation.channel_id for one in found] == [channel.id, elsewhere.id]
    assert [(one.network, one.operation.kind) for one in found] == [(Network.SANDBOX, OperationKind.SEARCH)] * 2
    assert [one["words"] for one in found[0].requests] == [["bier"]]
    assert found[0].left_out == ["*wijn"]


async def test_a_brand_whose_networks_search_nothing_is_told_so(db: Database, house: House, brand: HouseBrand) -> None:
    await house.channel(brand)
    with pytest.raises(Invalid) as caught:
        await start(db, brand, await saved(db, brand, "bier"), BOTH)
    assert [(one.code, one.path) for one in caught.value.problems] == [("not_offered", ("over",))]


async def test_a_query_without_a_word_is_told_so(db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    with pytest.raises(Invalid) as caught:
        await start(db, brand, await saved(db, brand, "reach>5 lang:fr"))
    assert [one.code for one in caught.value.problems] == ["not_searchable"]


async def test_over_nothing_is_refused(db: Database, brand: HouseBrand) -> None:
    with pytest.raises(Invalid, match="over what"):
        await start(db, brand, await saved(db, brand, "bier"), ())


async def test_request_follows_request_and_what_was_reached_is_what_all_have_reached(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    recall = await start(db, brand, await saved(db, brand, "bier OR wijn"))
    (search,) = await of(db, brand, recall)
    later = SINCE + timedelta(days=3)
    steps = [page("1", T0 - timedelta(days=1)), page(None, SINCE), page(None, later)]
    for step in steps:
        stands = await advance(db, brand, search.operation, step, brought=5)
        assert stands is not None
    (done,) = await of(db, brand, recall)
    assert [(one["pages"], one["brought"], one["ended"]) for one in done.requests] == [
        (2, 10, SearchEnd.THROUGH), (1, 5, SearchEnd.NETWORK_ENDS),
    ]  # fmt: skip
    own = done.operation
    assert (own.status, own.reached_at, own.pages, own.mentions) == (OperationStatus.SUCCEEDED, later, 3, 15)


@pytest.mark.parametrize(
    ("pages", "ended"),
    [
        ([page(None, None)], SearchEnd.NOT_TOLD),
        ([page("1", T0), page("1", T0)], SearchEnd.REPEATS),
        ([page(str(n), T0) for n in range(searches.MOST_PAGES)], SearchEnd.MOST_PAGES),
    ],
    ids=["not_told", "repeats", "most_pages"],
)
async def test_a_request_that_goes_no_further_ends_and_says_why(
    pages: list[Page], ended: SearchEnd, db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    recall = await start(db, brand, await saved(db, brand, "bier"))
    (search,) = await of(db, brand, recall)
    for one in pages:
        await advance(db, brand, search.operation, one)
    (done,) = await of(db, brand, recall)
    assert (done.operation.status, done.requests[0]["ended"]) == (OperationStatus.SUCCEEDED, ended)


async def test_a_page_that_somebody_else_has_brought_changes_nothing(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    (search,) = await of(db, brand, await start(db, brand, await saved(db, brand, "bier")))
    assert await advance(db, brand, search.operation, page("1", T0)) is not None
    assert await advance(db, brand, search.operation, page("1", T0), asked=None) is None


async def test_a_recall_waits_for_its_searches_and_says_how_far_they_came(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    recall = await start(db, brand, await saved(db, brand, "bier"))
    assert (await go_on(db, brand, recall))[0] is Step.WAITING
    (search,) = await of(db, brand, recall)
    await advance(db, brand, search.operation, page(None, SINCE))
    step, done = await go_on(db, brand, recall)
    assert (step, done.status, done.reached_at) == (None, OperationStatus.SUCCEEDED, SINCE)


@pytest.mark.parametrize(("over", "status"), [(NETWORKS, "failed"), (BOTH, "succeeded")], ids=["networks", "both"])
async def test_searches_that_all_fail_fail_a_recall_over_networks_alone(
    over: tuple[RecallOver, ...], status: str, db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    recall = await start(db, brand, await saved(db, brand, "bier"), over)
    (search,) = await of(db, brand, recall)
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await backfills.fail(session, scope, search.operation.id, Problem("refused", "it searches nothing"), now=T0)
    _, done = await go_on(db, brand, recall)
    assert done.status.value == status
    assert (done.problem is not None) == (status == "failed")


async def test_calling_off_a_recall_calls_off_its_searches(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    recall = await start(db, brand, await saved(db, brand, "bier"))
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await backfills.cancel(session, scope, recall.id, now=T0)
    (search,) = await of(db, brand, recall)
    assert search.operation.status is OperationStatus.CANCELLED
    assert await advance(db, brand, search.operation, page("1", T0)) is None


async def test_a_removed_channel_searches_no_more_and_the_recall_ends(
    db: Database, house: House, brand: HouseBrand, channel: HouseChannel
) -> None:
    recall = await start(db, brand, await saved(db, brand, "bier"))
    async with house.owner_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await channels.remove(session, scope, channel.id, now=T0)
    step, done = await go_on(db, brand, recall)
    assert (step, done.is_over) == (None, True)


async def test_with_its_query_a_recall_and_its_searches_end(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    id_ = await saved(db, brand, "bier")
    recall = await start(db, brand, id_)
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await queries.delete(session, scope, id_, if_version=1)
    step, done = await go_on(db, brand, recall)
    (search,) = await of(db, brand, recall)
    assert (step, done.status, search.operation.is_over) == (None, OperationStatus.FAILED, True)


async def test_two_queries_may_be_recalled_at_once_and_each_of_them_once(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    first, second = await saved(db, brand, "bier"), await saved(db, brand, "wijn")
    await start(db, brand, first)
    await start(db, brand, second)
    with pytest.raises(Conflict, match="already recalled"):
        await start(db, brand, first)
