"""What a query can't match without: the rarest such thing is what the matcher waits for."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.analysis.queries.needles import needles
from shared.analysis.queries.seen import Seen
from shared.analysis.queries.subject import Subject, attribute_values, author_names, host_of
from shared.analysis.queries.tree import And, Attribute, FieldName, Near, Node, Not, Or, Piece, Reach, Term

Value = tuple[FieldName, str]

_VALUE_COSTS = {
    FieldName.LANG: 0.4,
    FieldName.NETWORK: 0.4,
    FieldName.KIND: 0.4,
    FieldName.SENTIMENT: 0.4,
    FieldName.INTENT: 0.3,
    FieldName.AUTHOR: 0.001,
    FieldName.SITE: 0.01,
}


@dataclass(frozen=True, slots=True)
class Anchors:
    """At least one of these holds in whatever matches: bytes in the text, an emoji's first character, a field's value.

    `cost` is about how often that is: the share of texts, summed.
    """

    needles: frozenset[bytes] = frozenset()
    emoji: frozenset[str] = frozenset()
    values: frozenset[Value] = frozenset()
    cost: float = 0.0

    def __or__(self, other: "Anchors") -> "Anchors":
        return Anchors(
            self.needles | other.needles,
            self.emoji | other.emoji,
            self.values | other.values,
            self.cost + other.cost,
        )


def anchors(node: Node, seen: Seen) -> Anchors | None:
    """The rarest anchors of a query, by what was seen so far; None where it may match whatever there is."""
    match node:
        case Term():
            return _rarest([_of_piece(piece, seen) for piece in node.pieces])
        case Attribute():
            return _of_attribute(node)
        case Reach() | Not():
            return None
        case Near():
            return _rarest([_any([anchors(term, seen) for term in side]) for side in (node.left, node.right)])
        case And():
            return _rarest([anchors(one, seen) for one in node.nodes])
        case Or():
            return _any([anchors(one, seen) for one in node.nodes])


def _rarest(found: list[Anchors | None]) -> Anchors | None:
    return min((one for one in found if one is not None), key=lambda one: one.cost, default=None)


def _any(found: list[Anchors | None]) -> Anchors | None:
    together = Anchors()
    for one in found:
        if one is None:
            return None
        together |= one
    return together


def _of_piece(piece: Piece, seen: Seen) -> Anchors | None:
    found = needles(piece)
    if found is None:
        firsts = frozenset(form[0] for form in piece.forms)
        return None if any(first.isascii() for first in firsts) else Anchors(emoji=firsts, cost=0.01)
    return Anchors(needles=frozenset(found), cost=sum(map(seen.share, found)))


def _of_attribute(attribute: Attribute) -> Anchors | None:
    cost = _VALUE_COSTS.get(attribute.name)
    if cost is None or any("*" in value or "?" in value for value in attribute.values):
        return None
    return Anchors(values=frozenset((attribute.name, value) for value in attribute.values), cost=cost)


def values_of(subject: Subject, names: frozenset[FieldName]) -> Iterator[Value]:
    """The values of a mention by which a query with one of these fields as its anchor is found."""
    for name in names:
        if name is FieldName.AUTHOR:
            yield from ((name, value) for value in author_names(subject))
        elif name is FieldName.SITE:
            host = host_of(subject.url)
            while host:
                yield name, host
                host = host.partition(".")[2]
        else:
            yield from ((name, value) for value in attribute_values(subject, name))
