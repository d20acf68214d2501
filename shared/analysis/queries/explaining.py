"""A query said in plain English."""

from collections.abc import Sequence

from shared.analysis.queries.printing import written
from shared.analysis.queries.tree import And, Attribute, FieldName, Near, Node, Not, Or, Reach, Term
from shared.analysis.queries.vocabulary import LANGUAGE_NAMES
from shared.analysis.tokens import TokenKind

_MOST_NAMED = 12
_COMPARED = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}


def explain(node: Node) -> str:
    """One sentence. Of long lists the first dozen is said, and how many more there are."""
    return f"Finds mentions with {_said(node)}."


def _said(node: Node) -> str:  # noqa: PLR0911 - one for each kind of node
    match node:
        case Term():
            return _term(node)
        case Attribute():
            return _attribute(node)
        case Reach():
            return f"a reach of {_COMPARED[node.operator]} {node.number:,}"
        case Near():
            words = "next to" if node.distance == 1 else f"at most {node.distance} words from"
            return f"{_terms(node.left)} {words} {_terms(node.right)}, in either order"
        case Not():
            return f"not {_inside(node.node)}"
        case And():
            return _listed([_inside(one) for one in node.nodes], "and")
        case Or():
            return _listed([_inside(one) for one in node.nodes], "or")


def _inside(node: Node) -> str:
    return f"({_said(node)})" if isinstance(node, And | Or | Near) else _said(node)


def _terms(terms: Sequence[Term]) -> str:
    return _term(terms[0]) if len(terms) == 1 else f"({_listed([_term(one) for one in terms], 'or')})"


def _term(term: Term) -> str:
    if len(term.pieces) > 1:
        return f"the words “{' '.join(written(one) for one in term.pieces)}” next to each other"
    piece = term.pieces[0]
    said = written(piece)
    match piece.kind:
        case TokenKind.TAG:
            what = "the hashtag"
        case TokenKind.HANDLE:
            what = "the handle"
        case TokenKind.EMOJI:
            return f"the emoji {said}"
        case TokenKind.WORD | TokenKind.URL:
            what = "the word"
    if not piece.wild:
        others = f" (also written {', '.join(piece.forms[1:])})" if piece.forms[1:] else ""
        return f"{what} “{said}”{others}"
    what = what.replace("the ", "a ", 1)
    inner = said.strip("*")
    if "*" in inner or "?" in inner:
        return f"{what} like “{said}”"
    how = {"**": "with", "*.": "ending in", ".*": "beginning with"}[
        ("*" if said.startswith("*") else ".") + ("*" if said.endswith("*") else ".")
    ]
    return f"{what} {how} “{inner}”"


def _attribute(attribute: Attribute) -> str:
    values = _listed(list(attribute.values), "or")
    match attribute.name:
        case FieldName.LANG:
            names = [f"{LANGUAGE_NAMES[one]} ({one})" if one in LANGUAGE_NAMES else one for one in attribute.values]
            return f"the language {_listed(names, 'or')}"
        case FieldName.AUTHOR:
            return f"the author {values}"
        case FieldName.SITE:
            return f"the site {values} or one below it"
        case FieldName.URL:
            return f"{values} in a link"
        case FieldName.NETWORK | FieldName.KIND | FieldName.SENTIMENT | FieldName.INTENT:
            return f"the {attribute.name} {values}"


def _listed(parts: Sequence[str], joint: str) -> str:
    if len(parts) > _MOST_NAMED:
        rest = f"{len(parts) - _MOST_NAMED:,} more"
        return ", ".join(parts[:_MOST_NAMED]) + f" {joint} {rest}"
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" {joint} {parts[-1]}"
