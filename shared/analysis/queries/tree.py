"""A query as a tree. Two trees are equal when they mean the same as written: places and spelling don't count."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from shared.analysis.tokens import TokenKind


@dataclass(frozen=True, slots=True)
class Place:
    """From `start` to `end` in the query, in code points, end exclusive."""

    start: int
    end: int


NOWHERE = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one token of a text has to be: one of `forms`, folded. With `wild`, `*` and `?` in them stand for others.

    A tag's form is its name, a handle's its name with its host if it was given one.
    """

    kind: TokenKind
    forms: tuple[str, ...]
    wild: bool = False
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """A word, tag, handle or emoji (one piece), or a phrase (several)."""

    pieces: tuple[Piece, ...]
    place: Place = field(default=NOWHERE, compare=False)


class FieldName(StrEnum):
    """What may stand before a colon."""

    LANG = "lang"
    NETWORK = "network"
    AUTHOR = "author"
    SITE = "site"
    KIND = "kind"
    SENTIMENT = "sentiment"
    INTENT = "intent"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Attribute:
    """`field:value,value`: any of the values, folded."""

    name: FieldName
    values: tuple[str, ...]
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """`reach>1000`; `operator` is one of > >= < <=."""

    operator: str
    number: int
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """One of `left` and one of `right`, at most `distance` tokens apart, in either order."""

    left: tuple[Term, ...]
    right: tuple[Term, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class Not:
    """What `node` does not match."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of them; at least two, none of them an And."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; at least two, none of them an Or."""

    nodes: tuple["Node", ...]


Leaf: TypeAlias = Term | Attribute | Reach
Node: TypeAlias = Leaf | Near | Not | And | Or


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf, those under a Not included, in their order."""
    match node:
        case Term() | Attribute() | Reach():
            yield node
        case Near():
            yield from node.left
            yield from node.right
        case Not():
            yield from leaves(node.node)
        case And() | Or():
            for one in node.nodes:
                yield from leaves(one)


def is_positive(node: Node) -> bool:
    """Whether anything in it stands under no Not."""
    match node:
        case Term() | Attribute() | Reach() | Near():
            return True
        case Not():
            return False
        case And() | Or():
            return any(is_positive(one) for one in node.nodes)


def all_of(nodes: list[Node]) -> Node:
    """The conjunction of one or more."""
    flat = [part for one in nodes for part in (one.nodes if isinstance(one, And) else (one,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(nodes: list[Node]) -> Node:
    """The disjunction of one or more."""
    flat = [part for one in nodes for part in (one.nodes if isinstance(one, Or) else (one,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))
