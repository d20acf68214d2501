"""Days of silence: on them no slot and no recurrence speaks, and who plans for one is told."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete as sql_delete
from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.publishing.drafts import Label
from shared.domain.publishing.planning.repeats import Silence
from shared.domain.publishing.planning.wallclock import wrong
from shared.domain.scope import Scope
from shared.errors import Conflict, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import GrantRole, KeyScope
from shared.models.planning import Blackout
from shared.models.post import Post

MOST = 500
_LONGEST = timedelta(days=366)


class BlackoutDraft(BaseModel):
    """From `starts_on` to `ends_on`, both included; without an end it is one day."""

    model_config = ConfigDict(extra="forbid")
    starts_on: date
    ends_on: date | None = None
    label: Label = ""


class BlackoutChanges(BaseModel):
    """What is not set stays."""

    model_config = ConfigDict(extra="forbid")
    starts_on: date | None = None
    ends_on: date | None = None
    label: Label | None = None


async def list_(session: Session, scope: Scope) -> list[Blackout]:
    """All of the brand's, by their first day."""
    wanted = select(Blackout).where(col(Blackout.brand_id) == scope.brand_id)
    ordered = wanted.order_by(col(Blackout.starts_on), col(Blackout.id))
    return list((await session.execute(ordered)).scalars())


async def get(session: Session, scope: Scope, blackout_id: UUID) -> Blackout:
    """One of them. Raises NotFound."""
    wanted = select(Blackout).where(col(Blackout.brand_id) == scope.brand_id, col(Blackout.id) == blackout_id)
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no blackout with the id {typeid(Prefix.BLACKOUT, blackout_id)!r}")
    return found


async def silence(session: Session, scope: Scope, since: date) -> Silence:
    """The days of silence that are not over on `since`."""
    wanted = select(Blackout).where(col(Blackout.brand_id) == scope.brand_id, col(Blackout.ends_on) >= since)
    rows = (await session.execute(wanted.order_by(col(Blackout.starts_on)))).scalars()
    return Silence(tuple((row.starts_on, row.ends_on) for row in rows))


async def create(session: Session, scope: Scope, *, draft: BlackoutDraft, now: datetime) -> Blackout:
    """Be silent on these days. What is planned for them stays planned. Raises Invalid, Conflict beyond 500."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    if len(await list_(session, scope)) >= MOST:
        raise Conflict(f"a brand has at most {MOST} blackouts: let old ones go", code="too_many")
    made = Blackout(
        brand_id=scope.brand_id,
        starts_on=draft.starts_on,
        ends_on=draft.ends_on or draft.starts_on,
        label=draft.label,
        created_at=now,
    )
    _check(made)
    session.add(made)
    await session.flush()
    await audit.add(session, scope, "blackout.create", typeid(Prefix.BLACKOUT, made.id))
    return made


async def update(
    session: Session, scope: Scope, blackout_id: UUID, *, changes: BlackoutChanges, if_version: int | None = None
) -> Blackout:
    """Change its days or its label. Raises NotFound, Stale, Invalid."""
    found = await _mine(session, scope, blackout_id, if_version)
    for name in changes.model_fields_set:
        value = getattr(changes, name)
        if value is None:
            raise wrong("required", f"{name} can't be null", name)
        setattr(found, name, value)
    _check(found)
    found.version += 1
    await session.flush()
    await audit.add(session, scope, "blackout.update", typeid(Prefix.BLACKOUT, found.id))
    return found


async def delete(session: Session, scope: Scope, blackout_id: UUID, *, if_version: int | None = None) -> Blackout:
    """Speak on these days again; the blackout as it was. Raises NotFound, Stale."""
    found = await _mine(session, scope, blackout_id, if_version)
    statement = sql_delete(Blackout).where(col(Blackout.brand_id) == scope.brand_id, col(Blackout.id) == found.id)
    await session.execute(statement.execution_options(synchronize_session=False))
    session.expunge(found)
    await audit.add(session, scope, "blackout.delete", typeid(Prefix.BLACKOUT, found.id))
    return found


async def cautions(session: Session, scope: Scope, posts: Sequence[Post]) -> dict[UUID, list[Problem]]:
    """What is to be said of posts that are planned for a day of silence, by post."""
    planned = [post for post in posts if post.scheduled_at is not None]
    if not planned:
        return {}
    first = min(post.scheduled_at for post in planned if post.scheduled_at is not None).date() - timedelta(days=1)
    wanted = select(Blackout).where(col(Blackout.brand_id) == scope.brand_id, col(Blackout.ends_on) >= first)
    silent = list((await session.execute(wanted.order_by(col(Blackout.starts_on)))).scalars())
    if not silent:
        return {}
    zone = (await session.execute(select(Brand.timezone).where(col(Brand.brand_id) == scope.brand_id))).scalar_one()
    return {post.id: found for post in planned if (found := _said(post, zone, silent))}


def _said(post: Post, brand_zone: str, silent: Collection[Blackout]) -> list[Problem]:
    day = local_day(post, brand_zone)
    said = "the brand is silent on {day}{why}; it goes out all the same"
    return [
        Problem("blackout", said.format(day=day, why=f" ({one.label})" if one.label else ""), ("scheduled_at",))
        for one in silent
        if day is not None and one.starts_on <= day <= one.ends_on
    ]


def local_day(post: Post, brand_zone: str) -> date | None:
    """The day on which a post goes out, as its own zone counts days; without one, as the brand's does."""
    if post.scheduled_at is None:
        return None
    return post.scheduled_at.astimezone(ZoneInfo(post.timezone or brand_zone)).date()


async def _mine(session: Session, scope: Scope, blackout_id: UUID, if_version: int | None) -> Blackout:
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    wanted = (
        select(Blackout)
        .where(col(Blackout.brand_id) == scope.brand_id, col(Blackout.id) == blackout_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no blackout with the id {typeid(Prefix.BLACKOUT, blackout_id)!r}")
    if if_version is not None and found.version != if_version:
        raise Stale(f"the blackout is at version {found.version}, not {if_version}: read it again")
    return found


def _check(blackout: Blackout) -> None:
    if blackout.ends_on < blackout.starts_on:
        raise wrong("out_of_order", "the last day comes before the first", "ends_on")
    if blackout.ends_on - blackout.starts_on > _LONGEST:
        raise wrong("too_long", "a blackout lasts a year at most", "ends_on")
    if not 1970 <= blackout.starts_on.year <= 2200:
        raise wrong("out_of_range", "this day is out of range", "starts_on")
