"""Which brand a bare id belongs to, among those the transaction sees."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.errors import NotFound
from shared.ids import Prefix, typeid
from shared.models import (
    Alert,
    AlertRule,
    ApprovalLink,
    Arrival,
    Blackout,
    CalendarFeed,
    Campaign,
    Channel,
    Identity,
    Media,
    Mention,
    Notification,
    Operation,
    Outgoing,
    Post,
    Recurrence,
    SavedQuery,
    Slot,
    Thread,
    Variant,
    View,
    WebhookDelivery,
)

_TABLES: dict[Prefix, Any] = {
    Prefix.ALERT: Alert,
    Prefix.ALERT_RULE: AlertRule,
    Prefix.APPROVAL_LINK: ApprovalLink,
    Prefix.ARRIVAL: Arrival,
    Prefix.BLACKOUT: Blackout,
    Prefix.CALENDAR_FEED: CalendarFeed,
    Prefix.CAMPAIGN: Campaign,
    Prefix.CHANNEL: Channel,
    Prefix.IDENTITY: Identity,
    Prefix.MEDIA: Media,
    Prefix.MENTION: Mention,
    Prefix.NOTIFICATION: Notification,
    Prefix.OPERATION: Operation,
    Prefix.OUTGOING: Outgoing,
    Prefix.POST: Post,
    Prefix.QUERY: SavedQuery,
    Prefix.RECURRENCE: Recurrence,
    Prefix.SLOT: Slot,
    Prefix.THREAD: Thread,
    Prefix.VARIANT: Variant,
    Prefix.VIEW: View,
    Prefix.WEBHOOK_DELIVERY: WebhookDelivery,
}


async def brand_of(session: Session, brand_ids: Sequence[UUID], prefix: Prefix, id_: UUID) -> UUID:
    """The brand, of `brand_ids`, whose thing this is. Raises NotFound."""
    table = _TABLES.get(prefix)
    if prefix is Prefix.BRAND and id_ in brand_ids:
        return id_
    if table is not None and brand_ids:
        statement = select(table.brand_id).where(col(table.brand_id).in_(brand_ids), col(table.id) == id_)
        found: UUID | None = (await session.execute(statement)).scalars().first()
        if found is not None:
            return found
    raise NotFound(f"there is no {prefix.name.lower()} with the id {typeid(prefix, id_)!r}")
