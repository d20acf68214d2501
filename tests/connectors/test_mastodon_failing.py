"""Polling a Mastodon instance that is slow, full, broken or gone: said, bounded, nothing lost, the rest goes on."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.responses import Response

from shared.contract import Login
from shared.errors import Gone, LoginDead, RateLimited, Refused, Unavailable
from tests.connectors.loopback import Reply, guarded, receiver
from tests.connectors.mastodon_world import mastodon, part, world
from tests.networks.fakes.mastodon import refused


def html(status: int = 200) -> Response:
    return Response("<!DOCTYPE html><title>Down for maintenance</title>", status, media_type="text/html")


# ---------------------------------------------------------------- limits


async def test_a_limit_that_is_nearly_used_up_asks_for_a_wait_until_its_reset() -> None:
    async with world() as here:
        token = f"Bearer {here.login.credentials['access_token']}"
        here.instance.used[token] = 280
        enough = await mastodon.poll(here.http, here.login, None)
        here.instance.used[token] = 285
        little = await mastodon.poll(here.http, here.login, None)
    assert enough.wait is None
    assert little.wait is not None
    assert timedelta(minutes=4) < little.wait <= timedelta(minutes=5, seconds=1)


async def test_too_many_requests_are_rate_limited_until_the_reset_of_the_header() -> None:
    async with world() as here:
        here.instance.limit = 0
        with pytest.raises(RateLimited) as failed:
            await mastodon.poll(here.http, here.login, None)
        here.instance.lacks = {"rate"}
        with pytest.raises(RateLimited) as bare:
            await mastodon.poll(here.http, here.login, None)
    assert timedelta(minutes=4) < failed.value.after <= timedelta(minutes=5, seconds=1)
    assert bare.value.after == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(401, "The access token was revoked"), LoginDead),
        (refused(403, "Your login is currently disabled"), LoginDead),
        (refused(403, "This action is outside the authorized scopes"), Refused),
        (refused(422, "This method requires an authenticated user"), LoginDead),
        (refused(404, "Not Found"), Refused),
        (refused(410, "This instance is gone"), Gone),
        (refused(500, "Internal Server Error"), Unavailable),
        (refused(200, "an error inside"), Unavailable),
        (html(), Unavailable),
        (html(403), Refused),
        (html(503), Unavailable),
        (Response('[{"id": "1", "type": "men', 200), Unavailable),
        (Response("{}", 200), Unavailable),
        (Response("null", 200), Unavailable),
        (Response(status_code=301, headers={"location": "https://elsewhere.example/"}), Refused),
    ],
)
async def test_an_answer_that_is_none_says_what_to_do_and_moves_no_cursor(
    answer: Response, error: type[Exception]
) -> None:
    async with world() as here:
        here.instance.say(here.lea, "nr 0", to=[here.cafe])
        _, cursor = await here.poll(None)
        here.instance.say(here.lea, "nr 1", to=[here.cafe])
        here.instance.fault("/api/v1/notifications", answer, times=2)
        with pytest.raises(error):
            await mastodon.poll(here.http, here.login, cursor)
        here.instance.faults.clear()
        arrivals, _ = await here.poll(cursor)
    assert here.texts(arrivals) == ["@cafe@fake.example nr 1"]


async def test_an_app_token_is_a_dead_login_since_it_speaks_for_nobody() -> None:
    async with world() as here:
        login = replace(here.login, credentials={"access_token": here.instance.login(None)})
        with pytest.raises(LoginDead, match="speaks for no account"):
            await mastodon.poll(here.http, login, None)


async def test_half_an_answer_and_then_nothing_is_unavailable() -> None:
    async with receiver() as door, guarded() as http:
        door.otherwise = Reply(200, b"[{", {"content-length": "5000"})
        with pytest.raises(Unavailable):
            await mastodon.poll(http, Login("1", door.url, {"access_token": "t"}), None)


# ---------------------------------------------------------------- one source by itself


async def test_a_source_that_is_always_too_fast_keeps_no_other_back() -> None:
    async with world() as plain:
        here = plain.following("#koffie", "thee")
        here.instance.fault("/api/v1/timelines", refused(429), times=99)
        _, cursor = await here.poll(None)
        here.instance.say(here.lea, "een thee", to=[here.cafe])
        heard = []
        for _ in range(4):
            arrivals, cursor = await here.poll(cursor)
            heard += arrivals
    assert {arrival.headers["source"] for arrival in heard} == {"notifications", "search: thee"}


async def test_a_term_that_is_too_fast_says_how_long_to_wait_and_moves_the_turn_on() -> None:
    async with world() as plain:
        here = plain.following("#koffie")
        here.instance.fault("/api/v1/timelines", refused(429))
        pages = await here.pages(None)
    assert pages[-1].wait is not None
    assert timedelta(minutes=4) < pages[-1].wait <= timedelta(minutes=5, seconds=1)
    assert json.loads(pages[-1].cursor or "")["turn"] == "notifications"


@pytest.mark.parametrize("answer", [refused(403, "outside the authorized scopes"), refused(404), html(), html(500)])
async def test_a_term_that_fails_is_said_once_a_day_and_stops_no_other_source(answer: Response) -> None:
    async with world() as plain:
        here = plain.following("#thee", "#koffie")
        here.instance.say(here.lea, "mmm", tags=["koffie"])
        here.instance.fault("/api/v1/timelines/tag/thee", answer, times=4)
        first, cursor = await here.poll(None)
        second, _ = await here.poll(cursor)
        parsed = [mastodon.parse(part(here.login, one)) for one in first if "note" in one.headers]
    assert here.texts([one for one in first if "note" not in one.headers]) == ["mmm #koffie"]
    assert [one.heard for one in parsed] == [()]
    assert parsed[0].ignored[0].startswith("#thee: passed over")
    assert {one.key for one in second} == {one.key for one in first if "note" in one.headers}


async def test_what_a_term_missed_while_it_failed_is_heard_afterwards() -> None:
    async with world() as plain:
        here = plain.following("#koffie")
        here.instance.say(here.lea, "een", tags=["koffie"])
        _, cursor = await here.poll(None)
        here.instance.fault("/api/v1/timelines", html(503))
        here.instance.say(here.lea, "twee", tags=["koffie"])
        _, cursor = await here.poll(cursor)
        arrivals, _ = await here.poll(cursor)
    assert "twee #koffie" in here.texts(arrivals)


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_place_that_the_instance_refuses_is_said_and_begun_anew(status: int) -> None:
    async with world() as here:
        here.instance.say(here.lea, "nr 0", to=[here.cafe])
        _, cursor = await here.poll(None)
        here.instance.say(here.lea, "nr 1", to=[here.cafe])
        here.instance.fault("/api/v1/notifications", refused(status), only="min_id")
        arrivals, _ = await here.poll(cursor)
        notes = [mastodon.parse(part(here.login, one)).ignored[0] for one in arrivals if "note" in one.headers]
    assert "bring it by a backfill" in notes[0]
    assert here.texts([one for one in arrivals if "note" not in one.headers])[-1] == "@cafe@fake.example nr 1"


@pytest.mark.parametrize(
    "cursor", ["", "nonsense", "[]", "null", '{"marks": 3}', '{"marks": {"notifications": {"at": 1}}}']
)
async def test_a_cursor_that_is_none_of_ours_begins_at_the_newest_page(cursor: str) -> None:
    async with world() as here:
        here.instance.say(here.lea, "nr 0", to=[here.cafe])
        arrivals, _ = await here.poll(cursor)
    assert here.texts(arrivals) == ["@cafe@fake.example nr 0"]


async def test_the_same_page_for_ever_is_asked_for_twice_and_kept_once() -> None:
    async with world() as here:
        for number in range(30):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        _, cursor = await here.poll(None)
        for number in range(30, 70):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        here.instance.lacks = {"min_id", "max_id"}
        here.instance.page_cap = 25
        before = len(here.instance.asked)
        arrivals, cursor = await here.poll(cursor)
        asked = len(here.instance.asked) - before
        again, _ = await here.poll(cursor)
    assert len(arrivals) == 1
    assert asked <= 4
    assert again == []


async def test_terms_that_were_taken_off_leave_the_cursor_and_new_ones_begin_at_their_newest_page() -> None:
    async with world() as plain:
        here = plain.following("#koffie")
        here.instance.say(here.lea, "een", tags=["koffie"])
        _, cursor = await here.poll(None)
        here.instance.say(here.lea, "cake", tags=["taart"])
        other = plain.following("#taart", "  ", "#")
        arrivals, cursor = await other.poll(cursor)
    assert other.texts(arrivals) == ["cake #taart"]
    assert set(json.loads(cursor or "")["marks"]) == {"notifications", "own statuses", "#taart"}
