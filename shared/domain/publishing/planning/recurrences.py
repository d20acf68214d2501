"""Posts that come again: written, read, changed from now on, paused, ended. `occurring` turns them into posts."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.publishing.drafts import MOST_MEDIA, CampaignId, Link, MediaItem, Text, VariantDraft
from shared.domain.publishing.library import naming
from shared.domain.publishing.planning import blackouts, repeats, rules, templates, wallclock
from shared.domain.publishing.planning.repeats import Occurrence
from shared.domain.publishing.planning.slots import Channels, TimeOfDay, Zone
from shared.domain.publishing.planning.wallclock import wrong
from shared.domain.scope import Scope
from shared.errors import Conflict, NotFound, Stale
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import BlackoutPolicy, EventType, GrantRole, KeyScope, RecurrenceStatus
from shared.models.planning import DueRecurrence, Recurrence

MOST_AHEAD = 100
_KIND = "recurrences"
MediaItems = Annotated[list[MediaItem], Field(max_length=MOST_MEDIA)]
Variants = Annotated[list[VariantDraft], Field(max_length=200)]
RuleText = Annotated[str, Field(max_length=200)]
_TEMPLATE = ("text", "media", "link", "campaign_id", "channel_ids", "variants")
_NULLABLE = frozenset({"link", "campaign_id"})


class RecurrenceTiming(BaseModel):
    """When something comes again. Without `timezone` it is the brand's, without `starts_on` it starts today."""

    model_config = ConfigDict(extra="forbid")
    rule: RuleText
    local_time: TimeOfDay
    timezone: Zone | None = None
    starts_on: date | None = None
    blackouts: BlackoutPolicy = BlackoutPolicy.SKIP


class RecurrenceDraft(RecurrenceTiming):
    """A post that comes again, by a rule with an end."""

    text: Text
    media: MediaItems = Field(default_factory=list)
    link: Link | None = None
    campaign_id: CampaignId | None = None
    channel_ids: Channels = Field(default_factory=list)
    variants: Variants = Field(default_factory=list)


class RecurrenceChanges(BaseModel):
    """What is not set stays. What has become a post is made again, but for what a person has changed by hand."""

    model_config = ConfigDict(extra="forbid")
    rule: RuleText | None = None
    local_time: TimeOfDay | None = None
    timezone: Zone | None = None
    starts_on: date | None = None
    blackouts: BlackoutPolicy | None = None
    text: Text | None = None
    media: MediaItems | None = None
    link: Link | None = None
    campaign_id: CampaignId | None = None
    channel_ids: Channels | None = None
    variants: Variants | None = None


async def list_(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[Recurrence]:
    """The brand's recurrences, the newest first."""
    wanted = select(Recurrence).where(col(Recurrence.brand_id) == scope.brand_id)
    if page.cursor is not None:
        (before,) = cursors.decode(scope.brand_id, _KIND, "", page.cursor)
        wanted = wanted.where(col(Recurrence.id) < UUID(before))
    wanted = wanted.order_by(col(Recurrence.id).desc()).limit(page.limit + 1)
    found = (await session.execute(wanted)).scalars().all()
    return Page.cut(found, page.limit, lambda one: cursors.encode(scope.brand_id, _KIND, "", [str(one.id)]))


async def get(session: Session, scope: Scope, recurrence_id: UUID) -> Recurrence:
    """One of them. Raises NotFound."""
    wanted = select(Recurrence).where(col(Recurrence.brand_id) == scope.brand_id, col(Recurrence.id) == recurrence_id)
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise _unknown(recurrence_id)
    return found


async def lock(session: Session, scope: Scope, recurrence_id: UUID, if_version: int | None = None) -> Recurrence:
    """One of them, its row this transaction's. Raises NotFound, Stale."""
    wanted = (
        select(Recurrence)
        .where(col(Recurrence.brand_id) == scope.brand_id, col(Recurrence.id) == recurrence_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise _unknown(recurrence_id)
    if if_version is not None and found.version != if_version:
        raise Stale(f"the recurrence is at version {found.version}, not {if_version}: read it again")
    return found


async def write(session: Session, scope: Scope, *, draft: RecurrenceDraft, now: datetime) -> Recurrence:
    """Keep a recurrence; no post is made of it yet. Raises Invalid, naming the place."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    draft = await naming.filled(session, scope, draft)
    made = await _read(session, scope, draft, now)
    made.template = {name: value for name, value in _written(draft).items() if name in _TEMPLATE}
    made.created_by = scope.principal.user_id if scope.principal is not None else None
    session.add(made)
    await session.flush()
    await templates.keep_media(session, scope, made)
    session.add(DueRecurrence(recurrence_id=made.id, brand_id=scope.brand_id, due_at=now))
    await tell(session, scope, made, now=now)
    await audit.add(session, scope, "recurrence.create", typeid(Prefix.RECURRENCE, made.id))
    return made


async def preview(
    session: Session, scope: Scope, *, when: RecurrenceTiming, count: int, now: datetime
) -> list[Occurrence]:
    """The next moments that a rule would come to, `count` at most; nothing is kept. Raises Invalid."""
    return await upcoming(session, scope, await _read(session, scope, when, now), count=count, now=now)


async def upcoming(
    session: Session, scope: Scope, recurrence: Recurrence, *, count: int, now: datetime
) -> list[Occurrence]:
    """The next moments of a recurrence, `count` at most (1 to 100); none where it is over. Raises Invalid."""
    if not 1 <= count <= MOST_AHEAD:
        raise wrong("out_of_range", f"from 1 to {MOST_AHEAD} moments are shown", "count")
    if recurrence.status is RecurrenceStatus.ENDED:
        return []
    now = scope.now(now)
    today = today_in(recurrence.timezone, now)
    silence = await blackouts.silence(session, scope, today - timedelta(days=1))
    last = recurrence.starts_on + rules.LONGEST
    ahead = repeats.occurrences(recurrence, silence, today - timedelta(days=1), last)
    return [one for one in ahead if one.at > now][:count]


async def change(
    session: Session, scope: Scope, recurrence: Recurrence, changes: RecurrenceChanges, now: datetime
) -> None:
    """Write changes into a recurrence that is locked. Raises Invalid, and Conflict where it has ended."""
    require_going(recurrence)
    changes = await naming.filled(session, scope, changes)
    given = _written(changes, exclude_unset=True)
    for name, value in given.items():
        if value is None and name not in _NULLABLE:
            raise wrong("required", f"{name} can't be null", name)
    recurrence.template = {**recurrence.template, **{n: v for n, v in given.items() if n in _TEMPLATE}}
    for name in given.keys() - set(_TEMPLATE):
        setattr(recurrence, name, getattr(changes, name))
    _check(recurrence)
    await templates.keep_media(session, scope, recurrence)
    recurrence.updated_at = now
    recurrence.version += 1


def _written(said: RecurrenceDraft | RecurrenceChanges, *, exclude_unset: bool = False) -> dict[str, Any]:
    """What was said, as it is kept: media by themselves, not by lists of ids."""
    short = {"variants": {"__all__": {"media_ids"}}}
    return said.model_dump(mode="json", exclude=short, exclude_unset=exclude_unset)


def set_status(recurrence: Recurrence, status: RecurrenceStatus, now: datetime) -> None:
    """Pause, resume or end a recurrence that is locked. Raises Conflict where it has ended."""
    require_going(recurrence)
    recurrence.status = status
    match status:
        case RecurrenceStatus.ACTIVE:
            recurrence.problem = None
        case RecurrenceStatus.PAUSED | RecurrenceStatus.ENDED:
            pass
        case _:
            assert_never(status)
    recurrence.updated_at = now
    recurrence.version += 1


async def leave_out(session: Session, scope: Scope, recurrence_id: UUID, day: date) -> None:
    """Let the occurrence of this day never become a post again."""
    recurrence = await lock(session, scope, recurrence_id)
    if day not in recurrence.skipped:
        recurrence.skipped = sorted([*recurrence.skipped, day])
        recurrence.version += 1


def require_going(recurrence: Recurrence) -> None:
    """Raise Conflict where the recurrence has ended."""
    if recurrence.status is RecurrenceStatus.ENDED:
        raise Conflict("this recurrence has ended; make another one", code="wrong_state")


async def tell(session: Session, scope: Scope, recurrence: Recurrence, *, now: datetime) -> None:
    """Write what changed, and the fact that it did."""
    await session.flush()
    fact = NewEvent(
        EventType.RECURRENCE_CHANGED, recurrence.id, recurrence.version, {"status": recurrence.status.value}
    )
    await events.add(session, scope.brand_id, [fact], now=now)


def today_in(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


async def _read(session: Session, scope: Scope, when: RecurrenceTiming, now: datetime) -> Recurrence:
    brand_zone = (
        await session.execute(select(Brand.timezone).where(col(Brand.brand_id) == scope.brand_id))
    ).scalar_one()
    zone = wallclock.require_zone(when.timezone or brand_zone, "timezone")
    made = Recurrence(
        brand_id=scope.brand_id,
        template={},
        rule=when.rule,
        starts_on=when.starts_on or today_in(zone, scope.now(now)),
        local_time=when.local_time,
        timezone=zone,
        blackouts=when.blackouts,
        created_at=now,
        updated_at=now,
    )
    _check(made)
    return made


def _check(recurrence: Recurrence) -> None:
    """Raises Invalid. Afterwards the rule is written as it is kept."""
    wallclock.read_time(recurrence.local_time, "local_time")
    wallclock.require_zone(recurrence.timezone, "timezone")
    if not 1970 <= recurrence.starts_on.year <= 2200:
        raise wrong("out_of_range", "this day is out of range", "starts_on")
    rule = rules.read(recurrence.rule)
    rules.require_days(rule, recurrence.starts_on)
    recurrence.rule = rule.text


def _unknown(recurrence_id: UUID) -> NotFound:
    return NotFound(f"there is no recurrence with the id {typeid(Prefix.RECURRENCE, recurrence_id)!r}")
