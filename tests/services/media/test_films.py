"""What becomes of a film or sound: the same streams in a container that says no more."""

from pathlib import Path

import pytest

from services.media.sniffing import sniff
from shared.errors import Invalid
from tests.services.media import making
from tests.services.media.conftest import Check

TYPES = {
    "mp4": "video/mp4", "silent.mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm",
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "flac": "audio/flac",
    "wav": "audio/wav",
}  # fmt: skip
EACH = pytest.mark.parametrize("format_", TYPES)


@EACH
async def test_a_film_or_sound_is_known_by_its_content_and_measured(format_: str, tmp_path: Path, check: Check) -> None:
    found = (await check(making.film(tmp_path, format_))).measured
    is_film = format_ in making.FILMS
    assert (found.kind, found.type) == ("video" if is_film else "audio", TYPES[format_])
    assert (found.width, found.height) == ((64, 48) if is_film else (None, None))
    assert found.seconds == pytest.approx(2, abs=0.1)


@EACH
async def test_what_is_kept_says_nothing_of_where_and_by_whom(format_: str, tmp_path: Path, check: Check) -> None:
    file = making.film(tmp_path, format_)
    if format_ not in {"aac", "wav"}:  # which hold next to nothing
        assert any(secret in file for secret in making.SECRETS)
    kept = (await check(file)).path.read_bytes()
    assert [secret for secret in making.SECRETS if secret in kept] == []


@pytest.mark.parametrize("format_", making.FILMS)
async def test_what_is_kept_shows_the_same_pictures(format_: str, tmp_path: Path, check: Check) -> None:
    made = tmp_path / f"made.{format_}"
    found = await check(making.film(tmp_path, format_))
    pictures = making.frames(found.path)
    assert len(pictures) == 20
    assert pictures == making.frames(made)


@EACH
async def test_the_same_file_is_the_same_again(format_: str, tmp_path: Path, check: Check) -> None:
    file = making.film(tmp_path, format_)
    first = await check(file)
    kept = first.path.read_bytes()
    assert (await check(file)).fingerprint == first.fingerprint
    # Also what was kept and is brought once more.
    if format_ != "webm":  # whose bits of the file's own length are rounded anew
        assert (await check(kept)).measured == first.measured


@pytest.mark.parametrize("rotation", [90, 180, 270])
async def test_a_film_that_was_held_sideways_is_measured_as_it_is_shown(
    rotation: int, tmp_path: Path, check: Check
) -> None:
    found = await check(making.film(tmp_path, rotation=rotation))
    assert (found.measured.width, found.measured.height) == ((64, 48) if rotation == 180 else (48, 64))
    # It is still shown that way once it is kept.
    again = await check(found.path.read_bytes())
    assert (again.measured.width, again.measured.height) == (found.measured.width, found.measured.height)


@pytest.mark.parametrize("format_", ["mp4", "mov", "webm"])
async def test_a_film_that_is_cut_off_is_refused(format_: str, tmp_path: Path, check: Check) -> None:
    file = making.film(tmp_path, format_, seconds=30)
    kept = (await check(file)).path.read_bytes()  # which begins with what says how long it is
    for whole in (file, kept):
        for left in (40, len(whole) // 2):
            with pytest.raises(Invalid) as error:
                await check(whole[:left])
            assert error.value.problems[0].code == "media_broken"


async def test_bytes_that_begin_like_a_film_and_are_none_are_refused(check: Check) -> None:
    for head in (
        b"\x00\x00\x00\x20ftypisom",
        b"\x1a\x45\xdf\xa3\x9fB\x82webm",
        b"OggS",
        b"fLaC",
        b"ID3\x03",
        b"RIFF    WAVE",
    ):
        with pytest.raises(Invalid) as error:
            await check(head + bytes(range(256)) * 40)
        assert error.value.problems[0].code == "media_broken"


async def test_a_playlist_in_a_films_clothes_fetches_nothing(check: Check) -> None:
    for playlist in (b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\nfile /etc/passwd\n"):
        with pytest.raises(Invalid) as error:
            await check(playlist)
        assert error.value.problems[0].code == "media_type"


def test_a_camera_of_before_is_known() -> None:
    assert sniff(b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat").name == "mov"
