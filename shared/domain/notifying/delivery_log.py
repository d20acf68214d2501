"""The log of webhooks: every message, every try, every answer, for whoever may see the endpoint."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain import scope as scopes
from shared.domain.notifying import endpoints
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Principal, Scope
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models.webhook import WebhookAttempt, WebhookDelivery

_KIND = "webhook deliveries"
_OLD = """
SELECT id FROM webhook_delivery WHERE brand_id = $1 AND state IN ('delivered', 'failed') AND settled_at < $2 LIMIT $3
"""
_FORGET_TRIES = "DELETE FROM webhook_attempt WHERE brand_id = $1 AND delivery_id = ANY ($2::uuid[])"
_FORGET = "DELETE FROM webhook_delivery WHERE brand_id = $1 AND id = ANY ($2::uuid[])"


async def get(session: Session, scope: Scope, delivery_id: UUID, *, locked: bool = False) -> WebhookDelivery:
    """One delivery of the brand. Raises NotFound."""
    wanted = select(WebhookDelivery).where(
        WebhookDelivery.brand_id == scope.brand_id, WebhookDelivery.id == delivery_id
    )
    found = (await session.execute(wanted.with_for_update() if locked else wanted)).scalar_one_or_none()
    if found is None:
        raise _unknown(delivery_id)
    return found


async def seen(session: Session, scope: Scope, delivery_id: UUID, *, locked: bool = False) -> WebhookDelivery:
    """One delivery to an endpoint that the principal may see. Raises NotFound."""
    found = await get(session, scope, delivery_id, locked=locked)
    assert scope.principal is not None
    try:
        await endpoints.get(session, scope.principal, found.endpoint_id, or_removed=True)
    except NotFound:
        raise _unknown(delivery_id) from None
    await scopes.see(session, [scope.brand_id])
    return found


async def again(session: Session, principal: Principal, brand_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """`seen` for who knows the brand. Raises NotFound."""
    return await seen(session, await scopes.open_brand(session, principal, brand_id), delivery_id)


async def search(
    session: Session, principal: Principal, endpoint_id: UUID, *, page: PageRequest, cursors: Cursors
) -> Page[WebhookDelivery]:
    """A page of what was sent to an endpoint, newest first; to a user's own over the brands of the key.

    Of one that has been removed, too.
    """
    endpoint = await endpoints.get(session, principal, endpoint_id, or_removed=True)
    brands = [endpoint.brand_id] if endpoint.brand_id is not None else sorted(principal.brands)
    wanted = select(WebhookDelivery).where(
        col(WebhookDelivery.brand_id).in_(brands), col(WebhookDelivery.endpoint_id) == endpoint.id
    )
    if page.cursor is not None:
        before = UUID(cursors.decode(endpoint.id, _KIND, "", page.cursor)[0])
        wanted = wanted.where(col(WebhookDelivery.id) < before)
    wanted = wanted.order_by(col(WebhookDelivery.id).desc()).limit(page.limit + 1)
    rows = list((await session.execute(wanted)).scalars())
    return Page.cut(rows, page.limit, lambda one: cursors.encode(endpoint.id, _KIND, "", [str(one.id)]))


async def attempts_of(session: Session, found: Sequence[WebhookDelivery]) -> dict[UUID, list[WebhookAttempt]]:
    """Every try at these deliveries, in order; a statement for each of their brands."""
    by_brand: dict[UUID, list[UUID]] = defaultdict(list)
    for one in found:
        by_brand[one.brand_id].append(one.id)
    tried: dict[UUID, list[WebhookAttempt]] = {}
    for brand_id in sorted(by_brand):
        tried |= await attempts(session, brand_id, by_brand[brand_id])
    return tried


async def attempts(session: Session, brand_id: UUID, ids: Sequence[UUID]) -> dict[UUID, list[WebhookAttempt]]:
    """Every try at these deliveries of a brand that the transaction sees."""
    wanted = (
        select(WebhookAttempt)
        .where(col(WebhookAttempt.brand_id) == brand_id, col(WebhookAttempt.delivery_id).in_(ids))
        .order_by(col(WebhookAttempt.number))
    )
    tried: dict[UUID, list[WebhookAttempt]] = {id_: [] for id_ in ids}
    for row in (await session.execute(wanted)).scalars():
        tried[row.delivery_id].append(row)
    return tried


async def forget(session: Session, scope: Scope, *, before: datetime, limit: int) -> int:
    """Let go of deliveries that are over since `before`, at most `limit`, and their tries; how many those were."""
    connection = await driver(session)
    rows = await connection.fetch(_OLD, scope.brand_id, before, limit)
    ids = [row["id"] for row in rows]
    if ids:
        await connection.execute(_FORGET_TRIES, scope.brand_id, ids)
        await connection.execute(_FORGET, scope.brand_id, ids)
    return len(ids)


def _unknown(delivery_id: UUID) -> NotFound:
    return NotFound(f"there is no webhook delivery with the id {typeid(Prefix.WEBHOOK_DELIVERY, delivery_id)!r}")
