"""A root mutation field: one transaction, committed with its data or rolled back with its errors, then the bells."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.api import idempotency
from services.api.context import Context, Tries, searched_brands
from services.api.errors import known
from services.api.idempotency import Asked
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.nodes import brand_of
from shared.domain.scope import Principal, Scope
from shared.errors import Invalid, NotAuthenticated, ParvisError, Problem
from shared.ids import Prefix, parse_typeid
from shared.queues import Task

S = TypeVar("S")
T = TypeVar("T")
_BRAND = "brand"  # under this name what is kept of a mutation says whose it was

Act = Callable[[Session, Scope], Awaitable[T]]
Again = Callable[[Session, Scope, dict[str, Any]], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class Target:
    """What a mutation is about: a brand, or a thing whose brand is looked up."""

    prefix: Prefix
    id: str

    def parse(self) -> UUID:
        """Raises NotFound."""
        return parse_typeid(self.prefix, self.id)


@dataclass(slots=True)
class Outcome(Generic[T]):
    """What a mutation brought about, or why it did not."""

    thing: T | None = None
    problems: list[Problem] = field(default_factory=list)
    was_replayed: bool = False


@dataclass(slots=True)
class _Attempt:
    is_committing: bool = False


async def nothing() -> None:
    """What most mutations need beforehand."""


async def mutate(
    context: Context,
    response_key: str,
    target: Target,
    act: Act[T],
    *,
    kept: Callable[[T], dict[str, Any]],
    again: Again[T],
    bells: Sequence[Task] = (),
    before: Callable[[], Awaitable[None]] = nothing,
) -> Outcome[T]:
    """Run `act` in a transaction of its own, after what must come `before` any.

    A repeat under the same idempotency key gets `again` from what was `kept`. Expected failures become problems, and
    nothing of them is written.
    """

    async def opened(session: Session, principal: Principal, before: dict[str, Any] | None) -> Scope:
        # A repeat is about the same brand as the first, also where the first has deleted what told which one it is.
        brand_id = (
            UUID(before[_BRAND]) if before and _BRAND in before else await _brand(session, context, principal, target)
        )
        return await scopes.open_brand(session, principal, brand_id)

    def kept_with_brand(thing: T, scope: Scope) -> dict[str, Any]:
        return {**kept(thing), _BRAND: str(scope.brand_id)}

    return await _run(context, response_key, _Verb(opened, act, kept_with_brand, again), bells, before)


async def mutate_own(
    context: Context,
    response_key: str,
    act: Callable[[Session, Principal], Awaitable[T]],
    *,
    kept: Callable[[T], dict[str, Any]],
    again: Callable[[Session, Principal, dict[str, Any]], Awaitable[T]],
    bells: Sequence[Task] = (),
    before: Callable[[], Awaitable[None]] = nothing,
) -> Outcome[T]:
    """`mutate` for what is the principal's own and of no one brand."""

    async def opened(_session: Session, principal: Principal, _before: dict[str, Any] | None) -> Principal:
        return principal

    return await _run(context, response_key, _Verb(opened, act, lambda thing, _: kept(thing), again), bells, before)


@dataclass(frozen=True, slots=True)
class _Verb(Generic[S, T]):
    """What is done, with what (`opened`), what is kept of it, and how a repeat finds it again."""

    opened: Callable[[Session, Principal, dict[str, Any] | None], Awaitable[S]]
    act: Callable[[Session, S], Awaitable[T]]
    kept: Callable[[T, S], dict[str, Any]]
    again: Callable[[Session, S, dict[str, Any]], Awaitable[T]]


async def _run(
    context: Context,
    response_key: str,
    verb: _Verb[S, T],
    bells: Sequence[Task],
    before: Callable[[], Awaitable[None]],
) -> Outcome[T]:
    await context.begin_field()
    try:
        await before()
    except ParvisError as error:
        return Outcome(problems=problems_of(error))
    tries = Tries.begin(context.services.settings)
    for attempt in count(1):
        state = _Attempt()
        try:
            outcome = await _once(context, response_key, verb, state)
            break
        except Exception as error:
            if not state.is_committing and tries.go_on(attempt, error):
                continue
            found = known(error)
            if found is None or isinstance(found, NotAuthenticated):
                raise
            return Outcome(problems=problems_of(found))
    if not outcome.was_replayed:
        for bell in bells:
            context.services.queues.ring(bell)
    return outcome


async def _once(context: Context, response_key: str, verb: _Verb[S, T], state: _Attempt) -> Outcome[T]:
    services = context.services
    what = asked(context, response_key)
    async with services.db.session() as session:
        principal = await scopes.enter(session, context.api_key)
        before = await idempotency.recall(session, services.vault, principal, what) if what else None
        opened = await verb.opened(session, principal, before)
        if before is not None:
            context.was_replayed = True
            outcome = Outcome(await verb.again(session, opened, before), was_replayed=True)
        else:
            thing = await verb.act(session, opened)
            if what:
                remembered = verb.kept(thing, opened)
                await idempotency.remember(session, services.vault, principal, what, remembered, now=services.clock())
            outcome = Outcome(thing)
        state.is_committing = True
    return outcome


def asked(context: Context, response_key: str) -> Asked | None:
    """The idempotency key of one root field: the request's, and the name under which the field is answered."""
    if context.idempotency_key is None:
        return None
    what = idempotency.asked(context.idempotency_key, context.request_digest)
    assert what is not None
    return Asked(f"{what.key}#{response_key}", what.digest)


async def _brand(session: Session, context: Context, principal: Principal, target: Target) -> UUID:
    id_ = target.parse()
    if target.prefix is Prefix.BRAND:
        return id_
    searched = searched_brands(principal, context.brand_hint)
    await scopes.see(session, searched)
    return await brand_of(session, searched, target.prefix, id_)


def problems_of(error: ParvisError) -> list[Problem]:
    """A failure as the errors of a payload, with GraphQL's upper-case codes and the input's own field names."""
    found = error.problems if isinstance(error, Invalid) else (Problem(error.code, error.message),)
    if isinstance(error, Invalid) and error.code != "invalid":
        found = tuple(Problem(error.code, p.message, p.path) for p in found)
    return [
        Problem(p.code.upper(), p.message, tuple(camel(part) if isinstance(part, str) else part for part in p.path))
        for p in found
    ]


def camel(name: str) -> str:
    """A field's name as GraphQL spells it."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
