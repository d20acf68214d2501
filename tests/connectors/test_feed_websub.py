"""WebSub: a feed's hub is found and asked to push, on loopback."""

import asyncio
import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from shared.errors import Refused, Unavailable
from tests.connectors.feed_worlds import RSS, hub_world
from tests.connectors.loopback import serving
from tests.networks.fakes.hub import Hub

# ---------------------------------------------------------------- finding the hub


async def test_a_hub_is_asked_to_push_the_topic_to_our_hook_with_our_secret() -> None:
    async with hub_world() as here:
        found = await here.subscribe()
    [form] = here.hub.requests
    assert found is not None
    assert (found.hook_url, found.verify_token, found.secret) == (here.hook.url, here.feed_url, None)
    assert (form["hub.mode"], form["hub.topic"], form["hub.secret"]) == ("subscribe", here.feed_url, here.hook.secret)
    assert form["hub.callback"].startswith(f"{here.hook.url}?")
    lease = timedelta(seconds=int(form["hub.lease_seconds"]))
    assert found.renew_after is not None
    assert 0.5 <= found.renew_after / lease <= 0.8


LINKS = "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='{}' href='{}'/>"


@pytest.mark.parametrize("where", ["header", "several relations", "rss", "atom", "json"])
async def test_a_hub_is_found_in_the_header_and_in_every_kind_of_feed(where: str) -> None:
    async with hub_world() as here:
        hub, topic = here.hub_url, "https://cafe.example/the-topic"
        rss = RSS.decode().replace("<item>", LINKS.format("hub", hub) + LINKS.format("self", topic) + "<item>")
        links = f"<link rel='self' href='{topic}'/><link rel='hub' href='{hub}'/>"
        atom = f"<feed xmlns='http://www.w3.org/2005/Atom'>{links}</feed>"
        hubs = [{"type": "other", "url": "https://other.example/"}, {"type": "WebSub", "url": hub}]
        told = {"version": "https://jsonfeed.org/version/1.1", "feed_url": topic, "hubs": hubs, "items": []}
        body, link = {
            "header": (RSS.decode(), f'<{hub}>; rel="hub"; title="x", <{topic}>; title=y; rel="self"'),
            "several relations": (
                RSS.decode(),
                f'</other>; rel="alternate", <{hub}>;rel=hub,<{topic}>;rel="self next"',
            ),
            "rss": (rss, ""),
            "atom": (atom, '<https://elsewhere.example/>; rel="shortlink"'),
            "json": (json.dumps(told), ""),
        }[where]
        here.site.put("/feed", body, headers={"link": link} if link else {}, content_type="")
        await here.subscribe()
    assert [form["hub.topic"] for form in here.hub.requests] == [topic]


async def test_a_feed_without_a_hub_has_nothing_that_pushes() -> None:
    async with hub_world() as here:
        here.site.put("/feed", RSS, headers={"link": "<javascript:alert(1)>; rel=hub, <x>; title=hub, broken"})
        assert await here.subscribe() is None
    assert here.hub.requests == []


async def test_without_a_self_link_the_topic_is_where_the_feed_was_found() -> None:
    async with hub_world() as here:
        here.site.put("/new", RSS, headers={"link": f"<{here.hub_url}>; rel=hub"})
        here.site.move("/feed", "/new")
        found = await here.subscribe()
    assert found is not None
    assert found.verify_token == here.feed_url.replace("/feed", "/new")


async def test_the_second_hub_is_asked_where_the_first_does_not_answer() -> None:
    async with hub_world() as here:
        here.site.put("/feed", RSS, headers={"link": f"<http://127.0.0.1:1/>; rel=hub, <{here.hub_url}>; rel=hub"})
        assert await here.subscribe() is not None
    assert len(here.hub.subscribers) == 1


async def test_a_hub_that_has_moved_is_followed_with_the_request() -> None:
    async with hub_world() as here, serving(Hub(moved_to=here.hub_url)) as old:
        here.site.put("/feed", RSS, headers={"link": f"<http://127.0.0.1:{old}/>; rel=hub"})
        assert await here.subscribe() is not None
    assert len(here.hub.subscribers) == 1


async def test_a_hub_that_sends_round_and_round_is_given_up() -> None:
    async with hub_world() as here:
        here.hub.moved_to = here.hub_url
        with pytest.raises(Unavailable):
            await here.subscribe()
    assert len(here.hub.requests) == 4


async def test_what_a_hub_refuses_is_said_in_its_words() -> None:
    async with hub_world(refuses="no such topic here") as here:
        with pytest.raises(Refused, match="no such topic here"):
            await here.subscribe()


async def test_a_hub_inside_our_network_is_never_asked() -> None:
    async with hub_world() as here:
        here.site.put("/feed", RSS, headers={"link": "<https://10.0.0.1/>; rel=hub"})
        with pytest.raises(Refused, match="not a public address"):
            await here.subscribe()


async def test_a_feed_that_is_none_now_is_asked_again_later() -> None:
    async with hub_world() as here:
        here.site.put("/feed", "<html></html>")
        with pytest.raises(Unavailable):
            await here.subscribe()


async def test_two_at_once_ask_a_hub_for_one_subscription() -> None:
    async with hub_world() as here:
        await asyncio.gather(here.subscribe(), here.subscribe())
    assert len(here.hub.subscribers) == 1
    [(_, callback)] = here.hub.subscribers
    assert urlsplit(callback).query.count("=") == 1
