"""What becomes of a picture: the same pixels, upright, and nothing else."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from services.media import pictures, stripping
from services.media.child import Measured
from shared.errors import Invalid
from tests.services.media import making
from tests.services.media.conftest import Check

FORMATS = {
    "JPEG": (making.jpeg(), "image/jpeg"),
    "PNG": (making.png(), "image/png"),
    "WEBP": (making.webp(), "image/webp"),
    "GIF": (making.gif(1), "image/gif"),
}
EACH = pytest.mark.parametrize("format_", FORMATS)


def opened(folder: Path, file: bytes, format_: str) -> bytes:
    (folder / "in").write_bytes(file)
    pictures.open_picture(folder / "in", folder / "out", format_)
    return (folder / "out").read_bytes()


def refused(error: pytest.ExceptionInfo[Invalid]) -> str:
    (problem,) = error.value.problems
    assert problem.path == ("file",)
    return problem.code


@EACH
async def test_a_picture_is_known_by_its_content_and_measured(format_: str, check: Check) -> None:
    file, type_ = FORMATS[format_]
    found = await check(file)
    assert found.measured == Measured("image", type_, 60, 40, None)
    assert found.size == found.path.stat().st_size


@EACH
async def test_what_is_kept_says_nothing_but_the_picture(format_: str, check: Check) -> None:
    file, _ = FORMATS[format_]
    assert any(secret in file for secret in making.SECRETS)
    kept = (await check(file + b"and Noor Peeters behind its end")).path.read_bytes()
    assert [secret for secret in (*making.SECRETS, b"Exif", b"xmpmeta") if secret in kept] == []
    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif()) == {}


@EACH
async def test_what_is_kept_has_the_same_pixels(format_: str, check: Check) -> None:
    file, _ = FORMATS[format_]
    assert making.pixels((await check(file)).path.read_bytes()) == making.pixels(file)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_a_picture_is_turned_upright_without_loss(format_: str, turn: int, tmp_path: Path) -> None:
    file = making.png(turn=turn) if format_ == "PNG" else making.webp(turn=turn, lossless=True)
    with Image.open(io.BytesIO(file)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    kept = opened(tmp_path, file, format_)
    assert making.pixels(kept) == [upright.tobytes()]
    with Image.open(io.BytesIO(kept)) as image:
        assert image.size == upright.size


@pytest.mark.parametrize("turn", range(2, 9))
def test_a_jpeg_that_was_held_sideways_is_turned_and_looks_the_same(turn: int, tmp_path: Path) -> None:
    file = making.jpeg(turn=turn)
    with Image.open(io.BytesIO(file)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    kept = opened(tmp_path, file, "JPEG")
    (found,) = making.pixels(kept)
    wanted = upright.convert("RGBA").tobytes()
    assert len(found) == len(wanted)
    assert sum(abs(a - b) for a, b in zip(found, wanted, strict=True)) / len(wanted) < 2
    assert b"Noor" not in kept


async def test_a_moving_gif_is_a_gif_with_its_length(check: Check) -> None:
    file = making.gif(3)
    found = await check(file)
    assert found.measured == Measured("gif", "image/gif", 60, 40, 0.36)
    assert making.pixels(found.path.read_bytes()) == making.pixels(file)
    with Image.open(found.path) as image:
        assert image.info["loop"] == 0


async def test_colours_keep_their_profile(check: Check) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for format_ in ("JPEG", "PNG", "WEBP"):
        file = making.saved(making.picture(), format_, icc_profile=profile, exif=making.exif(6))
        with Image.open((await check(file)).path) as image:
            assert image.info["icc_profile"] == profile


@EACH
async def test_a_picture_that_is_cut_off_is_refused(format_: str, check: Check) -> None:
    file, _ = FORMATS[format_]
    for left in (13, len(file) // 3, len(file) * 2 // 3, len(file) - 1):
        with pytest.raises(Invalid) as error:
            await check(file[:left])
        assert refused(error) == "media_broken"


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is large."""
    head = struct.pack(">II", width, height) + b"\x08\x02\x00\x00\x00"
    body = zlib.compress(bytes(1 + width * 3) * 16)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


GIF_FRAME = b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02L\x01\x00"
BOMBS = {
    "png of 400 million pixels": bomb(20_000, 20_000),
    "png of 101 million pixels": bomb(10_100, 10_000),
    "gif as wide as it can be": b"GIF89a\xff\xff\xff\xff\x00\x00\x00" + GIF_FRAME + b";",
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_picture_that_would_fill_the_memory_is_refused_unopened(name: str, check: Check) -> None:
    with pytest.raises(Invalid) as error:
        await check(BOMBS[name])
    assert refused(error) == "media_too_many_pixels"


async def test_a_film_of_very_many_pictures_is_no_picture(check: Check) -> None:
    with pytest.raises(Invalid) as error:
        await check(b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(6) + GIF_FRAME * 3001 + b";")
    assert refused(error) == "media_too_many_pixels"


@st.composite
def drawn(draw: st.DrawFn) -> tuple[str, bytes]:
    """A picture of any pixels, in any mode and way that its format has."""
    format_, modes = draw(
        st.sampled_from(
            [("PNG", "1 L LA P RGB RGBA I;16"), ("GIF", "P L"), ("WEBP", "RGB RGBA"), ("JPEG", "L RGB CMYK")]
        )
    )
    mode = draw(st.sampled_from(modes.split()))
    width, height = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    image = Image.new(mode, (width, height))
    image.frombytes(draw(st.binary(min_size=len(image.tobytes()), max_size=len(image.tobytes()))))
    options: dict[str, object] = {"comment": b"Noor Peeters"} if format_ in {"GIF", "JPEG"} else {}
    if format_ == "WEBP":
        options = {"lossless": draw(st.booleans()), "quality": draw(st.integers(0, 100)), "xmp": making.XMP}
    if format_ == "JPEG":
        options |= {"progressive": draw(st.booleans()), "subsampling": draw(st.sampled_from([0, 1, 2]))}
        options |= {"quality": draw(st.integers(1, 100)), "restart_marker_blocks": draw(st.integers(0, 3))}
    return format_, making.saved(image, format_, **options)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn())
def test_whatever_a_picture_shows_it_shows_when_it_is_kept(made: tuple[str, bytes]) -> None:
    format_, file = made
    bare = stripping.strip(format_, file)
    assert making.pixels(bare) == making.pixels(file)
    assert b"Noor" not in bare
    assert stripping.strip(format_, bare) == bare


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(FORMATS)), st.data())
def test_a_picture_with_any_bytes_changed_is_kept_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, format_: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    file = bytearray(FORMATS[format_][0])
    for _ in range(data.draw(st.integers(1, 5))):
        file[data.draw(st.integers(8, len(file) - 1))] = data.draw(st.integers(0, 255))
    refusal = None
    try:
        opened(folder, bytes(file), format_)
    except Invalid as error:
        refusal = error.problems[0].code
    assert refusal in {None, "media_broken", "media_too_many_pixels"}
