"""Connecting a feed, its self-test, and what its card promises and does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contract import Capability, Finding, Login, RawArrival, RawPart, RawRequest, Secret
from shared.errors import BadPayload, Gone, LoginDead, Refused, Unavailable
from tests.connectors.feed_worlds import World, feed, rss, world
from tests.connectors.loopback import guarded

NAMED = '<link rel="alternate" type="application/rss+xml" href="/blog/feed">'


async def findings(here: World) -> dict[str, Finding]:
    return {finding.code: finding for finding in await feed.check(here.http, here.login)}


# ---------------------------------------------------------------- connecting


async def test_a_feed_is_known_by_its_address_and_named_by_its_title() -> None:
    async with world() as here:
        here.site.put("/feed", rss("a"))
        found = await feed.identify(here.http, replace(here.login, channel_external_id=""))
    assert (found.external_id, found.base_url) == (f"{here.url}/feed", f"{here.url}/feed")
    assert (found.name, found.credentials) == ("Dunes", {})


@pytest.mark.parametrize(("status", "path"), [(301, "/new"), (302, "/feed")])
async def test_a_feed_that_moved_for_good_is_known_by_its_new_address(status: int, path: str) -> None:
    async with world() as here:
        here.site.put("/new", rss("a"))
        here.site.move("/feed", "/new", status)
        assert (await feed.identify(here.http, here.login)).external_id == f"{here.url}{path}"


@pytest.mark.parametrize(
    "link",
    [
        NAMED,
        "<LINK href='/blog/feed' TYPE='Application/Atom+XML; charset=utf-8' rel='home ALTERNATE'/>",
        '<base href="/blog/"><link rel=alternate type=application/feed+json href=feed>',
        f'<link rel="alternate" type="application/json" href="/wp-json/x">{NAMED}{NAMED.replace("blog", "comments")}',
        f'<link rel="stylesheet" type="application/rss+xml" href="/x"><link rel="alternate" href="/fr">{NAMED}',
    ],
)
async def test_a_web_page_leads_to_the_feed_that_it_names(link: str) -> None:
    async with world("/") as here:
        here.site.put("/", f"<!doctype html><html><head>{link}</head></html>", content_type="text/html")
        here.site.put("/blog/feed", rss("a"))
        assert (await feed.identify(here.http, here.login)).base_url == f"{here.url}/blog/feed"


async def test_a_page_that_names_no_feed_is_refused_with_what_to_do() -> None:
    async with world("/") as here:
        here.site.put("/", "<html><a href='/feed'>RSS</a></html>", content_type="text/html")
        with pytest.raises(Refused, match="give the address of a feed"):
            await feed.identify(here.http, here.login)
        here.site.put(
            "/", "<html><link rel=alternate type=application/rss+xml href=/x></html>", content_type="text/html"
        )
        here.site.put("/x", "<html></html>", content_type="text/html")
        with pytest.raises(Refused, match="names"):
            await feed.identify(here.http, here.login)


async def test_a_very_long_address_is_known_by_its_digest_and_kept_whole() -> None:
    path = "/" + "x" * 600
    async with world(path) as here:
        here.site.put(path, rss("a"))
        found = await feed.identify(here.http, here.login)
    assert len(found.external_id) == 64
    assert found.base_url == f"{here.url}{path}"


async def test_a_feed_without_a_title_is_named_by_its_host() -> None:
    async with world() as here:
        here.site.put("/feed", "<rss version='2.0'><channel/></rss>")
        assert (await feed.identify(here.http, here.login)).name == "127.0.0.1"


async def test_what_is_wrong_with_an_address_is_told_apart_when_connecting() -> None:
    async with world() as here:
        for status, error in ((404, Unavailable), (401, LoginDead), (410, Gone)):
            here.site.put("/feed", status=status)
            with pytest.raises(error):
                await feed.identify(here.http, here.login)


# ---------------------------------------------------------------- the self-test


async def test_the_self_test_says_what_the_feed_is_and_that_it_has_no_hub() -> None:
    items = "<item><title>b</title></item><item><pubDate>Sun, 22 Nov 2026 08:05:00 GMT</pubDate><title>c</title></item>"
    async with world() as here:
        here.site.put("/feed", rss("a", extra=items))
        found = await findings(here)
    assert all(finding.ok for finding in found.values())
    assert found["feed"].message == "RSS 2.0 “Dunes”: 3 entries"
    assert found["newest"].message == "the newest entry is of 2026-11-22 08:05 UTC"
    assert found["times_missing"].message.startswith("2 entries have no time")
    assert "no hub" in found["no_hub"].message


async def test_the_self_test_names_the_hub_and_the_new_address() -> None:
    body = "<feed xmlns='http://www.w3.org/2005/Atom'><link rel='hub' href='https://hub.example/'/></feed>"
    async with world() as here:
        here.site.put("/new", body, content_type="application/atom+xml")
        here.site.move("/feed", "/new")
        found = await findings(here)
    assert found["feed"].message == "Atom without a title: no entries"
    assert "https://hub.example/, which may push" in found["hub"].message
    assert f"{here.url}/new" in found["moved"].message


async def test_the_self_test_says_what_is_wrong_in_the_feed() -> None:
    ahead = (datetime.now(UTC) + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    items = f"<item><title>x<pubDate>soon</pubDate></item><item><title>y</title><pubDate>{ahead}</pubDate></item>"
    async with world() as here:
        here.site.put("/feed", rss("a", extra=items))
        found = await findings(here)
    assert (found["problems"].ok, found["future"].ok) == (False, False)
    assert "ill-formed" in found["passed_over"].message


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(404, "", "unavailable"), (401, "", "login_dead"), (410, "", "gone"), (200, "<html/>", "no_feed")],
)
async def test_the_self_test_of_what_can_not_be_read_says_why_and_what_to_do(status: int, body: str, code: str) -> None:
    async with world() as here:
        here.site.put("/feed", body, status=status)
        [finding] = await feed.check(here.http, here.login)
    assert (finding.ok, finding.code) == (False, code)
    assert finding.mend


# ---------------------------------------------------------------- what it does not do


async def test_what_is_not_on_the_card_is_refused() -> None:
    nothing: Any = None
    offered = {
        Capability.FETCH: feed.fetch(nothing, nothing, nothing),
        Capability.BACKFILL: feed.backfill(nothing, nothing, datetime.now(UTC), None),
        Capability.RECHECK: feed.recheck(nothing, nothing, []),
        Capability.PUBLISH: feed.send(nothing, nothing, nothing),
        Capability.FIND: feed.find(nothing, nothing, nothing),
        Capability.MEASURE: feed.measure(nothing, nothing, []),
        Capability.RENEW: feed.renew(nothing, nothing),
    }
    async with guarded():
        for capability, call in offered.items():
            assert not feed.card.can(capability)
            with pytest.raises(Refused, match=capability.value):
                await call


def test_a_feeds_hook_speaks_for_one_channel() -> None:
    with pytest.raises(BadPayload):
        feed.route(RawArrival("k", b"<rss/>", datetime.now(UTC)))


def test_a_text_is_counted_in_characters() -> None:
    assert (feed.count("één").used, feed.count("x" * 100_001).fits) == (3, False)


def test_a_login_is_nowhere_in_what_is_heard() -> None:
    login = Login("x", "https://cafe.example/feed", {"username": "lea", "password": "s3cret"})
    assert "s3cret" not in repr(login)
    part = RawPart("https://cafe.example/feed", b"", datetime.now(UTC), {"content-type": "text/xml"})
    assert feed.parse(part).ignored == ("an empty push: the feed is polled",)
    assert feed.handshake(RawRequest("GET", {}, {}, b"", datetime.now(UTC)), Secret(())) is None
