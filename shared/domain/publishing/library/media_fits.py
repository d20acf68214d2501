"""Whether pictures, films and sounds are such as a network takes, by its card, each with what would mend it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contract import Card, MediaLimit
from shared.models.media import Media

_SHORT_TYPES = {"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WebP", "mp4": "MP4", "quicktime": "MOV"}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a post names: our own file, or (None) what stands on the web, of which only the kind is known."""

    kind: str
    alt: str | None
    file: Media | None


def problems(items: Sequence[Item], card: Card) -> Iterator[dict[str, Any]]:
    """What of these a network would not take: each with `code`, `message`, and `path`, its place among them."""
    if not card.mixes_media and len({item.kind for item in items}) > 1:
        kinds = " and ".join(sorted({item.kind for item in items}))
        message = f"{card.label} takes one kind of media a post, not {kinds} together: leave one kind out"
        yield {"code": "mixed_media", "message": message, "path": []}
    for index, item in enumerate(items):
        for found in _item(item, card):
            yield {**found, "path": [index]}


def _item(item: Item, card: Card) -> Iterator[dict[str, Any]]:
    if not card.media:
        return
    limit = card.media.get(item.kind)
    if limit is None:
        message = f"{card.label} takes no {item.kind}; it takes {_listed(card.media)}"
        yield {"code": "media_kind", "message": message}
        return
    if limit.longest_alt is not None and item.alt is not None and len(item.alt) > limit.longest_alt:
        yield _over("alt_too_long", "the alt text", len(item.alt), limit.longest_alt, "characters", card, "shorten it")
    if item.file is not None:
        yield from _file(item.file, limit, card)


def _file(file: Media, limit: MediaLimit, card: Card) -> Iterator[dict[str, Any]]:
    what = repr(file.name[:60])
    if limit.types and file.type not in limit.types:
        message = f"{what} is {_type(file.type)}; {card.label} takes {_types(limit)}: save it as one of these"
        yield {"code": "media_type", "message": message}
    if limit.most_bytes is not None and file.size > limit.most_bytes:
        mend = "make it shorter or coarser" if file.seconds else "save it smaller"
        yield _over("media_too_large", what, file.size, limit.most_bytes, "bytes", card, mend)
    if file.width is not None and file.height is not None:
        yield from _shape(file.width, file.height, what, limit, card)
    if limit.length is not None and file.seconds is not None:
        shortest, longest = (one.total_seconds() for one in limit.length)
        if file.seconds > longest:
            yield _over("media_too_long", what, _round(file.seconds), _round(longest), "seconds", card, "cut it")
        if file.seconds < shortest:
            message = f"{what} takes {_round(file.seconds)} s; {card.label} wants at least {_round(shortest)} s"
            yield {"code": "media_too_short", "message": message, "used": file.seconds, "limit": shortest}


def _shape(width: int, height: int, what: str, limit: MediaLimit, card: Card) -> Iterator[dict[str, Any]]:
    pixels = width * height
    if limit.most_pixels is not None and pixels > limit.most_pixels:
        yield _over("media_too_many_pixels", what, pixels, limit.most_pixels, "pixels", card, "make it smaller")
    if limit.sides is not None:
        shortest, longest = limit.sides
        if min(width, height) < shortest:
            message = f"{what} is {width} × {height}; {card.label} wants sides of at least {shortest} pixels"
            yield {"code": "media_too_small", "message": message, "used": min(width, height), "limit": shortest}
        if max(width, height) > longest:
            side = max(width, height)
            yield _over("media_side_too_long", what, side, longest, "pixels a side", card, "make it smaller")
    if limit.ratio is not None:
        narrow, wide = limit.ratio
        ratio = width / height
        # A pixel more or less is no other shape.
        if not narrow * (1 - 1 / width) <= ratio <= wide * (1 + 1 / height):
            message = (
                f"{what} is {width} × {height}, {ratio:.2f} times as wide as high; {card.label} takes {narrow:.2f} to"
                f" {wide:.2f}: crop it"
            )
            yield {"code": "media_ratio", "message": message, "used": round(ratio, 3)}


def _over(code: str, what: str, used: float, limit: float, unit: str, card: Card, mend: str) -> dict[str, Any]:
    message = f"{what} has {used} {unit}; {card.label} takes at most {limit}: {mend}"
    return {"code": code, "message": message, "used": used, "limit": limit, "unit": unit}


def _round(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else round(seconds, 1)


def _type(type_: str) -> str:
    return _SHORT_TYPES.get(type_.partition("/")[2], type_)


def _types(limit: MediaLimit) -> str:
    return ", ".join(sorted(_type(one) for one in limit.types))


def _listed(media: Mapping[str, MediaLimit]) -> str:
    return ", ".join(sorted(media))
