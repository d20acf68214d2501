"""A text as the compiled queries see it: cut only when one of them may match."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from shared.analysis.folding import APOSTROPHES, Folded, fold
from shared.analysis.queries.subject import Subject
from shared.analysis.tokens import Token, TokenKind, tokens

# What a word may belong to that is more than a word, and what folding makes the like of.
_MORE = rf"[@#\u2024\ufe50-\ufe6f\uff01-\uff0f\uff1a-\uff20]|\w\.\w|://|[nN][{APOSTROPHES}][tT]"
_MORE_THAN_WORDS = re.compile(_MORE)
_ODD = re.compile(rf"{_MORE}|[\u203c-\u3299\U0001f000-\U0001ffff]")
_APART = re.compile("[\u200d\U0001f3fb-\U0001f3ff]")
_RUN = re.compile(rb"[^ ]+")
_OFTEN = 64  # places of one needle, from which on cutting all is quicker
_LONG = 80  # letters of a run on either side, from which on looking at it again for each word is no gain
_SPACE = 32
_SIGNED = {"#": TokenKind.TAG, "@": TokenKind.HANDLE}
_ENDING = frozenset(",;:!?")
_NAMED = frozenset({TokenKind.WORD, TokenKind.TAG, TokenKind.HANDLE})
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Name:
    """What one token has to be called: a form, or with wildcards a pattern."""

    kind: TokenKind
    form: str
    pattern: "regex.Pattern[str] | None" = None

    def is_of(self, token: Token) -> bool:
        """Whether a token is called so. A word is also the name of a tag, or of a handle that has no host."""
        if self.kind is TokenKind.TAG:
            return token.kind is TokenKind.TAG and self._is(token.name)
        if self.kind is TokenKind.HANDLE:
            return token.kind is TokenKind.HANDLE and (self._is(token.name) or self._is(token.name.partition("@")[0]))
        return token.kind in _NAMED and self._is(token.name)

    def _is(self, name: str) -> bool:
        return name == self.form if self.pattern is None else self.pattern.fullmatch(name) is not None


class Document:
    """One subject with its bytes; its tokens, and where each name stands among them, once they are asked for.

    A text of plain words is not cut by the rules for all tokens: its bytes say the same. `moved`: whether they stand
    elsewhere than the characters do.
    """

    __slots__ = (
        "_around",
        "_folded",
        "_is_aligned",
        "_is_plain",
        "_places",
        "_runs",
        "_spans",
        "hay",
        "moved",
        "subject",
    )

    def __init__(self, subject: Subject, hay: bytes, *, moved: bool) -> None:
        self.subject = subject
        self.hay = hay
        self.moved = moved
        self._around: dict[str, list[Place] | None] = {}
        self._runs: dict[int, list[tuple[Token, Place]]] = {}
        self._folded: Folded | None = None
        self._is_aligned: bool | None = None
        self._is_plain: bool | None = None
        self._places: dict[str, list[int]] | None = None
        self._spans: list[Place] | None = None

    @property
    def is_aligned(self) -> bool:
        """Whether the bytes, but for the space before them, stand where the folded characters do."""
        if self._is_aligned is None:
            self._is_aligned = not self.moved or (
                _APART.search(self.subject.text) is None and len(self.folded.text) + 2 == len(self.hay)
            )
        return self._is_aligned

    @property
    def is_plain(self) -> bool:
        """Whether the text is nothing but words of letters that are of ASCII once folded, and what separates them."""
        if self._is_plain is None:
            self._is_plain = self.hay.isascii() and _ODD.search(self.subject.text) is None and self.is_aligned
        return self._is_plain

    def original(self, start: int, end: int) -> Place:
        """The place in the text of a place in aligned bytes."""
        return self.folded.original(start - 1, end - 1) if self.moved else (start - 1, end - 1)

    def around(self, key: str, needle: bytes, name: "Name") -> list[Place] | None:
        """Where a name is, told by what stands around its needle up to white space; None where all has to be cut.

        `key` is the name's own: what was found by it is remembered, since a brand's queries ask for the same names.
        """
        if key not in self._around:
            self._around[key] = self._look_around(needle, name) if self.is_aligned else None
        return self._around[key]

    def _look_around(self, needle: bytes, name: "Name") -> list[Place] | None:
        hay, text = self.hay, self.folded.text if self.moved else self.subject.text
        found: list[Place] = []
        asked, at = 0, hay.find(needle)
        while at >= 0:
            inside = at + (needle[0] == _SPACE)
            start = hay.rfind(b" ", max(0, inside - _LONG), inside + 1)
            end = hay.find(b" ", inside, inside + _LONG) - 1
            asked += 1
            if start < 0 or end < 0 or asked > _OFTEN:
                return None
            here = self._here(text, start, end, name)
            if here is None:
                return None
            found += here
            at = hay.find(needle, at + 1)
        return found if len(found) < 2 else sorted(set(found))

    def _here(  # noqa: PLR0911 - the cheapest answer first
        self, text: str, start: int, end: int, name: "Name"
    ) -> list[Place] | None:
        """What is called so in the run around a word from `start` to `end`; None where all has to be cut."""
        first, last = _run_around(text, start, end)
        if start - first == _LONG or last - end == _LONG:
            return None
        sign = _SIGNED.get(text[first]) if first == start - 1 and name.pattern is None else None
        if sign is not None and (last == end or (last == end + 1 and text[end] in _ENDING)):
            # A tag or handle that stands alone, the commonest of what is more than a word.
            return [self.original(first + 1, end + 1)] if name.kind in {TokenKind.WORD, sign} else []
        if _MORE_THAN_WORDS.search(text, first, last):
            if self.moved:
                return None
            if first not in self._runs:
                self._runs[first] = _cut_run(text[first:last], first)
            return [place for one, place in self._runs[first] if name.is_of(one)]
        if name.kind is not TokenKind.WORD:
            return []
        word = self.hay[start + 1 : end + 1]
        if name.pattern is not None and not word.isascii():
            return None
        if name.pattern is None or name.pattern.fullmatch(word.decode("ascii")):
            return [self.original(start + 1, end + 1)]
        return []

    @property
    def folded(self) -> Folded:
        """The folded text."""
        if self._folded is None:
            self._folded = fold(self.subject.text)
        return self._folded

    @property
    def spans(self) -> list[Place]:
        """Where each token is in the original text, in code points."""
        if self._spans is None:
            if self.is_plain:
                self._spans = [self.original(*match.span()) for match in _RUN.finditer(self.hay)]
            else:
                self._cut()
                assert self._spans is not None
        return self._spans

    @property
    def places(self) -> dict[str, list[int]]:
        """The positions of each name: words, emoji, and the names of tags and handles, as they are.

        Tags again after `#`, handles after `@`, with and without their host.
        """
        if self._places is None:
            if self.is_plain:
                self._places = {}
                for at, name in enumerate(self.hay.decode("ascii").split()):
                    self._places.setdefault(name, []).append(at)
            else:
                self._cut()
                assert self._places is not None
        return self._places

    def urls(self) -> Iterator[tuple[str, Place]]:
        """The addresses in the text, folded, and where they are."""
        original = self.folded.original
        return (
            (token.name, original(token.start, token.end))
            for token in tokens(self.folded)
            if token.kind is TokenKind.URL
        )

    def _cut(self) -> None:
        cut = tokens(self.folded)
        original = self.folded.original
        self._spans = [original(start, end) for _, _, start, end in cut]
        self._places = _places(cut)


def _cut_run(run: str, first: int) -> list[tuple[Token, Place]]:
    """The tokens of a run that begins at `first`, and where they are in the text."""
    text = fold(run)
    cut = []
    for token in tokens(text):
        start, end = text.original(token.start, token.end)
        cut.append((token, (first + start, first + end)))
    return cut


def _run_around(text: str, start: int, end: int) -> tuple[int, int]:
    """From where to where there is no white space around a place, so many characters on either side at most."""
    first, last = start, end
    while first and start - first < _LONG and not text[first - 1].isspace():
        first -= 1
    while last < len(text) and last - end < _LONG and not text[last].isspace():
        last += 1
    return first, last


def _places(cut: list[Token]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    add = places.setdefault
    for at, (kind, name, _, _) in enumerate(cut):
        if kind is TokenKind.WORD or kind is TokenKind.EMOJI:
            add(name, []).append(at)
        elif kind is TokenKind.TAG:
            add(name, []).append(at)
            add(f"#{name}", []).append(at)
        elif kind is TokenKind.HANDLE:
            alone, _, host = name.partition("@")
            add(f"@{alone}", []).append(at)
            add(f"@{name}" if host else name, []).append(at)
    return places
