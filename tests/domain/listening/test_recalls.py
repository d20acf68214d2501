from typing import Any
from uuid import UUID

import pytest

from shared.contract import Deleted
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import backfills, queries, recall_pages, recalls
from shared.errors import Conflict, Invalid
from shared.models.enums import OperationStatus
from shared.models.operation import Operation
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening.test_matches import change, hear, matched, said, saved
from tests.domain.listening.test_record import T0, at


@pytest.fixture
def db(worker_db: Database) -> Database:
    return worker_db


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


async def start(db: Database, brand: HouseBrand, id_: UUID, **more: Any) -> Operation:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await recalls.start(session, scope, id_, since=more.get("since", recall_pages.ALL_TIME), now=T0)


async def go_on(db: Database, brand: HouseBrand, operation: Operation) -> tuple[bool, Operation]:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        more = await recalls.go_on(session, scope, operation.id, now=T0) is not None
        return more, await backfills.get(session, scope, operation.id)


async def test_a_recall_finds_what_was_said_before_the_query_was_saved(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(db, channel, None, said("a", "bier"), said("b", "koffie"), said("c", "bier"), Deleted("c", at(9)))
    id_ = await saved(db, brand, "bier")
    more, operation = await go_on(db, brand, await start(db, brand, id_))
    assert [(name, version) for name, _, version, _ in await matched(db, brand)] == [("a", 1)]
    assert not more
    assert (operation.status, operation.mentions, operation.matches) == (OperationStatus.SUCCEEDED, 2, 1)
    assert backfills.progress(operation)["message"].endswith("2 mentions asked, 1 match")


async def test_a_recall_goes_back_page_by_page(
    db: Database, brand: HouseBrand, channel: HouseChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalls, "_PAGE", 2)
    await hear(db, channel, None, *(said(f"{n}", "bier") for n in range(3)))
    begun = await start(db, brand, await saved(db, brand, "bier"))
    first = await go_on(db, brand, begun)
    second = await go_on(db, brand, begun)
    assert [more for more, _ in (first, second)] == [True, False]
    assert (first[1].matches, second[1].matches, second[1].pages) == (2, 3, 2)


async def test_a_query_that_changes_meanwhile_is_recalled_from_the_beginning(
    db: Database, brand: HouseBrand, channel: HouseChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalls, "_PAGE", 2)
    await hear(db, channel, None, *(said(f"{n}", "bier" if n else "koffie") for n in range(3)))
    id_ = await saved(db, brand, "bier")
    begun = await start(db, brand, id_)
    await go_on(db, brand, begun)
    await change(db, brand, id_, expression="koffie")
    while (await go_on(db, brand, begun))[0]:
        pass
    assert [(name, version) for name, _, version, _ in await matched(db, brand)] == [("0", 2)]


async def test_a_page_that_is_done_again_ends_the_same(db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    await hear(db, channel, None, said("a", "bier"))
    id_ = await saved(db, brand, "bier")
    for _ in range(2):
        await go_on(db, brand, await start(db, brand, id_))
    assert len(await matched(db, brand)) == 1


async def test_a_recall_goes_back_no_further_than_it_is_told(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(db, channel, None, said("a", "bier"))
    id_ = await saved(db, brand, "bier")
    _, operation = await go_on(db, brand, await start(db, brand, id_, since=at(-5)))
    assert (operation.mentions, operation.reached_at) == (0, at(-5))


async def test_a_recall_of_a_query_that_is_gone_fails_with_the_reason(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    id_ = await saved(db, brand, "bier")
    begun = await start(db, brand, id_)
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await queries.delete(session, scope, id_)
    more, operation = await go_on(db, brand, begun)
    assert not more
    assert operation.status is OperationStatus.FAILED
    assert operation.problem is not None
    assert operation.problem["code"] == "not_found"


async def test_one_that_is_called_off_does_nothing_more(db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    await hear(db, channel, None, said("a", "bier"))
    begun = await start(db, brand, await saved(db, brand, "bier"))
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await backfills.cancel(session, scope, begun.id, now=T0)
    assert (await go_on(db, brand, begun))[0] is False
    assert await matched(db, brand) == []


async def test_a_query_is_recalled_once_at_a_time(db: Database, brand: HouseBrand) -> None:
    id_ = await saved(db, brand, "bier")
    await start(db, brand, id_)
    with pytest.raises(Conflict) as refused:
        await start(db, brand, id_)
    assert refused.value.code == "already_running"


async def test_a_recall_from_the_future_is_refused(db: Database, brand: HouseBrand) -> None:
    with pytest.raises(Invalid):
        await start(db, brand, await saved(db, brand, "bier"), since=at(1))
