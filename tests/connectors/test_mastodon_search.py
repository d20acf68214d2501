"""Searching a Mastodon instance: by counting on, and told apart from an instance that searches nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.contract import Page
from shared.errors import Refused
from tests.connectors.mastodon_world import World, mastodon, world

SINCE = datetime.now(UTC) - timedelta(days=3650)


async def pages(here: World, *words: str, since: datetime = SINCE) -> list[Page]:
    found: list[Page] = []
    cursor = None
    while not found or found[-1].more:
        found.append(await mastodon.search(here.http, here.login, words, cursor, since))
        cursor = found[-1].cursor
    return found


def texts(here: World, found: list[Page]) -> list[str]:
    return here.texts([one for page in found for one in page.arrivals])


async def test_all_words_and_phrases_must_stand_in_what_is_brought() -> None:
    async with world() as here:
        for text in ("lekkere koffie hier", "koffie", "hier staat lekkere", "lekkere hete koffie hier"):
            here.instance.say(here.lea, text)
        assert texts(here, await pages(here, "lekkere", "koffie")) == [
            "lekkere koffie hier",
            "lekkere hete koffie hier",
        ]
        assert texts(here, await pages(here, "lekkere koffie")) == ["lekkere koffie hier"]


async def test_a_page_that_the_accounts_filters_made_short_is_not_the_last() -> None:
    async with world() as here:
        told = [here.instance.say(here.lea, f"koffie {number:03}") for number in range(100)]
        here.instance.filtered = set(told[70:90])
        found = await pages(here, "koffie")
        assert len(texts(here, found)) == 80
        assert found[-1].reached == SINCE


async def test_it_ends_where_it_is_older_than_what_was_asked_for() -> None:
    async with world() as here:
        for number in range(100):
            here.instance.say(here.lea, f"koffie {number:03}")
        since = datetime.now(UTC) + timedelta(days=3650)
        (page,) = await pages(here, "koffie", since=since)
        assert page.reached == since


async def test_an_instance_that_does_not_count_on_is_not_asked_for_ever() -> None:
    async with world() as here:
        here.instance.lacks.add("offset")
        for number in range(100):
            here.instance.say(here.lea, f"koffie {number:03}")
        first, second = await pages(here, "koffie")
        assert len(texts(here, [first])) == 40
        assert second.arrivals == ()
        assert second.reached is not None
        assert second.reached > SINCE


async def test_an_instance_without_full_text_search_says_so_rather_than_nothing() -> None:
    async with world() as here:
        here.instance.say(here.lea, "koffie")
        own = here.instance.say(here.cafe, "onze openingsuren vandaag")
        here.instance.statuses[own]["created_at"] = "2026-01-01T09:00:00.000Z"
        here.instance.lacks.add("search")
        with pytest.raises(Refused, match="no full-text search: it does not find “openingsuren”"):
            await pages(here, "koffie")


async def test_one_that_finds_the_accounts_own_words_has_nothing_else() -> None:
    async with world() as here:
        own = here.instance.say(here.cafe, "onze openingsuren vandaag")
        here.instance.statuses[own]["created_at"] = "2026-01-01T09:00:00.000Z"
        (page,) = await pages(here, "koffie")
        assert (page.arrivals, page.reached) == ((), SINCE)


async def test_where_the_account_has_said_nothing_it_is_not_known_whether_anything_is_searched() -> None:
    async with world() as here:
        (page,) = await pages(here, "koffie")
        assert (page.arrivals, page.reached) == ((), None)


@pytest.mark.parametrize("cursor", ["", "x", "[]", '{"skip": -1}', '{"skip": "a"}', '{"skip": 99999999}', '{"a": 1}'])
async def test_a_cursor_that_is_none_begins_anew(cursor: str) -> None:
    async with world() as here:
        here.instance.say(here.lea, "koffie")
        page = await mastodon.search(here.http, here.login, ["koffie"], cursor, SINCE)
        assert texts(here, [page]) == ["koffie"]
