"""Searching Bluesky: as deep as a search leads, and from there anew."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import JSONResponse

from shared.contract import Page
from shared.errors import Refused
from tests.connectors.bluesky_house import Place, bluesky, place, texts
from tests.networks.fakes.bluesky import Fault

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SINCE = START - timedelta(days=1)
SEARCH = "app.bsky.feed.searchPosts"


async def pages(here: Place, *words: str, since: datetime = SINCE) -> list[Page]:
    found: list[Page] = []
    cursor = None
    while not found or found[-1].more:
        assert len(found) < 50
        found.append(await bluesky.search(here.http, here.login, words, cursor, since))
        cursor = found[-1].cursor
    return found


def said(here: Place, found: list[Page]) -> list[str]:
    return [text or "" for text in texts([here.parse(one) for page in found for one in page.arrivals])]


def write(here: Place, number: int, word: str = "koffie") -> list[str]:
    told = [f"{word} {index:04}" for index in range(number)]
    for index, text in enumerate(told):
        here.network.post(here.fan, text, at=START + timedelta(seconds=index))
    return told


async def test_everything_that_holds_all_the_words_is_brought_page_by_page() -> None:
    async with place() as here:
        told = write(here, 250)
        write(here, 5, "thee")
        found = await pages(here, "koffie")
        assert sorted(set(said(here, found))) == told
        assert found[-1].reached == SINCE
        reached = [page.reached for page in found if page.reached is not None]
        assert reached == sorted(reached, reverse=True)
        assert sorted(set(said(here, await pages(here, "koffie", "0007")))) == ["koffie 0007"]


async def test_where_a_search_leads_no_deeper_it_is_asked_anew_for_what_is_earlier() -> None:
    async with place() as here:
        told = write(here, 450)
        here.network.search_depth = 200
        found = await pages(here, "koffie")
        assert sorted(set(said(here, found))) == told
        assert found[-1].reached == SINCE
        assert any("until" in asked for method, asked in here.network.queries if method == SEARCH)


async def test_what_is_earlier_than_asked_for_is_not_brought() -> None:
    async with place() as here:
        told = write(here, 30)
        since = START + timedelta(seconds=20)
        assert sorted(set(said(here, await pages(here, "koffie", since=since)))) == told[20:]


async def test_a_search_that_is_refused_is_refused() -> None:
    async with place() as here:
        here.network.faults[SEARCH] = Fault(JSONResponse({"error": "InvalidRequest", "message": "no"}, 400), times=9)
        with pytest.raises(Refused):
            await pages(here, "koffie")


@pytest.mark.parametrize("cursor", ["", "x", "[]", "{}", '{"next": 3}', '{"next": null, "until": 3}'])
async def test_a_cursor_that_is_none_begins_anew(cursor: str) -> None:
    async with place() as here:
        write(here, 3)
        page = await bluesky.search(here.http, here.login, ["koffie"], cursor, SINCE)
        assert len(said(here, [page])) == 3
