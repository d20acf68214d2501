"""Why a query is refused: a code, a place in the query, a sentence."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """The codes of docs/queries.md."""

    EMPTY = "empty"
    UNCLOSED_PARENTHESIS = "unclosed_parenthesis"
    UNOPENED_PARENTHESIS = "unopened_parenthesis"
    UNCLOSED_QUOTE = "unclosed_quote"
    MISSING_OPERAND = "missing_operand"
    EMPTY_GROUP = "empty_group"
    ONLY_NEGATIVE = "only_negative"
    WILDCARD_TOO_SHORT = "wildcard_too_short"
    NO_WORD = "no_word"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_VALUE = "unknown_value"
    BAD_NUMBER = "bad_number"
    NEAR_DISTANCE = "near_distance"
    NEAR_OPERAND = "near_operand"
    NEAR_CHAIN = "near_chain"
    TOO_LONG = "too_long"
    TOO_MANY_TERMS = "too_many_terms"
    TOO_DEEP = "too_deep"


@dataclass(frozen=True, slots=True)
class QueryProblem:
    """What is wrong from `start` to `end` (code points of the query, end exclusive), and what to do."""

    code: ProblemCode
    start: int
    end: int
    message: str


class QueryRefused(ValueError):
    """A query that means nothing; `problem` says where and why."""

    def __init__(self, problem: QueryProblem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def refusal(code: ProblemCode, start: int, end: int, message: str) -> QueryRefused:
    """What is raised."""
    return QueryRefused(QueryProblem(code, start, end, message))
