"""The document that is asked for all the time, pages of a brand's mentions, answered without the executor.

What the executor and its resolvers do for `brand { mentions { … } }` is decided once a document: which brand, which
lists, which columns. A request then is one transaction of two statements: enter with the key and see the brand, read
the page. Whatever is not plainly of this form, and whatever fails but the key, goes the ordinary way and is answered
there, so both ways give the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    OperationDefinitionNode,
    OperationType,
)
from strawberry.types.arguments import convert_arguments

from services.api.completed import Paging, Plan, plan
from services.api.context import Services
from services.api.graphql.documents import KEPT_PLANS, Document
from services.api.graphql.engine import Asked, Engine, Prepared
from services.api.graphql.failures import answer
from services.api.graphql.variables import Arguments, Variables
from services.api.schema import SCHEMA
from services.api.schema.connection import requested
from services.api.selected import Selected, Unknown
from shared.domain import scope as scopes
from shared.domain.listening import mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.errors import ParvisError
from shared.ids import Prefix, parse_typeid
from shared.models.enums import KeyScope, MentionOrder

_QUERY = SCHEMA._schema.query_type
_MENTIONS: GraphQLField = SCHEMA._schema.type_map["Brand"].fields["mentions"]  # type: ignore[attr-defined]
_OF_BRAND = frozenset({"name", "timezone", "languages"})
Given = Callable[[Arguments], dict[str, Any]]
_READ_BRAND = "SELECT name, timezone, languages FROM brand WHERE brand_id = $1"


@dataclass(frozen=True, slots=True)
class _Listed:
    """One `mentions` below the brand."""

    arguments: Arguments
    plan: Plan


@dataclass(frozen=True, slots=True)
class _Form:
    """A document of the form that is known here: the brand's field, and below it words of its row and lists."""

    key: str
    arguments: Arguments
    entries: tuple[tuple[str, str | _Listed], ...]
    needs_row: bool
    is_plain: bool


@dataclass(frozen=True, slots=True)
class Quick:
    """A request of that form: what is left to do is to read."""

    form: _Form
    brand_id: UUID
    brand_name: str
    pages: Mapping[str, Paging]
    cost: int


def read(engine: Engine, services: Services, asked: Asked) -> Quick | None:
    """The request, if its document was answered before and is of the form; None: it goes the ordinary way."""
    document = engine.documents.known(asked.query)
    if document is None or document.errors != []:
        return None
    prepared = engine.prepare(asked)
    if not isinstance(prepared, Prepared) or prepared.kind is not OperationType.QUERY:
        return None
    operation = document.operation(asked.operation_name)
    assert operation is not None
    variables = document.forms.get(asked.operation_name)
    if variables is None:
        variables = document.forms[asked.operation_name] = Variables(engine.schema, operation)
    known = variables.values(asked.variables)
    form = _form(document, operation, known) if known is not None else None
    if form is None or known is None:
        return None
    full = None if form.is_plain else variables.full(asked.variables)

    def given(arguments: Arguments) -> dict[str, Any]:
        return arguments.plain(known) if full is None else arguments.full(full)

    try:
        return _filled(form, services, given, prepared.cost)
    except (ParvisError, GraphQLError, ValueError, TypeError):
        return None


async def run(quick: Quick, services: Services, api_key: str) -> tuple[dict[str, Any], UUID] | None:
    """The answer and the key that was used. Raises NotAuthenticated, and what a lost database raises before that."""
    async with services.db.lent() as connection:
        entered = await scopes.enter_brand(connection, api_key, quick.brand_id)
        if entered.role is None or not entered.scopes & {KeyScope.READ, KeyScope.ALL}:
            return None
        try:
            data = await _read(quick, connection)
        except (ParvisError, asyncpg.PostgresError):
            return None
    return answer({quick.form.key: data}, [], quick.cost), entered.key_id


async def _read(quick: Quick, connection: "asyncpg.Connection[Any]") -> dict[str, Any] | None:
    row = await connection.fetchrow(_READ_BRAND, quick.brand_id) if quick.form.needs_row else None
    if row is None and quick.form.needs_row:
        return None
    found: dict[str, Any] = {}
    for key, entry in quick.form.entries:
        if isinstance(entry, _Listed):
            paging = quick.pages[key]
            values = mentions.parameters(paging.scope, paging.where, paging.start())
            found[key] = paging.written(await paging.read(connection, values, False, paging.page.limit + 1))
        elif entry == "id":
            found[key] = quick.brand_name
        else:
            found[key] = "Brand" if entry == "__typename" or row is None else row[entry]
    return found


# ---------------------------------------------------------------- from document to form


def _form(document: Document, operation: OperationDefinitionNode, known: Mapping[str, Any]) -> _Form | None:
    """The form of an operation, found once a document and set of switches."""
    switches = tuple(sorted((name, value) for name, value in known.items() if isinstance(value, bool)))
    key = (operation.name.value if operation.name else None, switches)
    if key not in document.forms:
        if len(document.forms) >= KEPT_PLANS:
            document.forms.clear()
        try:
            document.forms[key] = _found(document, operation, known)
        except Unknown:
            document.forms[key] = None
    form: _Form | None = document.forms[key]
    return form


def _found(document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> _Form:
    """Raises Unknown."""
    fragments = {d.name.value: d for d in document.node.definitions if isinstance(d, FragmentDefinitionNode)}
    selected = Selected(fragments, variables)
    roots = selected.fields([operation], {"Query"})
    if operation.directives or len(roots) != 1:
        raise Unknown
    ((key, nodes),) = roots.items()
    brand = _only(nodes)
    if brand.name.value != "brand":
        raise Unknown
    assert _QUERY is not None
    which = Arguments(_QUERY.fields["brand"], brand)
    below = selected.fields(nodes, {"Brand", "Node"})
    entries = tuple((name, _entry(_only(same), fragments, variables)) for name, same in below.items())
    return _Form(
        key,
        which,
        entries,
        needs_row=any(entry in _OF_BRAND for _, entry in entries if isinstance(entry, str)),
        is_plain=which.is_plain and all(e.arguments.is_plain for _, e in entries if isinstance(e, _Listed)),
    )


def _only(nodes: list[FieldNode]) -> FieldNode:
    """A field that is selected once under its key. Raises Unknown."""
    if len(nodes) != 1:
        raise Unknown
    return nodes[0]


def _entry(node: FieldNode, fragments: Mapping[str, Any], variables: Mapping[str, Any]) -> str | _Listed:
    """What a field of the brand is answered from. Raises Unknown."""
    word = node.name.value
    if word in _OF_BRAND or word in {"id", "__typename"}:
        return word
    how = plan([node], fragments, variables) if word == "mentions" else None
    if how is None:
        raise Unknown
    return _Listed(Arguments(_MENTIONS, node), how)


# ---------------------------------------------------------------- from form and variables to pages


def _filled(form: _Form, services: Services, given: Given, cost: int) -> Quick | None:
    """Raises as the arguments' own types do; None where words are searched for, which takes several statements."""
    name = given(form.arguments)["id"]
    brand_id = parse_typeid(Prefix.BRAND, name)
    scope = Scope(brand_id)
    pages: dict[str, Paging] = {}
    for key, entry in form.entries:
        if isinstance(entry, str):
            continue
        asked = given(entry.arguments)
        where = asked.get("where")
        if where is not None:
            where = _where(where)
            if where.words is not None:
                return None
        page = requested(asked.get("first"), asked.get("after"))
        order = asked.get("order") or MentionOrder.NEWEST
        pages[key] = Paging(entry.plan, scope, where or MentionFilter(), order, page, services.cursors)
    return Quick(form, brand_id, name, pages, cost)


def _where(given: Any) -> MentionFilter:
    """The filter as its resolver would have it. Raises ParvisError."""
    declared = _MENTIONS.extensions["strawberry-definition"].arguments
    registry = SCHEMA.schema_converter.scalar_registry
    read: MentionFilter = convert_arguments({"where": given}, declared, registry, SCHEMA.config)["where"].read()
    return read
