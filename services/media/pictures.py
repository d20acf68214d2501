"""Opens one picture: all of it is decoded, what is not picture is cut away, and it is turned upright."""

import struct
import warnings
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, ImageSequence, JpegImagePlugin, UnidentifiedImageError

from services.media import child, stripping
from services.media.child import Measured, refuse
from services.media.sniffing import FORMATS

MOST_PIXELS = 100_000_000  # of one picture
MOST_FRAMES = 3000
MOST_FRAME_PIXELS = 2_000_000_000  # of all pictures of a moving one together
_ORIENTATION = 0x0112  # EXIF 2.32, section 4.6.4


def open_picture(source: Path, target: Path, format_: str) -> Measured:
    """Write the bare picture to `target`. Raises Invalid in words."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is cut away much is crooked
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return _open(source.read_bytes(), target, format_)


def _open(raw: bytes, target: Path, format_: str) -> Measured:
    try:
        bare = stripping.strip(format_, raw)
        frames, milliseconds, size = _decode(bare, format_)
        turn = _orientation(raw, format_) if frames == 1 else 1
        if turn != 1:
            bare, size = _upright(bare, format_, turn)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        message = f"this picture has more than {MOST_PIXELS // 1_000_000} million pixels; make it smaller"
        raise refuse("media_too_many_pixels", message) from None
    except (stripping.Broken, UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        message = "this picture is damaged or cut off; open it in a program and save it again"
        raise refuse("media_broken", message) from None
    target.write_bytes(bare)
    return Measured(
        kind="image" if frames == 1 else "gif",
        type=FORMATS[format_].type,
        width=size[0],
        height=size[1],
        seconds=milliseconds / 1000 if frames > 1 else None,
    )


def _decode(bare: bytes, format_: str) -> tuple[int, float, tuple[int, int]]:
    """How many pictures there are, how many milliseconds they take, and their size; each was decoded."""
    with Image.open(BytesIO(bare), formats=[format_]) as image:
        count = getattr(image, "n_frames", 1)
        size = image.size
        if count > MOST_FRAMES or count * size[0] * size[1] > MOST_FRAME_PIXELS:
            raise refuse("media_too_many_pixels", f"this moves through {count} pictures of {size[0]} × {size[1]}")
        milliseconds = 0.0
        for frame in ImageSequence.Iterator(image):
            frame.load()
            milliseconds += frame.info.get("duration", 0)
    return count, milliseconds, size


def _orientation(raw: bytes, format_: str) -> int:
    """How the camera was held, by EXIF; 1 is upright, also where EXIF is damaged."""
    try:
        with Image.open(BytesIO(raw), formats=[format_]) as image:
            turn = image.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error):
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _upright(bare: bytes, format_: str, turn: int) -> tuple[bytes, tuple[int, int]]:
    """The picture turned; without loss where its format can, else coded as it was before."""
    with Image.open(BytesIO(bare), formats=[format_]) as image:
        image.getexif()[_ORIENTATION] = turn
        turned = ImageOps.exif_transpose(image)
        options: dict[str, object] = {"icc_profile": image.info.get("icc_profile")}
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            # A sideways picture's colours are halved the other way round: only a way that is the same for both stays.
            halved = JpegImagePlugin.get_sampling(image)
            options |= {"qtables": image.quantization, "subsampling": halved if halved in {0, 2} else 0}
        elif format_ == "WEBP":
            options |= {"lossless": b"VP8L" in bare[12:64], "quality": 95}
    turned.info.clear()
    written = BytesIO()
    turned.save(written, format_, **options)
    return stripping.strip(format_, written.getvalue()), turned.size


if __name__ == "__main__":
    child.run(open_picture)
