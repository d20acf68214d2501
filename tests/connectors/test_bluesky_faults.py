"""What goes wrong with one of Bluesky's lists: said, bounded, nothing lost, and no other list harmed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared import http
from shared.connectors.bluesky_walk import NEWEST
from shared.errors import BadPayload, LoginDead, RateLimited, Unavailable
from tests.connectors.bluesky_house import bluesky, crowd, place, texts
from tests.connectors.loopback import settings
from tests.networks.fakes.bluesky import Fault

NOTIFICATIONS = "app.bsky.notification.listNotifications"
SEARCH = "app.bsky.feed.searchPosts"
FEED = "app.bsky.feed.getAuthorFeed"


def answer(**fields: object) -> Fault:
    return Fault(JSONResponse(fields), times=10**6)


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    "wrong",
    [
        JSONResponse({"error": "InternalServerError", "message": "no"}),
        JSONResponse({"notifications": "none"}),
        HTMLResponse("<html>maintenance</html>"),
        Response(b'{"notifications": [{"uri": "at://'),
        JSONResponse({"error": "UpstreamFailure", "message": "no"}, 502),
    ],
)
async def test_notifications_that_are_nonsense_fail_the_poll_and_move_no_cursor(wrong: Response) -> None:
    async with place() as here:
        here.network.faults[NOTIFICATIONS] = Fault(wrong)
        with pytest.raises(Unavailable):
            await here.poll()


@pytest.mark.parametrize("method", [SEARCH, FEED])
@pytest.mark.parametrize(
    "wrong", [JSONResponse({"error": "InvalidRequest", "message": "bad query"}, 400), HTMLResponse("<html>", 502)]
)
async def test_another_list_that_fails_is_said_once_and_keeps_no_notification_back(
    method: str, wrong: Response
) -> None:
    async with place("parvis") as here:
        here.network.faults[method] = Fault(wrong, times=10)
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        page = await bluesky.poll(here.http, here.login, None)
        again = await bluesky.poll(here.http, here.login, page.cursor)
        good, failed = page.arrivals
        assert texts([here.parse(good)]) == ["Bonjour @brand.test"]
        with pytest.raises(BadPayload, match="be read for now"):
            here.parse(failed)
    assert page.more is False
    assert [arrival.key for arrival in again.arrivals] == [failed.key]


async def test_what_a_failing_search_missed_is_brought_once_it_works_again() -> None:
    async with place("parvis") as here:
        here.network.post(here.fan, "parvis 0", at=datetime.now(UTC) - timedelta(hours=2))
        _, page = await here.poll()
        here.network.faults[SEARCH] = Fault(HTMLResponse("<html>", 502), times=3)
        for number in range(1, 70):
            here.network.post(here.fan, f"parvis {number}", at=datetime.now(UTC) - timedelta(minutes=70 - number))
        for _ in range(3):
            page = await bluesky.poll(here.http, here.login, page.cursor)
        parsed, _ = await here.poll(page.cursor)
    assert {f"parvis {number}" for number in range(1, 70)} <= set(texts(parsed))


async def test_the_same_page_for_ever_is_said_and_bounded_and_new_things_are_heard() -> None:
    async with place() as here:
        here.network.post(here.fan, "known", mentioning=here.brand, at=datetime.now(UTC) - timedelta(hours=1))
        _, page = await here.poll()
        crowd(here, NEWEST, start=datetime.now(UTC) - timedelta(minutes=5))
        listing = (
            await here.http.get(
                f"{here.network.url}/xrpc/{NOTIFICATIONS}?limit={NEWEST}",
                headers={"authorization": f"Bearer {here.login.credentials['access_jwt']}"},
            )
        ).json()
        stuck = {**listing, "cursor": "the same"}
        here.network.faults[NOTIFICATIONS] = answer(**stuck)
        pages = [page]
        while len(pages) == 1 or (pages[-1].more and len(pages) < 40):
            pages.append(await bluesky.poll(here.http, here.login, pages[-1].cursor))
        arrivals, cursor = [arrival for page in pages for arrival in page.arrivals], pages[-1].cursor
        del here.network.faults[NOTIFICATIONS]
        here.network.post(here.fan, "later", mentioning=here.brand)
        parsed, _ = await here.poll(cursor)
    assert len(pages) < 20
    assert sum("again and again" in arrival.headers.get("parvis-failed", "") for arrival in arrivals) == 1
    assert "later @brand.test" in texts(parsed)


async def test_a_cursor_that_the_network_no_longer_takes_is_given_up_and_the_gap_walked_again() -> None:
    async with place() as here:
        _, page = await here.poll()
        said = crowd(here, 200, start=datetime.now(UTC) - timedelta(hours=2))
        page = await bluesky.poll(here.http, here.login, page.cursor)
        kept = [here.parse(arrival) for arrival in page.arrivals]
        assert page.cursor is not None
        broken = json.loads(page.cursor)
        broken["streams"]["notifications"]["gaps"][0]["next"] = "not a cursor of theirs"
        cursor = json.dumps(broken)
        for _ in range(4):
            parsed, page = await here.poll(cursor)
            kept += parsed
            cursor = page.cursor or ""
    assert set(texts(kept)) == set(said)


async def test_a_cursor_that_is_not_ours_begins_anew() -> None:
    async with place() as here:
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        for cursor in ("rubbish", "[]", '{"streams": {"notifications": 7}}', '{"streams": {}}'):
            parsed, _ = await here.poll(cursor)
            assert texts(parsed) == ["Bonjour @brand.test"]


async def test_what_the_rate_limit_leaves_is_asked_for_when_it_is_over() -> None:
    async with place("parvis") as here:
        here.network.post(here.fan, "parvis", mentioning=here.brand)
        here.network.remaining = 1
        page = await bluesky.poll(here.http, here.login, None)
        assert (len(page.arrivals), page.more) == (1, False)
        assert page.wait is not None
        assert timedelta(seconds=20) < page.wait <= timedelta(seconds=30)
        here.network.remaining = None
        parsed, _ = await here.poll(page.cursor)
        assert here.network.asked[NOTIFICATIONS] == 1
    assert texts(parsed) == ["parvis @brand.test"]


async def test_too_fast_is_said_with_what_was_brought_before_it() -> None:
    async with place() as here:
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        here.network.faults[FEED] = Fault(too_fast(9))
        page = await bluesky.poll(here.http, here.login, None)
        assert (len(page.arrivals), page.wait, page.more) == (1, timedelta(seconds=9), False)
        here.network.faults[NOTIFICATIONS] = Fault(too_fast(9))
        with pytest.raises(RateLimited):
            await bluesky.poll(here.http, here.login, None)


async def test_a_search_that_is_always_too_fast_keeps_no_notification_back() -> None:
    async with place("parvis") as here:
        here.network.faults[SEARCH] = Fault(too_fast(1), times=10)
        page = await bluesky.poll(here.http, here.login, None)
        for number in range(3):
            here.network.post(here.fan, f"n{number}", mentioning=here.brand)
            page = await bluesky.poll(here.http, here.login, page.cursor)
            assert texts([here.parse(page.arrivals[0])]) == [f"n{number} @brand.test"]
            assert page.wait == timedelta(seconds=1)


def too_fast(seconds: int) -> Response:
    return JSONResponse({"error": "RateLimitExceeded"}, 429, {"retry-after": str(seconds)})


async def test_a_login_that_dies_in_the_middle_stops_the_poll() -> None:
    async with place() as here:
        dead = JSONResponse({"error": "AccountTakedown", "message": "gone"}, 401)
        here.network.faults[FEED] = Fault(dead)
        with pytest.raises(LoginDead):
            await here.poll()


async def test_a_term_that_is_dropped_leaves_the_cursor_and_a_new_one_begins_with_its_newest_page() -> None:
    async with place() as here:
        here.network.post(here.fan, "een parvis")
        here.network.post(here.fan, "un café")
        _, page = await here.following("parvis").poll()
        parsed, page = await here.following("café").poll(page.cursor)
    assert texts(parsed) == ["un café"]
    assert "parvis" not in (page.cursor or "")


async def test_posts_of_a_megabyte_keep_neither_the_list_nor_their_neighbours_away() -> None:
    async with place() as wide, http.client(settings(), max_bytes=60_000) as narrow:
        here = replace(wide, http=narrow)
        _, page = await here.poll()
        tag = {"$type": "app.bsky.richtext.facet#tag", "tag": "x" * 20_000}
        facets = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [tag]}]
        start, own = datetime.now(UTC) - timedelta(minutes=1), here.network.post(here.brand, "own")
        large = [here.network.reply(here.fan, own, f"large {n}", at=start + timedelta(seconds=n)) for n in range(6)]
        for record in large:
            record.value["facets"] = facets
        parsed, last = await here.poll(page.cursor)
        again = await bluesky.recheck(here.http, here.login, [record.uri for record in large])
    wanted = {f"large {n}" for n in range(6)}
    assert wanted <= set(texts(parsed))
    assert set(texts(here.parse(arrival) for arrival in again)) == wanted
    assert last.more is False
