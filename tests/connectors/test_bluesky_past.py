"""Looking at Bluesky's posts again, and walking back through what was said before."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import JSONResponse

from shared.contract import (
    Counted,
    Deleted,
    Page,
    Pointer,
    Said,
)
from shared.errors import Refused, Unavailable
from tests.connectors.bluesky_house import Place, bluesky, crowd, heard, place, texts
from tests.networks.fakes.bluesky import Fault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NOTIFICATIONS = "app.bsky.notification.listNotifications"
SEARCH = "app.bsky.feed.searchPosts"
POSTS = "app.bsky.feed.getPosts"


def answer(**fields: object) -> Fault:
    return Fault(JSONResponse(fields), times=10**6)


# ---------------------------------------------------------------- looked at again


async def test_what_was_deleted_is_gone_and_what_is_only_out_of_sight_is_not() -> None:
    async with place() as here:
        net = here.network
        foe, away, left = net.join("foe.test"), net.join("away.test"), net.join("left.test")
        there, deleted = net.post(here.fan, "hier"), net.post(here.fan, "weg")
        blocked, deactivated, closed = net.post(foe, "x"), net.post(away, "y"), net.post(left, "z")
        net.delete(deleted)
        foe.blocks.add(here.brand.did)
        away.status = "deactivated"
        net.leave(left)
        asked = [record.uri for record in (there, deleted, blocked, deactivated, closed)]
        parsed = [here.parse(one) for one in await bluesky.recheck(here.http, here.login, [*asked, "not a post"])]
    gone = {fact.external_id for fact in heard(parsed) if isinstance(fact, Deleted)}
    assert gone == {deleted.uri, closed.uri}
    assert texts(parsed) == ["hier"]
    passed = " ".join(reason for one in parsed for reason in one.ignored)
    assert f"{blocked.uri}: still there, and kept from this account by a block" in passed
    assert f"{deactivated.uri}: not shown while its author's account is deactivated" in passed


async def test_a_network_that_knows_nobody_any_more_deletes_nothing() -> None:
    async with place() as here:
        post = here.network.post(here.fan, "hier")
        here.network.faults[POSTS] = answer(posts=[])
        here.network.faults["com.atproto.repo.getRecord"] = Fault(
            JSONResponse({"error": "InvalidRequest", "message": "Could not find repo"}, 400), times=9
        )
        here.network.faults["app.bsky.actor.getProfile"] = Fault(
            JSONResponse({"error": "InvalidRequest", "message": "Profile not found"}, 400), times=9
        )
        parsed = [here.parse(one) for one in await bluesky.recheck(here.http, here.login, [post.uri])]
    assert heard(parsed) == []


async def test_an_edit_and_new_counters_are_heard_when_a_post_is_looked_at_again() -> None:
    async with place() as here:
        post = here.network.post(here.brand, "een")
        here.network.edit(post, "twee")
        here.network.like(here.fan, post)
        here.network.quote(here.fan, post, "kijk")
        here.network.repost(here.fan, post)
        here.network.reply(here.fan, post, "ja")
        [arrival] = await bluesky.recheck(here.http, here.login, [post.uri])
        said, counted = here.parse(arrival).heard
        [measured] = await bluesky.measure(
            here.http, here.login, [post.uri, "at://did:plc:x/app.bsky.feed.post/nowhere"]
        )
    assert isinstance(said, Said)
    assert isinstance(counted, Counted)
    assert said.text == "twee"
    assert (counted.likes, counted.replies, counted.shares, counted.views) == (1, 1, 2, None)
    assert replace(measured, stamp=NOW) == replace(counted, stamp=NOW)


async def test_posts_are_looked_at_25_at_a_time() -> None:
    async with place() as here:
        posts = [here.network.post(here.fan, str(number)).uri for number in range(60)]
        await bluesky.recheck(here.http, here.login, posts)
        asked = [len(query["uris"]) for method, query in here.network.queries if method == POSTS]
    assert asked == [25, 25, 10]


async def test_one_address_that_the_network_refuses_takes_no_neighbour_with_it() -> None:
    async with place() as here:
        posts = [here.network.post(here.fan, str(number)).uri for number in range(3)]
        refusal = JSONResponse({"error": "InvalidRequest", "message": "uris must be an at-uri"}, 400)
        here.network.faults[POSTS] = Fault(refusal, times=2)
        arrivals = await bluesky.recheck(here.http, here.login, posts)
    assert [("parvis-failed" in arrival.headers) for arrival in arrivals] == [True, False]
    assert texts([here.parse(arrivals[1])]) == ["1", "2"]


async def test_a_pointer_is_fetched_with_its_counters_its_thread_or_the_word_that_it_is_gone() -> None:
    async with place() as here:
        post = here.network.post(here.fan, "hier")
        here.network.reply(here.brand, post, "dank u")
        shown = here.parse(await bluesky.fetch(here.http, here.login, Pointer(post.uri, "post")))
        thread = here.parse(await bluesky.fetch(here.http, here.login, Pointer(post.uri, "thread")))
        here.network.delete(post)
        gone = here.parse(await bluesky.fetch(here.http, here.login, Pointer(post.uri, "post")))
        with pytest.raises(Refused):
            await bluesky.fetch(here.http, here.login, Pointer("https://example.be", "post"))
    assert texts([shown]) == ["hier"]
    assert texts([thread]) == ["hier", "dank u"]
    assert [type(fact) for fact in gone.heard] == [Deleted]


# ---------------------------------------------------------------- backfill


async def walk_back(here: Place, since: datetime) -> list[Page]:
    """Every page of a backfill, thirty at most."""
    pages: list[Page] = []
    while len(pages) < 30 and (not pages or pages[-1].cursor is not None):
        pages.append(await bluesky.backfill(here.http, here.login, since, pages[-1].cursor if pages else None))
    return pages


async def test_a_backfill_walks_every_list_back_to_since_and_says_how_far_it_is() -> None:
    async with place("parvis") as here:
        start = datetime.now(UTC) - timedelta(days=10)
        said = crowd(here, 250, start=start)
        here.network.post(here.fan, "old parvis", at=start - timedelta(days=9))
        here.network.post(here.brand, "own", at=start + timedelta(days=1))
        old = here.network.post(here.fan, "too old", mentioning=here.brand, at=start - timedelta(days=20))
        pages = await walk_back(here, start - timedelta(days=10))
        parsed = [here.parse(arrival) for page in pages for arrival in page.arrivals]
        reached = [page.reached for page in pages]
        page = pages[-1]
    assert {*said, "old parvis", "own"} <= set(texts(parsed))
    assert page.more is False
    assert page.reached == start - timedelta(days=10)
    known = [at for at in reached if at is not None]
    assert known == sorted(known, reverse=True)
    assert old.uri in {fact.external_id for fact in heard(parsed) if isinstance(fact, Said)}


async def test_a_search_that_is_refused_is_said_and_the_rest_is_walked() -> None:
    async with place("((") as here:
        refusal = JSONResponse({"error": "InvalidRequest", "message": "bad query"}, 400)
        here.network.faults[SEARCH] = Fault(refusal, times=9)
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        pages = await walk_back(here, NOW - timedelta(days=400))
    assert pages[-1].cursor is None
    assert sum("parvis-failed" in arrival.headers for page in pages for arrival in page.arrivals) == 1


async def test_a_backfill_that_gets_the_same_page_for_ever_ends_with_an_error() -> None:
    async with place() as here:
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        page = await bluesky.poll(here.http, here.login, None)
        stuck = {**json.loads(page.arrivals[0].body), "cursor": "the same"}
        here.network.faults[NOTIFICATIONS] = answer(**stuck)
        with pytest.raises(Unavailable, match="again and again"):
            await walk_back(here, NOW - timedelta(days=400))
