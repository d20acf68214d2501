"""Where connectors get the bytes of media from: the store, or the web by the guarded client."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.scheduler.files import Brought
from shared import http
from shared.contract import OutgoingMedia
from shared.errors import Refused, Unavailable
from shared.store import open_store
from tests.connectors.loopback import Reply, receiver, settings

KEY = "brand_a/med_a.jpg"


def ours(size: int = 9) -> OutgoingMedia:
    return OutgoingMedia("http://127.0.0.1:9/", "image", key=KEY, type="image/jpeg", size=size)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Brought]:
    made = settings(data_dir=tmp_path)
    store = open_store(made)
    path = tmp_path / "made"
    path.write_bytes(b"a picture")
    await store.put(KEY, path, "image/jpeg")
    async with http.client(made) as client:
        yield Brought(client, store)


async def test_our_own_come_out_of_the_store(files: Brought) -> None:
    assert await files.read(ours()) == b"a picture"


async def test_a_file_that_is_lost_is_refused_and_not_sent_in_half(files: Brought) -> None:
    with pytest.raises(Refused):
        await files.read(ours(size=10))


async def test_a_store_that_is_away_is_asked_again_later() -> None:
    away = settings(media_url="s3://bucket", s3_endpoint="http://127.0.0.1:9", s3_key="k", s3_secret="s")
    async with http.client(away) as client:
        with pytest.raises(Unavailable) as error:
            await Brought(client, open_store(away)).read(ours())
    assert error.value.unsent


async def test_what_stands_on_the_web_is_fetched(files: Brought) -> None:
    async with receiver() as web:
        web.replies["GET", "/a.jpg"] = Reply(200, b"from the web")
        assert await files.read(OutgoingMedia(f"{web.url}/a.jpg", "image")) == b"from the web"
        with pytest.raises(Refused):
            await files.read(OutgoingMedia(f"{web.url}/gone.jpg", "image"))
        web.replies["GET", "/a.jpg"] = Reply(500)
        with pytest.raises(Unavailable) as error:
            await files.read(OutgoingMedia(f"{web.url}/a.jpg", "image"))
    assert error.value.unsent
