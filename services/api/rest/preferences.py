"""How the user wants to be told."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest.call import Call, Calling, TransactedRoute
from services.api.rest.etags import IfMatch, meant
from services.api.rest.ids import BrandRef
from services.api.rest.shapes import Body, Read
from shared.domain.notifying import preferences
from shared.domain.notifying.preferences import Choice, Preferences, Quiet
from shared.models.enums import Digest, NotificationKind, NotificationWay

router = APIRouter(prefix="/v1/notifications/preferences", route_class=TransactedRoute, tags=["notifications"])


class QuietHours(Body):
    """No mail from one time of day to another, on the days (1 Monday to 7 Sunday) on which that begins."""

    days: list[int]
    from_: str = Field(alias="from", examples=["22:00"])
    to: str = Field(examples=["07:00"])


class NotificationChoice(Body):
    """One kind by one way, on or off; for one brand, or for all."""

    kind: NotificationKind
    way: NotificationWay
    is_on: bool
    brand_id: BrandRef | None = None


class NotificationDefault(Read):
    """What holds for a kind and a way where nothing is chosen."""

    kind: NotificationKind
    way: NotificationWay
    is_on: bool
    is_urgent: bool


class PreferencesPut(Body):
    """All wishes at once: what is not sent is as at the beginning. A choice for a brand goes before one for all."""

    language: str | None = None
    timezone: str | None = None
    quiet: list[QuietHours] = Field(default_factory=list)
    urgent_breaks_through: bool = False
    digest: Digest = Digest.NONE
    digest_time: str = "08:00"
    digest_day: int = 1
    choices: list[NotificationChoice] = Field(default_factory=list)


class PreferencesRead(Read):
    """A user's wishes. `timezone` null: each brand's. `mail_available`: whether this installation sends mails."""

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


def _wanted(body: PreferencesPut) -> Preferences:
    return Preferences(
        language=body.language,
        timezone=body.timezone,
        quiet=tuple(Quiet(tuple(one.days), one.from_, one.to) for one in body.quiet),
        urgent_breaks_through=body.urgent_breaks_through,
        digest=body.digest,
        digest_time=body.digest_time,
        digest_day=body.digest_day,
        choices=tuple(Choice(one.kind, one.way, one.is_on, one.brand_id) for one in body.choices),
    )


def _read(call: Call, kept: Preferences) -> PreferencesRead:
    return PreferencesRead(
        language=kept.language,
        timezone=kept.timezone,
        quiet=[QuietHours.model_validate({"days": q.days, "from": q.begins, "to": q.ends}) for q in kept.quiet],
        urgent_breaks_through=kept.urgent_breaks_through,
        digest=kept.digest,
        digest_time=kept.digest_time,
        digest_day=kept.digest_day,
        choices=[NotificationChoice.model_validate(one, from_attributes=True) for one in kept.choices],
        defaults=[
            NotificationDefault.model_validate(one, from_attributes=True)
            for one in preferences.defaults(call.principal)
        ],
        mail_available=call.services.settings.smtp_url is not None,
        version=kept.version,
    )


@router.get("", summary="How the user wants to be told")
async def get_preferences(call: Calling) -> PreferencesRead:
    return _read(call, await preferences.get(call.session, call.principal))


@router.put("", summary="Say how you want to be told: what, by which way, and when mails may come")
async def put_preferences(
    call: Calling, body: Annotated[PreferencesPut, FromBody()], if_match: IfMatch = None
) -> PreferencesRead:
    version = meant(if_match, (await preferences.get(call.session, call.principal)).version)
    kept = await preferences.put(
        call.session, call.principal, _wanted(body), if_version=version, now=call.services.clock()
    )  # fmt: skip
    return _read(call, kept)
