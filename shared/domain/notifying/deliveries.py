"""Webhooks on their way: planned with the notifications, tried on a schedule, every try and answer kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from sqlalchemy import or_
from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain import scope as scopes
from shared.domain.notifying import addresses, delivery_log, endpoints, quotes, words
from shared.domain.notifying.facts import News
from shared.domain.notifying.people import Person
from shared.domain.scope import Principal, Scope
from shared.errors import Conflict
from shared.ids import Prefix, new_uuid, typeid
from shared.models.brand import Brand
from shared.models.enums import EventType, NotificationWay, WebhookState
from shared.models.notification import Notification
from shared.models.webhook import WebhookDelivery, WebhookEndpoint

_PLAN = """
INSERT INTO webhook_delivery (brand_id, id, endpoint_id, event_id, type, payload, state, tries, created_at, next_at)
SELECT $1, d.id, d.endpoint_id, d.event_id, d.type, d.payload::jsonb, 'waiting', 0, $7, $7
  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
       AS d (id, endpoint_id, event_id, type, payload)
ON CONFLICT (brand_id, endpoint_id, event_id) DO NOTHING RETURNING id, endpoint_id
"""
_QUEUE = """
INSERT INTO due_webhook (delivery_id, brand_id, endpoint_id, lane, due_at, failures)
SELECT d.id, $1, d.endpoint_id, d.lane, clock_timestamp(), 0
  FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS d (id, endpoint_id, lane)
ON CONFLICT (delivery_id) DO UPDATE SET due_at = excluded.due_at, failures = 0, leased_until = NULL
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one endpoint, before it is written."""

    endpoint: WebhookEndpoint
    event_id: UUID | None
    type: str
    payload: dict[str, Any]


async def plan(
    session: Session,
    scope: Scope,
    news: Sequence[News],
    notices: Sequence[Notification],
    concerned: Sequence[Person],
    *,
    brand: Brand,
    frontend_url: str | None,
    now: datetime,
) -> int:
    """Plan what endpoints are told of these news, the brand's of each, a user's of what that user is told; how many."""
    people = {person.user_id: person for person in concerned}
    organizations = {organization for person in concerned for organization in person.organizations}
    wanted = select(WebhookEndpoint).where(
        col(WebhookEndpoint.removed_at).is_(None),
        col(WebhookEndpoint.disabled_at).is_(None),
        or_(col(WebhookEndpoint.brand_id) == scope.brand_id, col(WebhookEndpoint.user_id).in_(people)),
    )
    messages: list[Message] = []
    for endpoint in (await session.execute(wanted)).scalars():
        owner = people.get(endpoint.user_id) if endpoint.user_id is not None else None
        if owner is not None and endpoint.organization_id in owner.organizations:
            messages += _to_user(endpoint, owner, notices, brand, frontend_url)
        elif endpoint.brand_id is not None and endpoint.organization_id in organizations:
            messages += _to_brand(endpoint, news, brand, frontend_url)
    return len(await _write(session, scope, messages, now=now))


def _to_user(
    endpoint: WebhookEndpoint, owner: Person, notices: Sequence[Notification], brand: Brand, frontend_url: str | None
) -> list[Message]:
    language = words.language_of(owner.language, *brand.languages)
    return [
        Message(endpoint, one.event_id, f"notification.{one.kind.value}", payload(one, language, frontend_url))
        for one in notices
        if one.user_id == owner.user_id
        and one.kind.value in endpoint.kinds
        and owner.wants(one.kind, NotificationWay.WEBHOOK)
    ]


def _to_brand(
    endpoint: WebhookEndpoint, news: Sequence[News], brand: Brand, frontend_url: str | None
) -> list[Message]:  # fmt: skip
    language = words.language_of(*brand.languages)
    found = []
    for one in news:
        is_a_users_own = one.rule.event is EventType.ENDPOINT_DISABLED and one.event.payload.get("user_id")
        if one.rule.kind.value not in endpoint.kinds or is_a_users_own:
            continue
        told = Notification(
            brand_id=brand.brand_id, event_id=one.event.id, seq=one.event.seq or 0, user_id=brand.brand_id,
            kind=one.rule.kind, thing_prefix=one.rule.about.value, thing_id=one.thing_id, facts=one.facts,
            at=one.event.at,
        )  # fmt: skip
        body = payload(told, language, frontend_url)
        body["data"]["id"] = None
        found.append(Message(endpoint, one.event.id, f"notification.{one.rule.kind.value}", body))
    return found


def payload(one: Notification, language: str, frontend_url: str | None) -> dict[str, Any]:
    """What a webhook says of a notification: of mentions that it names no text."""
    prefix, said = Prefix(one.thing_prefix), words.say(one.kind, quotes.without_texts(one.facts), language)
    return {
        "type": f"notification.{one.kind.value}",
        "timestamp": one.at.isoformat(),
        "data": {
            "id": typeid(Prefix.NOTIFICATION, one.id),
            "kind": one.kind.value,
            "brand_id": typeid(Prefix.BRAND, one.brand_id),
            "thing_id": typeid(prefix, one.thing_id),
            "title": said.title,
            "sentence": said.sentence,
            "language": said.language,
            "url": addresses.of(frontend_url, one.brand_id, prefix, one.thing_id),
            "at": one.at.isoformat(),
        },
    }


async def test(session: Session, principal: Principal, endpoint_id: UUID, *, now: datetime) -> WebhookDelivery:
    """Plan a message that says nothing but that it is a test; a user's own endpoint has it from their first brand.

    Raises NotFound, and Conflict for an endpoint that is switched off.
    """
    endpoint = _switched_on(await endpoints.get(session, principal, endpoint_id))
    if endpoint.brand_id is None and not principal.brands:
        raise Conflict("you have no brand yet of which anything could be told")
    brand_id = endpoint.brand_id or min(principal.brands)
    scope = await scopes.open_brand(session, principal, brand_id)
    body = {
        "type": "test",
        "timestamp": now.isoformat(),
        "data": {"endpoint_id": typeid(Prefix.WEBHOOK_ENDPOINT, endpoint.id)},
    }
    (id_,) = await _write(session, scope, [Message(endpoint, None, "test", body)], now=now)
    return await delivery_log.get(session, scope, id_)


async def redeliver(session: Session, scope: Scope, delivery_id: UUID, *, now: datetime) -> WebhookDelivery:
    """Send a delivery once more, under its own id, on a new schedule.

    Raises NotFound, and Conflict while it goes out or where its endpoint is switched off.
    """
    found = await delivery_log.seen(session, scope, delivery_id, locked=True)
    assert scope.principal is not None
    endpoint = _switched_on(await endpoints.get(session, scope.principal, found.endpoint_id))
    await scopes.see(session, [scope.brand_id])
    if found.state is WebhookState.SENDING:
        raise Conflict("this delivery is being sent now")
    found.state, found.next_at, found.settled_at = WebhookState.WAITING, now, None
    await session.flush()
    await _queue(session, scope, [found.id], [endpoint.id], [lane_of(endpoint.url)])
    return found


def _switched_on(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    if endpoint.disabled_at is not None:
        raise Conflict("the endpoint is switched off: switch it on first")
    return endpoint


def lane_of(url: str) -> str:
    """An endpoint's lane: its host."""
    return urlsplit(url).hostname or ""


async def _write(session: Session, scope: Scope, messages: Sequence[Message], *, now: datetime) -> list[UUID]:
    """Write what is not written yet, and let it be sent."""
    if not messages:
        return []
    rows = await (await driver(session)).fetch(
        _PLAN,
        scope.brand_id,
        [new_uuid() for _ in messages],
        [one.endpoint.id for one in messages],
        [one.event_id for one in messages],
        [one.type for one in messages],
        [orjson.dumps(one.payload).decode() for one in messages],
        now,
    )
    lanes = {one.endpoint.id: lane_of(one.endpoint.url) for one in messages}
    endpoints = [row["endpoint_id"] for row in rows]
    ids = [row["id"] for row in rows]
    await _queue(session, scope, ids, endpoints, [lanes[one] for one in endpoints])
    return ids


async def _queue(
    session: Session, scope: Scope, ids: Sequence[UUID], endpoints: Sequence[UUID], lanes: Sequence[str]
) -> None:
    await (await driver(session)).execute(_QUEUE, scope.brand_id, list(ids), list(endpoints), list(lanes))
