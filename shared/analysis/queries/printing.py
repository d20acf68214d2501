"""A tree written as a query again: parsed, it is the same tree."""

from shared.analysis.queries.tree import And, Attribute, FieldName, Near, Node, Not, Or, Piece, Reach, Term
from shared.analysis.tokens import TokenKind

_OPERATORS = frozenset({"AND", "OR", "NOT", "NEAR"})


def canonical(node: Node) -> str:  # noqa: PLR0911 - one for each kind of node
    """The query that means this tree, in one way of writing."""
    match node:
        case Term():
            return _term(node)
        case Attribute():
            return f"{node.name}:" + ",".join(_value(node.name, value) for value in node.values)
        case Reach():
            return f"reach{node.operator}{node.number}"
        case Near():
            return f"{_operand(node.left)} NEAR/{node.distance} {_operand(node.right)}"
        case Not():
            return f"NOT {_inside(node.node, And, Or)}"
        case And():
            return " AND ".join(_inside(one, Or) for one in node.nodes)
        case Or():
            return " OR ".join(canonical(one) for one in node.nodes)


def _inside(node: Node, *looser: type[And] | type[Or]) -> str:
    return f"({canonical(node)})" if isinstance(node, looser) else canonical(node)


def _operand(terms: tuple[Term, ...]) -> str:
    return _term(terms[0]) if len(terms) == 1 else "(" + " OR ".join(map(_term, terms)) + ")"


def _term(term: Term) -> str:
    words = [written(piece) for piece in term.pieces]
    return words[0] if len(words) == 1 and words[0] not in _OPERATORS else '"' + " ".join(words) + '"'


def written(piece: Piece) -> str:
    """A piece as the query says it, with its sign."""
    if piece.written:
        return piece.written
    sign = {TokenKind.TAG: "#", TokenKind.HANDLE: "@"}.get(piece.kind, "")
    return sign + piece.forms[0]


def _value(name: FieldName, value: str) -> str:
    plain = name not in {FieldName.AUTHOR, FieldName.URL} or not any(c.isspace() or c in ",()" for c in value)
    return value if plain else f'"{value}"'
