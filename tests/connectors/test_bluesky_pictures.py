"""Pictures are uploaded to an account's host one by one, ahead of the post that names them."""

from dataclasses import replace

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.contract import OutgoingEffect
from shared.errors import Refused, Unavailable, Unprepared
from tests.connectors.bluesky_house import Place, bluesky, own, place
from tests.connectors.conformance.specimen import PICTURE, PICTURES, effect
from tests.networks.fakes.bluesky import Fault

UPLOAD = "com.atproto.repo.uploadBlob"


def failing(status: int, error: str) -> Response:
    return JSONResponse({"error": error, "message": "…"}, status)


async def with_pictures(here: Place, wanted: OutgoingEffect) -> OutgoingEffect:
    for _ in range(9):
        found = await bluesky.prepare(here.http, here.login, wanted, PICTURES)
        wanted = replace(wanted, marks=found.marks)
        if found.wait is None:
            return wanted
    raise AssertionError("it is never ready")


async def test_pictures_are_uploaded_one_by_one_and_named_with_their_words_and_shape() -> None:
    async with place() as here:
        other = replace(PICTURE, alt=None, width=None)
        wanted = await with_pictures(
            here, effect(media=(PICTURE, other), link="https://example.be/nieuws/van/het/plein")
        )
        assert here.network.asked[UPLOAD] == 2
        await bluesky.send(here.http, here.login, wanted)
        [record] = own(here)
    first, second = record["embed"]["images"]
    assert (first["alt"], first["aspectRatio"]) == (PICTURE.alt, {"width": 640, "height": 640})
    assert (second["alt"], "aspectRatio" in second) == ("", False)
    assert record["text"] == "Bonjour\n\nexample.be/nieuws/van/het/p…"
    assert record["facets"][0]["features"][0]["uri"] == "https://example.be/nieuws/van/het/plein"


async def test_a_picture_that_the_host_has_lost_is_said_so_and_uploaded_anew() -> None:
    async with place() as here:
        wanted = await with_pictures(here, effect(media=(PICTURE,)))
        here.network.blobs.clear()
        with pytest.raises(Unprepared, match="Could not find blob"):
            await bluesky.send(here.http, here.login, wanted)
        await bluesky.send(here.http, here.login, await with_pictures(here, wanted))
        assert len(own(here)) == 1


async def test_a_post_is_not_sent_without_its_pictures() -> None:
    async with place() as here:
        with pytest.raises(Unprepared, match="0 of 1"):
            await bluesky.send(here.http, here.login, effect(media=(PICTURE,)))
        assert own(here) == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (failing(413, "PayloadTooLarge"), Refused),
        (failing(500, "InternalServerError"), Unavailable),
        (HTMLResponse("<html>"), Unavailable),
        (JSONResponse({"blob": "none"}), Unavailable),
    ],
)
async def test_an_upload_that_fails_leaves_nothing_in_doubt(wrong: Response, error: type[Refused]) -> None:
    async with place() as here:
        here.network.faults[UPLOAD] = Fault(wrong)
        with pytest.raises(error) as raised:
            await bluesky.prepare(here.http, here.login, effect(media=(PICTURE,)), PICTURES)
        assert raised.value.unsent


async def test_a_film_and_a_picture_that_is_too_large_are_refused_before_they_are_sent() -> None:
    async with place() as here:
        large = replace(PICTURES, kept={"plein": bytes(2_000_001)})
        with pytest.raises(Refused, match="2,000,000"):
            await bluesky.prepare(here.http, here.login, effect(media=(PICTURE,)), large)
        with pytest.raises(Refused, match="takes pictures"):
            await bluesky.prepare(here.http, here.login, effect(media=(replace(PICTURE, kind="video"),)), PICTURES)
        assert here.network.asked[UPLOAD] == 0
