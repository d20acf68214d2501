"""What a store promises, whatever it is made of."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.settings import Settings
from shared.store import Folder, Missing, Store, StoreAway, open_store

LARGE = os.urandom(7 * 1024 * 1024 + 3)  # more than one part of an upload, and of a reading


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "incoming"
    path.write_bytes(LARGE)
    return path


async def read(store: Store, key: str, start: int, length: int) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, length)])


async def test_what_was_put_is_read_whole_and_in_parts(store: Store, file: Path) -> None:
    await store.put("brand/a.mp4", file, "video/mp4")
    assert await read(store, "brand/a.mp4", 0, len(LARGE)) == LARGE
    assert await read(store, "brand/a.mp4", 5, 10) == LARGE[5:15]
    assert await read(store, "brand/a.mp4", len(LARGE) - 3, 3) == LARGE[-3:]


async def test_every_file_is_listed_with_its_time(store: Store, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"x")
    await store.put("brand/a.mp4", file, "video/mp4")
    await store.put("second/b.jpg", other, "image/jpeg")
    found = {kept.key: kept.at async for kept in store.list_()}
    assert set(found) == {"brand/a.mp4", "second/b.jpg"}
    assert all(abs(at - datetime.now(UTC)) < timedelta(minutes=1) for at in found.values())


async def test_what_was_deleted_is_missing_and_can_be_deleted_again(store: Store, file: Path) -> None:
    await store.put("brand/a.mp4", file, "video/mp4")
    await store.delete("brand/a.mp4")
    with pytest.raises(Missing):
        await read(store, "brand/a.mp4", 0, 1)
    await store.delete("brand/a.mp4")
    assert [kept async for kept in store.list_()] == []


async def test_a_file_that_is_shorter_than_it_was_is_missing_rather_than_half(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"abc")
    await store.put("brand/a.jpg", path, "image/jpeg")
    with pytest.raises(Missing):
        await read(store, "brand/a.jpg", 0, 10)


async def test_a_folder_that_can_t_be_written_is_away(tmp_path: Path, file: Path) -> None:
    (tmp_path / "media").write_text("in the way")
    with pytest.raises(StoreAway):
        await Folder(tmp_path / "media").put("brand/a.mp4", file, "video/mp4")
    assert file.read_bytes() == LARGE


async def test_a_bucket_that_does_not_answer_is_away(tmp_path: Path, file: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, media_url="s3://bucket", s3_endpoint="http://127.0.0.1:9", s3_key="k", s3_secret="s"
    )
    store = open_store(settings)
    with pytest.raises(StoreAway) as error:
        await store.put("brand/a.mp4", file, "video/mp4")
    assert "127.0.0.1" not in error.value.message
    with pytest.raises(StoreAway):
        await read(store, "brand/a.mp4", 0, 1)
    with pytest.raises(StoreAway):
        await store.delete("brand/a.mp4")
    with pytest.raises(StoreAway):
        [kept async for kept in store.list_()]


async def test_a_bucket_that_is_not_there_refuses(s3: str, tmp_path: Path, file: Path) -> None:
    settings = Settings(data_dir=tmp_path, media_url="s3://nobodys-bucket", s3_endpoint=s3, s3_key="k", s3_secret="s")
    with pytest.raises(StoreAway):
        await open_store(settings).put("brand/a.mp4", file, "video/mp4")


@pytest.mark.parametrize("url", ["bucket", "https://bucket.example", "s3://", "s3://B_d/x", "file:///tmp"])
def test_a_place_that_is_no_bucket_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="media_url"):
        Settings(media_url=url)
