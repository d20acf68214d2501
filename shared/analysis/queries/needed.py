"""What has to be in the bytes of a text for a query to match it, as plainly as can be: asked before anything else."""

from shared.analysis.queries.anchors import Anchors
from shared.analysis.queries.needles import needles
from shared.analysis.queries.tree import And, Attribute, Near, Node, Not, Or, Piece, Reach, Term

Groups = tuple[tuple[bytes, ...], ...]
_MOST_CHOICES = 8
_MOST = 8  # needles in a group: asking for more takes longer than what it spares


def needed(node: Node, anchors: Anchors | None) -> Groups:
    """Of each group one must be in the text; no groups: nothing can be said. What anchors say already is left out."""
    known = anchors.needles if anchors is not None and not anchors.emoji and not anchors.values else None
    groups = {group for group in _needed(node) if len(group) <= _MOST and not (known and known <= set(group))}
    return tuple(sorted(groups, key=lambda group: (len(group), group)))


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
    """Of each choice of one group for each node all needles: in any choice one must be. The shortest choices."""
    choices: list[tuple[bytes, ...]] = [()]
    for node in nodes:
        groups = _needed(node)
        together = {tuple(sorted({*before, *group})) for before in choices for group in groups}
        choices = sorted(together, key=len)[:_MOST_CHOICES]
        if not choices or len(choices[0]) > _MOST:
            return []
    return choices


def has_needed(groups: Groups, hay: bytes) -> bool:
    """Whether a text has what is needed."""
    for group in groups:
        for needle in group:
            if needle in hay:
                break
        else:
            return False
    return True
