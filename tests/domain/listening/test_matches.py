from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from shared.contract import Author, Deleted, Heard, Said
from shared.db import Database, driver
from shared.domain import scope as scopes
from shared.domain.listening import matches, queries, record, trial
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.ears import Ears
from shared.domain.listening.queries import QueryChanges, QueryDraft
from shared.errors import Conflict, Invalid, NotFound, Stale
from shared.models.enums import MentionKind, Network, QueryGroup
from shared.models.query import SavedQuery
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening.test_record import T0, at


@pytest.fixture
def db(worker_db: Database) -> Database:
    return worker_db


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


def said(id_: str, text: str | None, *, stamp: float = 0, **more: Any) -> Said:
    return Said(id_, stamp=at(stamp), text=text, kind=MentionKind.COMMENT, published_at=at(-60), **more)


async def hear(db: Database, channel: HouseChannel, ears: Ears | None, *heard: Heard, now: datetime = T0) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        part = HeardPart(channel.id, Network.GENERIC, str(channel.id), heard)
        await record.record(session, scope, [part], now=now, ears=ears)


async def saved(db: Database, brand: HouseBrand, expression: str) -> UUID:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        draft = QueryDraft(name=expression[:50], expression=expression)
        return (await queries.create(session, scope, draft=draft, now=T0)).id


async def change(
    db: Database, brand: HouseBrand, id_: UUID, if_version: int | None = None, **changes: Any
) -> SavedQuery:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await queries.change(session, scope, id_, changes=QueryChanges(**changes), now=T0, if_version=if_version)


async def matched(db: Database, brand: HouseBrand) -> list[tuple[str, UUID, int, list[list[int]]]]:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        connection = await driver(session)
        rows = await connection.fetch(
            "SELECT m.id, m.external_id FROM mention m WHERE m.brand_id = $1 ORDER BY 2", brand.brand_id
        )
        found = await matches.of_mentions(session, scope, [row["id"] for row in rows])
        return [
            (row["external_id"], one.query_id, one.version, one.spans)
            for row in rows
            for one in found.get(row["id"], [])
        ]


async def test_what_a_query_matches_is_kept_with_the_places(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    id_ = await saved(db, brand, "bière OR #café")
    await hear(db, channel, Ears(), said("a", "Une Bière au #café"), said("b", "Bierzelt"))
    assert await matched(db, brand) == [("a", id_, 1, [[4, 9], [13, 18]])]


async def test_a_change_holds_from_the_next_batch_on(db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    ears = Ears()
    await hear(db, channel, ears, said("a", "bière"))
    id_ = await saved(db, brand, "bière")
    await hear(db, channel, ears, said("b", "bière"))
    await change(db, brand, id_, expression="café")
    await hear(db, channel, ears, said("c", "bière"), said("d", "café"))
    assert [(name, version) for name, _, version, _ in await matched(db, brand)] == [("b", 1), ("d", 2)]


async def test_queries_go_on_matching_when_they_wait_for_other_words(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await saved(db, brand, "zeehond koffie")
    ears = Ears()
    await hear(db, channel, ears, *(said(f"{n:04}", "zeehond") for n in range(600)))
    await hear(db, channel, ears, said("both", "koffie zeehond"), said("one", "zeehond"))
    assert [name for name, *_ in await matched(db, brand)] == ["both"]


async def test_an_edit_is_matched_again(db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    beer, coffee = await saved(db, brand, "bier"), await saved(db, brand, "koffie")
    ears = Ears()
    await hear(db, channel, ears, said("a", "bier"))
    await hear(db, channel, ears, said("a", "nee, koffie", stamp=5, edited_at=at(5)))
    assert [(query, spans) for _, query, _, spans in await matched(db, brand)] == [(coffee, [[5, 11]])]
    assert beer != coffee


@pytest.mark.parametrize("listens", [True, False])
async def test_what_is_deleted_matches_nothing(
    db: Database, brand: HouseBrand, channel: HouseChannel, listens: bool
) -> None:
    await saved(db, brand, "bier")
    await hear(db, channel, Ears(), said("a", "bier"))
    await hear(db, channel, Ears() if listens else None, Deleted("a", at(9)))
    assert await matched(db, brand) == []


async def test_the_order_of_arrival_changes_no_match(db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    await saved(db, brand, "bier")
    ears = Ears()
    await hear(db, channel, ears, Deleted("a", at(9)), said("b", "geen", stamp=5, edited_at=at(5)))
    await hear(db, channel, ears, said("a", "bier"), said("b", "bier"))
    assert await matched(db, brand) == []


async def test_a_query_may_ask_for_the_author_that_only_an_earlier_batch_named(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await saved(db, brand, "author:jan bier")
    ears = Ears()
    await hear(db, channel, ears, said("a", "koffie", author=Author("u1", "jan", "Jan", None)))
    await hear(db, channel, ears, said("a", "bier", stamp=5, edited_at=at(5)))
    assert [name for name, *_ in await matched(db, brand)] == ["a"]


async def test_one_brands_queries_are_not_asked_of_anothers_mentions(
    db: Database, house: House, brand: HouseBrand, channel: HouseChannel
) -> None:
    other = await house.brand("other")
    await saved(db, other, "bier")
    await hear(db, channel, Ears(), said("a", "bier"))
    assert await matched(db, brand) == await matched(db, other) == []


async def test_of_a_text_that_says_it_a_thousand_times_a_hundred_places_are_kept(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    await saved(db, brand, "bier")
    await hear(db, channel, Ears(), said("a", "bier " * 1000))
    assert len((await matched(db, brand))[0][3]) == 100


async def test_each_change_is_a_version_that_stays(db: Database, brand: HouseBrand) -> None:
    id_ = await saved(db, brand, "bier")
    await change(db, brand, id_, if_version=1, expression="koffie", group=QueryGroup.COMPETITOR)
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        found = (await queries.versions(session, scope, [id_]))[id_]
    assert [(one.version, one.expression, one.group.value) for one in found] == [
        (2, "koffie", "competitor"),
        (1, "bier", "brand"),
    ]


async def test_a_change_of_another_version_is_refused(db: Database, brand: HouseBrand) -> None:
    id_ = await saved(db, brand, "bier")
    with pytest.raises(Stale):
        await change(db, brand, id_, if_version=7, expression="koffie")


async def test_a_query_that_means_nothing_is_refused_with_its_place(db: Database, brand: HouseBrand) -> None:
    with pytest.raises(Invalid) as refused:
        await saved(db, brand, "bier AND lang:dutch")
    problem = refused.value.problems[0]
    assert (problem.code, problem.path) == ("unknown_value", ("expression",))
    assert "characters 14 to 19" in problem.message


async def test_a_deleted_query_is_gone_with_what_it_matched(
    db: Database, brand: HouseBrand, channel: HouseChannel
) -> None:
    id_ = await saved(db, brand, "bier")
    await hear(db, channel, Ears(), said("a", "bier"))
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await queries.delete(session, scope, id_)
    assert await matched(db, brand) == []
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        with pytest.raises(NotFound):
            await queries.get(session, scope, id_)


async def test_a_brand_may_have_few_queries_of_which_nothing_can_be_waited_for(db: Database, brand: HouseBrand) -> None:
    for number in range(queries.MOST_BROAD):
        await saved(db, brand, f"reach>{number}")
    with pytest.raises(Conflict) as refused:
        await saved(db, brand, "bier OR reach>5")
    assert refused.value.code == "too_many_broad_queries"
    await saved(db, brand, "bier reach>5")


async def test_a_query_is_tried_over_what_is_stored(db: Database, brand: HouseBrand, channel: HouseChannel) -> None:
    await hear(
        db, channel, None, said("a", "Lekker bier", language="nl"), said("b", "Une bière", language="fr"),
        said("c", "Bierzelt", language="de"), said("d", "bier"), Deleted("d", at(9)),
    )  # fmt: skip
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        tried = await trial.try_out(session, scope, "bier OR bière")
    assert tried.explanation == "Finds mentions with the word “bier” or the word “bière”."
    assert (tried.matched, tried.asked, tried.is_complete) == (2, 3, True)
    assert dict(tried.languages) == {"nl": 1, "fr": 1}
    assert dict(tried.networks) == {Network.GENERIC: 2}
    assert {(one.mention.external_id, *one.spans) for one in tried.sample} == {("a", (7, 11)), ("b", (4, 9))}


async def test_a_trial_ends_when_its_time_is_over(
    db: Database, brand: HouseBrand, channel: HouseChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_AT_ONCE", 1)
    await hear(db, channel, None, said("a", "bier"), said("b", "bier"), said("c", "bier"))
    ticks = iter([0.0, 1.0, 9.0])
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        tried = await trial.try_out(session, scope, "bier", clock=lambda: next(ticks))
    assert (tried.asked, tried.is_complete) == (2, False)
