"""A query reduced to what a network's search understands: words that stand together, several times.

What is asked for is never less than the query means where that can be helped: fields, wildcards and whatever stands
under a NOT are left to the matcher, which decides over all that is brought.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from shared.analysis.queries.printing import canonical, written
from shared.analysis.queries.tree import And, Attribute, Near, Node, Not, Or, Piece, Reach, Term
from shared.analysis.tokens import TokenKind

MOST_REQUESTS = 12
MOST_WORDS = 8  # words or phrases in one request

Words: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Searchable:
    """`requests`: each asks for what holds all of its words or phrases; together they bring all that the query means,
    but for the branches of it that are `left_out`, as a query writes them."""

    requests: tuple[Words, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What finds a branch: any of `ways`; without one it can't be asked for. `lost`: what none of them finds."""

    ways: tuple[Words, ...] = ()
    lost: tuple[str, ...] = field(default=())


def searchable(node: Node) -> Searchable:
    """The requests that a query comes to, at most twelve."""
    found = _of(node)
    if not found.ways:
        return Searchable((), (canonical(node),))
    ways = _wanted(found.ways)
    beyond = tuple(" ".join(way) for way in ways[MOST_REQUESTS:])
    return Searchable(tuple(ways[:MOST_REQUESTS]), tuple(dict.fromkeys([*found.lost, *beyond])))


def _of(node: Node) -> _Asked:
    match node:
        case Term():
            return _Asked(_ways_of(node))
        case Attribute() | Reach() | Not():
            return _Asked()
        case Near():
            return _all([_any(node.left), _any(node.right)])
        case And():
            return _all([_of(one) for one in node.nodes])
        case Or():
            return _any(node.nodes)


def _any(nodes: Sequence[Node]) -> _Asked:
    ways: list[Words] = []
    lost: list[str] = []
    for one in nodes:
        found = _of(one)
        ways += found.ways
        lost += found.lost if found.ways else [canonical(one)]
    return _Asked(tuple(ways), tuple(lost)) if ways else _Asked()


def _all(branches: Sequence[_Asked]) -> _Asked:
    """The branch that loses least and has the fewest ways; what else must hold in one way alone narrows it."""
    open_ = [one for one in branches if one.ways]
    if not open_:
        return _Asked()
    base = min(open_, key=lambda one: (bool(one.lost), len(one.ways), -len(" ".join(one.ways[0]))))
    narrow = [word for one in open_ if one is not base and not one.lost and len(one.ways) == 1 for word in one.ways[0]]
    ways = [tuple(dict.fromkeys([*way, *narrow]))[:MOST_WORDS] for way in base.ways]
    return _Asked(tuple(ways), base.lost)


def _wanted(ways: Sequence[Words]) -> list[Words]:
    """Without what another one brings already."""
    found: list[Words] = []
    for way in dict.fromkeys(ways):
        if any(set(other) < set(way) for other in ways):
            continue
        found.append(way)
    return found


def _ways_of(term: Term) -> tuple[Words, ...]:
    """A word, or the words of a phrase, as they were written and, where accents make a difference, without them."""
    if any(piece.wild or piece.kind not in _SAID for piece in term.pieces):
        return ()
    spelt = [_plain(written(piece)) for piece in term.pieces]
    ways = [" ".join(spelt)]
    if len(term.pieces) == 1:
        ways += [form.partition("@")[0] for form in term.pieces[0].forms]
    else:
        ways.append(" ".join(_folded(piece) for piece in term.pieces))
    return tuple((way,) for way in dict.fromkeys(ways) if way.strip())


_SAID = frozenset({TokenKind.WORD, TokenKind.TAG, TokenKind.HANDLE})


def _plain(word: str) -> str:
    """Without the sign of a tag or handle and a handle's host: a search for the word finds both."""
    return word.lstrip("#@").partition("@")[0].lower()


def _folded(piece: Piece) -> str:
    return piece.forms[0].partition("@")[0]
