"""From the text of a document to an answer."""

import json
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSyntaxError, OperationType, execute
from graphql.execution.execute import execute_subscription, execute_subscription_event

from services.api.completed import Executor
from services.api.context import Context
from services.api.graphql.documents import Document, Documents
from services.api.graphql.failures import answer, refused, written
from services.api.graphql.limits import LimitExceeded, check
from services.api.schema import SCHEMA


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says, shape-checked: the rest is the executor's to judge."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """Document, variables and operation as bytes: the same for the same request, however its JSON was written."""
        try:
            variables = orjson.dumps(self.variables, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # a lone surrogate, or a number of more than 64 bits
            variables = json.dumps(self.variables, sort_keys=True).encode()
        document, operation = (
            text.encode("utf-8", "surrogatepass") for text in (self.query, self.operation_name or "")
        )
        return document, variables, operation


class BadRequest(Exception):
    """The body is no GraphQL request; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation within the limits, valid, and ready to run."""

    asked: Asked
    document: Document
    kind: OperationType
    cost: int


def read(value: object) -> Asked:
    """The request in a JSON value. Raises BadRequest, also for a batch."""
    if isinstance(value, list):
        raise BadRequest("send one operation a request: batches are not taken")
    if not isinstance(value, dict):
        raise BadRequest('send a JSON object such as {"query": "{ viewer { user { name } } }"}')
    query, variables, name = value.get("query"), value.get("variables"), value.get("operationName")
    if not isinstance(query, str):
        raise BadRequest("`query` must be the text of a document")
    if not isinstance(variables, dict | None):
        raise BadRequest("`variables` must be an object")
    if not isinstance(name, str | None):
        raise BadRequest("`operationName` must be text")
    return Asked(query, variables or {}, name or None)


class Engine:
    """The schema with its document cache; one a process."""

    def __init__(self) -> None:
        self.schema = SCHEMA._schema
        self.documents = Documents(self.schema)

    def prepare(self, asked: Asked) -> Prepared | dict[str, Any]:
        """The operation, or the answer that refuses it."""
        cost = 0
        try:
            document = self.documents.get(asked.query)
            measured = self.documents.measure(document, asked.operation_name, asked.variables)
            cost = measured.cost
            check(measured)
        except LimitExceeded as error:
            return refused(error.code, error.message, error.cost)
        except GraphQLSyntaxError as error:
            return answer(None, [written(error)], cost)
        problems = self.documents.problems(document)
        if problems:
            return answer(None, [written(p, code="GRAPHQL_VALIDATION_FAILED") for p in problems], cost)
        operation = document.operation(asked.operation_name)
        if operation is None:
            return refused("BAD_USER_INPUT", "say in `operationName` which of the document's operations is meant", cost)
        return Prepared(asked, document, operation.operation, cost)

    async def run(self, prepared: Prepared, context: Context) -> dict[str, Any]:
        """Execute a query or a mutation."""
        context.document = prepared.document
        result: Any = execute(
            self.schema,
            prepared.document.node,
            context_value=context,
            variable_values=prepared.asked.variables,
            operation_name=prepared.asked.operation_name,
            executor_class=Executor,
        )
        if isawaitable(result):
            result = await result
        return answer(result.data, [written(error) for error in result.errors or ()], prepared.cost)

    async def subscribe(self, prepared: Prepared, context: Context) -> "Stream | dict[str, Any]":
        """Open a subscription's source, or the answer that refuses it."""
        context.document = prepared.document
        executor = Executor.build(
            self.schema,
            prepared.document.node,
            context_value=context,
            raw_variable_values=prepared.asked.variables,
            operation_name=prepared.asked.operation_name,
        )
        if isinstance(executor, list):
            return answer(None, [written(error) for error in executor], prepared.cost)
        try:
            source = execute_subscription(executor)
            events = await source if isawaitable(source) else source
        except GraphQLError as error:
            return answer(None, [written(error)], prepared.cost)
        return Stream(executor, events, prepared)


@dataclass(frozen=True, slots=True)
class Stream:
    """An open subscription. Each event is executed with a context of its own."""

    executor: Any
    events: AsyncIterable[Any]
    prepared: Prepared

    async def run(self, event: Any, context: Context) -> dict[str, Any]:
        """What the subscriber selected of one event."""
        context.document = self.prepared.document
        executor = self.executor.build_per_event_executor(event)
        executor.context_value = context
        # The copy shares what is remembered of the selection, by the identity of lists that each event makes anew:
        # nothing of it would be found again, and all of it kept for as long as the subscription lasts.
        executor._relevant_sub_fields = {}
        result: Any = execute_subscription_event(executor)
        if isawaitable(result):
            result = await result
        return answer(result.data, [written(error) for error in result.errors or ()], self.prepared.cost)


def dump(value: Any) -> bytes:
    """An answer as JSON. A caller's own lone surrogates, quoted back, are written as escapes."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z)
    except TypeError:
        return json.dumps(value, default=_moment).encode()


def _moment(value: object) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
