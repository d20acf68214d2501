"""Where a feed is, whether it is one, and how long it wants to be left alone, on loopback."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.contract import Login
from shared.errors import Gone, LoginDead, RateLimited, Refused, Unavailable
from tests.connectors.feed_worlds import feed, rss, world
from tests.connectors.loopback import guarded

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
