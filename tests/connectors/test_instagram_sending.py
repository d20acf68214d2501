"""An Instagram account's posts go out once: their containers are made, waited for, published, and asked in doubt."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.connectors.instagram import Instagram
from shared.contract import Login, OutgoingEffect, OutgoingMedia, Prepared, Sent
from shared.errors import LoginDead, RateLimited, Refused, Unavailable, Uncertain, Unprepared
from tests.connectors.conformance.specimen import PICTURES, effect
from tests.connectors.graph_rig import ACCOUNT, ACCOUNT_TOKEN, Rig, rig
from tests.networks.fakes.graph import Fault

instagram = Instagram()
PICTURE = OutgoingMedia("https://media.example/plein.jpg", "image", "Een plein")
TERRACE = OutgoingMedia("https://media.example/terras.jpg", "image", "Een terras")
FILM = OutgoingMedia("https://media.example/plein.mp4", "video")
AT_WORK = ("IN_PROGRESS", "In progress")
PERSON = ("771", "lea.dekust")


@pytest.fixture
async def here() -> AsyncIterator[Rig]:
    async with rig() as found:
        found.graph.world.catch_up()
        yield found


def post(text: str = "Bonjour", *media: OutgoingMedia, **more: Any) -> OutgoingEffect:
    return effect(text=text, media=media or (PICTURE,), **more)


async def prepare(here: Rig, wanted: OutgoingEffect, login: Login | None = None) -> Prepared:
    return await instagram.prepare(here.http, login or here.account, wanted, PICTURES)


async def ready(here: Rig, wanted: OutgoingEffect, login: Login | None = None) -> OutgoingEffect:
    found = await prepare(here, wanted, login)
    assert found.wait is None
    return replace(wanted, marks=found.marks)


async def send(here: Rig, wanted: OutgoingEffect, login: Login | None = None) -> Sent:
    return await instagram.send(here.http, login or here.account, wanted)


async def find(here: Rig, wanted: OutgoingEffect, login: Login | None = None) -> Sent | None:
    return await instagram.find(here.http, login or here.account, wanted)


def live(here: Rig) -> list[str]:
    return here.graph.world.named(ACCOUNT, "media")


def made(here: Rig) -> list[dict[str, str]]:
    """What containers were asked for."""
    return [query for method, path, query in here.graph.got if method == "POST" and path.endswith("/media")]


# ---------------------------------------------------------------- containers


@pytest.mark.parametrize("by_page", [False, True], ids=["its own login", "a page's login"])
async def test_a_picture_is_published_with_its_words_by_either_login(here: Rig, by_page: bool) -> None:
    login = here.account_by_page if by_page else here.account
    wanted = await ready(here, post("Ouvert dimanche", link="https://cafe.example/"), login)
    assert live(here) == []
    sent = await send(here, wanted, login)
    assert live(here) == [sent.external_id]
    assert sent.url == f"https://www.instagram.com/p/{sent.external_id}/"
    assert made(here)[0]["caption"] == "Ouvert dimanche\n\nhttps://cafe.example/"
    assert await find(here, wanted, login) == sent


async def test_several_stand_in_one_post_in_their_order(here: Rig) -> None:
    sent = await send(here, await ready(here, post("x", PICTURE, FILM, TERRACE)))
    whole = made(here)[-1]  # the parts are asked for side by side, in no order
    parts = [here.graph.world.things[one].values["asked"] for one in whole["children"].split(",")]
    assert [one.get("image_url") or one["video_url"] for one in parts] == [PICTURE.url, FILM.url, TERRACE.url]
    assert {one["is_carousel_item"] for one in parts} == {"true"}
    assert whole["media_type"] == "CAROUSEL"
    assert here.graph.world.things[sent.external_id].values["alts"] == ["Een plein", None, "Een terras"]


async def test_a_film_is_waited_for_and_made_once(here: Rig) -> None:
    here.graph.effects.states = [AT_WORK, AT_WORK]
    wanted = post("x", FILM)
    first = await prepare(here, wanted)
    second = await prepare(here, replace(wanted, marks=first.marks))
    third = await prepare(here, replace(wanted, marks=second.marks))
    assert (first.wait, second.wait, third.wait) == (timedelta(minutes=1), timedelta(minutes=1), None)
    assert [one["media_type"] for one in made(here)] == ["REELS"]


async def test_one_that_is_not_ready_is_prepared_and_not_published(here: Rig) -> None:
    here.graph.effects.states = [AT_WORK]
    wanted = post("x", FILM)
    waiting = replace(wanted, marks=(await prepare(here, wanted)).marks)
    for early in (waiting, wanted):
        with pytest.raises(Unprepared):
            await send(here, early)
    assert live(here) == []


async def test_what_is_worked_at_for_an_hour_is_given_up_in_words(here: Rig) -> None:
    here.graph.effects.states = [AT_WORK, AT_WORK]
    wanted = post("x", FILM)
    marks = dict((await prepare(here, wanted)).marks)
    marks["begun"] = (datetime.now(UTC) - timedelta(minutes=61)).isoformat()
    with pytest.raises(Refused, match="an hour"):
        await prepare(here, replace(wanted, marks=marks))


async def test_an_expired_container_is_made_again_and_sent(here: Rig) -> None:
    wanted = await ready(here, post())
    here.graph.world.things[wanted.marks["container"]].values["ended"] = "EXPIRED"
    assert await find(here, wanted) is None
    with pytest.raises(Unprepared):
        await send(here, wanted)
    anew = await prepare(here, wanted)
    assert anew.wait is not None
    again = await ready(here, replace(wanted, marks=anew.marks))
    assert again.marks["container"] != wanted.marks["container"]
    sent = await send(here, again)
    assert live(here) == [sent.external_id]


async def test_media_that_instagram_can_not_use_are_refused_in_its_words(here: Rig) -> None:
    here.graph.effects.states = [("ERROR", "Error: the video's format is not supported, 2207026")]
    with pytest.raises(Refused, match="format is not supported"):
        await prepare(here, post("x", FILM))


async def test_media_that_could_not_be_fetched_are_tried_again_a_few_times(here: Rig) -> None:
    here.graph.effects.states = [("ERROR", "Error: Media download has failed, 2207052")] * 4
    wanted = post("x", FILM)
    for _ in range(3):
        found = await prepare(here, wanted)
        assert found.wait is not None
        wanted = replace(wanted, marks=found.marks)
    with pytest.raises(Refused, match=r"tried 4 times.*2207052"):
        await prepare(here, wanted)


async def test_a_picture_that_is_not_taken_or_not_there_is_named(here: Rig) -> None:
    wrong = replace(PICTURE, url="https://media.example/plein.png")
    gone = replace(PICTURE, url="https://media.example/gone.jpg")
    with pytest.raises(Refused, match=r"picture 2 is not taken.*format"):
        await prepare(here, post("x", PICTURE, wrong))
    with pytest.raises(Unavailable, match="2207052") as raised:
        await prepare(here, post("x", gone))
    assert raised.value.unsent


async def test_of_several_those_that_were_taken_are_kept(here: Rig) -> None:
    here.graph.faults.append(Fault("/media", 500, b"oops", method="POST"))
    wanted = post("x", PICTURE, TERRACE)
    half = await prepare(here, wanted)
    assert half.wait is not None
    whole = await ready(here, replace(wanted, marks=half.marks))
    assert whole.marks["children"].items() >= half.marks["children"].items()


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (replace(post(), media=()), "needs a picture"),
        (post("x", *[PICTURE] * 11), "10 pictures"),
        (post("x", replace(FILM, kind="gif")), "gif"),
        (post("#a " * 31), "30 hashtags"),
        (post("@jan " * 21), "20 accounts"),
    ],
    ids=["nothing", "eleven", "a gif", "hashtags", "names"],
)
async def test_what_no_post_can_hold_is_refused_in_words(here: Rig, wanted: OutgoingEffect, why: str) -> None:
    with pytest.raises(Refused, match=why):
        await prepare(here, wanted)
    assert here.graph.got == []


async def test_an_address_in_a_caption_names_nobody(here: Rig) -> None:
    await ready(here, post("info@cafe.example &#233; " * 40))


async def test_an_account_that_has_published_its_days_posts_waits(here: Rig) -> None:
    wanted = await ready(here, post())
    here.graph.effects.published = 50
    with pytest.raises(RateLimited, match="50 posts"):
        await prepare(here, post())
    with pytest.raises(RateLimited):
        await send(here, wanted)
    assert live(here) == []


# ---------------------------------------------------------------- the one step that anybody sees


@pytest.mark.parametrize("status", [400, 500])
async def test_what_was_published_and_not_said_so_is_found_by_its_container(here: Rig, status: int) -> None:
    wanted = await ready(here, post())
    body = b'{"error": {"code": -1, "error_subcode": 2207001, "message": "Instagram server error. Try again."}}'
    here.graph.faults.append(Fault("/media_publish", status, body, done=True))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    found = await find(here, wanted)
    assert found is not None
    assert [found.external_id] == live(here)
    again = replace(wanted, first_attempt_at=datetime.now(UTC) - timedelta(minutes=5))
    assert await send(here, again) == found
    assert len(live(here)) == 1


async def test_what_is_published_and_not_shown_yet_stays_uncertain_and_is_never_sent_again(here: Rig) -> None:
    here.graph.effects.late = 2
    wanted = await ready(here, post())
    here.graph.faults.append(Fault("/media_publish", after_seconds=3, done=True))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    again = replace(wanted, first_attempt_at=datetime.now(UTC) - timedelta(minutes=5))
    with pytest.raises(Unavailable, match="does not show it yet"):
        await send(here, again)
    with pytest.raises(Uncertain, match="does not show it yet"):
        await find(here, wanted)
    assert await find(here, wanted) is not None
    assert len(live(here)) == 1


async def test_what_was_not_published_is_not_there(here: Rig) -> None:
    wanted = await ready(here, post())
    here.graph.faults.append(Fault("/media_publish", 500, b"oops"))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    assert await find(here, wanted) is None
    assert await find(here, post()) is None


async def test_spam_is_a_refusal_and_not_a_matter_of_waiting(here: Rig) -> None:
    wanted = await ready(here, post())
    body = b'{"error": {"code": 4, "error_subcode": 2207051, "message": "We restrict certain activity"}}'
    here.graph.faults.append(Fault("/media_publish", 400, body))
    with pytest.raises(Refused, match="restrict"):
        await send(here, wanted)


async def test_a_right_that_is_missing_is_said_before_anything_is_made(here: Rig) -> None:
    here.graph.tokens[ACCOUNT_TOKEN].scopes.discard("instagram_business_content_publish")
    with pytest.raises(Refused, match="permission"):
        await prepare(here, post())
    checked = {one.code: one for one in await instagram.check(here.http, here.account)}
    assert not checked["publishing"].ok
    assert "instagram_business_content_publish" in str(checked["publishing"].mend)
    here.graph.tokens[ACCOUNT_TOKEN].dead = 463
    with pytest.raises(LoginDead):
        await prepare(here, post())
