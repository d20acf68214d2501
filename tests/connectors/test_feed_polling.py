"""Polling a feed, on loopback: asked for only when it changed, and heard only where it says something new."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.contract import Deleted, Heard, Page, RawPart, Said
from tests.connectors.feed_worlds import feed, heard, rss, world

# ---------------------------------------------------------------- what is new


async def test_the_arrival_is_the_body_byte_for_byte_with_its_type_and_final_address() -> None:
    async with world() as here:
        body = rss("één").encode("utf-16")
        here.site.put("/feed.xml", body, content_type="application/rss+xml; charset=utf-16")
        here.site.move("/feed", "/feed.xml", 302)
        [arrival] = (await here.poll()).arrivals
    assert arrival.body == body
    told = {"content-type": "application/rss+xml; charset=utf-16", "content-location": f"{here.url}/feed.xml"}
    assert arrival.headers == told
    assert heard(arrival) == ["één"]


@pytest.mark.parametrize("validators", [{"etag": True}, {"etag": False, "modified": "Sun, 22 Nov 2026 08:00:00 GMT"}])
async def test_a_feed_that_did_not_change_is_asked_for_conditionally_and_brings_nothing(validators: Any) -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"), **validators)
        first = await here.poll()
        second = await here.poll(first.cursor)
        third = await here.poll(second.cursor)
    assert (len(first.arrivals), second.arrivals, third.arrivals) == (1, (), ())
    assert [asked.status for asked in here.site.asked] == [200, 304, 304]


async def test_a_feed_without_validators_brings_nothing_while_it_says_the_same() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a", extra="<lastBuildDate>now</lastBuildDate>"), etag=False)
        first = await here.poll()
        here.site.put("/feed", rss("a", extra="<lastBuildDate>a moment later</lastBuildDate>"), etag=False)
        second = await here.poll(first.cursor)
    assert (len(first.arrivals), second.arrivals) == (1, ())


async def test_a_feed_that_changed_brings_its_new_body() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"))
        first = await here.poll()
        here.site.put("/feed", rss("b", "a"))
        second = await here.poll(first.cursor)
    assert heard(second.arrivals[0]) == ["b", "a"]
    assert first.arrivals[0].key != second.arrivals[0].key


async def test_a_feed_that_says_again_what_it_said_before_is_heard_again() -> None:
    async with world() as here:
        pages: list[Page] = []
        for title in ("a", "b", "a"):
            here.site.put("/feed", rss(title))
            pages.append(await here.poll(pages[-1].cursor if pages else None))
    assert [heard(page.arrivals[0]) for page in pages] == [["a"], ["b"], ["a"]]
    assert len({page.arrivals[0].key for page in pages}) == 3


async def test_an_entry_that_leaves_the_feed_is_not_deleted_and_a_tombstone_is() -> None:
    tomb = (
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:at='http://purl.org/atompub/tombstones/1.0'>"
        "<at:deleted-entry ref='a' when='2026-11-22T08:00:00Z'/></feed>"
    )
    async with world() as here:
        here.site.put("/feed", rss("b", "a"))
        first = await here.poll()
        here.site.put("/feed", rss("b"))
        second = await here.poll(first.cursor)
        here.site.put("/feed", tomb, content_type="application/atom+xml")
        third = await here.poll(second.cursor)
    facts = [
        fact
        for page in (second, third)
        for fact in feed.parse(RawPart("", page.arrivals[0].body, page.arrivals[0].stamp)).heard
    ]
    assert [fact.external_id for fact in facts if isinstance(fact, Deleted)] == ["a"]


async def test_an_updated_entry_is_the_same_mention_in_a_version_of_its_own_time() -> None:
    def entry(text: str, updated: str) -> str:
        return (
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>tag:x,2026:1</id><title>Menu</title>"
            f"<published>2026-11-20T10:00:00Z</published><updated>{updated}</updated><summary>{text}</summary></entry></feed>"
        )

    versions: list[Heard] = []
    async with world() as here:
        cursor = None
        for text, updated in (("soep", "2026-11-20T10:00:00Z"), ("soep en brood", "2026-11-21T11:30:00Z")):
            here.site.put("/feed", entry(text, updated))
            page = await here.poll(cursor)
            cursor = page.cursor
            versions += feed.parse(RawPart("", page.arrivals[0].body, page.arrivals[0].stamp)).heard
    first, second = versions
    assert isinstance(first, Said)
    assert isinstance(second, Said)
    assert first.external_id == second.external_id
    assert (first.published_at, first.edited_at) == (datetime(2026, 11, 20, 10, tzinfo=UTC), None)
    assert (second.text, second.edited_at) == ("Menu\n\nsoep en brood", datetime(2026, 11, 21, 11, 30, tzinfo=UTC))


async def test_a_broken_feed_is_asked_for_in_full_until_it_is_whole() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a", "b")[:-60])
        first = await here.poll()
        again = await here.poll(first.cursor)
        here.site.put("/feed", rss("a", "b"))
        whole = await here.poll(again.cursor)
    assert (len(first.arrivals), again.arrivals) == (1, ())
    assert heard(whole.arrivals[0]) == ["a", "b"]
    assert all("if-none-match" not in asked.headers for asked in here.site.asked)


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "[]", '{"url": 7}', '{"url": "https://other.example/", "etag": "x"}']
)
async def test_a_cursor_that_says_nothing_of_this_address_is_as_none(cursor: str) -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"))
        assert len((await here.poll(cursor)).arrivals) == 1
    assert "if-none-match" not in here.site.asked[0].headers


async def test_a_validator_that_no_header_can_carry_is_not_sent_back() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"), etag=False, headers={"etag": "x" * 2000})
        first = await here.poll()
        await here.poll(first.cursor)
    assert "if-none-match" not in here.site.asked[1].headers


async def test_a_cursor_holds_nothing_of_the_login() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"), login=("lea", "s3cret"))
        here.login = replace(here.login, credentials={"username": "lea", "password": "s3cret"})
        cursor = (await here.poll()).cursor
    assert set(json.loads(cursor or "")) == {"url", "moved", "etag", "modified", "digest"}
    assert "s3cret" not in (cursor or "")
