"""Mentions as notices name them: the beginning of the text, its author and its network.

Of private messages, and of mentions that were deleted, no text is kept.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select

from shared.db import Session
from shared.domain.excerpts import excerpt
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid
from shared.models.enums import EventType, MentionKind, NotificationKind, Visibility
from shared.models.event import Event
from shared.models.mention import Identity, Mention
from shared.models.notification import Notification

_LONGEST = 140  # characters of a text
_LONGEST_NAME = 60
_QUOTING = (NotificationKind.ALERT_OPENED, NotificationKind.ALERT_FOLLOWED)


def named(event: Event) -> list[UUID]:
    """The mentions that an event names."""
    return [parse_typeid(Prefix.MENTION, one) for one in event.payload.get("mention_ids", ())]


async def of_mentions(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """What is said of each mention that is there."""
    wanted = (
        select(Mention, Identity)
        .outerjoin(
            Identity,
            (col(Identity.brand_id) == col(Mention.brand_id)) & (col(Identity.id) == col(Mention.author_id)),
        )
        .where(col(Mention.brand_id) == scope.brand_id, col(Mention.id).in_(ids))
    )
    rows = (await session.execute(wanted)).all() if ids else []
    return {mention.id: _quote(mention, author) for mention, author in rows}


async def forget_deleted(session: Session, scope: Scope, *, since: datetime) -> int:
    """Blank in the brand's notices the texts of mentions that were deleted since then; how many notices that were."""
    # A UUIDv7 starts with its moment in milliseconds, so that the key serves to find the events since then.
    first = UUID(int=max(int(since.timestamp() * 1000), 0) << 80)
    deleted = select(Event.thing_id).where(
        col(Event.brand_id) == scope.brand_id,
        col(Event.id) >= first,
        col(Event.type) == EventType.MENTION_DELETED,
    )
    gone = {str(id_) for id_ in (await session.execute(deleted)).scalars()}
    if not gone:
        return 0
    wanted = select(Notification.id, Notification.facts).where(
        col(Notification.brand_id) == scope.brand_id,
        col(Notification.kind).in_(_QUOTING),
        col(Notification.facts).op("?", is_comparison=True)("mentions"),
    )
    cut = 0
    for id_, facts in (await session.execute(wanted)).all():
        if any(one["id"] in gone and one["text"] is not None for one in facts["mentions"]):
            kept = [{**one, "text": None} if one["id"] in gone else one for one in facts["mentions"]]
            await session.execute(
                update(Notification)
                .where(col(Notification.brand_id) == scope.brand_id, col(Notification.id) == id_)
                .values(facts={**facts, "mentions": kept})
            )
            cut += 1
    return cut


def without_texts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts for what is sent to programs and kept as it was sent: a text could not be taken back from it."""
    if "mentions" not in facts:
        return dict(facts)
    return {**facts, "mentions": [{**one, "text": None} for one in facts["mentions"]]}


def _quote(mention: Mention, author: Identity | None) -> dict[str, Any]:
    is_private = mention.visibility is Visibility.PRIVATE or mention.kind is MentionKind.MESSAGE
    text = excerpt(mention.text, _LONGEST) if mention.text and not is_private and mention.deleted_at is None else ""
    name = (author.name or author.handle or "") if author is not None else ""
    return {
        "id": str(mention.id),
        "text": text or None,
        "is_private": is_private,
        "author": excerpt(name, _LONGEST_NAME) or None,
        "network": mention.network.value,
    }
