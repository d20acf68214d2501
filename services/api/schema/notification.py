"""What the user is told, and how they want to be told."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.connection import FIRST, Connection, Info, Node, connection, public_id, requested
from shared import models
from shared.domain.notifying import addresses, kinds, notifications, preferences, words
from shared.domain.notifying.words import Said
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import Digest, NotificationKind, NotificationWay

Root = strawberry.Parent[models.Notification]


async def _said(root: models.Notification, info: Info) -> Said:
    language = await loaders.spoken(info.context, root.brand_id)
    return words.say(root.kind, root.facts, language or words.language_of())


async def _title(root: Root, info: Info) -> str:
    return (await _said(root, info)).title


async def _sentence(root: Root, info: Info) -> str:
    return (await _said(root, info)).sentence


async def _language(root: Root, info: Info) -> str:
    return (await _said(root, info)).language


def _brand_id(root: Root) -> strawberry.ID:
    return strawberry.ID(typeid(Prefix.BRAND, root.brand_id))


def _thing_id(root: Root) -> strawberry.ID:
    return strawberry.ID(typeid(Prefix(root.thing_prefix), root.thing_id))


def _url(root: Root, info: Info) -> str | None:
    frontend = info.context.services.settings.frontend_url
    return addresses.of(frontend, root.brand_id, Prefix(root.thing_prefix), root.thing_id)


def _is_urgent(root: Root) -> bool:
    return kinds.HABITS[root.kind].is_urgent


@strawberry.type(description="One fact, in the user's language. `thingId`: what it is about; `url`: where it is shown.")
class Notification(Node):
    id: strawberry.ID = public_id(Prefix.NOTIFICATION)
    brand_id: strawberry.ID = strawberry.field(resolver=_brand_id)
    kind: NotificationKind
    is_urgent: bool = strawberry.field(resolver=_is_urgent)
    title: str = strawberry.field(resolver=_title)
    sentence: str = strawberry.field(resolver=_sentence)
    language: str = strawberry.field(resolver=_language)
    thing_id: strawberry.ID = strawberry.field(resolver=_thing_id)
    url: str | None = strawberry.field(resolver=_url)
    at: datetime
    read_at: datetime | None

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Notification)


@strawberry.type(description="No mail from one time of day to another, on the days (1 Monday) on which that begins.")
class QuietHours:
    days: list[int]
    from_: str = strawberry.field(name="from")
    to: str


@strawberry.type(description="One kind by one way, on or off; for one brand, or for all.")
class NotificationChoice:
    kind: NotificationKind
    way: NotificationWay
    is_on: bool
    brand_id: strawberry.ID | None


@strawberry.type(description="What holds for a kind and a way where nothing is chosen.")
class NotificationDefault:
    kind: NotificationKind
    way: NotificationWay
    is_on: bool
    is_urgent: bool


@strawberry.type(description="A user's wishes. `timezone` null: each brand's. `language` null: each brand's first.")
class NotificationPreferences:
    language: str | None
    timezone: str | None
    quiet: list[QuietHours]
    urgent_breaks_through: bool
    digest: Digest
    digest_time: str
    digest_day: int
    choices: list[NotificationChoice]
    defaults: list[NotificationDefault]
    mail_available: bool
    version: int


def preferences_of(info: Info, kept: preferences.Preferences, defaults: list[preferences.Default]) -> Any:
    """A user's wishes as they are shown."""
    return NotificationPreferences(
        language=kept.language,
        timezone=kept.timezone,
        quiet=[QuietHours(days=list(one.days), from_=one.begins, to=one.ends) for one in kept.quiet],
        urgent_breaks_through=kept.urgent_breaks_through,
        digest=kept.digest,
        digest_time=kept.digest_time,
        digest_day=kept.digest_day,
        choices=[
            NotificationChoice(
                kind=one.kind,
                way=one.way,
                is_on=one.is_on,
                brand_id=strawberry.ID(typeid(Prefix.BRAND, one.brand_id)) if one.brand_id is not None else None,
            )
            for one in kept.choices
        ],
        defaults=[
            NotificationDefault(kind=one.kind, way=one.way, is_on=one.is_on, is_urgent=one.is_urgent)
            for one in defaults
        ],
        mail_available=info.context.services.settings.smtp_url is not None,
        version=kept.version,
    )


async def listed(
    info: Info,
    first: int | None = FIRST,
    after: str | None = strawberry.UNSET,
    unread: bool | None = strawberry.UNSET,
    brand_id: strawberry.ID | None = strawberry.UNSET,
) -> Any:
    """The viewer's notifications, newest first."""
    page, context = requested(first, after), info.context
    brand = parse_typeid(Prefix.BRAND, brand_id) if isinstance(brand_id, str) else None
    async with context.reader.turn(()) as session:
        found = await notifications.search(
            session, context.principal, brand_id=brand, is_unread=unread if isinstance(unread, bool) else None,
            page=page, cursors=context.services.cursors,
        )  # fmt: skip
        context.reader.forget_scope()
    return connection(found, page)


async def unread_count(info: Info) -> int:
    """How many the viewer has not read."""
    async with info.context.reader.turn(()) as session:
        count = await notifications.count_unread(session, info.context.principal)
        info.context.reader.forget_scope()
    return count


async def viewers_preferences(info: Info) -> Any:
    """How the viewer wants to be told."""
    async with info.context.reader.turn(()) as session:
        kept = await preferences.get(session, info.context.principal)
    return preferences_of(info, kept, preferences.defaults(info.context.principal))


NotificationConnection = Connection[Notification]
