"""What the verbs share: a thing is looked up, acted upon in one transaction, and answered."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from services.api.mutating import Outcome, Target, mutate, nothing
from services.api.schema.connection import Info
from services.api.schema.outgoing import Problem
from shared import errors
from shared.db import Session
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid
from shared.queues import Task


def errors_of(problems: Sequence[errors.Problem]) -> list[Problem]:
    """What went wrong, as a payload shows it."""
    return [Problem(code=p.code, message=p.message, path=[str(part) for part in p.path]) for p in problems]


def key_of(info: Info) -> str:
    """The name under which this field is answered."""
    return str(info.path.key)


Act = Callable[[Session, Scope, UUID], Awaitable[Any]]


async def on(
    info: Info,
    prefix: Prefix,
    id_: str,
    act: Act,
    load: Callable[[Session, Scope, UUID], Awaitable[Any]],
    bells: Sequence[Task] = (),
    before: Callable[[], Awaitable[None]] = nothing,
) -> Outcome[Any]:
    """`act` on the thing of this id. A repeat reads the thing as it now is."""

    async def run(session: Session, scope: Scope) -> Any:
        return await act(session, scope, parse_typeid(prefix, id_))

    async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> Any:
        return await load(session, scope, UUID(kept["id"]))

    return await mutate(
        info.context,
        key_of(info),
        Target(prefix, id_),
        run,
        kept=lambda thing: {"id": str(thing.id)},
        again=again,
        bells=bells,
        before=before,
    )
