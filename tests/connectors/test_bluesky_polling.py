"""What a poll of Bluesky hears, and that nothing between two polls is lost."""

from datetime import UTC, datetime, timedelta

from shared.connectors.bluesky_walk import NEWEST, ROUND
from shared.contract import (
    Counted,
    Reacted,
    Said,
)
from shared.models.enums import AuthorKind, MentionKind
from tests.connectors.bluesky_house import bluesky, crowd, heard, place, texts

SEARCH = "app.bsky.feed.searchPosts"


# ---------------------------------------------------------------- what is heard


async def test_mentions_replies_quotes_and_reactions_arrive_with_one_poll() -> None:
    async with place() as here:
        own = here.network.post(here.brand, "Nieuwe openingsuren")
        _, page = await here.poll()
        here.network.post(here.fan, "Merci", mentioning=here.brand)
        reply = here.network.reply(here.fan, own, "Ook op zondag?")
        here.network.quote(here.fan, own, "Kijk")
        here.network.like(here.fan, own)
        parsed, _ = await here.poll(page.cursor)
    facts = heard(parsed)
    said = {fact.text: fact for fact in facts if isinstance(fact, Said) and fact.author_kind is AuthorKind.CONSUMER}
    assert set(said) == {"Merci @brand.test", "Ook op zondag?", "Kijk"}
    answered = said["Ook op zondag?"]
    assert (answered.kind, answered.parent_external_id) == (MentionKind.REPLY, own.uri)
    assert answered.author is not None
    assert (answered.author.external_id, answered.author.handle, answered.author.name) == (
        here.fan.did,
        "fan.test",
        "Fan Ny",
    )
    assert answered.url == f"https://bsky.app/profile/{here.fan.did}/post/{reply.uri.rpartition('/')[2]}"
    assert [(fact.external_id, fact.reaction) for fact in facts if isinstance(fact, Reacted)] == [(own.uri, "like")]


async def test_the_brands_own_posts_are_heard_as_the_brands() -> None:
    async with place() as here:
        here.network.post(here.brand, "Nieuwe openingsuren")
        parsed, _ = await here.poll()
    [said] = [fact for fact in heard(parsed) if isinstance(fact, Said)]
    assert (said.kind, said.author_kind) == (MentionKind.POST, AuthorKind.BRAND)


async def test_terms_are_searched_for_and_what_they_find_has_counters() -> None:
    async with place() as here:
        found = here.network.post(here.fan, "Le parvis est noir de monde")
        here.network.post(here.fan, "Rien à voir")
        parsed, _ = await here.following("parvis", " parvis ", "").poll()
        assert here.network.asked[SEARCH] == 1
    assert texts(parsed) == ["Le parvis est noir de monde"]
    assert [fact.external_id for fact in heard(parsed) if isinstance(fact, Counted)] == [found.uri]


async def test_a_poll_that_finds_nothing_new_brings_nothing() -> None:
    async with place() as here:
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        here.network.post(here.brand, "Dag")
        _, first = await here.poll()
        here.network.like(here.fan, here.network.post(here.fan, "elsewhere"))
        parsed, second = await here.poll(first.cursor)
    assert (parsed, second.more) == ([], False)


async def test_what_was_brought_before_is_not_said_again() -> None:
    async with place() as here:
        here.network.post(here.fan, "een", mentioning=here.brand)
        _, page = await here.poll()
        here.network.post(here.fan, "twee", mentioning=here.brand)
        [parsed], _ = await here.poll(page.cursor)
    assert texts([parsed]) == ["twee @brand.test"]
    assert parsed.ignored == ("1 notifications that were brought before",)


async def test_a_post_that_is_edited_in_place_is_said_again() -> None:
    async with place() as here:
        post = here.network.post(here.fan, "een", mentioning=here.brand)
        _, page = await here.poll()
        here.network.edit(post, "twee")
        parsed, _ = await here.poll(page.cursor)
    assert texts(parsed) == ["twee"]


async def test_a_backdated_post_is_found_where_the_list_puts_it() -> None:
    async with place() as here:
        for number in range(3):
            here.network.post(here.fan, f"n{number}", mentioning=here.brand)
        _, page = await here.poll()
        here.network.post(here.fan, "late", mentioning=here.brand, at=datetime.now(UTC) - timedelta(days=3))
        parsed, _ = await here.poll(page.cursor)
    assert texts(parsed) == ["late @brand.test"]


# ---------------------------------------------------------------- nothing between two polls is lost


async def test_more_than_a_page_between_two_polls_is_walked_through_to_what_is_known() -> None:
    async with place() as here:
        start = datetime.now(UTC) - timedelta(hours=2)
        crowd(here, 60, start=start - timedelta(hours=1))
        _, page = await here.poll()
        said = crowd(here, 420, start=start)
        parsed, last = await here.poll(page.cursor)
    assert set(said) <= set(texts(parsed))
    assert last.more is False


async def test_of_many_at_one_moment_none_is_lost_at_the_edge_of_a_page() -> None:
    async with place() as here:
        _, page = await here.poll()
        start = datetime.now(UTC) - timedelta(hours=2)
        for number in range(260):
            at = start + timedelta(seconds=number // 20)
            here.network.post(here.fan, f"n{number}", mentioning=here.brand, at=at)
        parsed, last = await here.poll(page.cursor)
    assert len(texts(parsed)) == 260
    assert last.more is False


async def test_a_long_gap_is_walked_over_several_polls_and_the_newest_never_waits() -> None:
    async with place() as here:
        start = datetime.now(UTC) - timedelta(hours=2)
        _, page = await here.poll()
        said = crowd(here, 2_000, start=start)
        first, page = await here.poll(page.cursor, pages=4)
        assert page.more is True
        here.network.post(here.fan, "now", mentioning=here.brand)
        second, page = await here.poll(page.cursor, pages=ROUND)
        assert "now @brand.test" in texts(second)
        third, page = await here.poll(page.cursor, pages=40)
    assert {*said, "now @brand.test"} == set(texts([*first, *second, *third]))
    assert page.more is False


async def test_a_crash_in_the_middle_of_a_gap_repeats_a_page_and_loses_none() -> None:
    async with place() as here:
        _, page = await here.poll()
        said = crowd(here, 300, start=datetime.now(UTC) - timedelta(hours=2))
        kept, cursor = [], page.cursor
        for step in range(20):
            page = await bluesky.poll(here.http, here.login, cursor)
            if step % 2 == 0:
                continue  # died before it was kept
            kept += [here.parse(arrival) for arrival in page.arrivals]
            cursor = page.cursor
    assert set(texts(kept)) == set(said)
    assert page.more is False


async def test_a_repeated_step_brings_the_same_arrivals_under_the_same_keys() -> None:
    async with place() as here:
        here.network.post(here.fan, "Bonjour", mentioning=here.brand)
        first = await bluesky.poll(here.http, here.login, None)
        again = await bluesky.poll(here.http, here.login, None)
    assert [arrival.key for arrival in first.arrivals] == [arrival.key for arrival in again.arrivals]


async def test_the_first_poll_brings_the_newest_page_and_leaves_the_rest_to_the_backfill() -> None:
    async with place() as here:
        said = crowd(here, NEWEST + 30, start=datetime.now(UTC) - timedelta(hours=1))
        parsed, page = await here.poll()
    assert texts(parsed) == said[-NEWEST:]
    assert page.more is False


async def test_a_list_that_was_empty_at_the_first_poll_has_no_end_but_its_own() -> None:
    async with place() as here:
        _, page = await here.poll()
        said = crowd(here, NEWEST + 30, start=datetime.now(UTC) - timedelta(hours=1))
        parsed, _ = await here.poll(page.cursor)
    assert texts(parsed) == said


async def test_many_gaps_are_joined_so_that_the_cursor_stays_small_and_nothing_is_lost() -> None:
    async with place() as here:
        start = datetime.now(UTC) - timedelta(hours=9)
        _, page = await here.poll()
        kept, said = [], []
        for burst in range(15):
            said += [f"b{burst} {text}" for text in crowd(here, NEWEST + 5, start=start + timedelta(minutes=burst))]
            parsed, page = await here.poll(page.cursor, pages=1)
            kept += parsed
        assert len(page.cursor or "") < 10_000
        parsed, page = await here.poll(page.cursor, pages=200)
    wanted = {record.uri for record in here.network.records.values()}
    found = {fact.external_id for fact in heard([*kept, *parsed]) if isinstance(fact, Said)}
    assert found == wanted
    assert page.more is False
