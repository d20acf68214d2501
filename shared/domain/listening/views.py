"""Views: filters of mentions that people keep under a name."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from sqlalchemy import func
from sqlmodel import col, select

from shared.contract import storable
from shared.db import Session
from shared.domain.brands import audit
from shared.domain.listening import record
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.narrowing import narrowed
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models import Channel, Identity, SavedQuery, Thread, View
from shared.models.base import JsonObject
from shared.models.enums import GrantRole, KeyScope, MentionOrder

MOST = 500  # of a brand
MOST_VALUES = 100  # of each list in a filter
LONGEST_VALUE = 100
_KIND = "views"
_FILTER = TypeAdapter(MentionFilter)
_NAMED: dict[str, tuple[Prefix, Any]] = {
    "channel_ids": (Prefix.CHANNEL, Channel),
    "query_ids": (Prefix.QUERY, SavedQuery),
    "author_id": (Prefix.IDENTITY, Identity),
    "thread_id": (Prefix.THREAD, Thread),
}

Text = Annotated[str, BeforeValidator(lambda value: storable(value) if isinstance(value, str) else value)]


class ViewDraft(BaseModel):
    """A new view."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(min_length=1, max_length=200)
    where: MentionFilter = MentionFilter()
    order: MentionOrder = MentionOrder.NEWEST


class ViewChanges(BaseModel):
    """What may change; what is not set stays, and a filter is replaced whole."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(default=None, min_length=1, max_length=200)
    where: MentionFilter | None = None
    order: MentionOrder | None = None


def filter_of(view: View) -> MentionFilter:
    """The filter that a view keeps."""
    return _FILTER.validate_python(view.where)


async def create(session: Session, scope: Scope, *, draft: ViewDraft, now: datetime) -> View:
    """Keep a filter. Raises Invalid for what means nothing here, Conflict where the brand has as many as it may."""
    _require(scope)
    await record.lock_brand(session, scope.brand_id)
    count = select(func.count()).where(col(View.brand_id) == scope.brand_id)
    if (await session.execute(count)).scalar_one() >= MOST:
        raise Conflict(f"a brand has at most {MOST} views: delete one first", code="too_many")
    view = View(
        brand_id=scope.brand_id, name=draft.name, where=await _kept(session, scope, draft.where, draft.order),
        order=draft.order, created_by=scope.principal.user_id if scope.principal is not None else None,
        created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(view)
    await session.flush()
    await audit.add(session, scope, "view.create", typeid(Prefix.VIEW, view.id))
    return view


async def change(
    session: Session, scope: Scope, view_id: UUID, *, changes: ViewChanges, now: datetime, if_version: int | None
) -> View:
    """Change a view. Raises NotFound, Stale, Invalid."""
    view = await _held(session, scope, view_id, if_version)
    for name in sorted(changes.model_fields_set):
        if getattr(changes, name) is None:
            raise Invalid([Problem("required", f"{name} can't be null", (name,))])
    where = changes.where if changes.where is not None else filter_of(view)
    order = changes.order or view.order
    if changes.model_fields_set & {"where", "order"}:
        view.where, view.order = await _kept(session, scope, where, order), order
    view.name = changes.name or view.name
    view.updated_at, view.version = now, view.version + 1
    await session.flush()
    await audit.add(session, scope, "view.update", typeid(Prefix.VIEW, view_id))
    return view


async def delete(session: Session, scope: Scope, view_id: UUID, *, if_version: int | None) -> View:
    """Keep it no longer. Raises NotFound, Stale."""
    view = await _held(session, scope, view_id, if_version)
    await session.delete(view)
    await session.flush()
    await audit.add(session, scope, "view.delete", typeid(Prefix.VIEW, view_id))
    return view


async def get(session: Session, scope: Scope, view_id: UUID) -> View:
    """One view. Raises NotFound."""
    wanted = select(View).where(col(View.brand_id) == scope.brand_id, col(View.id) == view_id)
    view = (await session.execute(wanted)).scalar_one_or_none()
    if view is None:
        raise _unknown(view_id)
    return view


async def search(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[View]:
    """The brand's views, the newest made first."""
    wanted = select(View).where(col(View.brand_id) == scope.brand_id)
    if page.cursor is not None:
        wanted = wanted.where(col(View.id) < UUID(cursors.decode(scope.brand_id, _KIND, "", page.cursor)[0]))
    found = (await session.execute(wanted.order_by(col(View.id).desc()).limit(page.limit + 1))).scalars().all()
    return Page.cut(found, page.limit, lambda one: cursors.encode(scope.brand_id, _KIND, "", [str(one.id)]))


async def looked_at(
    session: Session, scope: Scope, view_id: UUID, *, more: MentionFilter, order: MentionOrder | None
) -> tuple[MentionFilter, MentionOrder]:
    """What a view shows, narrowed by `more`, and in which order: `order`, or its own.

    Raises NotFound, Invalid, and Conflict (`view_outlived`) where the view names something that is gone: it would show
    something else than what was meant.
    """
    view = await get(session, scope, view_id)
    where = filter_of(view)
    gone = await _gone(session, scope, where)
    if gone:
        named = ", ".join(typeid(_NAMED[name][0], id_) for name, id_ in gone[:3])
        raise Conflict(
            f"the view names what is no longer there ({named}): change it or delete it", code="view_outlived"
        )
    return narrowed(where, more), order or view.order


async def _kept(session: Session, scope: Scope, where: MentionFilter, order: MentionOrder) -> JsonObject:
    """The filter as it is stored. Raises Invalid for what it can't mean."""
    problems = [
        Problem("too_many", f"{name} has at most {MOST_VALUES} values", ("where", name))
        for name in (field.name for field in fields(where))
        if isinstance(value := getattr(where, name), tuple) and len(value) > MOST_VALUES
    ]
    if any(len(language) > LONGEST_VALUE for language in where.languages or ()):
        problems.append(
            Problem("too_long", f"a language has at most {LONGEST_VALUE} characters", ("where", "languages"))
        )
    if order is MentionOrder.BEST and where.words is None:
        message = "best first is the order of a search: give words to search for, or another order"
        problems.append(Problem("search_needed", message, ("order",)))
    if not problems:
        unknown = {name: _NAMED[name][0].name.lower() for name, _ in await _gone(session, scope, where)}
        problems = [
            Problem(f"unknown_{noun}", f"this brand has no such {noun}", ("where", name))
            for name, noun in unknown.items()
        ]
    if problems:
        raise Invalid(problems)
    kept: JsonObject = _FILTER.dump_python(replace(where, search=where.words), mode="json", exclude_defaults=True)
    return kept


async def _gone(session: Session, scope: Scope, where: MentionFilter) -> list[tuple[str, UUID]]:
    """What the filter names that the brand does not have."""
    gone: list[tuple[str, UUID]] = []
    for name, (_, table) in _NAMED.items():
        value = getattr(where, name)
        wanted = (value if isinstance(value, tuple) else (value,)) if value is not None else ()
        if wanted:
            there = select(table.id).where(col(table.brand_id) == scope.brand_id, col(table.id).in_(wanted))
            known = set((await session.execute(there)).scalars())
            gone += [(name, id_) for id_ in wanted if id_ not in known]
    return gone


async def _held(session: Session, scope: Scope, view_id: UUID, if_version: int | None) -> View:
    _require(scope)
    wanted = (
        select(View)
        .where(col(View.brand_id) == scope.brand_id, col(View.id) == view_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    view = (await session.execute(wanted)).scalar_one_or_none()
    if view is None:
        raise _unknown(view_id)
    if if_version is not None and view.version != if_version:
        raise Stale(f"the view is at version {view.version}, not {if_version}: read it again")
    return view


def _require(scope: Scope) -> None:
    scope.require(KeyScope.RESPOND, GrantRole.RESPONDER)


def _unknown(view_id: UUID) -> NotFound:
    return NotFound(f"there is no view with the id {typeid(Prefix.VIEW, view_id)!r}")
