"""Searching words, phrases, `or` and `-without`, each read in the mention's own language."""

import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.page import Cursors, PageRequest
from tests.conftest import House, HouseBrand
from tests.services.api.graphql.asking import hear, said

SAID = {
    "fr both": ("fr", "Les lanternes rouges sont belles"),
    "fr one": ("fr", "Une lanterne verte dans le jardin"),
    "nl both": ("nl", "De lantaarns zijn rood en mooi"),
    "nl one": ("nl", "Een mooie lantaarn in de tuin"),
    "de both": ("de", "Die Laternen leuchten in roten Farben"),
    "de one": ("de", "Eine Laterne im Garten"),
    "en both": ("en", "The ships shine in the red garden"),
    "en one": ("en", "A shining ship, nothing more"),
    "?? both": (None, "lanternes rouges"),
    "?? one": (None, "lanternes vertes"),
    "fr-BE": ("fr-BE", "les lanternes vertes"),
}


@pytest.fixture
async def heard(house: House, brand: HouseBrand, worker_db: Database) -> None:
    channel = await house.channel(brand)
    facts = [
        said(id_, text, language=language, minutes=minute)
        for minute, (id_, (language, text)) in enumerate(SAID.items())
    ]
    await hear(worker_db, channel, *facts, reader=None)


async def _found(db: Database, brand: HouseBrand, words: str) -> set[str]:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        page = await mentions.search(
            session, scope, where=MentionFilter(search=words), page=PageRequest(100), cursors=Cursors(House(db).vault)
        )
    return {mention.external_id for mention in page.items}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("lanternes -rouge", {"fr one", "?? one", "?? both", "fr-BE"}),  # of unknown language: as it is written
        ("lanternes -rouges", {"fr one", "?? one", "fr-BE"}),
        ("lantaarn -rood", {"nl one"}),
        ("laterne -rot", {"de one"}),
        ("ship -red", {"en one"}),
        ("ships -garden", {"en one"}),
        ('lanternes -"lanternes rouges"', {"fr one", "?? one", "fr-BE"}),
        ('"lanterne verte"', {"fr one"}),
        ('"lanternes vertes"', {"fr one", "?? one", "fr-BE"}),
        ('"vertes lanternes"', set()),
        ("lantaarn or laterne", {"nl both", "nl one", "de both", "de one"}),
        ("lantaarn or laterne -rot", {"nl both", "nl one", "de one"}),
        ("lantaarn OR ship -garden", {"nl both", "nl one", "en one"}),
        ("lanternes -lanternes", set()),
        ("der -die", set()),
        ("-", set()),
    ],
)
async def test_what_is_searched_is_found_and_what_is_excluded_is_not(
    heard: None, app_db: Database, brand: HouseBrand, words: str, found: set[str]
) -> None:
    assert await _found(app_db, brand, words) == found


async def test_a_word_that_is_only_excluded_leaves_all_the_others(
    heard: None, app_db: Database, brand: HouseBrand
) -> None:
    assert await _found(app_db, brand, "-lanternes") == {
        "nl both", "nl one", "de both", "de one", "en both", "en one"
    }  # fmt: skip
