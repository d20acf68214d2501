"""A Facebook Page read by asking, on a Graph API on loopback, and that it meets what the webhooks said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from shared.connectors.facebook import Facebook
from shared.connectors.graph import appsecret_proof
from shared.contract import Heard, RawPart, Said
from shared.errors import LoginDead, Refused
from shared.models.enums import AuthorKind, MentionKind, Visibility
from tests.connectors.graph_rig import (
    PAGE,
    PAGE_TOKEN,
    SECRET,
    Rig,
    aged,
    deleted,
    heard,
    rig,
    said,
    texts,
    whole_round,
)
from tests.networks.fakes.graph import Fault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
facebook = Facebook()


def pushed(value: dict[str, Any], field: str = "feed") -> Heard:
    """What the webhook says of it."""
    entry = {"id": PAGE, "time": 1795341600, "changes": [{"field": field, "value": value}]}
    body = orjson.dumps({"object": "page", "entry": [entry]})
    return facebook.parse(RawPart(PAGE, body, NOW)).heard[0]


def same(one: Heard, other: Heard) -> None:
    """Both say the same, but for when they were said and for the address, which not all of them know."""
    assert isinstance(one, Said)
    assert isinstance(other, Said)
    assert replace(one, stamp=NOW, url=None) == replace(other, stamp=NOW, url=None)


# ---------------------------------------------------------------- polling


async def test_posts_tags_comments_replies_reviews_and_messages_are_heard_by_asking() -> None:
    async with rig() as here:
        world = here.graph.world
        post = world.post(PAGE, "Nouvelle saison")
        tag = world.post(PAGE, "avec Café Parvis", ("9009", "Jo"), edge="tagged")
        comment = world.comment(post, "Quand ?")
        reply = world.comment(post, "En mars", (PAGE, "Café Parvis"), parent=comment)
        nobody = world.comment(post, "no name", None)
        review = world.rating(PAGE, "Koude koffie", positive=False)
        message = world.message(PAGE, "Bonjour", conversation="t_1", by=("771", "Léa"))
        facts, page = await whole_round(facebook, here, here.page)
    by_id = {fact.external_id: fact for fact in said(facts)}
    assert set(by_id) == {post, tag, comment, reply, nobody, review, message}
    assert (by_id[post].kind, by_id[post].author_kind) == (MentionKind.POST, AuthorKind.BRAND)
    assert by_id[tag].author_kind is AuthorKind.CONSUMER
    assert (by_id[comment].kind, by_id[comment].parent_external_id) == (MentionKind.COMMENT, post)
    assert (by_id[reply].kind, by_id[reply].parent_external_id) == (MentionKind.REPLY, comment)
    assert by_id[reply].author_kind is AuthorKind.BRAND
    assert by_id[nobody].author_kind is AuthorKind.UNKNOWN
    assert (by_id[review].kind, by_id[review].rating) == (MentionKind.REVIEW, 1.0)
    assert by_id[message].visibility is Visibility.PRIVATE
    assert not page.more


async def test_a_polled_post_comment_and_review_say_what_the_webhook_said() -> None:
    async with rig() as here:
        world = here.graph.world
        picture = "https://scontent.fbcdn.net/v/p720x720/77_88_n.jpg?oh=1"
        shown = {"type": "photo", "media": {"image": {"src": picture}}}
        post = world.post(PAGE, "Nouvelle saison", attachments={"data": [shown]})
        comment = world.comment(post, "Quand ?")
        review = world.rating(PAGE, "Heerlijk", positive=True)
        at = {one: int(world.things[one].at.timestamp()) for one in (post, comment, f"rating_{review}")}
        facts, _ = await whole_round(facebook, here, here.page)
    by_id = {fact.external_id: fact for fact in said(facts)}
    page = {"from": {"id": PAGE, "name": "Café Parvis"}}
    link = "https://scontent.xx.fbcdn.net/v/s2048/77_88_n.jpg?oh=2&oe=3"
    photo = {"item": "photo", "verb": "add", "post_id": post, "message": "Nouvelle saison", "link": link}
    told = pushed({**photo, **page, "created_time": at[post]})
    assert isinstance(told, Said)
    assert told.media[0].key == by_id[post].media[0].key == "77_88_n.jpg"
    same(replace(told, media=by_id[post].media), by_id[post])
    same(
        pushed(
            {
                "item": "comment",
                "verb": "add",
                "comment_id": comment,
                "post_id": post,
                "parent_id": post,
                "from": {"id": "771", "name": "Léa"},
                "message": "Quand ?",
                "created_time": at[comment],
            }
        ),
        by_id[comment],
    )
    same(
        pushed(
            {
                "item": "rating",
                "verb": "add",
                "open_graph_story_id": review,
                "recommendation_type": "POSITIVE",
                "reviewer_id": "771",
                "reviewer_name": "Léa",
                "review_text": "Heerlijk",
                "created_time": at[f"rating_{review}"],
            },
            "ratings",
        ),
        by_id[review],
    )


async def test_a_polled_message_says_what_the_webhook_said() -> None:
    async with rig() as here:
        at = datetime.now(UTC).replace(microsecond=0)
        file = {"mime_type": "image/jpeg", "image_data": {"url": "https://scontent.fbcdn.net/v/a/5_6_n.jpg?oh=1"}}
        more = {"at": at, "attachments": {"data": [file]}}
        here.graph.world.message(PAGE, "Regardez", conversation="t_1", by=("771", "Léa"), external_id="m_1", **more)
        facts, _ = await whole_round(facebook, here, here.page)
    url = "https://scontent.xx.fbcdn.net/v/b/5_6_n.jpg?oh=2"
    message = {"mid": "m_1", "text": "Regardez", "attachments": [{"type": "image", "payload": {"url": url}}]}
    event = {"sender": {"id": "771"}, "recipient": {"id": PAGE}, "timestamp": int(at.timestamp()), "message": message}
    body = orjson.dumps({"object": "page", "entry": [{"id": PAGE, "time": 1, "messaging": [event]}]})
    [told] = facebook.parse(RawPart(PAGE, body, NOW)).heard
    [polled] = said(facts)
    assert isinstance(told, Said)
    assert told.media[0].key == polled.media[0].key
    same(replace(told, media=polled.media, author=polled.author), polled)


async def test_a_round_in_which_nothing_is_new_brings_nothing() -> None:
    async with rig() as here:
        post = here.graph.world.post(PAGE, "old")
        here.graph.world.comment(post, "old")
        here.graph.world.message(PAGE, "old", conversation="t_1", by=("771", "Léa"))
        _, page = await whole_round(facebook, here, here.page)
        here.paths()
        again = await facebook.poll(here.http, here.page, aged(page.cursor))
        asked = here.paths()
    assert again.arrivals == ()
    edges = ("feed", "tagged", "ratings", "conversations")
    assert sorted(asked) == sorted([post, *(f"{PAGE}/{edge}" for edge in edges)])


async def test_a_new_comment_on_an_older_post_is_heard() -> None:
    async with rig() as here:
        post = here.graph.world.post(PAGE, "old")
        here.graph.world.post(PAGE, "another")
        _, page = await whole_round(facebook, here, here.page)
        here.graph.world.catch_up()
        new = here.graph.world.comment(post, "new")
        facts, _ = await whole_round(facebook, here, here.page, aged(page.cursor))
    assert {fact.external_id: fact.parent_external_id for fact in said(facts)} == {new: post}


async def test_a_flood_under_one_post_keeps_nobody_else_waiting() -> None:
    async with rig() as here:
        world = here.graph.world
        loud, quiet = world.post(PAGE, "loud"), world.post(PAGE, "quiet")
        _, page = await whole_round(facebook, here, here.page)
        world.catch_up()
        for number in range(800):
            world.comment(loud, f"crowd {number}")
        soft = world.comment(quiet, "and I?")
        first = await facebook.poll(here.http, here.page, aged(page.cursor))
        facts = heard(facebook, here.page, first.arrivals)
        assert soft in {fact.external_id for fact in said(facts)}
        more, last = await whole_round(facebook, here, here.page, first.cursor)
    assert texts([*facts, *more]) >= {f"crowd {number}" for number in range(800)}
    assert not last.more


async def test_a_page_that_repeats_for_ever_ends() -> None:
    async with rig() as here:
        post = here.graph.world.post(PAGE, "x")
        _, page = await whole_round(facebook, here, here.page)
        item = {"id": "1_2", "message": "again", "created_time": "2126-01-01T00:00:00+0000"}
        circle = {"data": [item], "paging": {"cursors": {"after": "same"}, "next": "https://graph.example/next"}}
        news = {post: {"id": post, "comments": circle}}
        here.graph.faults += [
            Fault("/v26.0/", 200, orjson.dumps(news), count=100),
            Fault(f"/{post}", 200, orjson.dumps(news[post]), count=100),
            Fault(f"/{post}/comments", 200, orjson.dumps(circle), count=100),
        ]
        here.paths()
        _, last = await whole_round(facebook, here, here.page, aged(page.cursor))
        assert here.paths().count(f"{post}/comments") == 1
    assert not last.more


async def test_a_watched_post_that_is_gone_keeps_the_others_comments_coming() -> None:
    async with rig() as here:
        world = here.graph.world
        posts = [world.post(PAGE, str(number)) for number in range(8)]
        _, page = await whole_round(facebook, here, here.page)
        world.catch_up()
        world.delete(posts[3])
        new = [world.comment(post, f"on {post}") for post in posts if post != posts[3]]
        facts, _ = await whole_round(facebook, here, here.page, aged(page.cursor))
    assert {fact.external_id for fact in said(facts)} == set(new)
    assert deleted(facts) == set()


async def test_reviews_that_are_not_allowed_keep_the_rest_coming_and_are_asked_for_once_a_day() -> None:
    async with rig() as here:
        here.graph.faults.append(
            Fault("/ratings", 403, b'{"error":{"message":"(#10) no","type":"OAuthException","code":10}}', count=9)
        )
        here.graph.world.post(PAGE, "heard")
        facts, page = await whole_round(facebook, here, here.page)
        here.paths()
        await whole_round(facebook, here, here.page, aged(page.cursor))
        assert f"{PAGE}/ratings" not in here.paths()
    assert texts(facts) == {"heard"}


async def test_figures_of_use_that_are_high_make_the_next_poll_wait() -> None:
    async with rig() as here:
        here.graph.usage = {"x-app-usage": '{"call_count":81,"total_time":3,"total_cputime":2}'}
        page = await facebook.poll(here.http, here.page, None)
    assert page.wait == timedelta(minutes=10)
    assert not page.more


async def test_the_proof_of_the_apps_secret_goes_along_and_a_wrong_one_is_refused() -> None:
    async with rig() as here:
        here.graph.app_secret = SECRET
        here.graph.world.post(PAGE, "x")
        facts, _ = await whole_round(facebook, here, here.page)
        wrong = replace(here.page, credentials={"access_token": PAGE_TOKEN, "app_secret": "other"})
        with pytest.raises(Refused, match="appsecret_proof"):
            await facebook.poll(here.http, wrong, None)
    assert texts(facts) == {"x"}


async def test_no_arrival_holds_the_token_or_the_proof_of_the_secret() -> None:
    async with rig() as here:
        post = here.graph.world.post(PAGE, "x")
        for number in range(60):
            here.graph.world.comment(post, str(number))
        page = await facebook.poll(here.http, here.page, None)
        arrivals = [*page.arrivals, *await facebook.recheck(here.http, here.page, [post])]
    bodies = b"".join(one.body for one in arrivals)
    assert b"graph.example" in bodies  # the address of a page's next one, in which Graph writes the token
    assert PAGE_TOKEN.encode() not in bodies
    assert appsecret_proof(SECRET, PAGE_TOKEN).encode() not in bodies


async def test_backfilling_brings_all_that_was_said_since_then_and_says_so_at_the_end() -> None:
    async with rig() as here:
        world = here.graph.world
        since = datetime.now(UTC) - timedelta(days=3)
        older = world.post(PAGE, "older", at=since - timedelta(days=10))
        for number in range(60):
            world.post(PAGE, f"p{number}", at=since + timedelta(minutes=number))
        world.comment(older, "young on old", at=since + timedelta(hours=1))
        world.message(PAGE, "psst", conversation="t_1", by=("771", "Léa"), at=since + timedelta(hours=2))
        facts, reached = await filled(here, since)
    assert reached == since
    assert texts(facts) >= {"young on old", "psst", *(f"p{number}" for number in range(60))}


async def filled(here: Rig, since: datetime) -> tuple[list[Heard], datetime | None]:
    facts: list[Heard] = []
    cursor = None
    for _ in range(100):
        page = await facebook.backfill(here.http, here.page, since, cursor)
        facts += heard(facebook, here.page, page.arrivals)
        if not page.more:
            return facts, page.reached
        assert page.reached is None
        cursor = page.cursor
    raise AssertionError("the backfill did not end")


async def test_a_backfill_of_which_every_question_fails_says_so() -> None:
    async with rig() as here:
        here.graph.tokens[PAGE_TOKEN].dead = 467
        with pytest.raises(LoginDead):
            await facebook.backfill(here.http, here.page, datetime.now(UTC), None)
