"""Going forward on a Mastodon instance: every source in its turn, nothing skipped, nothing twice."""

import json
from datetime import timedelta

import pytest
from starlette.responses import Response

from shared.connectors import mastodon_sources
from shared.contract import Counted, Reacted, Said
from shared.errors import Unavailable
from shared.models.enums import AuthorKind, MentionKind, Visibility
from tests.connectors.mastodon_world import mastodon, part, world


def html(status: int = 200) -> Response:
    return Response("<!DOCTYPE html><title>Down for maintenance</title>", status, media_type="text/html")


async def test_a_mention_is_heard_with_its_author_its_place_and_its_counters() -> None:
    async with world() as here:
        post = here.instance.say(here.cafe, "Verse koffiekoeken!")
        reply = here.instance.say(here.lea, "tot zo", to=[here.cafe], reply_to=post)
        arrivals, _ = await here.poll(None)
        heard = here.hear(arrivals)
    said = {fact.external_id: fact for fact in heard if isinstance(fact, Said)}
    assert (said[post].kind, said[post].author_kind) == (MentionKind.POST, AuthorKind.BRAND)
    assert (said[reply].kind, said[reply].author_kind) == (MentionKind.REPLY, AuthorKind.CONSUMER)
    assert (said[reply].text, said[reply].parent_external_id) == ("@cafe@fake.example tot zo", post)
    author = said[reply].author
    assert author is not None
    assert (author.external_id, author.handle) == (here.lea, "lea@elsewhere.example")
    assert [fact.replies for fact in heard if isinstance(fact, Counted) and fact.external_id == post] == [1]


async def test_a_direct_status_is_a_private_message_and_one_for_followers_is_private() -> None:
    async with world() as here:
        direct = here.instance.say(here.lea, "psst", to=[here.cafe], visibility="direct")
        followers = here.instance.say(here.lea, "onder ons", to=[here.cafe], visibility="private")
        arrivals, _ = await here.poll(None)
        said = {fact.external_id: fact for fact in here.hear(arrivals) if isinstance(fact, Said)}
    assert (said[direct].kind, said[direct].visibility) == (MentionKind.MESSAGE, Visibility.PRIVATE)
    assert (said[followers].kind, said[followers].visibility) == (MentionKind.POST, Visibility.PRIVATE)


async def test_a_favourite_is_a_reaction_and_a_reblog_is_told_by_the_counter() -> None:
    async with world() as here:
        post = here.instance.say(here.cafe, "Verse koffiekoeken!")
        here.instance.favourite(here.lea, post)
        here.instance.reblog(here.lea, post)
        arrivals, _ = await here.poll(None)
        heard = here.hear(arrivals)
        ignored = mastodon.parse(part(here.login, arrivals[0])).ignored
    [reacted] = [fact for fact in heard if isinstance(fact, Reacted)]
    assert (reacted.external_id, reacted.actor_external_id, reacted.reaction) == (post, here.lea, "favourite")
    assert {(fact.likes, fact.shares) for fact in heard if isinstance(fact, Counted)} == {(1, 1)}
    assert ignored == ("notification reblog: the status's counter of shares tells it",)


async def test_each_page_is_one_arrival_that_says_which_source_it_is_from() -> None:
    async with world() as plain:
        here = plain.following("#Koffie", "lekker")
        here.instance.say(here.lea, "mmm", tags=["koffie"])
        here.instance.say(here.lea, "lekker", to=[here.cafe])
        here.instance.say(here.cafe, "dank u")
        arrivals, _ = await here.poll(None)
        paths = here.instance.paths()
    sources = [arrival.headers["source"] for arrival in arrivals]
    assert sources == ["notifications", "own statuses", "#Koffie", "search: lekker"]
    assert paths[2:] == ["/api/v1/timelines/tag/Koffie", "/api/v2/search"]
    assert all(json.loads(arrival.body) for arrival in arrivals)


async def test_without_a_cursor_only_the_newest_page_of_each_source_is_asked_for() -> None:
    async with world() as here:
        for number in range(100):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        arrivals, _ = await here.poll(None)
        texts = here.texts(arrivals)
    assert [text.split()[-1] for text in texts] == [str(number) for number in range(20, 100)]
    assert len(here.instance.asked) == 2


@pytest.mark.parametrize("lacks", [set(), {"min_id"}, {"min_id", "max_id"}], ids=["mastodon", "kin", "neither"])
async def test_a_backlog_of_several_pages_is_heard_without_a_hole(lacks: set[str]) -> None:
    async with world() as here:
        here.instance.say(here.lea, "nr 0", to=[here.cafe])
        _, cursor = await here.poll(None)
        for number in range(1, 201):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        here.instance.lacks = lacks
        arrivals, cursor = await here.poll(cursor)
        heard = {int(text.split()[-1]) for text in here.texts(arrivals)}
        again, _ = await here.poll(cursor)
    # Without either, a server gives its newest page only, whatever is asked: the rest is for a backfill.
    assert heard == set(range(121 if "max_id" in lacks else 1, 201))
    assert again == []


async def test_what_came_to_an_account_that_had_nothing_yet_is_heard_from_the_first() -> None:
    async with world() as here:
        _, cursor = await here.poll(None)
        for number in range(100):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        arrivals, _ = await here.poll(cursor)
        texts = here.texts(arrivals)
    assert len(texts) == 100


@pytest.mark.parametrize("term", ["#koffie", "koffie"])
async def test_a_term_with_several_pages_is_heard_without_a_hole_and_once(term: str) -> None:
    async with world() as plain:
        here = plain.following(term)
        here.instance.say(here.lea, "koffie 0", tags=["koffie"])
        _, cursor = await here.poll(None)
        for number in range(1, 131):
            here.instance.say(here.lea, f"koffie {number}", tags=["koffie"])
        arrivals, cursor = await here.poll(cursor)
        texts = here.texts(arrivals)
        again, cursor = await here.poll(cursor)
        here.instance.say(here.lea, "koffie 131", tags=["koffie"])
        one_more, _ = await here.poll(cursor)
    assert {int(text.split()[1]) for text in texts} >= set(range(1, 131))
    assert again == []
    assert "koffie 131 #koffie" in here.texts(one_more)


async def test_a_status_that_reaches_the_instance_late_is_heard_although_it_is_filed_behind_what_was_read() -> None:
    async with world() as plain:
        here = plain.following("#koffie")
        here.instance.say(here.lea, "eerst", tags=["koffie"])
        _, cursor = await here.poll(None)
        here.instance.say(here.lea, "tweede", tags=["koffie"])
        _, cursor = await here.poll(cursor)
        here.instance.say(here.lea, "te laat", tags=["koffie"], late_by=300)
        arrivals, cursor = await here.poll(cursor)
        again, _ = await here.poll(cursor)
    assert "te laat #koffie" in here.texts(arrivals)
    assert again == []


async def test_an_edit_among_the_newest_of_a_hashtag_is_heard_by_the_next_poll() -> None:
    async with world() as plain:
        here = plain.following("#koffie")
        said = here.instance.say(here.lea, "Dit is slegt", tags=["koffie"])
        _, cursor = await here.poll(None)
        here.instance.edit(said, "Dit is slecht")
        arrivals, _ = await here.poll(cursor)
    [fact] = [fact for fact in here.hear(arrivals) if isinstance(fact, Said)]
    assert (fact.external_id, fact.text) == (said, "Dit is slecht")
    assert fact.edited_at is not None


async def test_pages_that_are_larger_than_we_read_are_read_in_short_ones() -> None:
    async with world() as here:
        here.instance.say(here.lea, "nr 0", to=[here.cafe])
        _, cursor = await here.poll(None)
        for number in range(1, 13):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe], card={"html": "x" * 900_000})
        arrivals, _ = await here.poll(cursor)
        texts = here.texts(arrivals)
    assert [int(text.split()[-1]) for text in texts] == list(range(1, 13))


async def test_a_poll_that_broke_off_goes_on_at_the_page_it_had_come_to() -> None:
    async with world() as here:
        here.instance.say(here.lea, "nr 0", to=[here.cafe])
        _, cursor = await here.poll(None)
        for number in range(1, 101):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        kept = await mastodon.poll(here.http, here.login, cursor)
        here.instance.fault("/api/v1/notifications", html(502))
        with pytest.raises(Unavailable):
            await mastodon.poll(here.http, here.login, kept.cursor)
        rest, _ = await here.poll(kept.cursor)
    assert len({*here.texts(kept.arrivals), *here.texts(rest)}) == 100


# ---------------------------------------------------------------- the order of ids


def test_a_longer_id_is_a_later_one_and_of_one_length_the_one_that_sorts_later() -> None:
    numbers, flakes = ["9", "10", "117020583245459824"], ["9toJCu5YZW7O7gfvH5", "9toJCu5YZW7O7gfvH6"]
    ulids = ["01JZ3K5V9G0000000000000000", "01JZ3K5V9GZZZZZZZZZZZZZZZZ", "01JZ3K5V9H0000000000000000"]
    for ids in (numbers, flakes, ulids):
        assert sorted(ids, key=mastodon_sources.order) == ids
        assert all(mastodon_sources.after(one, "") for one in ids)


@pytest.mark.parametrize(
    ("external_id", "earlier"),
    [
        ("117020583245459824", str(117020583245459824 - (900_000 << 16))),
        ("01JZ3K5V9G7DQ4N8M6S2TXRWYE", "01JZ3JACCG0000000000000000"),
        ("00000000010000000000000000", "00000000000000000000000000"),
        ("9toJCu5YZW7O7gfvH6", "9toJCu5YZW7O7gfvH6"),
        ("4711", "4711"),
        ("", ""),
    ],
)
def test_an_id_that_tells_its_time_can_be_set_back_by_a_quarter_of_an_hour(external_id: str, earlier: str) -> None:
    assert mastodon_sources.some_time_before(external_id, timedelta(minutes=15)) == earlier
