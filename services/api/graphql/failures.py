"""GraphQL's errors: a stable code each, and nothing of ours that is nobody's business."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from services.api.errors import known
from shared.errors import Invalid, ParvisError
from shared.log import logger

_log = logger("graphql")


def written(error: GraphQLError, *, code: str | None = None) -> dict[str, Any]:
    """One entry of `errors`. What is a fault of our own says so, and is logged."""
    answer: dict[str, Any] = {"message": error.message}
    if error.locations:
        answer["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path:
        answer["path"] = list(error.path)
    extensions: dict[str, Any] = {"code": code or "BAD_USER_INPUT"}
    cause = error.original_error
    if isinstance(error, GraphQLSyntaxError):
        extensions["code"] = "GRAPHQL_PARSE_FAILED"
    elif error.path is None and isinstance(cause, ValueError | TypeError):
        pass  # a literal that its scalar can't read, found while validating: the message says what it should be
    elif cause is not None and not isinstance(cause, GraphQLError):
        found = known(cause)
        if found is None:
            _log.error("graphql.failed", exc_info=cause, path=error.path)
            answer["message"] = "something broke on our side; the request id helps to find it"
            extensions["code"] = "INTERNAL"
        else:
            answer["message"] = found.message
            extensions = extensions_of(found)
    answer["extensions"] = extensions
    return answer


def extensions_of(error: ParvisError) -> dict[str, Any]:
    """One wrong thing says its own code; several say INVALID and are listed."""
    if not isinstance(error, Invalid):
        return {"code": error.code.upper()}
    problems = [
        {"code": p.code.upper(), "message": p.message, "path": [str(part) for part in p.path]} for p in error.problems
    ]
    code = error.code if error.code != "invalid" or len(problems) != 1 else error.problems[0].code
    return {"code": code.upper(), "problems": problems}


def refused(code: str, message: str, cost: int = 0) -> dict[str, Any]:
    """The whole answer to a request that is not executed."""
    return {
        "data": None,
        "errors": [{"message": message, "extensions": {"code": code}}],
        "extensions": {"cost": cost},
    }


def answer(data: Any, errors: list[Mapping[str, Any]] | list[dict[str, Any]], cost: int) -> dict[str, Any]:
    """The whole answer to a request."""
    whole: dict[str, Any] = {"data": data}
    if errors:
        whole["errors"] = errors
    whole["extensions"] = {"cost": cost}
    return whole
