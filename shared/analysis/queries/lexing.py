"""A query's text cut into operators, parentheses and leaves."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import regex

from shared.analysis.queries import attributes
from shared.analysis.queries.attributes import QUOTES
from shared.analysis.queries.cutting import cut
from shared.analysis.queries.problems import ProblemCode, refusal
from shared.analysis.queries.tree import Leaf, Place

MOST_LEAVES = 2_000
MOST_CHARACTERS = 50_000
FARTHEST = 100

_SPACE = regex.compile(r"[\s\u200b\ufeff]+")
_RUN = regex.compile(rf"[^\s(){QUOTES}]+")
_FIELD = regex.compile(r"[A-Za-z]+:")
_REACH = regex.compile(r"reach\s*(>=|<=|>|<)\s*([^\s()]*)", regex.IGNORECASE)
_NEAR = regex.compile(r"NEAR(?:/(.*))?")
_PHRASE = regex.compile(rf"[{QUOTES}]([^{QUOTES}]*)[{QUOTES}]")


class Mark(Enum):
    """What a lexeme is."""

    OPEN = "("
    CLOSE = ")"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    MINUS = "-"
    NEAR = "NEAR"
    LEAF = "leaf"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One of them and its place; a leaf is read already, a NEAR knows its distance."""

    mark: Mark
    place: Place
    leaf: Leaf | None = None
    distance: int = 0


_WORDS = {"AND": Mark.AND, "OR": Mark.OR, "NOT": Mark.NOT}


def lexemes(text: str) -> list[Lexeme]:
    """All of a query's, with an END after them. Raises QueryRefused."""
    if len(text) > MOST_CHARACTERS:
        raise refusal(
            ProblemCode.TOO_LONG, 0, len(text),
            f"A query has at most {MOST_CHARACTERS:,} characters; this one has {len(text):,}.",
        )  # fmt: skip
    found: list[Lexeme] = []
    terms = 0
    for one in _cut(text):
        terms += one.mark is Mark.LEAF
        if terms > MOST_LEAVES:
            raise refusal(
                ProblemCode.TOO_MANY_TERMS, 0, len(text),
                f"A query has at most {MOST_LEAVES:,} words, phrases and fields; this one could be split at character"
                f" {one.place.start:,}.",
            )  # fmt: skip
        found.append(one)
    found.append(Lexeme(Mark.END, Place(len(text), len(text))))
    return found


def _cut(text: str) -> Iterator[Lexeme]:
    at = 0
    while at < len(text):
        if space := _SPACE.match(text, at):
            at = space.end()
            continue
        one = _next(text, at)
        yield one
        at = one.place.end


def _next(text: str, at: int) -> Lexeme:
    character = text[at]
    if character in "()":
        return Lexeme(Mark.OPEN if character == "(" else Mark.CLOSE, Place(at, at + 1))
    if character in QUOTES:
        return _phrase(text, at)
    if character == "-" and _is_minus(text, at):
        return Lexeme(Mark.MINUS, Place(at, at + 1))
    if reach := _REACH.match(text, at):
        place = Place(*reach.span())
        return Lexeme(Mark.LEAF, place, attributes.reach(reach[1], reach[2], place, Place(*reach.span(2))))
    if name := _FIELD.match(text, at):
        leaf = attributes.read(text, at, name.end())
        return Lexeme(Mark.LEAF, leaf.place, leaf)
    run = _RUN.match(text, at)
    assert run is not None
    return _word(run[0], Place(*run.span()))


def _word(written: str, place: Place) -> Lexeme:
    if written in _WORDS:
        return Lexeme(_WORDS[written], place)
    if near := _NEAR.fullmatch(written):
        return Lexeme(Mark.NEAR, place, distance=_distance(near[1], place))
    return Lexeme(Mark.LEAF, place, cut(written, place))


def _distance(written: str | None, place: Place) -> int:
    if written is not None and written.isascii() and written.isdigit() and len(written) <= 9:
        distance = int(written)
        if 1 <= distance <= FARTHEST:
            return distance
    start = place.start if written is None else place.start + len("NEAR/")
    raise refusal(
        ProblemCode.NEAR_DISTANCE, start, place.end,
        f"NEAR says how near: NEAR/5, from 1 to {FARTHEST} words. For the word itself write it small.",
    )  # fmt: skip


def _phrase(text: str, at: int) -> Lexeme:
    phrase = _PHRASE.match(text, at)
    if phrase is None:
        raise refusal(
            ProblemCode.UNCLOSED_QUOTE, at, at + 1, "This quotation mark is not closed; write another where it ends."
        )
    place = Place(*phrase.span())
    return Lexeme(Mark.LEAF, place, cut(phrase[1], place))


def _is_minus(text: str, at: int) -> bool:
    """Whether a hyphen says NOT: after a space, a parenthesis or nothing, and right before something."""
    before = text[at - 1] if at else " "
    after = text[at + 1 : at + 2]
    return (before.isspace() or before in "()") and bool(after) and not after.isspace() and after != ")"
