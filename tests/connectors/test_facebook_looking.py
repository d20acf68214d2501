"""A Facebook Page looked at again, what was only named fetched, and what a login is and may do."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from shared.connectors.facebook import Facebook
from shared.contract import Counted, Hidden, HookAddress, Pointer, RawPart
from shared.errors import Refused
from tests.connectors.graph_rig import (
    PAGE,
    PAGE_TOKEN,
    SECRET,
    USER_TOKEN,
    deleted,
    heard,
    rig,
    said,
)
from tests.networks.fakes.graph import Fault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
facebook = Facebook()


async def test_deletions_edits_and_hidings_are_found_by_looking_again() -> None:
    async with rig() as here:
        world = here.graph.world
        post = world.post(PAGE, "before")
        tag = world.post(PAGE, "a tag", ("9009", "Jo"), edge="tagged")
        comments = [world.comment(post, str(number)) for number in range(20)]
        world.things[post].values["message"] = "after"
        world.things[comments[1]].values["is_hidden"] = True
        for gone in (comments[4], comments[17]):
            world.delete(gone)
        arrivals = await facebook.recheck(here.http, here.page, [post, tag, *comments, "m_1", "88123"])
        facts = heard(facebook, here.page, arrivals)
    assert len(arrivals) == 1
    assert deleted(facts) == {comments[4], comments[17]}
    assert next(fact.text for fact in said(facts) if fact.external_id == post) == "after"
    assert tag not in {fact.external_id for fact in facts}  # somebody else's: not there for us, and not gone
    assert {fact.external_id for fact in facts if isinstance(fact, Hidden) and fact.hidden} == {comments[1]}


async def test_a_comment_under_a_post_that_is_not_the_pages_is_never_taken_for_deleted() -> None:
    async with rig() as here:
        post = here.graph.world.post(PAGE, "x")
        theirs = here.graph.world.post(PAGE, "avec", ("9009", "Jo"), edge="tagged")
        hidden = here.graph.world.comment(theirs, "not for us")
        gone = here.graph.world.comment(post, "goes")
        here.graph.world.delete(gone)
        arrivals = await facebook.recheck(here.http, here.page, [hidden, gone, theirs])
    assert deleted(heard(facebook, here.page, arrivals)) == {gone}


async def test_nothing_is_taken_for_deleted_where_the_right_to_comments_was_taken_back() -> None:
    async with rig() as here:
        post = here.graph.world.post(PAGE, "x")
        gone = here.graph.world.comment(post, "goes")
        here.graph.world.delete(gone)
        here.graph.tokens[PAGE_TOKEN].scopes.discard("pages_read_user_content")
        with pytest.raises(Refused):
            await facebook.recheck(here.http, here.page, [gone])


async def test_a_mention_without_its_text_is_fetched() -> None:
    bare = {"id": PAGE, "time": 1, "changes": [{"field": "mention", "value": {"post_id": "9009_1", "verb": "add"}}]}
    parsed = facebook.parse(RawPart(PAGE, orjson.dumps({"object": "page", "entry": [bare]}), NOW))
    async with rig() as here:
        post = here.graph.world.post(PAGE, "avec Café Parvis", ("9009", "Jo"), edge="tagged")
        comment = here.graph.world.comment(here.graph.world.post(PAGE, "x"), "@Café Parvis ?")
        named = (Pointer(post, "post"), Pointer(comment, "comment"))
        fetched = [await facebook.fetch(here.http, here.page, one) for one in named]
        tag, word = said(heard(facebook, here.page, fetched))
        with pytest.raises(Refused):
            await facebook.fetch(here.http, here.page, Pointer("9009_1", "post"))
    assert parsed.pointers == (Pointer("9009_1", "post"),)
    assert (tag.text, word.text) == ("avec Café Parvis", "@Café Parvis ?")


async def test_counters_are_measured_and_the_unknown_is_left_out() -> None:
    async with rig() as here:
        post = here.graph.world.post(PAGE, "x", shares={"count": 3}, reactions=12)
        comment = here.graph.world.comment(post, "y")
        measured = await facebook.measure(here.http, here.page, [post, comment, "1_404"])
    assert {fact.external_id: (fact.likes, fact.replies, fact.shares) for fact in measured} == {
        post: (12, 1, 3),
        comment: (0, 0, None),
    }
    assert all(isinstance(fact, Counted) for fact in measured)


async def test_the_token_tells_which_page_it_is_for_and_a_persons_own_is_refused() -> None:
    async with rig() as here:
        choice = await facebook.identify(here.http, replace(here.page, channel_external_id=""))
        person = replace(here.page, credentials={"access_token": USER_TOKEN, "app_secret": SECRET})
        with pytest.raises(Refused, match="Page's own token"):
            await facebook.identify(here.http, person)
    assert (choice.external_id, choice.name) == (PAGE, "Café Parvis")
    assert choice.credentials == {"access_token": PAGE_TOKEN, "app_secret": SECRET}


async def test_the_page_is_subscribed_and_the_self_test_says_it_all_in_words() -> None:
    async with rig() as here:
        here.graph.world.comment(here.graph.world.post(PAGE, "x"), "y")
        before = {one.code: one for one in await facebook.check(here.http, here.page)}
        hook = HookAddress("https://parvis.example/webhooks/hook_1", "s")
        assert (await facebook.subscribe(here.http, here.page, hook)).hook_url == hook.url
        after = {one.code: one for one in await facebook.check(here.http, here.page)}
        here.graph.tokens[PAGE_TOKEN].scopes = {"pages_read_engagement"}
        poor = {one.code: one for one in await facebook.check(here.http, here.page)}
        here.graph.tokens[PAGE_TOKEN].dead = 460
        dead = await facebook.check(here.http, here.page)
    assert {"feed", "mention", "ratings", "messages"} <= set(here.graph.apps[PAGE])
    assert {code for code, one in before.items() if not one.ok} == {"subscription"}
    assert all(one.ok for one in after.values())
    reading, doing = {"comments", "reviews", "messages"}, {"publishing", "moderating", "answering"}
    assert {code for code, one in poor.items() if not one.ok} == reading | doing
    assert "pages_manage_posts" in poor["publishing"].message
    assert (dead[-1].ok, dead[-1].code) == (False, "login_dead")
    assert all(one.mend for one in (*before.values(), *poor.values(), *dead) if not one.ok)


async def test_an_app_without_the_right_to_messages_is_sent_everything_else() -> None:
    async with rig() as here:
        body = b'{"error":{"message":"(#200) pages_messaging is missing","type":"OAuthException","code":200}}'
        here.graph.faults.append(Fault("/subscribed_apps", 403, body))
        await facebook.subscribe(here.http, here.page, HookAddress("https://parvis.example/h", "s"))
    assert here.graph.apps[PAGE] == ["feed", "mention", "ratings"]
