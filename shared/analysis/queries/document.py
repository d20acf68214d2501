"""A text as the compiled queries see it: cut only when one of them may match."""

import re
from collections.abc import Iterator

from shared.analysis.folding import APOSTROPHES, Folded, fold
from shared.analysis.queries.subject import Subject
from shared.analysis.tokens import Token, TokenKind, tokens, tokens_of

# What a word may belong to that is more than a word, and what folding makes the like of.
_MORE = rf"[@#\u2024\ufe50-\ufe6f\uff01-\uff0f\uff1a-\uff20]|\w\.\w|://|[nN][{APOSTROPHES}][tT]"
_MORE_THAN_WORDS = re.compile(_MORE)
_ODD = re.compile(rf"{_MORE}|[\u203c-\u3299\U0001f000-\U0001ffff]")
_APART = re.compile("[\u200d\U0001f3fb-\U0001f3ff]")
_RUN = re.compile(rb"[^ ]+")
_LONG = 80  # letters of a run on either side, from which on looking at it again for each word is no gain
Place = tuple[int, int]


class Document:
    """One subject with its bytes; its tokens, and where each name stands among them, once they are asked for.

    A text of plain words is not cut by the rules for all tokens: its bytes say the same. `moved`: whether they stand
    elsewhere than the characters do.
    """

    __slots__ = ("_folded", "_is_aligned", "_is_plain", "_places", "_spans", "hay", "moved", "subject")

    def __init__(self, subject: Subject, hay: bytes, *, moved: bool) -> None:
        self.subject = subject
        self.hay = hay
        self.moved = moved
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

    def around(self, word: bytes, name: str) -> list[Place] | None:
        """Where a word is, told by what stands around it up to white space; None where that takes cutting all."""
        if not self.is_aligned:
            return None
        text = self.folded.text if self.moved else self.subject.text
        found = []
        at = self.hay.find(word)
        while at >= 0:
            start, end = at, at + len(word) - 2
            first, last = start, end
            while first and start - first < _LONG and not text[first - 1].isspace():
                first -= 1
            while last < len(text) and last - end < _LONG and not text[last].isspace():
                last += 1
            if start - first == _LONG or last - end == _LONG:
                return None
            if not _MORE_THAN_WORDS.search(text, first, last):
                found.append(self.original(start + 1, end + 1))
            elif self.moved:
                return None
            else:
                run = tokens_of(text[first:last])
                found += [(first + token.start, first + token.end) for token in run if _is_named(token, name)]
            at = self.hay.find(word, at + 1)
        return sorted(set(found))

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


def _is_named(token: Token, name: str) -> bool:
    return token.kind is not TokenKind.URL and token.name.partition("@")[0] == name


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
            add(alone, []).append(at)
            add(f"@{alone}", []).append(at)
            if host:
                add(f"@{name}", []).append(at)
    return places
