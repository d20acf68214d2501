"""Who did what to which thing: entries are added in the transaction of the deed, and never changed."""

from uuid import UUID

from sqlalchemy import select

from shared.db import Session
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.models.base import JsonObject
from shared.models.enums import GrantRole, KeyScope
from shared.models.organization import AuditEntry

_KIND = "audit"


async def add(
    session: Session,
    scope: Scope | None,
    action: str,
    target: str,
    details: JsonObject | None = None,
    *,
    organization_id: UUID | None = None,
) -> None:
    """Remember a deed in its own transaction. `target` is a public id; `details` never holds a secret or a text.

    Without a scope the deed was the platform's own, done to `organization_id`.
    """
    principal = scope.principal if scope is not None else None
    session.add(
        AuditEntry(  # type: ignore[call-arg]  # `at` is the database's own clock
            organization_id=principal.organization_id if principal is not None else organization_id,
            brand_id=scope.brand_id if scope is not None else None,
            user_id=principal.user_id if principal is not None else None,
            api_key_id=principal.key_id if principal is not None else None,
            action=action,
            target=target,
            details=details or {},
        )
    )
    await session.flush()


async def search(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[AuditEntry]:
    """What was done to the brand, newest first; for those who administer it."""
    scope.require(KeyScope.ADMIN, GrantRole.MANAGER)
    query = select(AuditEntry).where(AuditEntry.brand_id == scope.brand_id)  # type: ignore[arg-type]
    if page.cursor is not None:
        before = UUID(cursors.decode(scope.brand_id, _KIND, "", page.cursor)[0])
        query = query.where(AuditEntry.id < before)  # type: ignore[arg-type]
    query = query.order_by(AuditEntry.id.desc()).limit(page.limit + 1)  # type: ignore[attr-defined]
    rows = list((await session.execute(query)).scalars())
    return Page.cut(rows, page.limit, lambda entry: cursors.encode(scope.brand_id, _KIND, "", [str(entry.id)]))
