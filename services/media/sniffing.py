"""What a file is, told by its first bytes. Its name and what its sender says of it count for nothing."""

from dataclasses import dataclass
from enum import StrEnum

HEAD = 512  # bytes that are enough to tell


class Opener(StrEnum):
    """Which program opens a file."""

    PICTURES = "pictures"
    FILMS = "films"


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is taken: what its opener calls it, its MIME type, and the ending of its name in the store."""

    opener: Opener
    name: str
    type: str
    ending: str


class NotTaken(Exception):
    """What this file is, in words, where that is nothing that is taken."""


JPEG = Format(Opener.PICTURES, "JPEG", "image/jpeg", "jpg")
PNG = Format(Opener.PICTURES, "PNG", "image/png", "png")
GIF = Format(Opener.PICTURES, "GIF", "image/gif", "gif")
WEBP = Format(Opener.PICTURES, "WEBP", "image/webp", "webp")
MP4 = Format(Opener.FILMS, "mp4", "video/mp4", "mp4")
MOV = Format(Opener.FILMS, "mov", "video/quicktime", "mov")
WEBM = Format(Opener.FILMS, "webm", "video/webm", "webm")
OGG = Format(Opener.FILMS, "ogg", "audio/ogg", "ogg")
MP3 = Format(Opener.FILMS, "mp3", "audio/mpeg", "mp3")
FLAC = Format(Opener.FILMS, "flac", "audio/flac", "flac")
WAV = Format(Opener.FILMS, "wav", "audio/wav", "wav")
AAC = Format(Opener.FILMS, "adts", "audio/aac", "aac")
FORMATS = {one.name: one for one in (JPEG, PNG, GIF, WEBP, MP4, MOV, WEBM, OGG, MP3, FLAC, WAV, AAC)}

_STARTS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"OggS", OGG),
    (b"fLaC", FLAC),
    (b"ID3", MP3),
)
# Files of before the box `ftyp` was invented begin with one of these.
_OLD_MOV = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_STILLS = {b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC", b"msf1": "HEIC", b"avif": "AVIF", b"avis": "AVIF"}
_OTHERS = (
    (b"%PDF", "a PDF"),
    (b"BM", "a BMP picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"PK\x03\x04", "an archive or office document"),
    (b"8BPS", "a Photoshop document"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"FLV", "a Flash film"),
    (b"\x30\x26\xb2\x75", "a Windows Media file"),
    (b"MThd", "a MIDI file"),
    (b"#EXTM3U", "a playlist"),
)


def sniff(head: bytes) -> Format:
    """The format of a file that begins with `head`. Raises NotTaken."""
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    if head.startswith(b"RIFF") and len(head) >= 12:
        return _riff(head[8:12])
    if head[4:8] == b"ftyp":
        return _box(head[8:12])
    if head[4:8] in _OLD_MOV:
        return MOV
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        if b"webm" in head[:64]:
            return WEBM
        raise NotTaken("a Matroska film")
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return _audio_frame(head[1])
    raise NotTaken(_other(head))


def _riff(form: bytes) -> Format:
    if form == b"WEBP":
        return WEBP
    if form == b"WAVE":
        return WAV
    raise NotTaken("an AVI film" if form == b"AVI " else "a RIFF file")


def _box(brand: bytes) -> Format:
    if brand in _STILLS:
        raise NotTaken(f"an {_STILLS[brand]} picture")
    return MOV if brand == b"qt  " else MP4


def _audio_frame(second: int) -> Format:
    """MPEG audio: layer 0 is AAC's (ADTS), the others are MP3's."""
    return AAC if second & 0x06 == 0 else MP3


def _other(head: bytes) -> str:
    for start, said in _OTHERS:
        if head.startswith(start):
            return said
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")) or b"<svg" in text:
        return "an SVG or XML document"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        return "an HTML document"
    return "nothing that is known here"
