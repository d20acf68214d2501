"""An Instagram account read by asking a Graph API on loopback: in rounds, again, and what was only named."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from shared.connectors.instagram import Instagram
from shared.contract import (
    Counted,
    RawPart,
    Said,
)
from shared.errors import Refused
from shared.models.enums import AuthorKind, MentionKind, Visibility
from tests.connectors.graph_rig import (
    ACCOUNT,
    ACCOUNT_TOKEN,
    SECRET,
    aged,
    heard,
    rig,
    said,
    texts,
    whole_round,
)
from tests.networks.fakes.graph import Fault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BRAND = ("9009", "cafe.parvis")
instagram = Instagram()


# ---------------------------------------------------------------- polling


async def test_media_comments_replies_and_messages_are_heard_by_asking() -> None:
    async with rig() as here:
        world = here.graph.world
        medium = world.medium(ACCOUNT, "Nouvelle carte d'automne")
        comment = world.remark(medium, "Wat kost een ticket?")
        reply = world.remark(medium, "12 euro", BRAND, reply_to=comment, own=True)
        message = world.message(ACCOUNT, "Bonjour !", conversation="c_1", by=("771", "Léa"))
        facts, page = await whole_round(instagram, here, here.account)
    by_id = {fact.external_id: fact for fact in said(facts)}
    assert set(by_id) == {medium, comment, reply, message}
    assert (by_id[medium].kind, by_id[medium].author_kind) == (MentionKind.POST, AuthorKind.BRAND)
    assert (by_id[comment].kind, by_id[comment].parent_external_id) == (MentionKind.COMMENT, medium)
    assert (by_id[reply].kind, by_id[reply].parent_external_id) == (MentionKind.REPLY, comment)
    assert by_id[reply].author_kind is AuthorKind.BRAND
    assert (by_id[message].kind, by_id[message].visibility) == (MentionKind.MESSAGE, Visibility.PRIVATE)
    assert [fact.replies for fact in facts if isinstance(fact, Counted) and fact.external_id == medium] == [2]
    assert not page.more


async def test_what_a_webhook_said_and_what_is_asked_for_meet_in_one_mention() -> None:
    async with rig() as here:
        medium = here.graph.world.medium(ACCOUNT, "x")
        comment = here.graph.world.remark(medium, "Superbe !")
        facts, _ = await whole_round(instagram, here, here.account)
    value = {
        "id": comment,
        "text": "Superbe !",
        "from": {"id": "771", "username": "lea.dekust"},
        "media": {"id": medium},
    }
    entry = {"id": ACCOUNT, "time": 1795341600, "field": "comments", "value": value}
    body = orjson.dumps({"object": "instagram", "entry": [entry]})
    [pushed] = instagram.parse(RawPart(ACCOUNT, body, NOW)).heard
    polled = next(fact for fact in said(facts) if fact.external_id == comment)
    assert isinstance(pushed, Said)
    assert replace(pushed, stamp=polled.stamp, published_at=polled.published_at) == polled


async def test_comments_are_asked_for_only_where_their_number_changed() -> None:
    async with rig() as here:
        quiet, busy = here.graph.world.medium(ACCOUNT, "a"), here.graph.world.medium(ACCOUNT, "b")
        here.graph.world.remark(quiet, "een")
        _, page = await whole_round(instagram, here, here.account)
        here.paths()
        new = here.graph.world.remark(busy, "twee")
        facts, _ = await whole_round(instagram, here, here.account, aged(page.cursor))
        asked = here.paths()
    assert [path for path in asked if path.endswith("/comments")] == [f"{busy}/comments"]
    assert {fact.external_id for fact in said(facts)} == {new}


async def test_a_million_comments_under_one_post_keep_nobody_else_waiting() -> None:
    async with rig() as here:
        world = here.graph.world
        loud, quiet = world.medium(ACCOUNT, "loud"), world.medium(ACCOUNT, "quiet")
        world.remark(loud, "first")
        _, page = await whole_round(instagram, here, here.account)
        world.catch_up()
        for number in range(400):
            world.remark(loud, f"crowd {number}")
        soft = world.remark(quiet, "and I?")
        here.paths()
        first = await instagram.poll(here.http, here.account, aged(page.cursor))
        facts = heard(instagram, here.account, first.arrivals)
        assert soft in {fact.external_id for fact in said(facts)}
        assert len(here.paths()) <= 6
        more, last = await whole_round(instagram, here, here.account, first.cursor)
    assert texts([*facts, *more]) >= {f"crowd {number}" for number in range(400)}
    assert not last.more


async def test_what_was_said_while_a_walk_goes_on_is_heard_before_the_walk_has_ended() -> None:
    async with rig() as here:
        world = here.graph.world
        loud, quiet = world.medium(ACCOUNT, "loud"), world.medium(ACCOUNT, "quiet")
        _, page = await whole_round(instagram, here, here.account)
        world.catch_up()
        for number in range(1_000):
            world.remark(loud, f"crowd {number}")
        first = await instagram.poll(here.http, here.account, aged(page.cursor))
        assert first.more
        world.remark(quiet, "a word between")
        second = await instagram.poll(here.http, here.account, aged(first.cursor))
    assert "a word between" in texts(heard(instagram, here.account, second.arrivals))


async def test_a_crash_before_a_page_is_kept_loses_nothing() -> None:
    async with rig() as here:
        medium = here.graph.world.medium(ACCOUNT, "x")
        for number in range(120):
            here.graph.world.remark(medium, str(number))
        once, _ = await whole_round(instagram, here, here.account)
        page = await instagram.poll(here.http, here.account, None)
        again = await instagram.poll(here.http, here.account, None)  # its cursor never reached the database
        rest, _ = await whole_round(instagram, here, here.account, again.cursor)
    assert page.cursor is not None
    assert texts([*heard(instagram, here.account, again.arrivals), *rest]) == texts(once)


async def test_the_same_answer_within_an_hour_is_the_same_arrival() -> None:
    async with rig() as here:
        here.graph.world.medium(ACCOUNT, "x")
        one = await instagram.poll(here.http, here.account, None)
        two = await instagram.poll(here.http, here.account, None)
    hours = {arrival.stamp.hour for arrival in (*one.arrivals, *two.arrivals)}
    assert len({arrival.key for arrival in (*one.arrivals, *two.arrivals)}) == len(hours)


async def test_no_arrival_holds_the_token() -> None:
    async with rig() as here:
        for number in range(30):
            here.graph.world.medium(ACCOUNT, str(number))
        page = await instagram.poll(here.http, here.account, None)
    assert b"graph.example" in page.arrivals[0].body  # the address of the next page, in which Graph writes the token
    assert ACCOUNT_TOKEN.encode() not in page.arrivals[0].body


async def test_messages_that_are_not_for_us_keep_the_comments_coming() -> None:
    async with rig() as here:
        here.graph.tokens[ACCOUNT_TOKEN].scopes.discard("instagram_business_manage_messages")
        here.graph.world.remark(here.graph.world.medium(ACCOUNT, "x"), "heard")
        facts, page = await whole_round(instagram, here, here.account)
        here.paths()
        await whole_round(instagram, here, here.account, aged(page.cursor))
        assert "me/conversations" not in here.paths()
    assert "heard" in texts(facts)


async def test_a_login_that_may_read_nothing_says_so() -> None:
    async with rig() as here:
        here.graph.world.things[ACCOUNT].kind = "user"
        with pytest.raises(Refused):
            await instagram.poll(here.http, here.account, None)


async def test_an_edge_that_fails_is_asked_again_and_the_others_are_heard_meanwhile() -> None:
    async with rig() as here:
        here.graph.world.medium(ACCOUNT, "heard")
        here.graph.faults.append(Fault("/conversations", 503, b"<html>busy</html>"))
        first = await instagram.poll(here.http, here.account, None)
        here.graph.world.message(ACCOUNT, "late", conversation="c_1", by=("771", "Léa"))
        rest, _ = await whole_round(instagram, here, here.account, aged(first.cursor))
    assert texts(heard(instagram, here.account, first.arrivals)) == {"heard"}
    assert "late" in texts(rest)
    assert not first.more


async def test_who_tagged_the_account_is_told_by_the_pages_host() -> None:
    async with rig() as here:
        tagged = here.graph.world.medium(ACCOUNT, "avec @cafe.parvis", edge="tags", username="jo_van_gent")
        facts, _ = await whole_round(instagram, here, here.account_by_page)
        asked = here.paths()
    [one] = [fact for fact in said(facts) if fact.external_id == tagged]
    assert (one.author_kind, one.author and one.author.handle) == (AuthorKind.CONSUMER, "jo_van_gent")
    assert f"{ACCOUNT}/tags" in asked


async def test_without_a_token_nothing_is_asked_and_the_poll_comes_back_later() -> None:
    async with rig() as here:
        login = replace(here.account, credentials={"app_secret": SECRET})
        page = await instagram.poll(here.http, login, None)
        assert await instagram.recheck(here.http, login, ["1"]) == ()
        assert here.graph.got == []
    assert (page.arrivals, page.more) == ((), False)
    assert page.wait is not None


async def test_a_cursor_that_is_not_ours_is_refused() -> None:
    async with rig() as here:
        for cursor in ("", "[]", "{}", '{"todo":[{"zzz":1}]}', "nonsense"):
            with pytest.raises(Refused, match="cursor"):
                await instagram.poll(here.http, here.account, cursor)


async def test_backfilling_brings_all_that_was_said_since_then_and_says_so_at_the_end() -> None:
    async with rig() as here:
        world = here.graph.world
        since = datetime.now(UTC) - timedelta(days=3)
        older = world.medium(ACCOUNT, "older", at=since - timedelta(days=10))
        for number in range(60):
            world.medium(ACCOUNT, f"m{number}", at=since + timedelta(minutes=number))
        world.remark(older, "young on old", at=since + timedelta(hours=1))
        world.message(ACCOUNT, "psst", conversation="c_1", by=("771", "Léa"), at=since + timedelta(hours=2))
        facts, cursor, reached = [], None, None
        for _ in range(100):
            page = await instagram.backfill(here.http, here.account, since, cursor)
            facts += heard(instagram, here.account, page.arrivals)
            cursor = page.cursor
            if not page.more:
                reached = page.reached
                break
            assert page.reached is None
    assert reached == since
    assert texts(facts) >= {"young on old", "psst", *(f"m{number}" for number in range(60))}
