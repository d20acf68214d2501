"""Saved queries: each change is a new version, and holds from the next mention on."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import delete as delete_rows
from sqlalchemy import func
from sqlmodel import col, select

from shared.analysis.queries.anchors import anchors
from shared.analysis.queries.lexing import MOST_CHARACTERS
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.problems import QueryProblem, QueryRefused
from shared.analysis.queries.seen import Seen
from shared.analysis.queries.tree import Node, leaves
from shared.contract import storable
from shared.db import Session
from shared.domain.brands import audit
from shared.domain.listening import matches, record
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.enums import GrantRole, KeyScope, QueryGroup
from shared.models.query import SavedQuery, SavedQueryVersion

MOST = 1_000
MOST_TERMS = 50_000
MOST_BROAD = 20

Text = Annotated[str, BeforeValidator(lambda value: storable(value) if isinstance(value, str) else value)]


class QueryDraft(BaseModel):
    """A new query."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(min_length=1, max_length=200)
    expression: Text = Field(max_length=MOST_CHARACTERS + 1)
    group: QueryGroup = QueryGroup.BRAND


class QueryChanges(BaseModel):
    """What may change; what is not set stays."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    expression: Text | None = Field(default=None, max_length=MOST_CHARACTERS + 1)
    group: QueryGroup | None = None


async def create(session: Session, scope: Scope, *, draft: QueryDraft, now: datetime) -> SavedQuery:
    """Begin to listen. Raises Invalid for an expression that means nothing, Conflict where the brand has too many."""
    node = read(draft.expression)
    await _writing(session, scope)
    query = SavedQuery(
        brand_id=scope.brand_id, name=draft.name, expression=draft.expression, group=draft.group,
        terms=_terms(node), is_broad=_is_broad(node), created_by=_who(scope), updated_by=_who(scope),
        created_at=now, updated_at=now,
    )  # fmt: skip
    await _refuse_too_many(session, scope, query)
    session.add(query)
    await session.flush()
    await _keep_version(session, query)
    await audit.add(session, scope, "query.create", typeid(Prefix.QUERY, query.id))
    return query


async def change(
    session: Session, scope: Scope, query_id: UUID, *, changes: QueryChanges, now: datetime, if_version: int | None
) -> SavedQuery:
    """Save another version. What the query has matched stays, with the version that matched it.

    Raises NotFound, Stale, Invalid and Conflict.
    """
    node = read(changes.expression) if changes.expression is not None else None
    await _writing(session, scope)
    query = await _held(session, scope, query_id, if_version)
    for name in sorted(changes.model_fields_set):
        value = getattr(changes, name)
        if value is None:
            raise Invalid([Problem("required", f"{name} can't be null", (name,))])
        setattr(query, name, value)
    if node is not None:
        query.terms, query.is_broad = _terms(node), _is_broad(node)
        await _refuse_too_many(session, scope, query)
    query.updated_at, query.updated_by, query.version = now, _who(scope), query.version + 1
    await session.flush()
    await _keep_version(session, query)
    await audit.add(session, scope, "query.update", typeid(Prefix.QUERY, query_id))
    return query


async def delete(session: Session, scope: Scope, query_id: UUID, *, if_version: int | None = None) -> SavedQuery:
    """Listen no longer: the query, its versions and what it matched go. Raises NotFound, Stale."""
    zone = await _writing(session, scope)
    query = await _held(session, scope, query_id, if_version)
    await matches.forget_query(session, scope.brand_id, zone, query_id)
    await session.execute(
        delete_rows(SavedQueryVersion).where(
            col(SavedQueryVersion.brand_id) == scope.brand_id, col(SavedQueryVersion.query_id) == query_id
        )
    )
    await session.delete(query)
    await session.flush()
    await audit.add(session, scope, "query.delete", typeid(Prefix.QUERY, query_id))
    return query


async def get(session: Session, scope: Scope, query_id: UUID) -> SavedQuery:
    """One query. Raises NotFound."""
    found = (await by_ids(session, scope, [query_id])).get(query_id)
    if found is None:
        raise _unknown(query_id)
    return found


async def by_ids(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, SavedQuery]:
    wanted = select(SavedQuery).where(col(SavedQuery.brand_id) == scope.brand_id, col(SavedQuery.id).in_(ids))
    return {one.id: one for one in (await session.execute(wanted)).scalars()}


async def list_(session: Session, scope: Scope) -> list[SavedQuery]:
    """All of the brand's, in the order in which they were made."""
    wanted = select(SavedQuery).where(col(SavedQuery.brand_id) == scope.brand_id).order_by(col(SavedQuery.id))
    return list((await session.execute(wanted)).scalars())


async def versions(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, list[SavedQueryVersion]]:
    """Every version of each query, the newest first."""
    wanted = (
        select(SavedQueryVersion)
        .where(col(SavedQueryVersion.brand_id) == scope.brand_id, col(SavedQueryVersion.query_id).in_(ids))
        .order_by(col(SavedQueryVersion.query_id), col(SavedQueryVersion.version).desc())
    )
    found: dict[UUID, list[SavedQueryVersion]] = {}
    for one in (await session.execute(wanted)).scalars():
        found.setdefault(one.query_id, []).append(one)
    return found


def read(expression: str) -> Node:
    """The tree of an expression. Raises Invalid at `expression`, with the place in words."""
    try:
        return parse(expression)
    except QueryRefused as refused:
        raise Invalid([problem_of(refused.problem)]) from None


def problem_of(problem: QueryProblem) -> Problem:
    """What is wrong with an expression, as any problem is told."""
    where = f"characters {problem.start} to {problem.end}"
    return Problem(problem.code.value, f"{problem.message} ({where})", ("expression",))


async def _writing(session: Session, scope: Scope) -> ZoneInfo:
    """Nothing of the brand is recorded meanwhile: a mention meets either the queries before or those after."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    return await record.lock_brand(session, scope.brand_id)


async def _held(session: Session, scope: Scope, query_id: UUID, if_version: int | None) -> SavedQuery:
    wanted = (
        select(SavedQuery)
        .where(col(SavedQuery.brand_id) == scope.brand_id, col(SavedQuery.id) == query_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    query = (await session.execute(wanted)).scalar_one_or_none()
    if query is None:
        raise _unknown(query_id)
    if if_version is not None and query.version != if_version:
        raise Stale(f"the query is at version {query.version}, not {if_version}: read it again")
    return query


async def _refuse_too_many(session: Session, scope: Scope, query: SavedQuery) -> None:
    wanted = select(
        func.count(),
        func.coalesce(func.sum(col(SavedQuery.terms)), 0),
        func.count().filter(col(SavedQuery.is_broad)),
    ).where(col(SavedQuery.brand_id) == scope.brand_id, col(SavedQuery.id) != query.id)
    with session.no_autoflush:
        count, terms, broad = (await session.execute(wanted)).one()
    if count >= MOST:
        raise Conflict(f"a brand has at most {MOST:,} queries", code="too_many_queries")
    if terms + query.terms > MOST_TERMS:
        raise Conflict(f"a brand's queries have at most {MOST_TERMS:,} terms together", code="too_many_terms")
    if query.is_broad and broad >= MOST_BROAD:
        message = (
            f"nothing in this query can be waited for, and a brand has at most {MOST_BROAD} of that kind: add a word"
        )
        raise Conflict(message, code="too_many_broad_queries")


async def _keep_version(session: Session, query: SavedQuery) -> None:
    session.add(
        SavedQueryVersion(
            brand_id=query.brand_id, query_id=query.id, version=query.version, name=query.name,
            expression=query.expression, group=query.group, saved_by=query.updated_by, saved_at=query.updated_at,
        )
    )  # fmt: skip
    await session.flush()


def _terms(node: Node) -> int:
    return sum(1 for _ in leaves(node))


def _is_broad(node: Node) -> bool:
    return anchors(node, Seen()) is None


def _who(scope: Scope) -> UUID | None:
    return scope.principal.user_id if scope.principal is not None else None


def _unknown(query_id: UUID) -> NotFound:
    return NotFound(f"there is no query with the id {typeid(Prefix.QUERY, query_id)!r}")
