"""What the user is told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi import Body as FromBody

from services.api.rest.call import Call, Calling, TransactedRoute
from services.api.rest.ids import BrandRef, NotificationPath, NotificationRef
from services.api.rest.shapes import Body, ListRead, Moment, Paging, Read
from services.api.rest.whereabouts import scope_of
from shared.domain.notifying import addresses, kinds, notifications, words
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.enums import NotificationKind
from shared.models.notification import Notification

router = APIRouter(prefix="/v1/notifications", route_class=TransactedRoute, tags=["notifications"])


class NotificationRead(Read):
    """One fact, in the user's language. `thing_id` is what it is about, `url` its place in the frontend."""

    id: NotificationRef
    brand_id: BrandRef
    kind: NotificationKind
    is_urgent: bool
    title: str
    sentence: str
    language: str
    thing_id: str
    url: str | None
    at: datetime
    read_at: datetime | None


class NotificationList(ListRead[NotificationRead]):
    pass


class ReadAll(Body):
    """Of one brand, or of all; up to a moment, or up to now."""

    brand_id: BrandRef | None = None
    until: Moment | None = None


class ReadAllRead(Read):
    """How many had not been read."""

    count: int


async def read(call: Call, found: Sequence[Notification]) -> list[NotificationRead]:
    """Notifications of brands that the transaction sees, in the user's words."""
    spoken = await notifications.spoken(call.session, call.principal, {one.brand_id for one in found})
    frontend, made = call.services.settings.frontend_url, []
    for one in found:
        said, prefix = words.say(one.kind, one.facts, spoken[one.brand_id]), Prefix(one.thing_prefix)
        made.append(
            NotificationRead(
                id=one.id,
                brand_id=one.brand_id,
                kind=one.kind,
                is_urgent=kinds.HABITS[one.kind].is_urgent,
                title=said.title,
                sentence=said.sentence,
                language=said.language,
                thing_id=typeid(prefix, one.thing_id),
                url=addresses.of(frontend, one.brand_id, prefix, one.thing_id),
                at=one.at,
                read_at=one.read_at,
            )
        )
    return made


async def _scope(
    notification_id: NotificationPath, call: Calling, parvis_brand: Annotated[str | None, Header()] = None
) -> Scope:
    return await scope_of(call, Prefix.NOTIFICATION, notification_id, parvis_brand)


InItsBrand = Annotated[Scope, Depends(_scope)]


@router.get("", response_model=NotificationList, summary="What the user is told, newest first")
async def list_notifications(
    call: Calling,
    page: Paging,
    unread: Annotated[bool | None, Query(description="Only what has not been read, or only what has.")] = None,
    brand_id: Annotated[BrandRef | None, Query(description="Of one brand.")] = None,
) -> dict[str, object]:
    found = await notifications.search(
        call.session, call.principal, brand_id=brand_id, is_unread=unread, page=page, cursors=call.services.cursors
    )
    data = await read(call, found.items)
    return {"data": data, "next_cursor": found.next_cursor, "has_more": found.has_more}


@router.post("/read-all", summary="Say that everything has been read")
async def read_all_notifications(call: Calling, body: Annotated[ReadAll, FromBody()]) -> ReadAllRead:
    count = await notifications.read_all(
        call.session, call.principal, brand_id=body.brand_id, until=body.until, now=call.services.clock()
    )
    return ReadAllRead(count=count)


@router.get("/{notification_id}", summary="One notification")
async def get_notification(call: Calling, scope: InItsBrand, notification_id: NotificationPath) -> NotificationRead:
    (made,) = await read(call, [await notifications.get(call.session, scope, notification_id)])
    return made


@router.post("/{notification_id}/read", summary="Say that a notification has been read")
async def read_notification(call: Calling, scope: InItsBrand, notification_id: NotificationPath) -> NotificationRead:
    found = await notifications.read(call.session, scope, notification_id, now=call.services.clock())
    (made,) = await read(call, [found])
    return made
