"""What happens, as it happens: numbered, so that a client can go on where it was."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET

from services.api import loaders
from services.api.schema.connection import Info, given
from services.api.schema.mention import Mention
from services.api.schema.notification import Notification
from shared import models
from shared.domain import scope as scopes
from shared.domain.events import feed
from shared.domain.notifying import notifications
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import EventType

_MENTION_EVENTS = (
    EventType.MENTION_RECORDED,
    EventType.MENTION_EDITED,
    EventType.MENTION_DELETED,
    EventType.MENTION_CHANGED,
)
_AT_ONCE = 100


async def _mention(root: strawberry.Parent[models.Event], info: Info) -> Any:
    return await loaders.mention(info.context, root.brand_id, root.thing_id)


def _mention_id(root: strawberry.Parent[models.Event]) -> strawberry.ID:
    return strawberry.ID(typeid(Prefix.MENTION, root.thing_id))


@strawberry.type(description="Something happened to a mention. `seq` counts the brand's events: pass it as `after`.")
class MentionEvent:
    seq: int
    type: EventType
    at: datetime
    mention_id: strawberry.ID = strawberry.field(resolver=_mention_id)
    mention: Mention | None = strawberry.field(resolver=_mention, description="The mention as it is now.")


async def _mentions(info: Info, brand_id: strawberry.ID, after: int | None = UNSET) -> AsyncGenerator[Any, None]:
    """The brand's mention events with a greater number than `after`; without it, those from now on."""
    services = info.context.services
    brand = parse_typeid(Prefix.BRAND, brand_id)
    seen = given(after)
    async for _ in services.queues.subscription(brand):
        while True:
            async with services.db.reading() as session:
                principal = await scopes.enter(session, info.context.api_key)
                scope = await scopes.open_brand(session, principal, brand)
                if seen is None:
                    seen = await feed.last(session, scope)
                found = await feed.after(session, scope, after=seen, types=_MENTION_EVENTS, limit=_AT_ONCE)
            for event in found:
                yield event
                seen = event.seq
            if len(found) < _AT_ONCE:
                break


def _self(root: strawberry.Parent[models.Notification]) -> Any:
    return root


@strawberry.type(description="The viewer was told something. `seq` counts the brand's events: pass it as `after`.")
class NotificationEvent:
    seq: int
    notification: Notification = strawberry.field(resolver=_self)


async def _notifications(info: Info, brand_id: strawberry.ID, after: int | None = UNSET) -> AsyncGenerator[Any, None]:
    """What the viewer is told of the brand, with a greater number than `after`; without it, from now on."""
    services = info.context.services
    brand = parse_typeid(Prefix.BRAND, brand_id)
    seen = given(after)
    async for _ in services.queues.subscription(brand):
        while True:
            async with services.db.reading() as session:
                principal = await scopes.enter(session, info.context.api_key)
                scope = await scopes.open_brand(session, principal, brand)
                if seen is None:
                    seen = await notifications.last(session, scope)
                found = await notifications.after(session, scope, after=seen, limit=_AT_ONCE)
            for told in found:
                yield told
                seen = told.seq
            if len(found) < _AT_ONCE:
                break


@strawberry.type
class Subscription:
    notifications: AsyncGenerator[NotificationEvent, None] = strawberry.subscription(resolver=_notifications)
    mentions: AsyncGenerator[MentionEvent, None] = strawberry.subscription(resolver=_mentions)
