"""A folded text cut into tokens: words, hashtags, handles, urls (mail addresses among them), emoji.

docs/queries.md says what each of them is. Everything else separates.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import regex

from shared.analysis.folding import APOSTROPHES, EMOJI, Folded, fold, pictographs


class TokenKind(IntEnum):
    """What a token is; a url is an address of the web or of mail."""

    WORD = 0
    TAG = 1
    HANDLE = 2
    URL = 3
    EMOJI = 4


class Token(NamedTuple):
    """A token: its kind, its folded name, its place in the folded text, end exclusive.

    The name of a tag is without `#`, that of a handle without its first `@` but with its host; the places are whole.
    """

    kind: TokenKind
    name: str
    start: int
    end: int


_LETTER = r"\p{L}\p{M}\p{N}"
_NAME = rf"[{_LETTER}_]"
_PART = rf"{_NAME}(?:[{_LETTER}_.\-]*{_NAME})?"
# Not within a word, nor within what is written like an address: so each character is looked at a few times at most.
_FRESH = rf"(?<!{_NAME})(?<!{_NAME}[.+])(?<!\S-)"
_LABEL = rf"[{_LETTER}_]{{1,63}}(?:-{{1,4}}[{_LETTER}_]{{1,63}}){{0,6}}"
_HOST = rf"(?:{_LABEL}\.){{1,8}}"
_REST = r"[^\s<>\"«»“”„]"
# Those that people write with nothing before or after; what is a common word of our languages is left out.
_DOMAINS = (
    "com|net|org|edu|gov|info|biz|eu|be|fr|nl|de|lu|ch|at|li|uk|ie|ca|it|es|pt|pl|dk|fi|cz|gr|io|ai|app|dev|tv|cc|"
    "shop|store|online|site|website|web|blog|news|media|brussels|vlaanderen|gent|amsterdam|paris|berlin|hamburg|koeln|"
    "wien|bzh|corsica|frl|social|cloud|tech|agency|events|club|cafe|restaurant|menu|xyz|page|link|live|co"
)
_WORD = rf"(?![0-9]\u20e3)[{_LETTER}]+(?:(?<=n)[{APOSTROPHES}]t(?![{_LETTER}]))?"
_PLAIN = rf"(?P<word>{_WORD})|(?P<emoji>{EMOJI})|\#(?P<tag>{_NAME}+)"
_ADDRESSED = regex.compile(
    rf"""(?V1)
    (?P<url>{_FRESH}(?:[a-z][a-z0-9+.\-]{{0,30}}://{_REST}+|www\.{_REST}+|{_HOST}[a-z]{{2,24}}(?::\d+)?/{_REST}*))
    |(?P<mail>{_FRESH}{_NAME}{{1,64}}(?:[.+\-]{_NAME}{{1,64}}){{0,8}}@{_HOST}\p{{L}}{{2,24}}(?!{_NAME}))
    |(?P<bare>{_FRESH}{_HOST}(?:{_DOMAINS})(?![{_LETTER}_@\-]|\.[{_LETTER}]))
    |@(?P<handle>{_PART}(?:@{_PART})?)
    |{_PLAIN}""",
    regex.VERBOSE,
)
_SIMPLE = regex.compile(f"(?V1){_PLAIN}")
_PICTOGRAPHS = pictographs()
_KINDS = {
    "word": TokenKind.WORD,
    "tag": TokenKind.TAG,
    "handle": TokenKind.HANDLE,
    "url": TokenKind.URL,
    "mail": TokenKind.URL,
    "bare": TokenKind.URL,
    "emoji": TokenKind.EMOJI,
}
_SIMPLE_KINDS = (TokenKind.WORD, TokenKind.WORD, TokenKind.EMOJI, TokenKind.TAG)
# The same for texts of Latin letters, signs and the usual emoji: the standard library's is twice as fast.
_LATIN = re.compile(
    rf"((?![0-9]\u20e3)[^\W_]+(?:(?<=n)'t(?![^\W_]))?)|({_PICTOGRAPHS}(?!\u200d)|[\U0001f1e6-\U0001f1ff]{{2}})|\#(\w+)"
)
_LATIN_NAMES = re.compile(r"(?<=#)\w+|[^\W_]+(?:(?<=n)'t(?![^\W_]))?")
_BEYOND = re.compile(
    r"[^\x00-\u024f\u2000-\u200c\u2010-\u20cf\u2100-\u2bff\U0001f000-\U0001faff]|[\U0001f3fb-\U0001f3ff]"
)
# A run without spaces that may hold an address; from its first character, so that each is looked at once.
_MAY_ADDRESS = re.compile(r"(?<!\S)\S*?(?:@|://|\S\.\S)\S*")
_new = tuple.__new__  # a named tuple's own takes thrice as long
_CLOSING = ".,;:!?'*_~…)]}"
_OPENING_OF = {")": "(", "]": "[", "}": "{"}


def tokens(text: Folded) -> list[Token]:
    """The tokens of a text in their order; a token's position is its index here. Time is linear in the text."""
    found: list[Token] = []
    if "." not in text.text and "@" not in text.text and "://" not in text.text:
        _plain(found, text.text, 0, len(text.text))
        return found
    at = 0
    for run in _MAY_ADDRESS.finditer(text.text):
        _plain(found, text.text, at, run.start())
        _addressed(found, text, run.start(), run.end())
        at = run.end()
    _plain(found, text.text, at, len(text.text))
    return found


def in_haste(text: Folded) -> Iterator[list[str] | Token]:
    """The same, of what stands between addresses the names of words and tags alone, many at a time."""
    at = 0
    if "." in text.text or "@" in text.text or "://" in text.text:
        for run in _MAY_ADDRESS.finditer(text.text):
            yield _names(text.text, at, run.start())
            found: list[Token] = []
            _addressed(found, text, run.start(), run.end())
            yield from found
            at = run.end()
    yield _names(text.text, at, len(text.text))


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text that is not folded yet."""
    return tokens(fold(text))


def _plain(found: list[Token], text: str, start: int, end: int) -> None:
    """What stands where there is no address."""
    pattern = _SIMPLE if _BEYOND.search(text, start, end) else _LATIN
    for match in pattern.finditer(text, start, end):
        index = match.lastindex or 1
        first, last = match.span()
        found.append(_new(Token, (_SIMPLE_KINDS[index], match[index], first, last)))


def _names(text: str, start: int, end: int) -> list[str]:
    """The names of the words and tags where there is no address."""
    if _BEYOND.search(text, start, end):
        return [word or tag for word, _, tag in _SIMPLE.findall(text, start, end) if word or tag]
    return _LATIN_NAMES.findall(text, start, end)


def _addressed(found: list[Token], text: Folded, at: int, stop: int) -> None:
    """What stands in a run without spaces that may hold addresses."""
    while at < stop:
        at = _until_cut_short(found, text, at, stop)


def _until_cut_short(found: list[Token], text: Folded, at: int, stop: int) -> int:
    """Tokens up to one that ends before its match does; where to go on from."""
    for match in _ADDRESSED.finditer(text.text, at, stop):
        group = match.lastgroup or "word"
        start, end = match.span()
        if group == "bare" and _is_next_sentence(text, start, end):
            end = start + match[0].index(".")
            _plain(found, text.text, start, end)
            return end
        if group == "url":
            end = _without_closing(text.text, start, end)
        found.append(Token(_KINDS[group], text.text[start:end] if group == "url" else match[group], start, end))
        if end != match.end():
            return end
    return stop


def _without_closing(text: str, start: int, end: int) -> int:
    """Where a url ends: punctuation of the sentence around it is not its own, a bracket that it opened is."""
    floor = text.find(":", start, end) + 1 if text.startswith(("http", "ftp"), start) else start + 1
    unopened = {
        closing: text.count(closing, start, end) - text.count(opening, start, end)
        for closing, opening in _OPENING_OF.items()
    }
    while end - 1 > floor and text[end - 1] in _CLOSING:
        last = text[end - 1]
        if last in unopened:
            if unopened[last] <= 0:
                break
            unopened[last] -= 1
        end -= 1
    return end


def _is_next_sentence(text: Folded, start: int, end: int) -> bool:
    """Whether what looks like `super.de` was written `Super.De`: two sentences without a space between them."""
    dot = text.text.rindex(".", start, end)
    first, last = text.original(dot + 1, end)
    written = text.source[first:last]
    return written[:1].isupper() and not written.isupper()
