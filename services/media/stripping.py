"""What is not picture is cut out of a picture's file: places, times, names, previews, what hangs behind its end.

The coded pixels are copied byte for byte, so nothing is lost. What is kept is named and everything else goes: a block
that nobody knows may say anything. Each raises Broken where the file does not end as its format wants.

JPEG: ITU-T T.81, annex B. PNG: W3C PNG, third edition, section 11. GIF: GIF89a, sections 17-27.
WebP: RFC 9649, section 2.
"""

import re
import struct
from collections.abc import Callable, Iterator

_SCAN_END = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
_PNG_KEPT = frozenset(
    {
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV",
        b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
    }
)  # fmt: skip
_GIF_LOOPS = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0"})
_WEBP_KEPT = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_META = 0x08 | 0x04  # the flags that say EXIF and XMP follow


class Broken(Exception):
    """The file is not whole."""


def strip(format_: str, file: bytes) -> bytes:
    """The picture without anything else in its file. Raises Broken."""
    try:
        return b"".join(_STRIP[format_](file))
    except (IndexError, struct.error):
        raise Broken from None


def _jpeg(file: bytes) -> Iterator[bytes]:
    yield file[:2]
    at = 2
    while True:
        if file[at] != 0xFF:
            raise Broken
        while file[at + 1] == 0xFF:  # fill
            at += 1
        marker = file[at + 1]
        if marker == 0xD9:
            yield file[at : at + 2]
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            yield file[at : at + 2]
            at += 2
            continue
        end = at + 2 + struct.unpack_from(">H", file, at + 2)[0]
        if marker == 0xDA:
            found = _SCAN_END.search(file, end)
            if found is None:
                raise Broken
            end = found.start()
        if _is_picture(marker, file[at + 4 : at + 16]):
            yield file[at:end]
        at = end


def _is_picture(marker: int, head: bytes) -> bool:
    """Whether a JPEG's segment says how its pixels are shown."""
    match marker:
        case 0xE0:
            return head.startswith(b"JFIF\x00")
        case 0xE2:
            return head.startswith(b"ICC_PROFILE\x00")
        case 0xEE:
            return head.startswith(b"Adobe")
        case 0xFE:
            return False
        case _:
            return not 0xE0 <= marker <= 0xEF


def _png(file: bytes) -> Iterator[bytes]:
    yield file[:8]
    at = 8
    while True:
        length, kind = struct.unpack_from(">I4s", file, at)
        end = at + 12 + length
        if end > len(file):
            raise Broken
        if kind in _PNG_KEPT:
            yield file[at:end]
        if kind == b"IEND":
            return
        at = end


def _gif(file: bytes) -> Iterator[bytes]:
    at = 13 + _colours(file[10])
    yield file[:at]
    while file[at] != 0x3B:
        if file[at] == 0x2C:
            end = _blocks_end(file, at + 11 + _colours(file[at + 9]))
            yield file[at:end]
        elif file[at] == 0x21:
            end = _blocks_end(file, at + 2)
            label = file[at + 1]
            if label in {0xF9, 0x01} or (label == 0xFF and file[at + 3 : at + 14] in _GIF_LOOPS):
                yield file[at:end]
        else:
            raise Broken
        at = end
    yield file[at : at + 1]


def _colours(flags: int) -> int:
    """The bytes of the table of colours that follows flags like these."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks_end(file: bytes, at: int) -> int:
    """Where a chain of sub-blocks is over that begins at `at`."""
    while file[at]:
        at += 1 + file[at]
    return at + 1


def _webp(file: bytes) -> Iterator[bytes]:
    end = 8 + struct.unpack_from("<I", file, 4)[0]
    if end > len(file):
        raise Broken
    kept, at = [], 12
    while at < end:
        kind, length = struct.unpack_from("<4sI", file, at)
        after = at + 8 + length + (length & 1)
        if at + 8 + length > end:
            raise Broken
        chunk = file[at:after]
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_META]) + chunk[9:]
        if kind in _WEBP_KEPT:
            kept.append(chunk)
        at = after
    body = b"".join(kept)
    yield b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


_STRIP: dict[str, Callable[[bytes], Iterator[bytes]]] = {"JPEG": _jpeg, "PNG": _png, "GIF": _gif, "WEBP": _webp}
