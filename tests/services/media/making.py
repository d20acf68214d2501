"""Files as people bring them: with places, names and times in them."""

import io
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from PIL import Image

# Each stands somewhere in every file made here, and in no file that is kept.
SECRETS = (b"Brugge", b"Noor Peeters", b"2026:11:20", b"+50.85")


def exif(turn: int = 1) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = turn
    found[0x013B] = "Noor Peeters"
    found[0x010E] = "Brugge"
    found[0x0132] = "2026:11:20 08:00:00"
    found[0x8825] = {1: "N", 2: (51.0, 12.0, 30.0), 3: "E", 4: (3.0, 13.0, 29.0)}
    return found


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf>Brugge, Noor Peeters</rdf></x:xmpmeta>'


def picture(width: int = 60, height: int = 40) -> Image.Image:
    """A picture of which no two corners are alike."""
    across = Image.linear_gradient("L").resize((width, height))
    down = Image.linear_gradient("L").rotate(90).resize((width, height))
    return Image.merge("RGB", (across, down, Image.new("L", (width, height), 90)))


def saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def jpeg(width: int = 60, height: int = 40, *, turn: int = 1) -> bytes:
    image = picture(width, height)
    return saved(image, "JPEG", exif=exif(turn), comment=b"Noor Peeters", xmp=XMP, quality=90)


def png(width: int = 60, height: int = 40, *, turn: int = 1) -> bytes:
    return saved(picture(width, height), "PNG", exif=exif(turn))


def webp(width: int = 60, height: int = 40, *, turn: int = 1, lossless: bool = False) -> bytes:
    return saved(picture(width, height), "WEBP", exif=exif(turn), xmp=XMP, lossless=lossless)


def gif(frames: int = 3) -> bytes:
    still = picture()
    more = [still.rotate(90 * n) for n in range(1, frames)]
    options = {"save_all": True, "append_images": more, "duration": 120, "loop": 0} if more else {}
    return saved(still, "GIF", comment=b"Brugge", **options)


# The container, and what its picture and its sound are coded with.
FILMS = {
    "mp4": ("mp4", "libx264", "aac"),
    "silent.mp4": ("mp4", "mpeg4", None),
    "mov": ("mov", "libx264", "aac"),
    "webm": ("webm", "libvpx", "libopus"),
}
SOUNDS = {
    "mp3": ("mp3", None, "libmp3lame"),
    "m4a": ("mp4", None, "aac"),
    "aac": ("adts", None, "aac"),
    "ogg": ("ogg", None, "libopus"),
    "flac": ("flac", None, "flac"),
    "wav": ("wav", None, "pcm_s16le"),
}


def film(
    folder: Path, format_: str = "mp4", seconds: int = 2, size: tuple[int, int] = (64, 48), rotation: int = 0
) -> bytes:
    """A film or sound of one of the FILMS or SOUNDS, that says where and by whom it was made."""
    container, picture_codec, sound_codec = (FILMS | SOUNDS)[format_]
    path = folder / f"made.{format_}"
    with av.open(str(path), "w", format=container) as written:
        written.metadata.update({"title": "Brugge", "artist": "Noor Peeters", "location": "+50.85+4.35/"})
        # Both streams stand before the first packet: the container's head names them.
        shown = written.add_stream(picture_codec, rate=10) if picture_codec is not None else None
        heard = written.add_stream(sound_codec, rate=48000) if sound_codec is not None else None
        if isinstance(shown, av.VideoStream):
            shown.width, shown.height, shown.pix_fmt = *size, "yuv420p"
            if rotation:
                shown.set_display_rotation(rotation)
            _draw(written, shown, seconds * 10, size)
        if heard is not None:
            _hum(written, heard, seconds)
    return path.read_bytes()


def _draw(written: OutputContainer, stream: Any, count: int, size: tuple[int, int]) -> None:
    for number in range(count):
        frame = av.VideoFrame.from_image(  # type: ignore[no-untyped-call]
            Image.new("RGB", size, (number * 9 % 255, 80, 120))
        )
        written.mux(stream.encode(frame))
    written.mux(stream.encode(None))


def _hum(written: OutputContainer, stream: Any, seconds: int) -> None:
    format_ = stream.codec_context.format.name
    for number in range(seconds * 50):
        frame = av.AudioFrame(format=format_, layout="stereo", samples=960)
        frame.sample_rate, frame.pts = 48000, number * 960
        for plane in frame.planes:
            plane.update(bytes([number % 7] * plane.buffer_size))
        written.mux(stream.encode(frame))
    written.mux(stream.encode(None))


def pixels(file: bytes) -> list[bytes]:
    """Every picture of a file, decoded."""
    found = []
    with Image.open(io.BytesIO(file)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.convert("RGBA").tobytes())
    return found


def frames(path: Path) -> list[bytes]:
    """Every picture of a film, decoded."""
    with av.open(str(path)) as container:
        return [bytes(frame.reformat(format="rgb24").planes[0]) for frame in container.decode(video=0)]
