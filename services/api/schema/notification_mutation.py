"""Verbs of notifications: read, wish."""

from datetime import datetime
from typing import Any, cast

import strawberry
from strawberry import UNSET

from services.api.mutating import mutate_own
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.notification import Notification, NotificationPreferences, preferences_of
from services.api.schema.outgoing import Problem
from shared.db import Session
from shared.domain.notifying import notifications, preferences
from shared.domain.notifying.preferences import Choice, Preferences, Quiet
from shared.domain.scope import Principal
from shared.ids import Prefix, parse_typeid
from shared.models.enums import Digest, NotificationKind, NotificationWay


@strawberry.input
class MarkNotificationReadInput:
    id: strawberry.ID


@strawberry.input(description="Of one brand, or of all; up to a moment, or up to now.")
class MarkAllNotificationsReadInput:
    brand_id: strawberry.ID | None = UNSET
    until: datetime | None = UNSET


@strawberry.input
class QuietHoursInput:
    days: list[int]
    from_: str = strawberry.field(name="from")
    to: str


@strawberry.input
class NotificationChoiceInput:
    kind: NotificationKind
    way: NotificationWay
    is_on: bool
    brand_id: strawberry.ID | None = UNSET


@strawberry.input(description="All wishes at once: what is not sent is as at the beginning.")
class UpdateNotificationPreferencesInput:
    if_version: int | None = UNSET
    language: str | None = UNSET
    timezone: str | None = UNSET
    quiet: list[QuietHoursInput] | None = UNSET
    urgent_breaks_through: bool | None = UNSET
    digest: Digest | None = UNSET
    digest_time: str | None = UNSET
    digest_day: int | None = UNSET
    choices: list[NotificationChoiceInput] | None = UNSET

    def wanted(self) -> Preferences:
        """Raises NotFound for an id that names nothing."""
        plain = Preferences()
        digest, digest_time, digest_day = given(self.digest), given(self.digest_time), given(self.digest_day)
        return Preferences(
            language=given(self.language),
            timezone=given(self.timezone),
            quiet=tuple(Quiet(tuple(one.days), one.from_, one.to) for one in given(self.quiet) or ()),
            urgent_breaks_through=bool(given(self.urgent_breaks_through)),
            digest=digest or plain.digest,
            digest_time=plain.digest_time if digest_time is None else digest_time,
            digest_day=plain.digest_day if digest_day is None else digest_day,
            choices=tuple(
                Choice(one.kind, one.way, one.is_on, _brand(given(one.brand_id))) for one in given(self.choices) or ()
            ),
        )


@strawberry.type
class MarkNotificationReadPayload:
    notification: Notification | None
    errors: list[Problem]


@strawberry.type(description="`count`: how many had not been read.")
class MarkAllNotificationsReadPayload:
    count: int | None
    errors: list[Problem]


@strawberry.type
class UpdateNotificationPreferencesPayload:
    notification_preferences: NotificationPreferences | None
    errors: list[Problem]


def _brand(id_: str | None) -> Any:
    return parse_typeid(Prefix.BRAND, id_) if id_ is not None else None


@strawberry.type
class NotificationMutation:
    @strawberry.mutation(description="Says that a notification has been read.")  # type: ignore[untyped-decorator]
    async def mark_notification_read(self, info: Info, input: MarkNotificationReadInput) -> MarkNotificationReadPayload:
        now = info.context.services.clock()
        outcome = await on(
            info,
            Prefix.NOTIFICATION,
            input.id,
            lambda session, scope, id_: notifications.read(session, scope, id_, now=now),
            notifications.get,
        )
        return MarkNotificationReadPayload(notification=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Says that everything has been read.")  # type: ignore[untyped-decorator]
    async def mark_all_notifications_read(
        self, info: Info, input: MarkAllNotificationsReadInput
    ) -> MarkAllNotificationsReadPayload:
        now = info.context.services.clock()

        async def act(session: Session, principal: Principal) -> int:
            brand_id, until = _brand(given(input.brand_id)), given(input.until)
            return await notifications.read_all(session, principal, brand_id=brand_id, until=until, now=now)

        async def again(_session: Session, _principal: Principal, kept: dict[str, Any]) -> int:
            return cast(int, kept["count"])

        outcome = await mutate_own(
            info.context, key_of(info), act, kept=lambda count: {"count": count}, again=again
        )  # fmt: skip
        return MarkAllNotificationsReadPayload(count=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Says how the viewer wants to be told.")  # type: ignore[untyped-decorator]
    async def update_notification_preferences(
        self, info: Info, input: UpdateNotificationPreferencesInput
    ) -> UpdateNotificationPreferencesPayload:
        now = info.context.services.clock()

        async def act(session: Session, principal: Principal) -> Any:
            kept = await preferences.put(
                session, principal, input.wanted(), if_version=given(input.if_version), now=now
            )  # fmt: skip
            return preferences_of(info, kept, preferences.defaults(principal))

        async def again(session: Session, principal: Principal, _kept: dict[str, Any]) -> Any:
            return preferences_of(info, await preferences.get(session, principal), preferences.defaults(principal))

        outcome = await mutate_own(info.context, key_of(info), act, kept=lambda _: {}, again=again)
        return UpdateNotificationPreferencesPayload(
            notification_preferences=outcome.thing, errors=errors_of(outcome.problems)
        )
