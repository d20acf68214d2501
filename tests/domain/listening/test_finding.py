"""Searching as people write: without accents, with elisions, apostrophes, beginnings; and where the words are."""

import random
from typing import Any

import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import mentions, searching
from shared.domain.listening.filters import MentionFilter
from shared.domain.page import Cursors, PageRequest
from shared.errors import Invalid
from shared.models.enums import MentionOrder, Network
from tests.conftest import House, HouseBrand
from tests.services.api.graphql.asking import at, hear, said

SAID = {
    "fr accents": ("fr", "Ma réclamation a été livrée à l’école ; c'était une déception"),
    "fr none": ("fr", "ma reclamation a ete livree a l'ecole"),
    "fr joined": ("fr", "Retard/remboursement refusé.Merci pour rien, vos cœurs de pierre"),
    "nl": ("nl", "Eén reünie met ideeën: het café vroeg om vijf e-mails"),
    "de": ("de", "Die Straße ist gesperrt, eine Verspätung über Köln"),
    "de ss": ("de", "Die Strasse ist frei, keine Verspaetung ueber Koeln"),
    "en": ("en", "Don’t worry: the naïve customer_service at H&M was complaining about deliveries"),
    "??": (None, "Żółty łosoś, crème brûlée"),
    "nfd": ("fr", "une re\u0301clamation de\u0301compose\u0301e"),
}  # fmt: skip


@pytest.fixture
async def heard(house: House, brand: HouseBrand, worker_db: Database) -> None:
    channel = await house.channel(brand)
    facts = [
        said(id_, text, language=language, minutes=minute)
        for minute, (id_, (language, text)) in enumerate(SAID.items())
    ]
    await hear(worker_db, channel, *facts, reader=None)


async def searched(db: Database, brand: HouseBrand, words: str) -> dict[str, list[str]]:
    """What is found, each with the pieces of its text that are highlighted."""
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        page = await mentions.search(
            session, scope, where=MentionFilter(search=words), page=PageRequest(100), cursors=Cursors(House(db).vault)
        )
        spans = await searching.highlights(session, scope, words, [it.id for it in page.items])
    return {it.external_id: [(it.text or "")[a:b] for a, b in spans[it.id]] for it in page.items}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("réclamation", {"fr accents": ["réclamation"], "fr none": ["reclamation"], "nfd": ["re\u0301clamation"]}),
        ("RECLAMATIONS", {"fr accents": ["réclamation"], "fr none": ["reclamation"], "nfd": ["re\u0301clamation"]}),
        ("livrée", {"fr accents": ["livrée"], "fr none": ["livree"]}),
        ("livree", {"fr accents": ["livrée"], "fr none": ["livree"]}),
        ("livrer", {"fr accents": ["livrée"]}),
        ("l'école", {"fr accents": ["école"], "fr none": ["ecole"]}),
        ("d’ecole", {"fr accents": ["école"], "fr none": ["ecole"]}),
        ('"livrée à l\'école"', {"fr accents": ["livrée à l’école"], "fr none": ["livree a l'ecole"]}),
        ("remboursement", {"fr joined": ["remboursement"]}),
        ("merci -livrée", {"fr joined": ["Merci"]}),
        ("coeur", {"fr joined": ["cœurs"]}),
        ("reunie ideeen", {"nl": ["reünie", "ideeën"]}),
        ("e-mail", {"nl": ["e-mails"]}),
        ("mails", {"nl": ["mails"]}),
        ("cafe", {"nl": ["café"]}),
        ("strasse", {"de": ["Straße"], "de ss": ["Strasse"]}),
        ("Straße -gesperrt", {"de ss": ["Strasse"]}),
        ("Verspätungen", {"de": ["Verspätung"], "de ss": ["Verspaetung"]}),
        ("verspat*", {"de": ["Verspätung"], "de ss": ["Verspaetung"]}),
        ("naive customer", {"en": ["naïve", "customer"]}),
        ("@customer_service", {"en": ["customer_service"]}),
        ("h&m", {"en": ["H&M"]}),
        ("complaining*", {"en": ["complaining"]}),
        ("deliv*", {"en": ["deliveries"]}),
        ('"worry the naive" or zolty', {"en": ["worry: the naïve"], "??": ["Żółty"]}),
        ("brulee -customer", {"??": ["brûlée"]}),
        ("customer nothing or losos", {"??": ["łosoś"]}),
        ("or", {}),
        ("lo", {}),
        ("*", {}),
        ('"', {}),
        ("the", {}),
    ],
)
async def test_words_are_found_and_shown_as_people_write_them(
    heard: None, app_db: Database, brand: HouseBrand, words: str, found: dict[str, list[str]]
) -> None:
    assert await searched(app_db, brand, words) == found


async def _pages(
    db: Database, brand: HouseBrand, limit: int, cursor: str | None = None,
    order: MentionOrder = MentionOrder.BEST, **where: Any,
) -> tuple[list[str], str | None]:  # fmt: skip
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        page = await mentions.search(
            session, scope, where=MentionFilter(**where), order=order,
            page=PageRequest(limit, cursor), cursors=Cursors(House(db).vault),
        )  # fmt: skip
    return [it.external_id for it in page.items], page.next_cursor


@pytest.mark.parametrize(
    "words", ["lanterne", "lanternes rouge", "rouge or verte", "lanterne -rouge", '"lanterne rouge"', "lant*", "jamais"]
)
async def test_oldest_and_newest_first_are_the_same_mentions_over_the_years(
    house: House, brand: HouseBrand, app_db: Database, worker_db: Database, words: str
) -> None:
    chance = random.Random(words)
    channel = await house.channel(brand)
    facts = [
        said(
            str(n), " ".join(chance.choices(("lanterne", "lanternes", "rouge", "verte", "place"), k=3)),
            language=chance.choice(("fr", "nl", None)), minutes=-chance.choice((1, 1, 60, 60 * 24 * 40, 60 * 24 * 800)),
        )
        for n in range(40)
    ]  # fmt: skip
    await hear(worker_db, channel, *facts, reader=None)
    ranges: list[dict[str, Any]] = [
        {}, {"since": at(-60 * 24 * 500)}, {"until": at(-30)}, {"since": at(-70), "until": at(-1)}
    ]  # fmt: skip
    for where in ranges:
        newest, _ = await _pages(app_db, brand, 100, order=MentionOrder.NEWEST, search=words, **where)
        paged, cursor = list[str](), None
        while cursor is not None or not paged:
            some, cursor = await _pages(app_db, brand, 7, cursor, MentionOrder.OLDEST, search=words, **where)
            paged += some
            if not some:
                break
        assert paged == newest[::-1]


async def _hear_lanterns(house: House, brand: HouseBrand, db: Database) -> None:
    channel = await house.channel(brand)
    texts = {
        "far apart": "lanterns hang over the street, and somebody painted the door of the old house next to it red",
        "old and good": "red lanterns",
        "good": "red lanterns",
        "newest": "the lanterns are red, as the lanterns of all the other streets in this old town are red or green",
        "other": "green lanterns",
    }
    days = {"old and good": -200, "good": -5}
    facts = [
        said(id_, text, language="en", minutes=minute + 60 * 24 * days.get(id_, 0))
        for minute, (id_, text) in enumerate(texts.items())
    ]
    await hear(db, channel, *facts, reader=None)


async def test_best_first_weighs_what_matches_against_its_age(
    house: House, brand: HouseBrand, app_db: Database, worker_db: Database
) -> None:
    await _hear_lanterns(house, brand, worker_db)
    found, _ = await _pages(app_db, brand, 10, search="red lanterns")
    assert found == ["good", "newest", "far apart", "old and good"]


async def test_pages_of_the_best_are_the_whole_list_in_order(
    house: House, brand: HouseBrand, app_db: Database, worker_db: Database
) -> None:
    await _hear_lanterns(house, brand, worker_db)
    whole, _ = await _pages(app_db, brand, 10, search="lanterns")
    assert len(whole) == 5
    shown, cursor = list[str](), None
    while cursor is not None or not shown:
        some, cursor = await _pages(app_db, brand, 2, cursor, search="lanterns")
        shown += some
    assert shown == whole


async def test_what_comes_between_two_pages_of_the_best_shifts_nothing(
    house: House, brand: HouseBrand, app_db: Database, worker_db: Database
) -> None:
    await _hear_lanterns(house, brand, worker_db)
    whole, _ = await _pages(app_db, brand, 10, search="lanterns")
    first, cursor = await _pages(app_db, brand, 2, search="lanterns")
    channel = await house.channel(brand, external_id="another")
    await hear(worker_db, channel, said("late", "lanterns", language="en", minutes=90), reader=None)
    second, _ = await _pages(app_db, brand, 3, cursor, search="lanterns")
    assert first + second == whole


async def test_the_best_of_a_filter_are_looked_for_behind_what_it_leaves_out(
    house: House, brand: HouseBrand, app_db: Database, worker_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WEIGHED", 1)
    await _hear_lanterns(house, brand, worker_db)
    found, _ = await _pages(app_db, brand, 10, search="red", until=None, networks=(Network.GENERIC,))
    assert found == ["newest"]
    assert await _pages(app_db, brand, 10, search="lanterns", networks=(Network.FEED,)) == ([], None)


async def test_best_first_without_words_is_refused(app_db: Database, brand: HouseBrand) -> None:
    for words in (None, "  "):
        with pytest.raises(Invalid) as refused:
            await _pages(app_db, brand, 10, search=words)
        assert [(p.code, p.path) for p in refused.value.problems] == [("search_needed", ("order",))]


async def test_a_text_of_a_hundred_thousand_characters_is_searched_whole_and_highlighted_at_its_start(
    house: House, brand: HouseBrand, app_db: Database, worker_db: Database
) -> None:
    channel = await house.channel(brand)
    text = "lantern " * 200 + "und " * 24_000 + " zeehond"
    await hear(worker_db, channel, said("long", text[:100_000], language="en"), reader=None)
    assert len((await searched(app_db, brand, "lanterns"))["long"]) == 100
    assert await searched(app_db, brand, "zeehonden und") == {}
    assert await searched(app_db, brand, "zeehond") == {"long": []}
