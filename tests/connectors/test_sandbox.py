"""The practice network's connector against the practice network itself, on loopback."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.sandbox.app import create_app
from shared.connectors.sandbox import Sandbox
from shared.contract import (
    Counted,
    Deleted,
    Heard,
    HookAddress,
    Login,
    MediaDraft,
    OutgoingEffect,
    OutgoingMedia,
    RawArrival,
    RawPart,
    RawRequest,
    Reacted,
    Said,
    Secret,
)
from shared.errors import (
    BadSignature,
    LoginDead,
    LoginExpired,
    NetworkError,
    RateLimited,
    Refused,
    Unavailable,
    Uncertain,
)
from shared.models.enums import AuthorKind, MentionKind, OutgoingKind, Visibility
from tests.connectors.loopback import Reply, guarded, receiver, serving

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
sandbox = Sandbox()


@dataclass
class World:
    """The network, a person's way into it, and our login for the page `cafe`."""

    people: httpx.AsyncClient
    http: httpx.AsyncClient
    login: Login

    async def say(self, text: str, as_: str = "lea", **more: Any) -> str:
        answer = await self.people.post("/api/say", json={"account": "cafe", "as": as_, "text": text, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def fault(self, effect: dict[str, Any] | str, match: str = "POST /api/v1/posts") -> None:
        answer = await self.people.post("/api/faults", json={"match": match, "effect": effect})
        assert answer.status_code == 201, answer.text

    async def posted(self) -> list[str]:
        answer = await self.people.get("/api/posts", params={"account": "cafe"})
        return [post["id"] for post in answer.json()["posts"]]

    async def log(self, cursor: str | None = None) -> list[Heard]:
        page = await sandbox.poll(self.http, self.login, cursor)
        return [fact for arrival in page.arrivals for fact in parse(arrival)]


def parse(arrival: RawArrival) -> list[Heard]:
    parsed = sandbox.parse(RawPart("cafe", arrival.body, arrival.stamp))
    assert parsed.problems == ()
    return list(parsed.heard)


@asynccontextmanager
async def world(folder: Path, **settings: Any) -> AsyncIterator[World]:
    app = create_app(folder / "sandbox.db", "http://sandbox.test")
    async with serving(app, lifespan="on") as port, guarded(**settings) as http:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url) as people:
            account = (await people.post("/api/accounts", json={"account": "cafe", "name": "Café Parvis"})).json()
            yield World(people, http, Login("cafe", url, {"access_token": account["token"]}))


def post(text: str = "Bonjour", *, attempted: timedelta = timedelta(0), **more: Any) -> OutgoingEffect:
    return OutgoingEffect(
        "out_1", OutgoingKind.PUBLISH, text, "post_1", first_attempt_at=datetime.now(UTC) - attempted, **more
    )


# ---------------------------------------------------------------- hearing


async def test_what_a_person_says_is_heard_alike_by_webhook_and_by_poll(tmp_path: Path) -> None:
    async with world(tmp_path) as here, receiver() as door:
        door.otherwise = Reply(200)
        await sandbox.subscribe(here.http, here.login, HookAddress(f"{door.url}/hook", "s3cret"))
        said = await here.say("Le café est froid\x00", kind="review", rating=2)
        while not door.got:
            await asyncio.sleep(0.02)
        got = door.got[0]
        request = RawRequest("POST", got.headers, {}, got.body, NOW)
        assert sandbox.verify(request, Secret(("other", "s3cret"))) is None
        pushed = parse(RawArrival(sandbox.key(request), got.body, NOW))
        assert pushed == await here.log()
    assert isinstance(pushed[0], Said)
    assert (pushed[0].external_id, pushed[0].kind, pushed[0].rating) == (said, MentionKind.REVIEW, 2.0)
    assert (pushed[0].text, pushed[0].author_kind) == ("Le café est froid\ufffd", AuthorKind.CONSUMER)


async def test_edits_reactions_and_deletions_are_heard_in_their_order(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        said = await here.say("een")
        await here.people.patch(f"/api/posts/{said}", json={"text": "twee"})
        await here.people.post(f"/api/posts/{said}/reactions", json={"as": "jo", "reaction": "love"})
        await here.people.post(f"/api/posts/{said}/reactions", json={"as": "jo", "on": False})
        await here.people.delete(f"/api/posts/{said}")
        heard = [fact for fact in await here.log() if not isinstance(fact, Counted)]
    first, second, given, taken, deleted = heard
    assert isinstance(first, Said)
    assert isinstance(second, Said)
    assert (first.text, first.edited_at, second.text) == ("een", None, "twee")
    assert second.edited_at is not None
    assert isinstance(given, Reacted)
    assert isinstance(taken, Reacted)
    assert (given.reaction, given.on, taken.on) == ("love", True, False)
    assert isinstance(deleted, Deleted)
    assert deleted.external_id == said


async def test_a_private_message_is_private_and_its_answer_points_to_it(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        said = await here.say("psst", kind="message")
        await here.say("ja?", as_="cafe", parent_id=said)
        question, answer = [fact for fact in await here.log() if isinstance(fact, Said)]
    assert (question.visibility, answer.visibility) == (Visibility.PRIVATE, Visibility.PRIVATE)
    assert (answer.parent_external_id, answer.author_kind) == (said, AuthorKind.BRAND)


async def test_a_poll_goes_on_where_the_last_one_stopped_and_says_whether_there_is_more(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for number in range(101):
            await here.say(str(number))
        first = await sandbox.poll(here.http, here.login, None)
        second = await sandbox.poll(here.http, here.login, first.cursor)
        third = await sandbox.poll(here.http, here.login, second.cursor)
    texts = [
        fact.text
        for page in (first, second)
        for arrival in page.arrivals
        for fact in parse(arrival)
        if isinstance(fact, Said)
    ]
    assert texts == [str(number) for number in range(101)]
    assert (first.more, second.more, third.more) == (True, False, False)
    assert (third.arrivals, third.cursor) == ((), second.cursor)
    assert first.arrivals[0].key != second.arrivals[0].key


async def test_a_delivery_is_routed_to_the_account_that_it_names(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.say("x")
        page = await sandbox.poll(here.http, here.login, None)
    [part] = sandbox.route(page.arrivals[0])
    assert part.channel_external_id == "cafe"


def test_a_wrong_signature_is_refused() -> None:
    digest = hmac.new(b"key", b"{}", hashlib.sha256).hexdigest()
    for headers in ({}, {"x-sandbox-signature": digest}, {"x-sandbox-signature": f"sha256={digest[:-1]}g"}):
        with pytest.raises(BadSignature):
            sandbox.verify(RawRequest("POST", headers, {}, b"{}", NOW), Secret(("key",)))


def test_the_key_is_the_deliverys_id_else_the_bodys_digest() -> None:
    named = RawRequest("POST", {"x-sandbox-delivery": "d_1"}, {}, b"{}", NOW)
    assert sandbox.key(named) == "d_1"
    assert sandbox.key(named._replace(headers={})).startswith("sha256:")


# ---------------------------------------------------------------- speaking


async def test_a_post_is_published_found_and_heard_as_the_brands_own(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        outgoing = post(media=(OutgoingMedia("https://ex.be/a.jpg", "image", "een brood"),))
        sent = await sandbox.send(here.http, here.login, outgoing)
        assert await sandbox.find(here.http, here.login, outgoing) == sent
        [said] = [fact for fact in await here.log() if isinstance(fact, Said)]
    assert sent.url == f"http://sandbox.test/posts/{sent.external_id}"
    assert (said.external_id, said.author_kind) == (sent.external_id, AuthorKind.BRAND)
    assert said.media == (MediaDraft("https://ex.be/a.jpg", "image", "een brood"),)


@pytest.mark.parametrize(
    "effect",
    [
        "created_then_400",
        "created_then_500",
        {"type": "created_then", "status": 422},
        {"type": "created_then", "status": 429},
        {"type": "created_then", "status": 401},
        {"type": "timeout", "seconds": 3},
        {"type": "reset"},
    ],
)
async def test_a_post_that_happened_under_an_error_is_never_made_twice(tmp_path: Path, effect: Any) -> None:
    async with world(tmp_path, send_timeout_seconds=1) as here:
        await here.fault(effect)
        with pytest.raises(NetworkError):
            await sandbox.send(here.http, here.login, post())
        repeated = await sandbox.send(here.http, here.login, post(attempted=timedelta(seconds=1)))
        assert [repeated.external_id] == await here.posted()


async def test_a_post_that_is_shown_late_is_not_taken_for_absent(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.fault({"type": "created_then", "status": 500, "show_late": 3})
        with pytest.raises(Uncertain):
            await sandbox.send(here.http, here.login, post())
        with pytest.raises(Uncertain, match="late"):
            await sandbox.find(here.http, here.login, post())
        found = None
        async with asyncio.timeout(30):
            while found is None:
                with suppress(Uncertain):
                    found = await sandbox.find(here.http, here.login, post())
        assert [found.external_id] == await here.posted()


async def test_a_post_that_never_happened_is_certainly_absent_after_some_seconds(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.fault({"type": "status", "status": 500})
        with pytest.raises(Uncertain):
            await sandbox.send(here.http, here.login, post())
        assert await sandbox.find(here.http, here.login, post(attempted=timedelta(seconds=9))) is None


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        ({"type": "status", "status": 429, "retry_after": 7}, RateLimited),
        ({"type": "expired_token"}, LoginExpired),
        ({"type": "reset", "done": False}, Uncertain),
    ],
)
async def test_a_fault_says_what_is_known_of_the_post(tmp_path: Path, effect: Any, error: type[Exception]) -> None:
    async with world(tmp_path) as here:
        await here.fault(effect)
        with pytest.raises(error) as failed:
            await sandbox.send(here.http, here.login, post())
        assert await here.posted() == []
    if isinstance(failed.value, RateLimited):
        assert failed.value.after == timedelta(seconds=7)


async def test_what_the_network_checks_and_refuses_is_refused_for_good(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for outgoing in (post("x" * 10_001), post(""), post(parent_external_id="p_nowhere")):
            with pytest.raises(Refused):
                await sandbox.send(here.http, here.login, outgoing)


async def test_a_login_that_is_wrong_or_nowhere_is_told_apart(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        with pytest.raises(LoginDead):
            await sandbox.poll(here.http, replace(here.login, credentials={"access_token": "nope"}), None)
        with pytest.raises(Refused):
            await sandbox.poll(here.http, replace(here.login, credentials={"access_token": "é\n"}), None)
        with pytest.raises(Refused):
            await sandbox.poll(here.http, replace(here.login, base_url=None), None)
        gone = here.login
    async with guarded() as http:
        with pytest.raises(Unavailable):
            await sandbox.send(http, gone, post())
        with pytest.raises(Uncertain):
            await sandbox.find(http, gone, post())


async def test_counters_are_measured_and_the_unknown_is_left_out(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        said = await here.say("x")
        await here.say("y", parent_id=said)
        await here.people.post(f"/api/posts/{said}/reactions", json={"as": "jo"})
        [counted] = await sandbox.measure(here.http, here.login, ["p_nowhere", said, "../me"])
    assert (counted.external_id, counted.likes, counted.replies) == (said, 1, 1)


async def test_the_self_test_says_what_the_token_is_for_and_where_the_network_pushes(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        before = await sandbox.check(here.http, here.login)
        await sandbox.subscribe(here.http, here.login, HookAddress("http://127.0.0.1:1/hook", "s"))
        after = await sandbox.check(here.http, here.login)
        other = await sandbox.check(here.http, replace(here.login, channel_external_id="bakery"))
        wrong = await sandbox.check(here.http, replace(here.login, credentials={"access_token": "x"}))
    assert {finding.code: finding.ok for finding in before} == {"login": True, "publish": True, "webhook": False}
    assert all(finding.ok for finding in after)
    assert "account" in {finding.code for finding in other if not finding.ok}
    assert [(finding.ok, finding.code) for finding in wrong] == [(False, "login_dead")]
