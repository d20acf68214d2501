"""A Page's posts go out once, whatever Graph answers; what is in doubt is found by its words."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.contract import OutgoingMedia
from shared.errors import LoginDead, RateLimited, Refused, Unavailable, Uncertain, Unprepared
from tests.connectors.conformance.specimen import effect
from tests.connectors.graph_rig import PAGE, PAGE_TOKEN, Rig
from tests.connectors.page_deeds import FILM, PICTURE, TERRACE, find, live, page_now, prepare, ready, send, told
from tests.networks.fakes.graph import Fault


@pytest.fixture
async def here() -> AsyncIterator[Rig]:
    async with page_now() as found:
        yield found


# ---------------------------------------------------------------- posts


async def test_a_link_is_a_thing_of_its_own(here: Rig) -> None:
    sent = await send(here, effect(text="Lisez", link="https://cafe.example/carte"))
    assert told(here, sent.external_id)["message"] == "Lisez"
    assert told(here, sent.external_id)["attachments"]["data"][0]["url"] == "https://cafe.example/carte"
    assert sent.url == told(here, sent.external_id)["permalink_url"]


async def test_with_pictures_a_link_stands_beneath_the_text(here: Rig) -> None:
    wanted = await ready(here, effect(text="Lisez", link="https://cafe.example/carte", media=(PICTURE,)))
    sent = await send(here, wanted)
    assert told(here, sent.external_id)["message"] == "Lisez\n\nhttps://cafe.example/carte"
    assert await find(here, wanted) == sent


async def test_pictures_keep_their_order_and_their_words(here: Rig) -> None:
    sent = await send(here, await ready(here, effect(media=(PICTURE, TERRACE))))
    [album] = told(here, sent.external_id)["attachments"]["data"]
    photos = [told(here, one["target"]["id"]) for one in album["subattachments"]["data"]]
    assert [one["alt_text_custom"] for one in photos] == ["Een plein", "Een terras"]


async def test_a_picture_that_could_not_be_loaded_is_named_and_the_others_are_kept(here: Rig) -> None:
    here.graph.faults.append(Fault("/photos", 500, b"oops"))
    wanted = effect(media=(PICTURE, TERRACE))
    half = await prepare(here, wanted)
    assert half.wait is not None
    whole = await prepare(here, replace(wanted, marks=half.marks))
    assert whole.wait is None
    assert whole.marks["photos"].items() >= half.marks["photos"].items()
    first = await ready(here, replace(wanted, media=(PICTURE,)))
    gone = replace(TERRACE, url="https://media.example/gone.jpg")
    with pytest.raises(Unavailable, match="picture 2"):
        await prepare(here, replace(first, media=(PICTURE, gone)))


async def test_an_upload_that_is_answered_without_an_id_is_made_again(here: Rig) -> None:
    here.graph.faults.append(Fault("/photos", 200, b"{}", done=True))
    with pytest.raises(Unavailable, match="picture 1"):
        await prepare(here, effect(media=(PICTURE,)))
    assert (await prepare(here, effect(media=(PICTURE,)))).wait is None


async def test_a_post_whose_pictures_are_gone_is_prepared_anew(here: Rig) -> None:
    wanted = await ready(here, effect(media=(PICTURE,)))
    del here.graph.world.things[wanted.marks["photos"]["0"]]
    with pytest.raises(Unprepared):
        await send(here, wanted)
    with pytest.raises(Unprepared):
        await send(here, replace(wanted, marks={}))
    assert live(here) == []


async def test_a_film_is_published_as_it_is_sent_and_found_before_it_is_shown(here: Rig) -> None:
    wanted = effect(text="Regardez", media=(FILM,))
    assert (await prepare(here, wanted)).marks == {}
    here.graph.faults.append(Fault("/videos", after_seconds=3, done=True, method="POST"))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    found = await find(here, wanted)
    assert found is not None
    assert [found.external_id] == live(here)
    assert found.url is not None
    assert found.url.startswith("https://www.facebook.com/")


@pytest.mark.parametrize(
    ("media", "why"),
    [((PICTURE, FILM), "not both"), ((FILM, FILM), "two films"), ((PICTURE,) * 11, "10 pictures"),
     ((replace(FILM, kind="audio"),), "audio")],
    ids=["mixed", "two films", "eleven", "a sound"],
)  # fmt: skip
async def test_what_no_post_can_hold_is_refused_in_words(here: Rig, media: tuple[OutgoingMedia, ...], why: str) -> None:
    for call in (prepare, send):
        with pytest.raises(Refused, match=why):
            await call(here, effect(media=media))
    assert here.graph.got == []


async def test_a_post_that_was_taken_and_not_answered_is_found_and_not_made_again(here: Rig) -> None:
    wanted = effect(text="Ouvert  dimanche \n")
    here.graph.faults.append(Fault("/feed", after_seconds=3, done=True, method="POST"))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    told(here, live(here)[0])["message"] = "Ouvert dimanche"  # as Facebook trims it
    found = await find(here, wanted)
    assert found is not None
    assert found.external_id == live(here)[0]
    assert found.url is not None


async def test_what_is_shown_late_is_not_seen_at_first_and_not_made_again(here: Rig) -> None:
    here.graph.effects.late = 1
    wanted = effect()
    here.graph.faults.append(Fault("/feed", 500, b"oops", done=True, method="POST"))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    assert await find(here, wanted) is None
    again = replace(wanted, first_attempt_at=datetime.now(UTC) - timedelta(minutes=3))
    assert (await send(here, again)).external_id == live(here)[0]
    assert len(live(here)) == 1


async def test_a_duplicate_in_a_row_is_looked_up(here: Rig) -> None:
    await send(here, effect())
    with pytest.raises(Uncertain, match="506"):
        await send(here, effect("out_2"))


async def test_an_earlier_post_with_the_same_words_is_another_post(here: Rig) -> None:
    here.graph.world.post(PAGE, "Bonjour", at=datetime.now(UTC) - timedelta(hours=3))
    assert await find(here, effect()) is None


async def test_a_look_that_is_refused_leaves_it_uncertain(here: Rig) -> None:
    here.graph.tokens[PAGE_TOKEN].scopes.discard("pages_read_engagement")
    with pytest.raises(Uncertain, match="could not be looked up"):
        await find(here, effect())
    long_ago = effect(attempted=timedelta(hours=1))
    with pytest.raises(Unavailable) as raised:
        await send(here, long_ago)
    assert raised.value.unsent
    assert live(here) == []


async def test_so_many_posts_that_ours_may_be_beyond_them_leave_it_uncertain(here: Rig) -> None:
    for number in range(501):
        here.graph.world.post(PAGE, f"bericht {number}", at=datetime.now(UTC))
    with pytest.raises(Uncertain, match="so much"):
        await find(here, effect())


# ---------------------------------------------------------------- limits, logins, rights


async def test_how_much_room_is_left_is_told_with_what_is_live(here: Rig) -> None:
    here.graph.usage = {"x-app-usage": json.dumps({"call_count": 91}), "x-business-use-case-usage": json.dumps(
        {PAGE: [{"call_count": 85}]})}  # fmt: skip
    room = (await send(here, effect())).room
    assert room is not None
    assert (room.left, room.whole_app) == (4, True)


async def test_too_fast_for_the_whole_app_is_said_of_the_whole_app(here: Rig) -> None:
    body = json.dumps({"error": {"code": 32, "message": "Page request limit reached"}}).encode()
    usage = json.dumps({PAGE: [{"call_count": 100, "estimated_time_to_regain_access": 9}]})
    here.graph.faults.append(Fault("/feed", 403, body, {"x-business-use-case-usage": usage}))
    with pytest.raises(RateLimited) as page:
        await send(here, effect())
    here.graph.faults.append(Fault("/feed", 403, body.replace(b"32", b"4")))
    with pytest.raises(RateLimited) as app:
        await send(here, effect())
    assert (page.value.after, page.value.whole_app, app.value.whole_app) == (timedelta(minutes=9), False, True)
    assert live(here) == []


@pytest.mark.parametrize(("subcode", "why"), [(460, "password"), (463, "run out"), (458, "removed the app")])
async def test_a_dead_token_says_why_and_sends_nothing(here: Rig, subcode: int, why: str) -> None:
    here.graph.tokens[PAGE_TOKEN].dead = subcode
    with pytest.raises(LoginDead, match=why):
        await send(here, effect())
    with pytest.raises(LoginDead, match=why):
        await find(here, effect())


async def test_a_right_that_was_taken_back_is_named(here: Rig) -> None:
    here.graph.tokens[PAGE_TOKEN].scopes.discard("pages_manage_posts")
    with pytest.raises(Refused, match="pages_manage_posts"):
        await send(here, effect())
