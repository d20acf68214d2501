"""What an account says and does on Bluesky: once, under a key of its own, whatever becomes of the answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.connectors import bluesky_records as records
from shared.errors import LoginDead, LoginExpired, RateLimited, Refused, Unavailable, Uncertain
from shared.ids import new_uuid
from shared.models.enums import OutgoingKind
from tests.connectors.bluesky_house import bluesky, on, own, place
from tests.connectors.conformance.specimen import effect
from tests.networks.fakes.bluesky import Fault
from tests.networks.fakes.bluesky_people import POST

CREATE, GET, DELETE = (f"com.atproto.repo.{verb}Record" for verb in ("create", "get", "delete"))
UPLOAD, SHOWN = "com.atproto.repo.uploadBlob", "app.bsky.feed.getPosts"


def failing(status: int, error: str) -> Response:
    return JSONResponse({"error": error, "message": "…"}, status)


# ---------------------------------------------------------------- keys


def test_a_key_is_a_tid_of_the_seeds_moment_and_the_same_at_every_try() -> None:
    seed = new_uuid().int
    one, again = (records.key(effect(seed=seed, due_at=None)) for _ in range(2))
    assert one == again
    assert len(one) == 13
    told = 0
    for letter in one:
        told = told << 5 | "234567abcdefghijklmnopqrstuvwxyz".index(letter)
    moment = datetime.fromtimestamp((told >> 10) / 1e6, UTC)
    assert told < 2**63
    assert abs(moment - datetime.now(UTC)) < timedelta(seconds=3)


def test_effects_that_are_made_at_once_have_keys_of_their_own() -> None:
    assert len({records.key(effect(seed=new_uuid().int)) for _ in range(5_000)}) == 5_000


def test_an_effect_without_a_seed_has_no_key() -> None:
    with pytest.raises(Refused, match="seed"):
        records.key(effect(seed=0))


# ---------------------------------------------------------------- what is said


async def test_a_post_says_what_was_meant_when_it_was_meant() -> None:
    async with place() as here:
        due = datetime(2026, 11, 22, 9, tzinfo=UTC)
        sent = await bluesky.send(here.http, here.login, effect(due_at=due, language="fr"))
        [record] = own(here)
    assert record == {
        "$type": POST, "text": "Bonjour", "langs": ["fr"], "createdAt": "2026-11-22T09:00:00.000Z"
    }  # fmt: skip
    assert sent.url == f"https://bsky.app/profile/{here.brand.did}/post/{sent.external_id.rpartition('/')[2]}"


async def test_a_link_is_a_card_with_its_hosts_name() -> None:
    async with place() as here:
        await bluesky.send(here.http, here.login, effect(link="https://www.example.be/nieuws?a=1"))
        [record] = own(here)
    external = {"uri": "https://www.example.be/nieuws?a=1", "title": "example.be", "description": ""}
    assert record["embed"] == {"$type": "app.bsky.embed.external", "external": external}


async def test_an_answer_names_the_top_of_its_thread() -> None:
    async with place() as here:
        top = here.network.post(here.fan, "Open?", mentioning=here.brand)
        middle = here.network.reply(here.fan, top, "Ook op zondag?")
        await bluesky.send(here.http, here.login, on(OutgoingKind.REPLY, middle, text="Ja"))
        [record] = own(here)
    assert record["reply"] == {
        "root": {"uri": top.uri, "cid": top.cid},
        "parent": {"uri": middle.uri, "cid": middle.cid},
    }


async def test_the_parts_of_a_thread_hang_beneath_each_other_under_one_root() -> None:
    async with place() as here:
        first = await bluesky.send(here.http, here.login, effect(text="Een"))
        second, third = effect("2", kind=OutgoingKind.THREAD_PART, text="Twee"), None
        second = replace(second, parent_external_id=first.external_id, root_external_id=first.external_id)
        two = await bluesky.send(here.http, here.login, second)
        third = replace(second, id="3", seed=second.seed + 7, text="Drie", parent_external_id=two.external_id)
        await bluesky.send(here.http, here.login, third)
        replies = [record["reply"] for record in own(here)[1:]]
    assert [one["parent"]["uri"] for one in replies] == [first.external_id, two.external_id]
    assert [one["root"]["uri"] for one in replies] == [first.external_id] * 2


async def test_what_is_not_there_or_may_not_be_answered_is_refused() -> None:
    async with place() as here:
        gone = here.network.post(here.fan, "Open?", mentioning=here.brand)
        here.network.delete(gone)
        with pytest.raises(Refused, match="not there"):
            await bluesky.send(here.http, here.login, on(OutgoingKind.REPLY, gone, text="Ja"))
        closed = here.network.post(here.fan, "Enkel voor vrienden", mentioning=here.brand)
        here.network.closed.add(closed.uri)
        with pytest.raises(Refused, match="answer nothing"):
            await bluesky.send(here.http, here.login, on(OutgoingKind.REPLY, closed, text="Ja"))
        assert own(here) == []


async def test_what_is_too_long_is_refused_in_the_hosts_words() -> None:
    async with place() as here:
        with pytest.raises(Refused, match="maximum 300, got 301"):
            await bluesky.send(here.http, here.login, effect(text="é" * 301))


async def test_room_is_counted_in_posts_and_too_fast_waits() -> None:
    async with place() as here:
        here.network.points = 10
        sent = await bluesky.send(here.http, here.login, effect())
        assert sent.room is not None
        assert sent.room.left == 2
        assert timedelta(minutes=9) < sent.room.resets_in <= timedelta(minutes=10)
        here.network.faults[CREATE] = Fault(JSONResponse({"error": "RateLimitExceeded"}, 429, {"retry-after": "9"}))
        with pytest.raises(RateLimited) as raised:
            await bluesky.send(here.http, here.login, effect("2"))
        assert raised.value.after == timedelta(seconds=9)
        assert len(own(here)) == 1


async def test_a_token_that_has_run_out_is_renewed_and_the_post_made_once() -> None:
    async with place() as here:
        here.network.end_tokens()
        with pytest.raises(LoginExpired):
            await bluesky.send(here.http, here.login, effect())
        login = await bluesky.renew(here.http, here.login)
        await bluesky.send(here.http, login, effect())
        here.network.revoke(here.brand)
        with pytest.raises(LoginDead):
            await bluesky.send(here.http, login, effect("2"))
        assert len(own(here)) == 1


# ---------------------------------------------------------------- in doubt

LIES = {
    "400": Response(b"Bad Request", 400),
    "400 with its name": failing(400, "InvalidRequest"),
    "500": failing(500, "InternalServerError"),
    "502": failing(502, "UpstreamFailure"),
    "503 in HTML": HTMLResponse("<html>busy</html>", 503),
    "200 in HTML": HTMLResponse("<html>welcome</html>"),
    "half an object": Response(b'{"uri": "at://'),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_after_it_was_done_is_looked_through_at_once(lie: str) -> None:
    async with place() as here:
        here.network.faults[CREATE] = Fault(LIES[lie], done=True)
        sent = await bluesky.send(here.http, here.login, effect())
        assert await bluesky.find(here.http, here.login, effect()) == sent
        assert len(own(here)) == 1


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_that_can_not_be_looked_through_is_a_doubt_and_settled_later(lie: str) -> None:
    async with place() as here:
        here.network.faults[CREATE] = Fault(LIES[lie], done=True)
        here.network.faults[GET] = Fault(failing(500, "InternalServerError"))
        with pytest.raises(Uncertain):
            await bluesky.send(here.http, here.login, effect())
        assert await bluesky.find(here.http, here.login, effect()) is not None
        assert len(own(here)) == 1


async def test_what_was_not_done_is_not_found_and_done_once() -> None:
    async with place() as here:
        here.network.faults[CREATE] = Fault(LIES["500"])
        with pytest.raises(Uncertain):
            await bluesky.send(here.http, here.login, effect())
        assert await bluesky.find(here.http, here.login, effect()) is None
        await bluesky.send(here.http, here.login, effect())
        assert len(own(here)) == 1


async def test_what_was_taken_and_never_answered_is_found() -> None:
    async with place(send_timeout_seconds=1) as here:
        here.network.faults[CREATE] = Fault(Response(), done=True, after_seconds=3)
        with pytest.raises(Uncertain, match="within 1"):
            await bluesky.send(here.http, here.login, effect())
        assert await bluesky.find(here.http, here.login, effect()) is not None


async def test_a_repeat_looks_before_it_writes() -> None:
    async with place() as here:
        first = await bluesky.send(here.http, here.login, effect())
        assert here.network.asked[GET] == 0
        again = await bluesky.send(here.http, here.login, effect(attempted=timedelta(minutes=1)))
        assert first == again
        assert here.network.asked[CREATE] == 1


async def test_a_key_that_is_taken_is_what_was_sent_whatever_is_asked_the_second_time() -> None:
    async with place() as here:
        first = await bluesky.send(here.http, here.login, effect(text="Open tot 17 u"))
        again = await bluesky.send(here.http, here.login, effect(text="Open tot 18 u"))
        assert first == again
        assert here.network.asked[CREATE] == 2
        assert [record["text"] for record in own(here)] == ["Open tot 17 u"]


@pytest.mark.parametrize("wrong", [HTMLResponse("<html>"), failing(500, "x"), JSONResponse({"a": 1})])
async def test_a_look_up_that_fails_says_so_and_finds_nothing(wrong: Response) -> None:
    async with place() as here:
        here.network.faults[GET] = Fault(wrong)
        with pytest.raises(Unavailable):
            await bluesky.find(here.http, here.login, effect())
