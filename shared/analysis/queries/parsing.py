"""A query's text read into a tree, by recursive descent along the grammar of docs/queries.md."""

from dataclasses import dataclass

from shared.analysis.queries.lexing import Lexeme, Mark, lexemes
from shared.analysis.queries.problems import ProblemCode, QueryRefused, refusal
from shared.analysis.queries.tree import And, Near, Node, Not, Or, Place, Term, all_of, any_of, is_positive

DEEPEST = 50


def parse(text: str) -> Node:
    """The tree of a query. Raises QueryRefused with the first thing that is wrong."""
    if not text.strip():
        raise refusal(ProblemCode.EMPTY, 0, len(text), "A query needs at least one word.")
    reader = _Reader(lexemes(text))
    if reader.here.mark is Mark.END:
        raise refusal(ProblemCode.EMPTY, 0, len(text), "A query needs at least one word.")
    node = reader.any()
    if reader.here.mark is Mark.CLOSE:
        place = reader.here.place
        raise refusal(
            ProblemCode.UNOPENED_PARENTHESIS, place.start, place.end, "No parenthesis before this one is open."
        )
    if not is_positive(node):
        raise refusal(
            ProblemCode.ONLY_NEGATIVE, 0, len(text),
            "Everything here is excluded; say what to look for beside what to leave out.",
        )  # fmt: skip
    return node


@dataclass(slots=True)
class _Reader:
    lexemes: list[Lexeme]
    at: int = 0
    depth: int = 0

    @property
    def here(self) -> Lexeme:
        return self.lexemes[self.at]

    def any(self) -> Node:
        nodes = [self.all()]
        while self.here.mark is Mark.OR:
            operator = self._step()
            self._need_operand(operator)
            nodes.append(self.all())
        return any_of(nodes)

    def all(self) -> Node:
        nodes = [self.unary()]
        while True:
            match self.here.mark:
                case Mark.AND:
                    operator = self._step()
                    self._need_operand(operator)
                case Mark.OR | Mark.CLOSE | Mark.END:
                    return all_of(nodes)
                case Mark.NEAR:
                    raise self._missing(self.here)
                case Mark.NOT | Mark.MINUS | Mark.OPEN | Mark.LEAF:
                    pass
            nodes.append(self.unary())

    def unary(self) -> Node:
        match self.here.mark:
            case Mark.NOT:
                operator = self._step()
                self._need_operand(operator)
                self._deeper(operator)
                node = Not(self.unary())
                self.depth -= 1
                return node
            case Mark.MINUS:
                operator = self._step()
                self._need_operand(operator)
                return Not(self.primary()[0])
            case _:
                return self.near()

    def near(self) -> Node:
        left, left_place = self.primary()
        if self.here.mark is not Mark.NEAR:
            return left
        operator = self._step()
        self._need_operand(operator)
        right, right_place = self.primary()
        if self.here.mark is Mark.NEAR:
            place = self.here.place
            raise refusal(
                ProblemCode.NEAR_CHAIN, place.start, place.end,
                "NEAR stands between two words or phrases; join two of them with AND.",
            )  # fmt: skip
        return Near(_operand(left, left_place), _operand(right, right_place), operator.distance)

    def primary(self) -> tuple[Node, Place]:
        one = self._step()
        if one.leaf is not None:
            return one.leaf, one.place
        if one.mark is not Mark.OPEN:
            raise self._missing(one)
        first = self.here
        if first.mark is Mark.CLOSE:
            raise refusal(
                ProblemCode.EMPTY_GROUP, one.place.start, first.place.end, "There is nothing in these parentheses."
            )
        self._deeper(one)
        node = self.any()
        self.depth -= 1
        if self.here.mark is not Mark.CLOSE:
            raise refusal(
                ProblemCode.UNCLOSED_PARENTHESIS, one.place.start, one.place.end, "This parenthesis is not closed."
            )
        return node, Place(one.place.start, self._step().place.end)

    def _step(self) -> Lexeme:
        one = self.here
        if one.mark is Mark.END:
            raise self._missing(one)
        self.at += 1
        return one

    def _deeper(self, one: Lexeme) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise refusal(
                ProblemCode.TOO_DEEP, 0, self.lexemes[-1].place.end,
                f"Parentheses and NOT stand at most {DEEPEST} deep in each other; at character {one.place.start:,} they"
                " stand deeper.",
            )  # fmt: skip

    def _need_operand(self, operator: Lexeme) -> None:
        """Refuse an operator that nothing follows, at the operator."""
        if self.here.mark in {Mark.END, Mark.CLOSE, Mark.AND, Mark.OR, Mark.NEAR}:
            raise self._missing(operator)

    def _missing(self, one: Lexeme) -> QueryRefused:
        if one.mark is Mark.CLOSE and self.depth == 0:
            return refusal(
                ProblemCode.UNOPENED_PARENTHESIS, one.place.start, one.place.end,
                "No parenthesis before this one is open.",
            )  # fmt: skip
        name = f"NEAR/{one.distance}" if one.mark is Mark.NEAR else one.mark.value
        return refusal(
            ProblemCode.MISSING_OPERAND, one.place.start, one.place.end,
            f"{name} needs something to look for beside it; for the word itself write it small or in quotation marks.",
        )  # fmt: skip


def _operand(node: Node, place: Place) -> tuple[Term, ...]:
    match node:
        case Term():
            return (node,)
        case Or() if all(isinstance(one, Term) for one in node.nodes):
            return tuple(one for one in node.nodes if isinstance(one, Term))
        case _:
            what = "AND" if isinstance(node, And) else "fields, NOT, NEAR or AND"
            raise refusal(
                ProblemCode.NEAR_OPERAND, place.start, place.end,
                f"NEAR takes a word, a phrase, a tag, a handle, or several of them with OR in parentheses; no {what}.",
            )  # fmt: skip
