"""Polling a feed, on loopback: asked for only when it changed, as often as it wants, wherever it went."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from shared.connectors.feed import Feed
from shared.contract import Deleted, Heard, Login, Page, RawArrival, RawPart, Said
from shared.errors import Gone, LoginDead, RateLimited, Refused, Unavailable
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.feed import Site

feed = Feed()


@dataclass
class World:
    site: Site
    http: httpx.AsyncClient
    url: str
    login: Login

    async def poll(self, cursor: str | None = None) -> Page:
        return await feed.poll(self.http, self.login, cursor)


@asynccontextmanager
async def world(path: str = "/feed", **settings: Any) -> AsyncIterator[World]:
    site = Site()
    async with serving(site) as port, guarded(**settings) as http:
        url = f"http://127.0.0.1:{port}"
        yield World(site, http, url, Login(f"{url}{path}", f"{url}{path}", {}))


def rss(*titles: str, extra: str = "") -> str:
    items = "".join(f"<item><guid isPermaLink='false'>{t}</guid><title>{t}</title></item>" for t in titles)
    return f"<rss version='2.0'><channel><title>Dunes</title>{extra}{items}</channel></rss>"


def heard(arrival: RawArrival) -> list[str | None]:
    parsed = feed.parse(RawPart("https://cafe.example/", arrival.body, arrival.stamp, arrival.headers))
    return [fact.text for fact in parsed.heard if isinstance(fact, Said)]


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


# ---------------------------------------------------------------- where it is


async def test_a_feed_that_moved_for_good_tells_its_new_address_and_is_not_fetched_again_for_it() -> None:
    async with world() as here:
        here.site.put("/new", rss("a"))
        here.site.move("/feed", "/new", 308)
        first = await here.poll()
        here.login = replace(here.login, base_url=f"{here.url}/new")
        second = await here.poll(first.cursor)
    assert (first.moved, len(first.arrivals)) == (f"{here.url}/new", 1)
    assert (second.moved, second.arrivals, here.site.asked[-1].status) == (None, (), 304)


async def test_a_feed_that_is_elsewhere_for_a_while_has_not_moved() -> None:
    async with world() as here:
        here.site.put("/new", rss("a"))
        here.site.move("/feed", "/new", 307)
        assert (await here.poll()).moved is None


async def test_an_address_that_is_gone_for_good_is_gone() -> None:
    async with world() as here:
        here.site.put("/feed", status=410)
        with pytest.raises(Gone):
            await here.poll()


@pytest.mark.parametrize("status", [400, 403, 404, 418, 500, 502, 503, 504, 204, 206, 304])
async def test_a_feed_that_is_not_there_now_may_be_there_later(status: int) -> None:
    async with world() as here:
        here.site.put("/feed", status=status, etag=False)
        with pytest.raises(Unavailable):
            await here.poll()


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("<!doctype html><html><p>Maintenance</p></html>", "text/html", "web page"),
        ("<html><head></head></html>", "application/rss+xml", "web page"),
        ("", "application/rss+xml", "empty"),
        ('{"error": "try later"}', "application/json", "no list of items"),
        ("<urlset/>", "text/xml", "urlset"),
        ("x" * 100, "image/png", "image/png"),
    ],
)
async def test_what_is_no_feed_is_said_and_is_no_arrival(body: str, kind: str, words: str) -> None:
    async with world() as here:
        here.site.put("/feed", body, content_type=kind)
        with pytest.raises(Unavailable, match=words):
            await here.poll()


async def test_half_a_page_and_then_nothing_is_unavailable() -> None:
    async with world(send_timeout_seconds=1) as here:
        here.site.put("/feed", rss("a"), headers={"content-length": "100000"})
        with pytest.raises(Unavailable):
            await here.poll()


async def test_a_feed_larger_than_we_read_is_unavailable_in_words() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a", extra="<x>" + "x" * 6_000_000 + "</x>"))
        with pytest.raises(Unavailable, match="larger than we read"):
            await here.poll()


async def test_a_channel_without_an_address_is_refused() -> None:
    async with guarded() as http:
        with pytest.raises(Refused, match="base_url"):
            await feed.poll(http, Login("abc", None, {}), None)


# ---------------------------------------------------------------- passwords


async def test_a_password_is_sent_where_there_is_one_and_a_missing_one_is_said() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"), login=("léa", "pässword"))
        with pytest.raises(LoginDead, match="user name"):
            await here.poll()
        here.login = replace(here.login, credentials={"username": "léa", "password": "pässword"})
        assert len((await here.poll()).arrivals) == 1


# ---------------------------------------------------------------- how often


@pytest.mark.parametrize(
    ("headers", "extra", "wait"),
    [
        ({}, "", None),
        ({"cache-control": "max-age=600"}, "", timedelta(minutes=10)),
        ({"cache-control": "public, max-age=600", "age": "240"}, "", timedelta(minutes=6)),
        ({"cache-control": "max-age=5"}, "", timedelta(minutes=1)),
        ({"cache-control": "max-age=99999999"}, "", timedelta(days=1)),
        ({"cache-control": "max-age=0, must-revalidate"}, "", None),
        ({"cache-control": "no-cache, max-age=600"}, "", None),
        ({"cache-control": "max-age=soon"}, "", None),
        ({"retry-after": "7200"}, "", timedelta(hours=2)),
        ({"retry-after": "garbage"}, "", None),
        ({}, "<ttl>90</ttl>", timedelta(minutes=90)),
        ({}, "<ttl>0</ttl>", None),
        ({}, "<ttl>often</ttl>", None),
        ({"cache-control": "max-age=600"}, "<ttl>90</ttl>", timedelta(minutes=90)),
    ],
)
async def test_the_feed_says_how_long_it_wants_to_be_left_alone(
    headers: dict[str, str], extra: str, wait: timedelta | None
) -> None:
    async with world() as here:
        here.site.put("/feed", rss("a", extra=extra), headers=headers)
        assert (await here.poll()).wait == wait


async def test_an_unchanged_feed_says_it_too() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"), headers={"cache-control": "max-age=600"})
        page = await here.poll((await here.poll()).cursor)
    assert (page.arrivals, page.wait) == ((), timedelta(minutes=10))


@pytest.mark.parametrize("status", [429, 503])
async def test_a_site_that_asks_to_slow_down_is_left_alone_as_long_as_it_asks(status: int) -> None:
    async with world() as here:
        until = format_datetime(datetime.now(UTC) + timedelta(hours=3), usegmt=True)
        waits = []
        for asked in ("1800", until, "1", "999999999"):
            here.site.put("/feed", status=status, headers={"retry-after": asked}, etag=False)
            with pytest.raises(RateLimited) as slow:
                await here.poll()
            waits.append(slow.value.after)
    assert waits[0] == timedelta(minutes=30)
    assert timedelta(hours=2, minutes=59) < waits[1] <= timedelta(hours=3)
    assert waits[2:] == [timedelta(minutes=1), timedelta(days=1)]


async def test_a_cursor_holds_nothing_of_the_login() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"), login=("lea", "s3cret"))
        here.login = replace(here.login, credentials={"username": "lea", "password": "s3cret"})
        cursor = (await here.poll()).cursor
    assert set(json.loads(cursor or "")) == {"url", "moved", "etag", "modified", "digest"}
    assert "s3cret" not in (cursor or "")
