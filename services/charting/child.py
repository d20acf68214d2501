"""The program that draws: charts come in on stdin one after another, pictures go out on stdout. It ends with its stdin.

Each message has its length before it, in four bytes. An answer begins with one more byte: 0 for a picture, 1 for why
there is none.
"""

import json
import resource
import sys
from contextlib import suppress
from html import escape
from typing import Any, BinaryIO

import vl_convert

MOST_MEMORY = 2 * 1024**3  # of its own; what the engine only reserves does not count
VEGA_LITE = "6.4"
DREW, FAILED = b"\0", b"\1"
_ADDRESSES = frozenset({"url", "href"})


def draw(asked: dict[str, Any]) -> bytes:
    """The picture. Raises ValueError for what can't be drawn, and for a chart that names an address."""
    specification = asked["specification"]
    if _names_addresses(specification):
        raise ValueError("a chart brings its figures along and names no address")
    inner = vl_convert.vegalite_to_svg(specification, vl_version=VEGA_LITE, allowed_base_urls=[])
    svg = framed(inner, asked)
    return svg.encode() if asked["scale"] is None else vl_convert.svg_to_png(svg, scale=asked["scale"])


def framed(inner: str, asked: dict[str, Any]) -> str:
    """The drawing in a picture of exactly the size that was asked for, with words for whoever does not see it."""
    width, height, ground = asked["width"], asked["height"], asked["specification"]["background"]
    title, description = escape(asked["title"]), escape(asked["description"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' role="img" aria-label="{title}. {description}"><title>{title}</title><desc>{description}</desc>'
        f'<rect width="{width}" height="{height}" fill="{ground}"/>'
        f"{_sized(inner, width, height)}</svg>"
    )


def _sized(inner: str, width: int, height: int) -> str:
    """What the engine drew is as large as it came out; its viewBox lets it fill the frame."""
    head, _, rest = inner.partition(">")
    natural = head[head.index("viewBox=") :]
    return f'<svg width="{width}" height="{height}" preserveAspectRatio="xMidYMid meet" {natural}>{rest}'


def _names_addresses(thing: object) -> bool:
    if isinstance(thing, dict):
        return not _ADDRESSES.isdisjoint(thing) or any(_names_addresses(one) for one in thing.values())
    return isinstance(thing, list) and any(_names_addresses(one) for one in thing)


def _bound() -> None:
    for kind, most in (
        (resource.RLIMIT_DATA, MOST_MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # not every system knows each of them
            resource.setrlimit(kind, (most, most))


def _read(source: BinaryIO) -> bytes | None:
    """The next message; None after the last."""
    head = source.read(4)
    return source.read(int.from_bytes(head)) if len(head) == 4 else None


def main() -> None:
    _bound()
    while (message := _read(sys.stdin.buffer)) is not None:
        try:
            kind, body = DREW, draw(json.loads(message))
        except (ValueError, KeyError) as error:
            kind, body = FAILED, str(error)[:1000].encode(errors="replace")
        sys.stdout.buffer.write(kind + len(body).to_bytes(4) + body)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
