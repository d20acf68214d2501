"""Looking again on a Mastodon instance: what changed, what is gone, what lies further back, what is known by name."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import Response

from shared.contract import Counted, Deleted, Pointer, RawArrival, Said
from shared.errors import Gone, LoginDead, NetworkError, RateLimited, Refused, Unavailable
from tests.connectors.mastodon_world import World, mastodon, part, world
from tests.networks.fakes.mastodon import MOST_AT_ONCE, refused
from tests.networks.fakes.mastodon_people import iso

# ---------------------------------------------------------------- looked at again


@pytest.mark.parametrize("lacks", [set(), {"statuses"}], ids=["several at once", "one by one"])
async def test_edits_counters_and_deletions_are_found(lacks: set[str]) -> None:
    async with world() as here:
        here.instance.lacks = lacks
        edited, gone, same = (here.instance.say(here.lea, text, to=[here.cafe]) for text in ("een", "twee", "drie"))
        here.instance.edit(edited, "een!")
        here.instance.favourite(here.cafe, edited)
        here.instance.delete(gone)
        heard = here.hear(await mastodon.recheck(here.http, here.login, [edited, gone, same]))
    said = {fact.external_id: fact for fact in heard if isinstance(fact, Said)}
    assert said.keys() == {edited, same}
    assert said[edited].text == "een!"
    assert said[edited].edited_at is not None
    assert said[same].edited_at is None
    assert [fact.external_id for fact in heard if isinstance(fact, Deleted)] == [gone]
    assert {fact.external_id: fact.likes for fact in heard if isinstance(fact, Counted)} == {edited: 1, same: 0}


async def test_several_are_asked_for_at_once_and_never_more_than_the_instance_takes() -> None:
    async with world() as here:
        said = [here.instance.say(here.lea, str(number), to=[here.cafe]) for number in range(MOST_AT_ONCE + 5)]
        heard = here.hear(await mastodon.recheck(here.http, here.login, said))
    assert len([fact for fact in heard if isinstance(fact, Said)]) == len(said)
    assert len(here.instance.asked) == 2


async def test_two_looks_are_two_arrivals_although_the_counters_went_back_to_what_they_were() -> None:
    async with world() as here:
        said = here.instance.say(here.lea, "een", to=[here.cafe])
        first = await mastodon.recheck(here.http, here.login, [said])
        second = await mastodon.recheck(here.http, here.login, [said])
    assert first[0].body == second[0].body
    assert first[0].key != second[0].key


async def test_nothing_is_taken_for_gone_by_an_instance_that_does_not_know_the_account() -> None:
    async with world() as here:
        gone = here.instance.say(here.lea, "een", to=[here.cafe])
        here.instance.delete(gone)
        other = replace(here.login, channel_external_id="4711")
        with pytest.raises(Refused, match="4711"):
            await mastodon.recheck(here.http, other, [gone])
        here.instance.fault("/api/v1/accounts/verify_credentials", refused(404))
        with pytest.raises(Refused):
            await mastodon.recheck(here.http, here.login, [gone])


async def test_who_blocks_the_account_has_taken_nothing_back() -> None:
    async with world() as here:
        said, private = (
            here.instance.say(here.lea, "nooit meer", to=[here.cafe], visibility=which)
            for which in ("public", "direct")
        )
        here.instance.blocks.add((here.lea, here.cafe))
        heard = here.hear(await mastodon.recheck(here.http, here.login, [said, private]))
        here.instance.lacks = {"public"}
        blind = here.hear(await mastodon.recheck(here.http, here.login, [said]))
    assert [fact.external_id for fact in heard if isinstance(fact, Said)] == [said]
    assert [fact.external_id for fact in heard if isinstance(fact, Deleted)] == [private]
    assert [type(fact) for fact in blind] == [Deleted]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response("<h1>Not Found</h1>", 404, media_type="text/html"), Unavailable),
        (Response("<h1>Hello</h1>", 200, media_type="text/html"), Unavailable),
        (Response("[]", 200), Unavailable),
        (refused(500), Unavailable),
        (refused(401), LoginDead),
        (refused(429), RateLimited),
        (refused(403, "This action is outside the authorized scopes"), Refused),
    ],
)
async def test_an_answer_that_is_no_word_about_a_status_deletes_nothing(
    answer: Response, error: type[Exception]
) -> None:
    async with world() as here:
        said = here.instance.say(here.lea, "een", to=[here.cafe])
        here.instance.fault(f"/api/v1/statuses/{said}", answer)
        here.instance.lacks = {"statuses"}
        with pytest.raises(error):
            await mastodon.recheck(here.http, here.login, [said])


async def test_a_list_that_leaves_a_status_out_is_not_believed_before_it_is_asked_for_by_itself() -> None:
    async with world() as here:
        said = here.instance.say(here.lea, "een", to=[here.cafe])
        here.instance.fault("/api/v1/statuses", Response("[]", 200))
        heard = here.hear(await mastodon.recheck(here.http, here.login, [said]))
    assert [fact.external_id for fact in heard if isinstance(fact, Said)] == [said]


async def test_a_list_of_other_statuses_is_a_timeline_and_no_answer() -> None:
    async with world() as here:
        said, other = (here.instance.say(here.lea, text, to=[here.cafe]) for text in ("een", "twee"))
        found = await mastodon.recheck(here.http, here.login, [other])
        here.instance.fault("/api/v1/statuses", Response(found[0].body, 200))
        heard = here.hear(await mastodon.recheck(here.http, here.login, [said]))
    assert [fact.external_id for fact in heard if isinstance(fact, Said)] == [said]


@pytest.mark.parametrize("lacks", [set(), {"statuses"}], ids=["several at once", "one by one"])
async def test_counters_are_measured_and_what_is_gone_is_left_out(lacks: set[str]) -> None:
    async with world() as here:
        here.instance.lacks = lacks
        post, gone = here.instance.say(here.cafe, "een"), here.instance.say(here.cafe, "twee")
        here.instance.reblog(here.lea, post)
        here.instance.delete(gone)
        [counted] = await mastodon.measure(here.http, here.login, [post, gone])
    assert (counted.external_id, counted.likes, counted.replies, counted.shares) == (post, 0, 0, 1)
    assert counted.views is None


# ---------------------------------------------------------------- known by name


async def test_a_status_is_fetched_by_its_id_and_by_its_address() -> None:
    async with world() as here:
        said = here.instance.say(here.lea, "een")
        by_id = await mastodon.fetch(here.http, here.login, Pointer(said, "status"))
        address = here.instance.statuses[said]["uri"]
        by_address = await mastodon.fetch(here.http, here.login, Pointer(address, "status"))
        with pytest.raises(Refused, match="finds no status"):
            await mastodon.fetch(here.http, here.login, Pointer("https://nowhere.example/1", "status"))
        with pytest.raises(Refused, match="only a status"):
            await mastodon.fetch(here.http, here.login, Pointer("1", "photo"))
    assert here.texts([by_id]) == here.texts([by_address]) == ["een"]


async def test_a_fetched_status_that_is_gone_is_heard_as_deleted() -> None:
    async with world() as here:
        said = here.instance.say(here.lea, "een")
        here.instance.delete(said)
        heard = here.hear([await mastodon.fetch(here.http, here.login, Pointer(said, "status"))])
    assert [(type(fact), fact.external_id) for fact in heard] == [(Deleted, said)]


@pytest.mark.parametrize("external_id", ["../accounts/verify_credentials", "..", "1?x=", "%2e%2e%2finstance"])
async def test_an_id_can_not_lead_to_another_address_of_the_instance(external_id: str) -> None:
    async with world() as here:
        with suppress(NetworkError):
            await mastodon.fetch(here.http, here.login, Pointer(external_id, "status"))
    assert not {"/api/v1/accounts/verify_credentials", "/api/v1/instance"} & set(here.instance.paths()[:1])


# ---------------------------------------------------------------- further back


async def back(here: World, since: datetime) -> tuple[list[RawArrival], list[datetime | None]]:
    """A whole backfill: what it brought, and what it said to have reached after each page."""
    arrivals: list[RawArrival] = []
    reached: list[datetime | None] = []
    cursor = None
    for _ in range(60):
        page = await mastodon.backfill(here.http, here.login, since, cursor)
        arrivals += page.arrivals
        reached.append(page.reached)
        cursor = page.cursor
        if not page.more:
            return arrivals, reached
    raise AssertionError("the backfill never ends")


async def test_everything_since_a_moment_is_brought_from_every_source() -> None:
    async with world() as plain:
        here = plain.following("#koffie", "thee")
        for number in range(120):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
            here.instance.say(here.lea, f"k {number}", tags=["koffie"])
            here.instance.say(here.lea, f"thee {number}")
        arrivals, reached = await back(here, here.instance.now - timedelta(hours=1))
        texts = here.texts(arrivals)
    assert len(texts) == 360
    assert reached[-1] == here.instance.now - timedelta(hours=1)


async def test_it_goes_no_further_back_than_was_asked() -> None:
    async with world() as here:
        for number in range(300):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        since = here.instance.now - timedelta(seconds=100)
        arrivals, _ = await back(here, since)
    assert {int(text.split()[-1]) for text in here.texts(arrivals)} >= set(range(200, 300))
    assert len(arrivals) == 2


async def test_what_was_reached_is_what_every_source_was_read_back_to() -> None:
    async with world() as here:
        for number in range(200):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
            here.instance.say(here.cafe, f"own {number}")
        oldest = datetime.fromisoformat(min(one["created_at"] for one in here.instance.statuses.values()))
        arrivals, reached = await back(here, oldest)
    known = [moment for moment in reached if moment is not None]
    assert reached[0] is None
    assert known == sorted(known, reverse=True)
    assert known[-1] == oldest
    assert iso(known[0]) > iso(known[-1])
    assert len(here.texts(arrivals)) == 400


async def test_it_goes_on_after_a_crash_where_it_had_come_to() -> None:
    async with world() as here:
        for number in range(150):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        since = datetime(2026, 1, 1, tzinfo=UTC)
        first = await mastodon.backfill(here.http, here.login, since, None)
        again = await mastodon.backfill(here.http, here.login, since, None)
        second = await mastodon.backfill(here.http, here.login, since, first.cursor)
        third = await mastodon.backfill(here.http, here.login, since, second.cursor)
    assert [one.key for one in first.arrivals] == [one.key for one in again.arrivals]
    found = [*first.arrivals, *second.arrivals, *third.arrivals]
    assert len(here.texts(found)) == 150


async def test_a_term_that_is_refused_is_noted_and_an_instance_that_is_away_is_asked_again_later() -> None:
    async with world() as plain:
        here = plain.following("#koffie")
        here.instance.fault("/api/v1/timelines", refused(403, "outside the authorized scopes"))
        arrivals, _ = await back(here, here.instance.now - timedelta(days=1))
        here.instance.fault("/api/v1/notifications", refused(503))
        with pytest.raises(Unavailable):
            await mastodon.backfill(here.http, here.login, here.instance.now, None)
        here.instance.fault("/api/v1/notifications", refused(410))
        with pytest.raises(Gone):
            await mastodon.backfill(here.http, here.login, here.instance.now, None)
    assert ["nothing earlier" in mastodon.parse(part(here.login, one)).ignored[0] for one in arrivals] == [True]


async def test_a_server_that_gives_the_same_page_for_ever_ends_the_backfill() -> None:
    async with world() as here:
        here.instance.lacks = {"max_id"}
        for number in range(150):
            here.instance.say(here.lea, f"nr {number}", to=[here.cafe])
        arrivals, _ = await back(here, datetime(2026, 1, 1, tzinfo=UTC))
    assert len({one.key for one in arrivals}) == 1
    assert len(here.instance.asked) <= 4


@pytest.mark.parametrize("cursor", ["nonsense", "[]", "null", '{"depths": 3}', '{"depths": {"notifications": [1]}}'])
async def test_a_backfills_cursor_that_is_none_of_ours_begins_anew(cursor: str) -> None:
    async with world() as here:
        here.instance.say(here.lea, "een", to=[here.cafe])
        page = await mastodon.backfill(here.http, here.login, here.instance.now - timedelta(days=1), cursor)
    assert here.texts(page.arrivals) == ["@cafe@fake.example een"]
