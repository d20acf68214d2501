"""WebSub both ways: a hub that asks back and signs, on loopback, and everything that a stranger may send."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from shared.connectors.feed import Feed
from shared.contract import HookAddress, Login, RawPart, RawRequest, Said, Secret, Subscription
from shared.errors import BadSignature, Refused, Unavailable
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.feed import Site
from tests.networks.fakes.hub import Hub

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ENTRY = (
    b"<rss version='2.0'><channel><title>Dunes</title><item><guid isPermaLink='false'>1</guid><title>a</title></item>"
)
RSS = ENTRY + b"</channel></rss>"
feed = Feed()


@dataclass
class Callback:
    """A hook's address as a hub meets it: what the connector says to each request is what it answers."""

    secret: Secret
    pushed: list[RawRequest] = field(default_factory=list)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        body = (await receive()).get("body", b"")
        query = dict(parse_qsl(scope["query_string"].decode()))
        status, text = self._answer(RawRequest(scope["method"], headers, query, body, NOW))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": text})

    def _answer(self, request: RawRequest) -> tuple[int, bytes]:
        shaken = feed.handshake(request, self.secret)
        if shaken is not None:
            return shaken.status, shaken.body
        try:
            feed.verify(request, self.secret)
        except BadSignature:
            return 401, b""
        self.pushed.append(request)
        return 200, b""


@dataclass
class World:
    site: Site
    hub: Hub
    callback: Callback
    http: httpx.AsyncClient
    feed_url: str
    hub_url: str
    hook: HookAddress

    async def subscribe(self) -> Subscription | None:
        found = await feed.subscribe(self.http, Login(self.feed_url, self.feed_url, {}), self.hook)
        await self.hub.asked_back()
        return found


@asynccontextmanager
async def world(**hub: Any) -> AsyncIterator[World]:
    site, fake, callback = Site(), Hub(**hub), Callback(Secret((feed.new_secret(),)))
    async with serving(site) as one, serving(fake) as two, serving(callback) as three, guarded() as http:
        urls = [f"http://127.0.0.1:{port}" for port in (one, two, three)]
        here = World(
            site, fake, callback, http, f"{urls[0]}/feed", f"{urls[1]}/",
            HookAddress(f"{urls[2]}/webhooks/hook_1", callback.secret.keys[0]),
        )  # fmt: skip
        site.put("/feed", RSS, headers={"link": f'<{here.hub_url}>; rel="hub", <{here.feed_url}>; rel=self'})
        yield here


# ---------------------------------------------------------------- finding the hub


async def test_a_hub_is_asked_to_push_the_topic_to_our_hook_with_our_secret() -> None:
    async with world() as here:
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
    async with world() as here:
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
    async with world() as here:
        here.site.put("/feed", RSS, headers={"link": "<javascript:alert(1)>; rel=hub, <x>; title=hub, broken"})
        assert await here.subscribe() is None
    assert here.hub.requests == []


async def test_without_a_self_link_the_topic_is_where_the_feed_was_found() -> None:
    async with world() as here:
        here.site.put("/new", RSS, headers={"link": f"<{here.hub_url}>; rel=hub"})
        here.site.move("/feed", "/new")
        found = await here.subscribe()
    assert found is not None
    assert found.verify_token == here.feed_url.replace("/feed", "/new")


async def test_the_second_hub_is_asked_where_the_first_does_not_answer() -> None:
    async with world() as here:
        here.site.put("/feed", RSS, headers={"link": f"<http://127.0.0.1:1/>; rel=hub, <{here.hub_url}>; rel=hub"})
        assert await here.subscribe() is not None
    assert len(here.hub.subscribers) == 1


async def test_a_hub_that_has_moved_is_followed_with_the_request() -> None:
    async with world() as here, serving(Hub(moved_to=here.hub_url)) as old:
        here.site.put("/feed", RSS, headers={"link": f"<http://127.0.0.1:{old}/>; rel=hub"})
        assert await here.subscribe() is not None
    assert len(here.hub.subscribers) == 1


async def test_a_hub_that_sends_round_and_round_is_given_up() -> None:
    async with world() as here:
        here.hub.moved_to = here.hub_url
        with pytest.raises(Unavailable):
            await here.subscribe()
    assert len(here.hub.requests) == 4


async def test_what_a_hub_refuses_is_said_in_its_words() -> None:
    async with world(refuses="no such topic here") as here:
        with pytest.raises(Refused, match="no such topic here"):
            await here.subscribe()


async def test_a_hub_inside_our_network_is_never_asked() -> None:
    async with world() as here:
        here.site.put("/feed", RSS, headers={"link": "<https://10.0.0.1/>; rel=hub"})
        with pytest.raises(Refused, match="not a public address"):
            await here.subscribe()


async def test_a_feed_that_is_none_now_is_asked_again_later() -> None:
    async with world() as here:
        here.site.put("/feed", "<html></html>")
        with pytest.raises(Unavailable):
            await here.subscribe()


# ---------------------------------------------------------------- being asked back


@pytest.mark.parametrize("asks_back", ["first", "after"])
async def test_the_hubs_challenge_is_answered_even_before_the_subscription_is_kept(asks_back: str) -> None:
    async with world(asks_back=asks_back) as here:
        assert await here.subscribe() is not None
        [(status, challenge)] = here.hub.verified
    assert (status, bool(challenge)) == (200, True)
    assert len(here.hub.subscribers) == 1


async def test_a_renewal_asks_the_same_again_and_leaves_one_subscription() -> None:
    async with world() as here:
        await here.subscribe()
        await here.subscribe()
    assert len(here.hub.requests) == 2
    assert len(here.hub.subscribers) == 1


async def test_a_denial_is_acknowledged_and_brings_nothing() -> None:
    async with world(asks_back="denies") as here:
        await here.subscribe()
    assert [status for status, _ in here.hub.verified] == [200]
    assert here.hub.subscribers == {}


def asking(topic: str = "https://cafe.example/feed", **query: str) -> RawRequest:
    told = {"hub.mode": "subscribe", "hub.topic": topic, "hub.challenge": "c123", "hub.lease_seconds": "864000"}
    told.update({name.replace("__", "."): value for name, value in query.items()})
    return RawRequest("GET", {}, {name: value for name, value in told.items() if value}, b"", NOW)


KNOWN = Secret(("k" * 64,), "https://cafe.example/feed")


def test_a_challenge_for_the_kept_topic_is_echoed_as_text() -> None:
    answer = feed.handshake(asking(hub__challenge="<b>&"), KNOWN)
    assert answer is not None
    assert (answer.status, answer.body, answer.content_type) == (200, b"<b>&", "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "request_",
    [
        asking("https://other.example/feed"),
        asking("https://cafe.example/feed/"),
        asking(""),
        asking(hub__challenge=""),
        asking(hub__mode="unsubscribe"),
        asking(hub__mode="publish"),
        asking("https://other.example/feed", hub__mode="denied"),
        asking("https://other.example/\ud800", parvis__topic="é\ud800"),
    ],
)
def test_what_we_did_not_ask_for_is_not_found(request_: RawRequest) -> None:
    answer = feed.handshake(request_, KNOWN)
    assert answer is not None
    assert answer.status == 404
    assert b"c123" not in answer.body


def test_a_proof_holds_for_its_own_topic_and_key_only() -> None:
    def proof(key: str, topic: str) -> str:
        return hmac.new(key.encode(), b"topic\n" + topic.encode(), hashlib.sha256).hexdigest()[:32]

    rotated = Secret(("new" * 20, "k" * 64))
    good = asking(parvis__topic=proof("k" * 64, "https://cafe.example/feed"))
    answers = [
        feed.handshake(good, rotated),
        feed.handshake(asking(parvis__topic=proof("k" * 64, "https://other.example/")), rotated),
        feed.handshake(asking(parvis__topic=proof("x" * 64, "https://cafe.example/feed")), rotated),
    ]
    assert [answer.status for answer in answers if answer] == [200, 404, 404]


def test_a_push_and_a_visit_are_no_handshake() -> None:
    for request in (RawRequest("POST", {}, {"hub.mode": "subscribe"}, b"", NOW), RawRequest("GET", {}, {}, b"", NOW)):
        assert feed.handshake(request, KNOWN) is None


# ---------------------------------------------------------------- being pushed to


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_what_the_hub_pushes_is_verified_by_any_of_its_methods_and_heard(method: str) -> None:
    async with world(method=method) as here:
        await here.subscribe()
        statuses = await here.hub.publish(here.feed_url, RSS, "application/rss+xml", here.hub_url)
    [push] = here.callback.pushed
    [said] = feed.parse(RawPart(here.feed_url, push.body, NOW, {"content-type": push.headers["content-type"]})).heard
    assert statuses == [200]
    assert isinstance(said, Said)
    assert (said.external_id, said.text) == ("1", "a")


def signed(body: bytes, key: str = "k" * 64, method: str = "sha256", **headers: str) -> RawRequest:
    digest = hmac.new(key.encode(), body, method).hexdigest()
    return RawRequest("POST", {"x-hub-signature": f"{method}={digest}", **headers}, {}, body, NOW)


@pytest.mark.parametrize(
    "request_",
    [
        signed(RSS, "other"),
        signed(RSS)._replace(body=RSS + b" "),
        signed(RSS)._replace(headers={}),
        signed(RSS, method="md5"),
        signed(RSS)._replace(headers={"x-hub-signature": "sha256="}),
        signed(RSS)._replace(headers={"x-hub-signature": "sha256"}),
        signed(RSS)._replace(headers={"x-hub-signature": "sha1=" + hmac.new(b"k" * 64, RSS, "sha256").hexdigest()}),
        signed(RSS)._replace(headers={"x-hub-signature": "sha256=é\ud800"}),
    ],
)
def test_a_push_that_is_not_signed_by_our_secret_is_refused(request_: RawRequest) -> None:
    with pytest.raises(BadSignature):
        feed.verify(request_, KNOWN)


def test_any_key_fits_while_they_rotate_however_the_digest_is_written() -> None:
    request = signed(RSS)
    upper = request._replace(headers={"x-hub-signature": request.headers["x-hub-signature"].upper()})
    for one in (request, upper):
        assert feed.verify(one, Secret(("newer" * 10, "k" * 64))) is None


def test_a_repeated_push_has_the_same_key_and_another_body_another() -> None:
    assert feed.key(signed(RSS)) == feed.key(signed(RSS, "other")) != feed.key(signed(RSS + b" "))


def test_an_own_secret_is_one_that_a_hub_takes() -> None:
    assert 32 <= len(feed.new_secret().encode()) < 200
    assert feed.new_secret() != feed.new_secret()


async def test_two_at_once_ask_a_hub_for_one_subscription() -> None:
    async with world() as here:
        await asyncio.gather(here.subscribe(), here.subscribe())
    assert len(here.hub.subscribers) == 1
    [(_, callback)] = here.hub.subscribers
    assert urlsplit(callback).query.count("=") == 1
