"""A query's word or phrase cut into what the tokens of a text have to be."""

import unicodedata
from collections.abc import Iterator
from itertools import product

import regex

from shared.analysis.folding import APOSTROPHES, EMOJI, fold, folded
from shared.analysis.queries.problems import ProblemCode, refusal
from shared.analysis.queries.tree import Piece, Place, Term
from shared.analysis.tokens import TokenKind

_LETTER = r"\p{L}\p{M}\p{N}*?"
_NAME = rf"[{_LETTER}_]"
_PART = rf"{_NAME}(?:[{_LETTER}_.\-]*{_NAME})?"
# As shared.analysis.tokens cuts, with the wildcards as letters; an address is no token of a query.
_PIECE = regex.compile(
    rf"(?V1)(?P<emoji>{EMOJI})|\#(?P<tag>{_NAME}+)|@(?P<handle>{_PART}(?:@{_PART})?)"
    rf"|(?P<word>[{_LETTER}]+(?:(?<=n)[{APOSTROPHES}]t(?![{_LETTER}]))?)"
)
_KINDS = {
    "emoji": TokenKind.EMOJI,
    "tag": TokenKind.TAG,
    "handle": TokenKind.HANDLE,
    "word": TokenKind.WORD,
}
_UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue"}
_MOST_UMLAUTS = 4
_WILD = regex.compile(r"[*?]")
_LEAST_LITERALS = 2


def cut(text: str, place: Place) -> Term:
    """The term that a word or the inside of a phrase is. Raises QueryRefused."""
    pieces = tuple(_pieces(text, place))
    if not pieces:
        raise refusal(
            ProblemCode.NO_WORD, place.start, place.end, "There is no letter, digit or emoji here to look for."
        )
    return Term(pieces, place)


def _pieces(text: str, place: Place) -> Iterator[Piece]:
    found = fold(text)
    for match in _PIECE.finditer(found.text):
        group = match.lastgroup or "word"
        start, end = found.original(*match.span())
        name = match[group]
        kind = _KINDS[group]
        wild = kind is not TokenKind.EMOJI and _WILD.search(name) is not None
        if wild and not is_long_enough(name):
            raise refusal(
                ProblemCode.WILDCARD_TOO_SHORT, place.start, place.end,
                f"A word with * or ? needs at least {_LEAST_LITERALS} letters or digits of its own.",
            )  # fmt: skip
        written = text[start:end]
        forms = (
            (name,) if kind in {TokenKind.EMOJI, TokenKind.HANDLE} else _forms(written[kind is TokenKind.TAG :], name)
        )
        yield Piece(kind, forms, wild, written)


def is_long_enough(wild: str) -> bool:
    """Whether a word with wildcards has as many literal characters as it needs."""
    return len(_WILD.sub("", wild)) >= _LEAST_LITERALS


def _forms(written: str, name: str) -> tuple[str, ...]:
    """A folded name, and the same with ä ö ü written out; each by itself, or where there are many all alike."""
    parts = regex.split("([äöüÄÖÜ])", unicodedata.normalize("NFC", written))
    umlauts = len(parts) // 2
    if not umlauts:
        return (name,)
    choices = [(0, 1)] * umlauts if umlauts <= _MOST_UMLAUTS else []
    chosen = list(product(*choices)) if choices else [(0,) * umlauts, (1,) * umlauts]
    forms = []
    for choice in chosen:
        out = [
            part if at % 2 == 0 else (_UMLAUTS[part.lower()] if choice[at // 2] else part)
            for at, part in enumerate(parts)
        ]
        forms.append(folded("".join(out)))
    return tuple(dict.fromkeys(forms))
