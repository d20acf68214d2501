"""Media are laid ready on an instance one by one, waited for, and laid anew where they were lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.responses import HTMLResponse

from shared.connectors.file_types import file_type
from shared.contract import OutgoingEffect, OutgoingMedia
from shared.errors import RateLimited, Refused, Unavailable, Unprepared
from tests.connectors.conformance.specimen import PICTURE, PICTURES, effect
from tests.connectors.mastodon_world import World, mastodon, world
from tests.networks.fakes.mastodon import refused

MEDIA = "/api/v2/media"
FILM = replace(PICTURE, kind="video", type="video/mp4")


def showing(*media: OutgoingMedia) -> OutgoingEffect:
    return effect(text="Kijk", media=media or (PICTURE,))


async def step(here: World, wanted: OutgoingEffect) -> tuple[OutgoingEffect, timedelta | None]:
    found = await mastodon.prepare(here.http, here.login, wanted, PICTURES)
    return replace(wanted, marks=found.marks), found.wait


async def ready(here: World, wanted: OutgoingEffect) -> OutgoingEffect:
    for _ in range(20):
        wanted, wait = await step(here, wanted)
        if wait is None:
            return wanted
    raise AssertionError("it is never ready")


async def test_each_medium_is_uploaded_once_with_its_words_and_in_its_order() -> None:
    async with world() as here:
        second = replace(PICTURE, alt=None)
        wanted = await ready(here, showing(PICTURE, second))
        assert [one.description for one in here.instance.uploads.values()] == [PICTURE.alt, None]
        assert all(one.size == PICTURE.size for one in here.instance.uploads.values())
        sent = await mastodon.send(here.http, here.login, wanted)
        shown = here.instance.statuses[sent.external_id]["media_attachments"]
        assert [one["id"] for one in shown] == list(here.instance.uploads)
        assert await mastodon.find(here.http, here.login, wanted) == sent
        assert await mastodon.find(here.http, here.login, effect(text="Kijk")) is None


async def test_what_the_instance_works_on_is_waited_for_longer_each_time() -> None:
    async with world() as here:
        here.instance.slow_media = 4
        wanted, waits = showing(FILM), []
        while True:
            wanted, wait = await step(here, wanted)
            if wait is None:
                break
            waits.append(wait.total_seconds())
        assert waits == [1, 2, 4, 8]
        assert len(here.instance.uploads) == 1


async def test_a_status_is_not_sent_before_its_media_are_ready() -> None:
    async with world() as here:
        here.instance.slow_media = 4
        wanted, _ = await step(here, showing())
        with pytest.raises(Unprepared, match="0 of 1"):
            await mastodon.send(here.http, here.login, wanted)
        [mark] = wanted.marks["media"]
        with pytest.raises(Unprepared, match="finished processing"):
            await mastodon.send(here.http, here.login, replace(wanted, marks={"media": [{**mark, "ready": True}]}))
        assert here.instance.sources == {}


async def test_media_that_the_instance_has_lost_are_said_so_and_laid_anew() -> None:
    async with world() as here:
        wanted = await ready(here, showing())
        here.instance.uploads.clear()
        with pytest.raises(Unprepared, match="not found"):
            await mastodon.send(here.http, here.login, wanted)
        wanted = await ready(here, wanted)
        await mastodon.send(here.http, here.login, wanted)
        assert len(here.instance.uploads) == 1


async def test_a_medium_that_can_not_be_worked_on_is_refused_in_the_instances_words() -> None:
    async with world() as here:
        here.instance.slow_media, here.instance.broken_media = 2, True
        wanted, _ = await step(here, showing())
        with pytest.raises(Refused, match="Error processing"):
            await step(here, wanted)


async def test_a_type_that_is_not_taken_is_refused() -> None:
    async with world() as here:
        with pytest.raises(Refused, match="content type is invalid"):
            await step(here, showing(replace(PICTURE, type="text/html")))


@pytest.mark.parametrize(
    ("url", "known", "told"),
    [
        ("https://x.be/plein.PNG?signed=1", None, "image/png"),
        ("https://x.be/plein.png", "image/webp", "image/webp"),
        ("https://x.be/plein", None, "application/octet-stream"),
        ("https://[", None, "application/octet-stream"),
    ],
)
def test_a_type_that_is_not_known_is_read_from_the_address(url: str, known: str | None, told: str) -> None:
    assert file_type(OutgoingMedia(url, "image", type=known)) == told


async def test_a_film_stands_alone() -> None:
    async with world() as here:
        with pytest.raises(Refused, match="stands alone"):
            await step(here, showing(PICTURE, FILM))
        assert here.instance.asked == []


@pytest.mark.parametrize("wrong", [HTMLResponse("<html>busy</html>"), refused(500), refused(400)])
async def test_an_upload_whose_answer_is_lost_is_made_again_and_seen_by_nobody(wrong: HTMLResponse) -> None:
    async with world() as here:
        here.instance.fault(MEDIA, wrong, done=True)
        with pytest.raises(Unavailable) as raised:
            await step(here, showing())
        assert raised.value.unsent
        sent = await mastodon.send(here.http, here.login, await ready(here, showing()))
        assert len(here.instance.statuses[sent.external_id]["media_attachments"]) == 1


async def test_uploads_that_come_too_fast_wait_and_what_was_uploaded_is_kept() -> None:
    async with world() as here:
        wanted, _ = await step(here, showing(PICTURE, PICTURE))
        here.instance.fault(MEDIA, refused(429))
        with pytest.raises(RateLimited):
            await step(here, wanted)
        await ready(here, wanted)
        assert len(here.instance.uploads) == 2
