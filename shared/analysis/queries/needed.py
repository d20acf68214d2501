"""What has to be in the bytes of a text for a query to match it, as plainly as can be: asked before anything else."""

from shared.analysis.queries.needles import needles
from shared.analysis.queries.tree import And, Attribute, Near, Node, Not, Or, Piece, Reach, Term

Groups = tuple[tuple[bytes, ...], ...]
_MOST = 8  # needles in a group: asking for more takes longer than what it spares


def needed(node: Node) -> Groups:
    """Of each group one must be in the text; no groups: nothing can be said."""
    return tuple(sorted({group for group in _needed(node) if len(group) <= _MOST}, key=len))


def _needed(node: Node) -> list[tuple[bytes, ...]]:
    match node:
        case Term():
            return [group for piece in node.pieces if (group := _of(piece))]
        case Attribute() | Reach() | Not():
            return []
        case Near():
            return [group for side in (node.left, node.right) for group in _either(list(side))]
        case And():
            return [group for one in node.nodes for group in _needed(one)]
        case Or():
            return _either(list(node.nodes))


def _of(piece: Piece) -> tuple[bytes, ...]:
    return needles(piece) or ()


def _either(nodes: list[Node]) -> list[tuple[bytes, ...]]:
    """One group that holds, of each of several, the group that says most: the one with the longest needles."""
    together: set[bytes] = set()
    for node in nodes:
        groups = _needed(node)
        if not groups:
            return []
        together.update(max(groups, key=lambda group: min(map(len, group))))
    return [tuple(sorted(together))]


def has_needed(groups: Groups, hay: bytes) -> bool:
    """Whether a text has what is needed."""
    for group in groups:
        for needle in group:
            if needle in hay:
                break
        else:
            return False
    return True
