"""Authors who are called otherwise than before, and the queries that ask for them."""

from typing import Any
from uuid import UUID

import pytest

from shared.contract import Author, Said
from shared.db import Database, driver
from shared.domain import scope as scopes
from shared.domain.listening import backfills, recall_pages, recalls, renames
from shared.domain.listening.ears import Ears
from shared.models.enums import MentionKind, OperationStatus
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening.test_matches import change, hear, matched, said, saved
from tests.domain.listening.test_record import T0, at


@pytest.fixture
def db(worker_db: Database) -> Database:
    return worker_db


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renames, "AT_ONCE", 1)
    monkeypatch.setattr(recalls, "_PAGE", 1)


def by(id_: str, handle: str, *, stamp: float = 0, author: str = "u1", **more: Any) -> Said:
    return said(id_, "bier", stamp=stamp, author=Author(author, handle), **more)


async def names(db: Database, brand: HouseBrand, query_id: UUID) -> list[str]:
    return [name for name, id_, *_ in await matched(db, brand) if id_ == query_id]


async def under_way(db: Database, brand: HouseBrand) -> list[UUID]:
    async with db.session() as session:
        await scopes.house(session, brand.brand_id)
        rows = await (await driver(session)).fetch(
            "SELECT o.id FROM operation o JOIN due_operation d ON d.operation_id = o.id"
            " WHERE o.brand_id = $1 AND o.status IN ('pending', 'running') AND d.lane = $2",
            brand.brand_id,
            recall_pages.LANE,
        )
    return [row["id"] for row in rows]


async def go_on(db: Database, brand: HouseBrand, operation_id: UUID) -> bool:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await recalls.go_on(session, scope, operation_id, now=T0) is not None


async def test_what_a_renamed_author_said_matches_by_the_new_name_and_no_longer_by_the_old(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    old, new = await saved(db, brand, "author:jan"), await saved(db, brand, "author:piet")
    ears = Ears()
    await hear(db, channel, ears, by("a", "jan"), by("b", "jan", author="u2"))
    await hear(db, channel, ears, by("c", "piet", stamp=1))
    assert (await names(db, brand, old), await names(db, brand, new)) == (["b"], ["a", "c"])
    assert await under_way(db, brand) == []


async def test_a_name_that_comes_late_and_is_older_changes_no_match(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    id_ = await saved(db, brand, "author:jan")
    ears = Ears()
    await hear(db, channel, ears, by("a", "jan", stamp=1))
    await hear(db, channel, ears, by("b", "piet"))
    assert await names(db, brand, id_) == ["a", "b"]


async def test_only_queries_to_which_the_new_name_is_a_difference_are_asked_again(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await saved(db, brand, "author:piet")
    same, other = await saved(db, brand, "author:jan*"), await saved(db, brand, "bier")
    ears = Ears()
    await hear(db, channel, ears, by("a", "jan"))
    for one, expression in ((same, "author:ja*"), (other, "bier OR koffie")):
        await change(db, brand, one, expression=expression)
    await hear(db, channel, ears, by("c", "jantje", stamp=1))
    versions = {(name, id_): version for name, id_, version, _ in await matched(db, brand)}
    assert versions == {("a", same): 1, ("a", other): 1, ("c", same): 2, ("c", other): 2}


async def test_what_is_beyond_a_batchs_share_is_asked_in_the_background_of_that_author_alone(
    db: Database, brand: HouseBrand, channel: HouseChannel, few_at_once: None
) -> None:
    id_ = await saved(db, brand, "author:piet")
    ears = Ears()
    await hear(db, channel, ears, *(by(f"{n}", "jan") for n in range(4)), by("other", "jan", author="u2"))
    await hear(db, channel, ears, by("4", "piet", stamp=1))
    [operation_id] = await under_way(db, brand)
    assert len(await names(db, brand, id_)) < 5

    while await go_on(db, brand, operation_id):
        pass

    assert await names(db, brand, id_) == ["0", "1", "2", "3", "4"]
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        operation = await backfills.get(session, scope, operation_id)
    assert (operation.status, operation.mentions) == (OperationStatus.SUCCEEDED, 4)


async def test_an_author_who_is_renamed_again_meanwhile_is_asked_for_by_the_last_name(
    db: Database, brand: HouseBrand, channel: HouseChannel, few_at_once: None
) -> None:
    id_ = await saved(db, brand, "author:piet")
    ears = Ears()
    await hear(db, channel, ears, *(by(f"{n}", "jan") for n in range(4)))
    await hear(db, channel, ears, by("0", "piet", stamp=1))
    [operation_id] = await under_way(db, brand)
    assert await go_on(db, brand, operation_id)
    await hear(db, channel, ears, by("0", "klaas", stamp=2))
    assert await under_way(db, brand) == [operation_id]
    while await go_on(db, brand, operation_id):
        pass
    assert await names(db, brand, id_) == []


async def test_what_moves_in_time_past_what_is_asked_already_is_asked_too(
    db: Database, brand: HouseBrand, channel: HouseChannel, few_at_once: None
) -> None:
    id_ = await saved(db, brand, "author:piet")
    ears = Ears()
    told = [Said(f"{n}", MentionKind.COMMENT, at(0), text="bier", published_at=at(-n), author=Author("u1", "jan"))
        for n in range(1, 4)
    ]  # fmt: skip
    await hear(db, channel, ears, *told)
    named = Said("1", MentionKind.COMMENT, at(1), text="bier", published_at=at(-1), author=Author("u1", "piet"))
    await hear(db, channel, ears, named)
    await hear(db, channel, ears, Said("3", MentionKind.COMMENT, at(2), text="bier", published_at=at(0)))
    [operation_id] = await under_way(db, brand)
    while await go_on(db, brand, operation_id):
        pass
    assert await names(db, brand, id_) == ["1", "2", "3"]


async def test_a_person_may_recall_a_query_that_is_asked_of_a_renamed_authors_mentions(
    db: Database, brand: HouseBrand, channel: HouseChannel, few_at_once: None
) -> None:
    id_ = await saved(db, brand, "author:piet")
    ears = Ears()
    await hear(db, channel, ears, by("a", "jan"), by("b", "jan"))
    await hear(db, channel, ears, by("a", "piet", stamp=1))
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        begun = await recalls.start(session, scope, id_, since=recall_pages.ALL_TIME, now=T0)
    assert {begun.id} < set(await under_way(db, brand))
