"""Where reading starts."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.context import searched_brands
from services.api.schema import notification, webhook
from services.api.schema.brand import Brand
from services.api.schema.connection import FIRST, Connection, Info, Node, connection, requested
from services.api.schema.notification import Notification, NotificationPreferences
from services.api.schema.webhook import WebhookEndpoint
from shared import models
from shared.db import Session
from shared.domain.brands import brands, channels
from shared.domain.insight.alerting import alerts, rules
from shared.domain.listening import arrivals, backfills, identities, mentions, queries, threads, views
from shared.domain.nodes import brand_of
from shared.domain.notifying import endpoints, notifications
from shared.domain.publishing import campaigns, posts
from shared.domain.publishing.library import media
from shared.domain.publishing.planning import blackouts, recurrences, slots
from shared.domain.publishing.sending import stories
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid, prefix_of, typeid


@strawberry.type(description="A person inside an organization.")
class User:
    id: strawberry.ID
    name: str
    email: str | None


@strawberry.type(description="An agency or a company.")
class Organization:
    id: strawberry.ID
    name: str


async def _brands(info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    context = info.context
    async with context.reader.turn(()) as session:
        found = await brands.list_(session, context.principal, page=page, cursors=context.services.cursors)
        context.reader.forget_scope()
    return connection(found, page)


async def _user(info: Info) -> Any:
    async with info.context.reader.turn(()) as session:
        user = await session.get_one(models.User, info.context.principal.user_id)
    return User(id=strawberry.ID(typeid(Prefix.USER, user.id)), name=user.name, email=user.email)


async def _organization(info: Info) -> Any:
    async with info.context.reader.turn(()) as session:
        found = await session.get_one(models.Organization, info.context.principal.organization_id)
    return Organization(id=strawberry.ID(typeid(Prefix.ORGANIZATION, found.id)), name=found.name)


def _scopes(info: Info) -> list[str]:
    return sorted(scope.value for scope in info.context.principal.scopes)


@strawberry.type(description="Who acts by this key, for whom, and what it may do.")
class Viewer:
    user: User = strawberry.field(resolver=_user)
    organization: Organization = strawberry.field(resolver=_organization)
    scopes: list[str] = strawberry.field(resolver=_scopes)
    brands: Connection[Brand] = strawberry.field(resolver=_brands)
    notifications: Connection[Notification] = strawberry.field(resolver=notification.listed)
    unread_count: int = strawberry.field(resolver=notification.unread_count)
    notification_preferences: NotificationPreferences = strawberry.field(resolver=notification.viewers_preferences)
    webhook_endpoints: Connection[WebhookEndpoint] = strawberry.field(resolver=webhook.listed)


def _viewer() -> Any:
    return Viewer()


async def _brand(info: Info, id: strawberry.ID) -> Any:
    try:
        brand_id = parse_typeid(Prefix.BRAND, id)
        async with info.context.reading(brand_id) as (session, scope):
            return await brands.get(session, scope)
    except NotFound:
        return None


async def _node(info: Info, id: strawberry.ID) -> Any:
    context = info.context
    try:
        prefix = prefix_of(id)
        thing_id = parse_typeid(prefix, id)
        if prefix is Prefix.WEBHOOK_ENDPOINT:
            return await _endpoint(info, thing_id)
        if prefix not in _READ:
            return None
        searched = searched_brands(context.principal, context.brand_hint)
        async with context.reader.turn(searched) as session:
            brand_id = await brand_of(session, searched, prefix, thing_id)
        async with context.reading(brand_id) as (session, scope):
            return await _READ[prefix](session, scope, thing_id)
    except NotFound:
        return None


async def _endpoint(info: Info, id_: UUID) -> Any:
    """A webhook endpoint may be of no one brand, so it is looked up by its owner."""
    async with info.context.reader.turn(()) as session:
        info.context.reader.forget_scope()
        return await endpoints.get(session, info.context.principal, id_)


_READ: dict[Prefix, Callable[[Session, Scope, UUID], Awaitable[Any]]] = {
    Prefix.ALERT: alerts.get,
    Prefix.ALERT_RULE: rules.get,
    Prefix.ARRIVAL: arrivals.get,
    Prefix.BRAND: lambda session, scope, _: brands.get(session, scope),
    Prefix.BLACKOUT: blackouts.get,
    Prefix.CAMPAIGN: campaigns.get,
    Prefix.CHANNEL: channels.get,
    Prefix.IDENTITY: identities.get,
    Prefix.MEDIA: media.get,
    Prefix.MENTION: mentions.get,
    Prefix.NOTIFICATION: notifications.get,
    Prefix.OPERATION: backfills.get,
    Prefix.OUTGOING: stories.get,
    Prefix.POST: posts.get,
    Prefix.QUERY: queries.get,
    Prefix.RECURRENCE: recurrences.get,
    Prefix.SLOT: slots.get,
    Prefix.THREAD: threads.get,
    Prefix.VIEW: views.get,
}


@strawberry.type
class Query:
    viewer: Viewer = strawberry.field(resolver=_viewer)
    node: Node | None = strawberry.field(resolver=_node, description="Any thing by its id; null for a foreign one.")
    brand: Brand | None = strawberry.field(resolver=_brand)
    brands: Connection[Brand] = strawberry.field(resolver=_brands)
