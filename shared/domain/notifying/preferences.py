"""How a user wants to be told: what, by which way, for which brand; when mails may come; in which language."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlmodel import col, select

from shared import zones
from shared.db import Session
from shared.domain.notifying import kinds, people, timing
from shared.domain.notifying.timing import Wishes
from shared.domain.notifying.words import LANGUAGES
from shared.domain.scope import Principal
from shared.errors import Invalid, NotAllowed, NotFound, Problem, Stale
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import Digest, NotificationKind, NotificationWay
from shared.models.notification import NotificationPreference, NotificationSettings
from shared.models.organization import User

MOST_WINDOWS, MOST_CHOICES = 20, 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """One kind by one way, on or off, for one brand or (None) for all."""

    kind: NotificationKind
    way: NotificationWay
    is_on: bool
    brand_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """No mail from one time of day to another, on the days (1 Monday to 7) on which that begins."""

    days: tuple[int, ...]
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """All of a user's wishes. `timezone` None: each brand's; `language` None: each brand's first."""

    language: str | None = None
    timezone: str | None = None
    quiet: tuple[Quiet, ...] = ()
    urgent_breaks_through: bool = False
    digest: Digest = Digest.NONE
    digest_time: str = "08:00"
    digest_day: int = 1
    choices: tuple[Choice, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Default:
    """What holds for a kind and a way where nothing is chosen, in the best role that the user has on a brand."""

    kind: NotificationKind
    way: NotificationWay
    is_on: bool
    is_urgent: bool = field(default=False)


def defaults(principal: Principal) -> list[Default]:
    """What the user is told as long as nothing is chosen."""
    roles = set(principal.brands.values())
    return [
        Default(kind, way, any(people.by_habit(role, kind, way) for role in roles), habit.is_urgent)
        for kind, habit in kinds.HABITS.items()
        for way in NotificationWay
    ]


async def get(session: Session, principal: Principal) -> Preferences:
    """The user's wishes; of choices for a brand those of the key's brands."""
    user = await session.get(User, principal.user_id)
    kept = await session.get(NotificationSettings, principal.user_id) or NotificationSettings(
        user_id=principal.user_id, version=0
    )
    rows = (await session.execute(_mine(principal).order_by(col(NotificationPreference.id)))).scalars()
    choices = [
        Choice(row.kind, row.way, row.is_on, row.brand_id)
        for row in rows
        if row.brand_id is None or row.brand_id in principal.brands
    ]
    return Preferences(
        language=user.language if user is not None else None,
        timezone=kept.timezone,
        quiet=tuple(Quiet(tuple(one["days"]), one["from"], one["to"]) for one in kept.quiet),
        urgent_breaks_through=kept.urgent_breaks_through,
        digest=kept.digest,
        digest_time=kept.digest_time,
        digest_day=kept.digest_day,
        choices=tuple(choices),
        version=kept.version,
    )


async def put(
    session: Session, principal: Principal, wanted: Preferences, *, if_version: int | None = None, now: datetime
) -> Preferences:
    """Keep these wishes in the place of those before; what is planned already comes as it was planned.

    Choices for brands that the key does not see stay as they are. Raises Invalid with every problem, NotFound for a
    foreign brand, Stale, and NotAllowed for a key of one brand: wishes are the user's, for all of them.
    """
    if principal.key_brand_id is not None:
        raise NotAllowed("this key is for one brand; a user's wishes are for all of them: use a key without a brand")
    _check(wanted, principal, now=now)
    query = select(NotificationSettings).where(NotificationSettings.user_id == principal.user_id).with_for_update()
    kept = (await session.execute(query)).scalar_one_or_none()
    if if_version is not None and if_version != (kept.version if kept is not None else 0):
        raise Stale("your preferences have changed since you read them; read them again")
    if kept is None:
        kept = NotificationSettings(user_id=principal.user_id, version=0)
        session.add(kept)
    kept.timezone, kept.digest, kept.digest_day = wanted.timezone, wanted.digest, wanted.digest_day
    kept.quiet = [{"days": sorted(set(one.days)), "from": one.begins, "to": one.ends} for one in wanted.quiet]
    kept.digest_time, kept.urgent_breaks_through = wanted.digest_time, wanted.urgent_breaks_through
    kept.version += 1
    user = await session.get(User, principal.user_id)
    if user is not None and user.language != wanted.language:
        user.language = wanted.language
    await session.flush()
    await _choose(session, principal, wanted.choices)
    return await get(session, principal)


async def _choose(session: Session, principal: Principal, choices: Sequence[Choice]) -> None:
    seen = col(NotificationPreference.brand_id).is_(None) | col(NotificationPreference.brand_id).in_(principal.brands)
    await session.execute(
        delete(NotificationPreference).where(col(NotificationPreference.user_id) == principal.user_id, seen)
    )
    for one in choices:
        session.add(
            NotificationPreference(
                id=new_uuid(), user_id=principal.user_id, brand_id=one.brand_id, kind=one.kind, way=one.way,
                is_on=one.is_on,
            )
        )  # fmt: skip
    await session.flush()


def _mine(principal: Principal) -> Any:
    return select(NotificationPreference).where(col(NotificationPreference.user_id) == principal.user_id)


def _check(wanted: Preferences, principal: Principal, *, now: datetime) -> None:
    """Raises Invalid with all that is wrong, NotFound for a brand that is not the principal's."""
    for one in wanted.choices:
        if one.brand_id is not None and one.brand_id not in principal.brands:
            raise NotFound(f"there is no brand with the id {typeid(Prefix.BRAND, one.brand_id)!r}")
    problems: list[Problem] = []
    if wanted.language is not None and wanted.language.lower().partition("-")[0] not in LANGUAGES:
        said = f"there are words in {', '.join(LANGUAGES)}"
        problems.append(Problem("unknown_language", said, ("language",)))
    if wanted.timezone is not None and wanted.timezone not in zones.known():
        problems.append(Problem("unknown_timezone", "write a zone such as Europe/Brussels", ("timezone",)))
    if not is_time(wanted.digest_time):
        problems.append(Problem("invalid", "write a time of day such as 08:00", ("digest_time",)))
    if not 1 <= wanted.digest_day <= 7:
        problems.append(Problem("invalid", "a day is 1 (Monday) to 7 (Sunday)", ("digest_day",)))
    problems += _wrong_choices(wanted.choices)
    wrong = _wrong_quiet(wanted.quiet)
    if not wrong and not problems and wanted.quiet:
        kept = [{"days": list(one.days), "from": one.begins, "to": one.ends} for one in wanted.quiet]
        wishes = Wishes(ZoneInfo(wanted.timezone or "UTC"), people.windows(kept))
        if timing.is_always_quiet(wishes, now=now):
            wrong = [Problem("never", "these hours leave no time for a mail: switch mails off instead", ("quiet",))]
    if problems or wrong:
        raise Invalid([*problems, *wrong])


def _wrong_choices(choices: Sequence[Choice]) -> list[Problem]:
    if len(choices) > MOST_CHOICES:
        return [Problem("too_many", f"at most {MOST_CHOICES} choices", ("choices",))]
    met: set[tuple[UUID | None, NotificationKind, NotificationWay]] = set()
    found = []
    for place, one in enumerate(choices):
        if (one.brand_id, one.kind, one.way) in met:
            found.append(Problem("repeated", "this is chosen twice", ("choices", place)))
        met.add((one.brand_id, one.kind, one.way))
    return found


def _wrong_quiet(quiet: Sequence[Quiet]) -> list[Problem]:
    if len(quiet) > MOST_WINDOWS:
        return [Problem("too_many", f"at most {MOST_WINDOWS} quiet times", ("quiet",))]
    found = []
    for place, one in enumerate(quiet):
        if not one.days or not all(1 <= day <= 7 for day in one.days):
            found.append(Problem("invalid", "name days from 1 (Monday) to 7 (Sunday)", ("quiet", place, "days")))
        for name, value in (("from", one.begins), ("to", one.ends)):
            if not is_time(value):
                found.append(Problem("invalid", "write a time of day such as 22:00", ("quiet", place, name)))
    return found


def is_time(value: str) -> bool:
    """Whether this is a time of day, as in 22:00."""
    if len(value) != 5 or value[2] != ":":
        return False
    try:
        time.fromisoformat(value)
    except ValueError:
        return False
    return True
