"""Reading the trees in which things were said."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, exists, tuple_
from sqlmodel import col, select

from shared.db import Session
from shared.domain.listening import mentions
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models import Mention, Thread

_KIND = "threads"


async def search(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[Thread]:
    """A page of the threads in which something stands, the one with the newest word first."""
    statement = select(Thread).where(
        Thread.brand_id == scope.brand_id,
        exists().where(
            col(Mention.brand_id) == scope.brand_id,
            col(Mention.thread_id) == Thread.id,
            col(Mention.heard),
            col(Mention.deleted_at).is_(None),
        ),
    )
    if page.cursor is not None:
        at, id_ = cursors.decode(scope.brand_id, _KIND, "", page.cursor)
        statement = statement.where(
            tuple_(col(Thread.last_at), col(Thread.id)) < tuple_(datetime.fromisoformat(at), UUID(id_))
        )
    statement = statement.order_by(col(Thread.last_at).desc(), col(Thread.id).desc()).limit(page.limit + 1)
    found = (await session.execute(statement)).scalars().all()
    return Page.cut(
        found, page.limit, lambda t: cursors.encode(scope.brand_id, _KIND, "", [t.last_at.isoformat(), str(t.id)])
    )


async def by_ids(session: Session, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, Thread]:
    """The threads of these ids in which something was heard."""
    found = await session.execute(
        select(Thread).where(
            Thread.brand_id == scope.brand_id,
            col(Thread.id) == any_(bindparam("ids", list(ids), type_=ARRAY(Uuid))),
            exists().where(
                col(Mention.brand_id) == scope.brand_id,
                col(Mention.thread_id) == Thread.id,
                col(Mention.heard),
            ),
        )
    )
    return {thread.id: thread for thread in found.scalars()}


async def get(session: Session, scope: Scope, thread_id: UUID) -> Thread:
    """One thread. Raises NotFound."""
    found = (await by_ids(session, scope, [thread_id])).get(thread_id)
    if found is None:
        raise NotFound(f"there is no thread with the id {typeid(Prefix.THREAD, thread_id)!r}")
    return found


async def roots(session: Session, scope: Scope, threads: Sequence[Thread]) -> dict[UUID, Mention]:
    """The mention at the root of each thread, by the thread's id, where it was heard."""
    found = await mentions.by_keys(session, scope, [t.key for t in threads])
    return {t.id: found[t.key] for t in threads if t.key in found}
