"""How many a mention reaches, and what asks for it."""

from typing import Any

import pytest

from shared.connectors.registry import connector
from shared.contract import Author, Counted, Deleted, Heard
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import erasure, trial
from shared.domain.listening.ears import Ears
from shared.domain.scope import Scope
from shared.models.enums import Network
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening.test_matches import hear, matched, said, saved
from tests.domain.listening.test_record import T0, at, one


@pytest.fixture
def db(worker_db: Database) -> Database:
    return worker_db


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


def by(followers: int | None, *, stamp: float = 0, **more: Any) -> Heard:
    return said("a", "bier", stamp=stamp, author=Author("lea", "lea", followers=followers), **more)


async def reach(database: TestDatabase) -> Any:
    return (await one(database, "SELECT reach FROM mention WHERE external_id = 'a'"))["reach"]


_FEW, _MANY, _SEEN = by(12), by(900, stamp=5), Counted("a", at(3), views=40)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([by(None)], None),
        ([by(0)], 0),
        ([_FEW], 12),
        ([_FEW, _MANY], 900),
        ([_MANY, _FEW], 900),
        ([_MANY, by(None, stamp=9)], 900),
        ([_FEW, _SEEN], 40),
        ([_SEEN, _MANY], 40),
        ([_FEW, Counted("a", at(3), likes=7)], 12),
        ([_FEW, _SEEN, Counted("a", at(4), likes=7)], 12),
    ],
    ids=[
        "not_told",
        "nobody",
        "followers",
        "more",
        "late",
        "left_out",
        "views",
        "views_first",
        "likes",
        "no_longer_told",
    ],
)
async def test_the_views_count_else_the_followers_that_were_told_last(
    heard: list[Heard], expected: int | None, db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    for fact in heard:
        await hear(db, channel, None, fact)
    assert await reach(database) == expected


async def test_what_an_author_gains_later_does_not_change_what_they_said_before(
    db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(db, channel, None, _FEW)
    await hear(db, channel, None, said("b", "bier", stamp=9, author=Author("lea", followers=5_000)))
    assert await reach(database) == 12
    assert (await one(database, "SELECT followers FROM identity"))["followers"] == 5_000


async def test_a_late_delivery_does_not_undo_an_identitys_newer_followers(
    db: Database, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(db, channel, None, _MANY)
    await hear(db, channel, None, _FEW)
    assert (await one(database, "SELECT followers FROM identity"))["followers"] == 900


async def test_a_query_matches_from_when_enough_are_reached_and_no_longer(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await saved(db, brand, "bier reach>100")
    ears = Ears()
    found = []
    for fact in (_FEW, Counted("a", at(1), views=500), Counted("a", at(2), views=80)):
        await hear(db, channel, ears, fact)
        found.append([name for name, *_ in await matched(db, brand)])
    assert found == [[], ["a"], []]


async def test_a_count_leaves_the_matches_of_queries_that_ask_no_reach(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await saved(db, brand, "bier")
    ears = Ears()
    await hear(db, channel, ears, _FEW)
    before = await matched(db, brand)
    await hear(db, channel, ears, Counted("a", at(1), views=500))
    assert await matched(db, brand) == before != []


async def test_what_reaches_nobody_knows_how_many_satisfies_no_comparison(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await hear(db, channel, None, by(None), said("b", "bier", author=Author("tom", followers=3)))
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        tried = await trial.try_out(session, scope, "bier reach<5")
        assert (tried.asked, tried.matched) == (2, 1)


async def test_an_erased_person_has_no_followers(
    db: Database, brand: HouseBrand, channel: HouseChannel, database: TestDatabase
) -> None:
    await hear(db, channel, None, _FEW, Deleted("a", at(1)))
    async with db.session() as session:
        scope: Scope = await scopes.house(session, brand.brand_id)
        card = connector(Network.GENERIC).card
        await erasure.erase_some(session, scope, network=Network.GENERIC, person="lea", card=card, now=T0)
    assert (await one(database, "SELECT followers FROM identity"))["followers"] is None
