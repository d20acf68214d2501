"""A query made ready to be asked of many texts: what it can't do without is asked of bytes first, then of tokens.

`may` is quick and errs on one side only: where it is False the text does not match. `find` is what the query means: the
spans in the original text, or None where it doesn't hold.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Protocol

import regex

from shared.analysis.folding import folded
from shared.analysis.queries.document import Document, Name
from shared.analysis.queries.evaluating import Span, wildcard
from shared.analysis.queries.needles import needles
from shared.analysis.queries.subject import has_attribute, reaches
from shared.analysis.queries.tree import And, Attribute, FieldName, Near, Node, Not, Or, Piece, Reach, Term
from shared.analysis.tokens import TokenKind

_WRITTEN = {"#": "#＃﹟", "@": "@＠﹫"}  # what is folded to the sign
_SIGNS = {TokenKind.TAG: "#", TokenKind.HANDLE: "@"}


class Asked(Protocol):
    """A compiled node."""

    def may(self, document: Document) -> bool: ...
    def find(self, document: Document) -> list[Span] | None: ...


def compiled(node: Node) -> Asked:  # noqa: PLR0911 - one for each kind of node
    """A tree, ready."""
    match node:
        case Term():
            return _term(node)
        case Attribute(name=FieldName.URL):
            return AskedUrl(node.values)
        case Attribute() | Reach():
            return AskedField(node)
        case Near():
            return AskedNear(node)
        case Not():
            return AskedNot(compiled(node.node))
        case And():
            return AskedAll([compiled(one) for one in node.nodes])
        case Or():
            return AskedAny([compiled(one) for one in node.nodes])


class AskedPiece:
    """Where the tokens are that a piece asks for."""

    __slots__ = ("forms", "needles", "sign", "wild")

    def __init__(self, piece: Piece) -> None:
        self.sign = _SIGNS.get(piece.kind, "")
        self.forms = tuple(self.sign + form for form in piece.forms)
        self.needles = needles(piece)
        self.wild = [wildcard(self.sign + form) for form in piece.forms] if piece.wild else None

    def may(self, document: Document) -> bool:
        if self.needles is not None and not any([needle in document.hay for needle in self.needles]):
            return False
        if self.wild is not None or (self.needles is not None and not self.sign):
            return True
        text = document.folded.text
        return any([form in text for form in self.forms])

    def positions(self, document: Document) -> Sequence[int]:
        """In order, each once."""
        places = document.places
        if self.wild is not None:
            return self._wild(self.wild, document)
        if len(self.forms) == 1:
            return places.get(self.forms[0], ())
        found = [at for form in self.forms for at in places.get(form, ())]
        return sorted(set(found)) if len(found) > 1 else found

    def _wild(self, patterns: list[regex.Pattern[str]], document: Document) -> Sequence[int]:
        found: set[int] = set()
        for pattern in patterns:
            for name, places in document.places.items():
                if pattern.fullmatch(name):
                    found.update(places)
        return sorted(found)


class AskedName:
    """One word, tag or handle in one form, wildcards or not."""

    __slots__ = ("key", "name", "needle", "piece", "sign")

    def __init__(self, piece: Piece, needle: bytes) -> None:
        form = piece.forms[0]
        self.piece, self.needle, self.sign = AskedPiece(piece), needle, _SIGNS.get(piece.kind, "")
        self.key = self.sign + form
        self.name = Name(piece.kind, form, wildcard(form) if piece.wild else None)

    def may(self, document: Document) -> bool:
        return self.needle in document.hay and self._has_sign(document.subject.text)

    def _has_sign(self, text: str) -> bool:
        if not self.sign:
            return True
        return any([sign in text for sign in _WRITTEN[self.sign]])

    def occurrences(self, document: Document) -> list[Span]:
        """Token positions: the first, and the one after the last."""
        return [(at, at + 1) for at in self.piece.positions(document)]

    def find(self, document: Document) -> list[Span] | None:
        if not self.may(document):
            return None
        found = document.around(self.key, self.needle, self.name)
        if found is None:
            spans = document.spans
            found = [spans[at] for at in self.piece.positions(document)]
        return found or None


class AskedTerm:
    """A word, tag, handle, emoji or phrase."""

    __slots__ = ("first", "pieces")

    def __init__(self, term: Term) -> None:
        self.pieces = [AskedPiece(piece) for piece in term.pieces]
        self.first = self.pieces[0]

    def may(self, document: Document) -> bool:
        for piece in self.pieces:
            if not piece.may(document):
                return False
        return True

    def occurrences(self, document: Document) -> list[Span]:
        """Token positions: the first, and the one after the last."""
        length = len(self.pieces)
        if length == 1:
            return [(at, at + 1) for at in self.first.positions(document)]
        starts = set(self.first.positions(document))
        for shift, piece in enumerate(self.pieces[1:], 1):
            if not starts:
                return []
            starts &= {at - shift for at in piece.positions(document)}
        return [(at, at + length) for at in sorted(starts)]

    def find(self, document: Document) -> list[Span] | None:
        if not self.may(document):
            return None
        found = self.occurrences(document)
        return _spans(document, found) if found else None


def _term(term: Term) -> AskedName | AskedTerm:
    piece = term.pieces[0]
    found = needles(piece)
    if len(term.pieces) == len(piece.forms) == 1 and found and found[0].isascii() and "'" not in piece.forms[0]:
        return AskedName(piece, found[0])
    return AskedTerm(term)


def _spans(document: Document, occurrences: Sequence[Span]) -> list[Span]:
    spans = document.spans
    return [(spans[start][0], spans[end - 1][1]) for start, end in occurrences]


class AskedNear:
    """Two terms, or one of several, near each other."""

    __slots__ = ("distance", "left", "right")

    def __init__(self, near: Near) -> None:
        self.left = [_term(term) for term in near.left]
        self.right = [_term(term) for term in near.right]
        self.distance = near.distance

    def may(self, document: Document) -> bool:
        return any(term.may(document) for term in self.left) and any(term.may(document) for term in self.right)

    def find(self, document: Document) -> list[Span] | None:
        if not self.may(document):
            return None
        left = sorted({one for term in self.left for one in term.occurrences(document)})
        right = sorted({one for term in self.right for one in term.occurrences(document)})
        taking = {*_partnered(left, right, self.distance), *_partnered(right, left, self.distance)}
        return _spans(document, sorted(taking)) if taking else None


def _partnered(these: list[Span], others: list[Span], distance: int) -> list[Span]:
    """Those that one of the others stands near to: it begins, or ends, at most so many tokens away."""
    starts = [start for start, _ in others]
    ends = sorted(end for _, end in others)
    return [
        (start, end)
        for start, end in these
        if bisect_right(starts, end + distance - 1) > bisect_left(starts, end)
        or bisect_right(ends, start) > bisect_left(ends, start - distance + 1)
    ]


class AskedField:
    """What a mention has, other than its text."""

    __slots__ = ("leaf",)

    def __init__(self, leaf: Attribute | Reach) -> None:
        self.leaf = leaf

    def may(self, document: Document) -> bool:
        if isinstance(self.leaf, Reach):
            return reaches(document.subject, self.leaf)
        return has_attribute(document.subject, self.leaf)

    def find(self, document: Document) -> list[Span] | None:
        return [] if self.may(document) else None


class AskedUrl:
    """Part of an address in the text, or of the mention's own."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[str, ...]) -> None:
        self.values = values

    def may(self, document: Document) -> bool:
        return self._own(document) or any(value in document.folded.text for value in self.values)

    def find(self, document: Document) -> list[Span] | None:
        spans = [place for name, place in document.urls() if any(value in name for value in self.values)]
        return spans if spans or self._own(document) else None

    def _own(self, document: Document) -> bool:
        own = document.subject.url
        return own is not None and any(value in folded(own) for value in self.values)


class AskedNot:
    """What another does not match."""

    __slots__ = ("inner",)

    def __init__(self, inner: Asked) -> None:
        self.inner = inner

    def may(self, document: Document) -> bool:
        return True

    def find(self, document: Document) -> list[Span] | None:
        return [] if not self.inner.may(document) or self.inner.find(document) is None else None


class AskedAll:
    """All of several."""

    __slots__ = ("inner",)

    def __init__(self, inner: list[Asked]) -> None:
        self.inner = inner

    def may(self, document: Document) -> bool:
        for one in self.inner:
            if not one.may(document):
                return False
        return True

    def find(self, document: Document) -> list[Span] | None:
        spans: list[Span] = []
        for one in self.inner:
            found = one.find(document)
            if found is None:
                return None
            spans += found
        return spans


class AskedAny:
    """Any of several."""

    __slots__ = ("inner",)

    def __init__(self, inner: list[Asked]) -> None:
        self.inner = inner

    def may(self, document: Document) -> bool:
        for one in self.inner:
            if one.may(document):
                return True
        return False

    def find(self, document: Document) -> list[Span] | None:
        held = [found for one in self.inner if (found := one.find(document)) is not None]
        return [span for found in held for span in found] if held else None
