"""WebSub: what a hub, and anybody else, may ask and send at our hook."""

import hashlib
import hmac

import pytest

from shared.contract import RawPart, RawRequest, Said, Secret
from shared.errors import BadSignature
from tests.connectors.feed_worlds import NOW, RSS, feed, hub_world

# ---------------------------------------------------------------- being asked back


@pytest.mark.parametrize("asks_back", ["first", "after"])
async def test_the_hubs_challenge_is_answered_even_before_the_subscription_is_kept(asks_back: str) -> None:
    async with hub_world(asks_back=asks_back) as here:
        assert await here.subscribe() is not None
        [(status, challenge)] = here.hub.verified
    assert (status, bool(challenge)) == (200, True)
    assert len(here.hub.subscribers) == 1


async def test_a_renewal_asks_the_same_again_and_leaves_one_subscription() -> None:
    async with hub_world() as here:
        await here.subscribe()
        await here.subscribe()
    assert len(here.hub.requests) == 2
    assert len(here.hub.subscribers) == 1


async def test_a_denial_is_acknowledged_and_brings_nothing() -> None:
    async with hub_world(asks_back="denies") as here:
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
    async with hub_world(method=method) as here:
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
