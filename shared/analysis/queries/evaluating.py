"""What a query means, said as plainly as possible: the reference that the matcher is held to. Slow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex

from shared.analysis.folding import Folded, fold, folded
from shared.analysis.queries.subject import Subject, has_attribute, reaches
from shared.analysis.queries.tree import And, Attribute, FieldName, Near, Node, Not, Or, Piece, Reach, Term
from shared.analysis.tokens import Token, TokenKind, tokens

Span = tuple[int, int]
_LETTER = r"[^_.@#\-]"  # of a name: a letter, a mark, a digit, the apostrophe of n't


def evaluate(node: Node, subject: Subject) -> list[Span] | None:
    """The spans of what made the subject match, in code points of its text, merged and in order; None if it doesn't."""
    text = fold(subject.text)
    found = _evaluate(node, _Document(subject, text, tokens(text)))
    return None if found is None else merged(text.original(start, end) for start, end in found)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that overlap made one; those that only touch stay two."""
    out: list[Span] = []
    for start, end in sorted(set(spans)):
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


@dataclass(frozen=True, slots=True)
class _Document:
    subject: Subject
    text: Folded
    tokens: Sequence[Token]

    def span(self, first: int, after: int) -> Span:
        return self.tokens[first].start, self.tokens[after - 1].end


def _evaluate(node: Node, document: _Document) -> list[Span] | None:  # noqa: PLR0911 - one for each kind of node
    match node:
        case Term():
            return [document.span(*found) for found in _occurrences(node, document)] or None
        case Attribute(name=FieldName.URL):
            return _url(node, document)
        case Attribute():
            return [] if has_attribute(document.subject, node) else None
        case Reach():
            return [] if reaches(document.subject, node) else None
        case Near():
            return _near(node, document)
        case Not():
            return [] if _evaluate(node.node, document) is None else None
        case And():
            parts = [_evaluate(one, document) for one in node.nodes]
            held = [one for one in parts if one is not None]
            return [span for one in held for span in one] if len(held) == len(parts) else None
        case Or():
            held = [one for one in (_evaluate(each, document) for each in node.nodes) if one is not None]
            return [span for one in held for span in one] if held else None


def _occurrences(term: Term, document: _Document) -> list[tuple[int, int]]:
    """Where a term's pieces stand next to each other: the first token, and the one after the last."""
    length = len(term.pieces)
    return [
        (at, at + length)
        for at in range(len(document.tokens) - length + 1)
        if all(is_piece(piece, document.tokens[at + i]) for i, piece in enumerate(term.pieces))
    ]


def is_piece(piece: Piece, token: Token) -> bool:
    """Whether a token is what a piece asks for."""
    match piece.kind:
        case TokenKind.EMOJI | TokenKind.TAG:
            return token.kind is piece.kind and _is_form(piece, token.name)
        case TokenKind.HANDLE:
            names = (token.name, token.name.partition("@")[0])
            return token.kind is TokenKind.HANDLE and any(_is_form(piece, name) for name in names)
        case TokenKind.WORD | TokenKind.URL:
            kinds = (TokenKind.WORD, TokenKind.TAG, TokenKind.HANDLE)
            return token.kind in kinds and _is_form(piece, token.name)


def _is_form(piece: Piece, name: str) -> bool:
    if not piece.wild:
        return name in piece.forms
    return any(wildcard(form).fullmatch(name) for form in piece.forms)


def wildcard(form: str) -> regex.Pattern[str]:
    """What a folded word with `*` and `?` matches."""
    return regex.compile(regex.escape(form).replace(r"\*", f"{_LETTER}*").replace(r"\?", _LETTER))


def _near(near: Near, document: _Document) -> list[Span] | None:
    left = [one for term in near.left for one in _occurrences(term, document)]
    right = [one for term in near.right for one in _occurrences(term, document)]
    pairs = [(a, b) for a in left for b in right if 1 <= _distance(a, b) <= near.distance]
    return [document.span(*one) for pair in pairs for one in pair] or None


def _distance(a: tuple[int, int], b: tuple[int, int]) -> int:
    """From the last token of the earlier to the first of the later; less than one where they overlap."""
    return max(b[0] - a[1], a[0] - b[1]) + 1


def _url(node: Attribute, document: _Document) -> list[Span] | None:
    own = document.subject.url
    spans = [
        (token.start, token.end)
        for token in document.tokens
        if token.kind is TokenKind.URL and any(value in token.name for value in node.values)
    ]
    return spans if spans or (own and any(value in folded(own) for value in node.values)) else None
