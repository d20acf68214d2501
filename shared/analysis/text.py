"""What is given to be read, and how it is cleaned before anything looks at it."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import regex

LIMIT = 10_000
"""Characters of a text that are read; what comes after them changes nothing."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text: what its network says of its language (`language`), what kind of source it is from (`source`: a
    network, or `review`), which language its author or source usually writes (`prior`), and those that the brand mostly
    hears (`home`). Languages are ISO 639-1."""

    text: str | None
    language: str | None = None
    source: str | None = None
    prior: str | None = None
    home: tuple[str, ...] = ()


_URL = regex.compile(
    r"(?:https?://|www\.)[^\s<>\"]+|(?<![\w.-])(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?:/[^\s<>\"]*)?", regex.IGNORECASE
)
_ENDINGS = frozenset({
    "com", "net", "org", "be", "fr", "nl", "de", "eu", "io", "info", "uk", "ch", "at", "lu", "co", "ly", "gl", "me"
})  # fmt: skip
"""What the host of a link that is written without its scheme ends with."""
_MAYBE_LINK = regex.compile(r"\w\.[a-zA-Z]")
_LINK = "http"

_FACES = (
    (regex.compile(r"(?<![\w:;=])(?:[:=8xX]['’]?-?D+|xD+|XD+)(?!\w)"), "😃"),
    (regex.compile(r"(?<!\w)[:=]['’]-?\("), "😢"),
    (regex.compile(r"(?<!\w)[:=]['’]-?\)"), "😂"),
    (regex.compile(r"(?<!\w)[:=]-?[\)\]]+"), "🙂"),
    (regex.compile(r"(?<!\w);-?[\)\]D]+"), "😉"),
    (regex.compile(r"(?<!\w)[:=]-?[\(\[]+"), "🙁"),
    (regex.compile(r"(?<!\w)[:=]-?[pP](?!\w)"), "😛"),
    (regex.compile(r"(?<!\w)[:=]-?[oO](?!\w)"), "😮"),
    (regex.compile(r"(?<!\w)[:=]-?\*+"), "😘"),
    (regex.compile(r"(?<!\w)[:=]-?[/\\](?!/)"), "😕"),
    (regex.compile(r"(?<!\w)[:=]-?\|"), "😐"),
    (regex.compile(r"<3+"), "❤"),
    (regex.compile(r"(?<!\w)\^[_.-]?\^"), "😊"),
)
_MAYBE_FACE = regex.compile(r"[:;=]['’-]?[-()\[\]DpPoO*/\\|]|<3|\^[_.-]?\^|[xX8]-?D")


def _padded(replacement: str, length: int) -> str:
    return replacement.ljust(length)[:length]


def _linked(found: regex.Match[str]) -> str:
    host = found["host"]
    if host is not None and host.rpartition(".")[2].lower() not in _ENDINGS:
        return found[0]
    return _padded(_LINK, len(found[0]))


def _pictured(text: str, pattern: regex.Pattern[str], picture: str) -> str:
    return pattern.sub(lambda found: _padded(picture, len(found[0])), text)


def pieces(text: str) -> Iterator[str]:
    """The text in the shortest pieces that are composed (NFC) each by itself."""
    piece = text[:1]
    for character in text[1:]:
        if character.isascii() or _is_apart(piece, character):
            yield piece
            piece = character
        else:
            piece += character
    if piece:
        yield piece


def _is_apart(before: str, character: str) -> bool:
    """Whether nothing from this character on is composed with what stands before it, or changes places with it."""
    if unicodedata.combining(unicodedata.normalize("NFD", character)[0]):
        return False
    one, other = (unicodedata.normalize("NFC", part) for part in (before, character))
    return unicodedata.normalize("NFC", before + character) == one + other


def cleaned(text: str | None) -> str:
    """The text with each character at the place that it had: links are the word `http`, faces of punctuation are emoji,
    lone surrogates are spaces; at most LIMIT characters; letters and their accents in one (NFC), which alone may
    shorten."""
    if not text:
        return ""
    text = text[:LIMIT]
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if "://" in text or _MAYBE_LINK.search(text):
        text = _URL.sub(_linked, text)
    if _MAYBE_FACE.search(text):
        for pattern, picture in _FACES:
            text = _pictured(text, pattern, picture)
    return text
