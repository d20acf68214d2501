"""Opens one film or sound: it is measured, looked into, and its streams are copied to where nothing else is said."""

from pathlib import Path

import av
from av import AudioStream, VideoStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition

from services.media import child
from services.media.child import Measured, refuse
from services.media.sniffing import FORMATS

# What FFmpeg reads a format with. It is named, so that no file is taken for a playlist that names other files.
_READERS = {"mp4": "mov", "webm": "matroska", "adts": "aac"}
_LOCAL = {"protocol_whitelist": "file"}
# Nothing of when, where and with what it was written, so that the same streams make the same bytes.
_BARE = {"fflags": "+bitexact", "map_metadata": "-1"}
_MORE = {
    "mp4": {"movflags": "+faststart"},
    "mov": {"movflags": "+faststart"},
    "mp3": {"write_id3v2": "0", "id3v2_version": "0"},
}
_SOUND_TYPES = {"mp4": "audio/mp4", "mov": "audio/mp4", "webm": "audio/webm"}
_FILM_TYPES = {"ogg": "video/ogg"}
# How much of its length a film may lack at the end: containers round, streams end apart.
_LACK_SECONDS, _LACK_SHARE = 1.0, 0.05


def open_film(source: Path, target: Path, format_: str) -> Measured:
    """Write the bare streams to `target`. Raises Invalid in words."""
    try:
        with _read(source, format_) as container:
            picture, sound = _streams(container)
            width, height = _look(container, picture, sound)
        with _read(source, format_) as container:
            seconds = _copy(container, target, format_)
        with _read(target, format_) as container:
            _streams(container)
    except (FFmpegError, ValueError, StopIteration):
        message = "this file is damaged or cut off, or of a kind that can't be read here; save it again as MP4"
        raise refuse("media_broken", message) from None
    if picture is not None:
        kind, type_ = "video", _FILM_TYPES.get(format_, FORMATS[format_].type)
    else:
        kind, type_ = "audio", _SOUND_TYPES.get(format_, FORMATS[format_].type)
    return Measured(kind=kind, type=type_, width=width, height=height, seconds=round(seconds, 3))


def _read(path: Path, format_: str) -> InputContainer:
    return av.open(str(path), format=_READERS.get(format_, format_), options=_LOCAL)


def _streams(container: InputContainer) -> tuple[VideoStream | None, AudioStream | None]:
    """The film's picture and its sound; a cover that is stuck to a sound is no picture."""
    pictures = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    sounds = container.streams.audio
    if not pictures and not sounds:
        raise refuse("media_broken", "there is neither picture nor sound in this file")
    return (pictures[0] if pictures else None), (sounds[0] if sounds else None)


def _look(
    container: InputContainer, picture: VideoStream | None, sound: AudioStream | None
) -> tuple[int | None, int | None]:
    """The size at which it is shown; the first picture, or the first sound, was decoded for it."""
    if picture is None:
        assert sound is not None
        next(container.decode(sound))
        return None, None
    picture.codec_context.thread_count = 1
    frame = next(container.decode(picture))
    wide = picture.sample_aspect_ratio or 1
    width, height = max(1, round(frame.width * wide)), frame.height
    return (height, width) if frame.rotation % 180 else (width, height)


def _copy(container: InputContainer, target: Path, format_: str) -> float:
    """Copy picture and sound, as they are coded, into a file of their own; the length in seconds."""
    told = container.duration / av.time_base if container.duration else 0.0
    first, last = None, 0.0
    options = _BARE | _MORE.get(format_, {})
    with av.open(str(target), "w", format=format_, options=options) as written:
        kept = [one for one in _streams(container) if one is not None]
        copies = {one.index: written.add_stream_from_template(one) for one in kept}
        for packet in container.demux(kept):
            if packet.dts is None:
                continue  # the end's empty packet
            if packet.is_corrupt:
                raise refuse("media_broken", "a part of this file is damaged; save it again from its original")
            start = float((packet.pts if packet.pts is not None else packet.dts) * packet.time_base)
            first = start if first is None else min(first, start)
            last = max(last, start + float((packet.duration or 0) * packet.time_base))
            packet.stream = copies[packet.stream_index]
            written.mux(packet)
    found = last - (first or 0.0)
    if first is None or found <= 0:
        raise refuse("media_broken", "there is nothing to see or hear in this file")
    if told - found > max(_LACK_SECONDS, told * _LACK_SHARE):
        raise refuse("media_broken", f"this file says it has {told:.0f} s and is cut off after {found:.0f} s")
    return max(found, told) if told else found


if __name__ == "__main__":
    child.run(open_film)
