"""From events to notifications: each event of a brand once, in order, for each person whom it concerns.

A brand's cursor and all that its events bring about are one transaction, so whatever dies in between is done again from
where the cursor stands, and nothing is told twice. Two workers on one brand wait for each other at the cursor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain.events import feed
from shared.domain.notifying import deliveries, facts, kinds, people
from shared.domain.notifying.facts import News
from shared.domain.notifying.kinds import Rule
from shared.domain.notifying.people import Person
from shared.domain.notifying.timing import mail_due
from shared.domain.scope import Scope
from shared.ids import new_uuid
from shared.models.brand import Brand
from shared.models.enums import EventType, NotificationKind, NotificationWay
from shared.models.event import Event
from shared.models.notification import Notification, Told

LIMIT = 200

_CLAIM = """
WITH x AS MATERIALIZED (SELECT brand_id FROM due_notice WHERE leased_until IS NULL OR leased_until < clock_timestamp()
  ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE due_notice d SET leased_until = clock_timestamp() + $2 FROM x WHERE d.brand_id = x.brand_id
RETURNING d.brand_id, d.seq
"""
_BEGIN = "INSERT INTO notice_cursor (brand_id, seq) VALUES ($1, 0) ON CONFLICT DO NOTHING"
_CURSOR = "SELECT seq FROM notice_cursor WHERE brand_id = $1 FOR UPDATE"
_MOVE = "UPDATE notice_cursor SET seq = $2 WHERE brand_id = $1"
_DONE = "DELETE FROM due_notice WHERE brand_id = $1 AND seq <= $2"
_MORE = "UPDATE due_notice SET leased_until = NULL, due_at = clock_timestamp() WHERE brand_id = $1"
_TELL = """
INSERT INTO notification (brand_id, id, event_id, seq, user_id, kind, thing_prefix, thing_id, facts, at, in_app,
                          mail_due_at)
SELECT $1, n.id, n.event_id, n.seq, n.user_id, n.kind, n.prefix, n.thing_id, n.facts::jsonb, n.at, n.in_app, n.due
  FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::uuid[], $9::text[],
              $10::timestamptz[], $11::bool[], $12::timestamptz[])
       AS n (id, event_id, seq, user_id, kind, prefix, thing_id, facts, at, in_app, due)
ON CONFLICT (brand_id, event_id, user_id, kind) DO NOTHING
"""
_MAIL = """
INSERT INTO due_mail (user_id, brand_id, due_at) SELECT m.user_id, $1, m.due FROM unnest($2::uuid[], $3::timestamptz[])
       AS m (user_id, due)
ON CONFLICT (user_id, brand_id) DO UPDATE SET due_at = least(due_mail.due_at, excluded.due_at)
"""


@dataclass(frozen=True, slots=True)
class Ready:
    """A brand in this worker's hands, with events up to `seq` that somebody may have to be told of."""

    brand_id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class House:
    """What notifications need to know of the house: whether it sends mails, and where its frontend is."""

    has_mail: bool
    frontend_url: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a brand's events: the kinds that were told, with how many people; deliveries that wait."""

    told: list[tuple[NotificationKind, int]]
    deliveries: int


async def claim(session: Session, *, limit: int, lease: timedelta) -> list[Ready]:
    """Take brands whose events nobody else is at, the longest waiting first."""
    rows = await (await driver(session)).fetch(_CLAIM, limit, lease)
    return [Ready(row["brand_id"], row["seq"]) for row in rows]


async def make(session: Session, scope: Scope, ready: Ready, *, house: House, now: datetime) -> Made:
    """Tell of the brand's next events; whatever is left waits for another turn."""
    connection = await driver(session)
    await connection.execute(_BEGIN, scope.brand_id)
    at = await connection.fetchval(_CURSOR, scope.brand_id)
    found = await feed.after(session, scope, after=at, types=kinds.EVENTS, limit=LIMIT)
    made = await _tell(session, scope, found, house=house, now=now)
    last = found[-1].seq if len(found) == LIMIT else max(ready.seq, at, *(event.seq or 0 for event in found))
    await connection.execute(_MOVE, scope.brand_id, last)
    # Last, because the sequencer waits for this row where it has more of this brand.
    await connection.execute(_DONE, scope.brand_id, last)
    await connection.execute(_MORE, scope.brand_id)
    return made


async def _tell(session: Session, scope: Scope, found: Sequence[Event], *, house: House, now: datetime) -> Made:
    fresh = await _fresh(session, scope, found, now=now)
    brand = await session.get(Brand, scope.brand_id)
    if not fresh or brand is None:
        return Made([], 0)
    news = await facts.gather(session, scope, fresh, brand)
    concerned = await people.of_brand(session, scope, zone=brand.zone)
    notices = [
        _notification(one, person, house, now)
        for one in news
        for person in concerned
        if _concerns(one, person) and any(person.wants(one.rule.kind, way) for way in NotificationWay)
    ]
    await _write(session, scope, notices)
    waiting = await deliveries.plan(
        session, scope, news, notices, concerned, brand=brand, frontend_url=house.frontend_url, now=now
    )
    told = [(one.rule.kind, sum(notice.event_id == one.event.id for notice in notices)) for one in news]
    return Made(told, waiting)


def _concerns(one: News, person: Person) -> bool:
    """A user's own endpoint is the user's own matter, and who can't agree to a post is not asked to."""
    if person.user_id in one.beside:
        return False
    if one.rule.event is not EventType.ENDPOINT_DISABLED:
        return True
    owner = one.event.payload.get("user_id")
    return owner is None or owner == str(person.user_id)


async def _fresh(
    session: Session, scope: Scope, found: Sequence[Event], *, now: datetime
) -> list[tuple[Event, Rule]]:  # fmt: skip
    """The events that say something new of their things; what was told of each is brought up to date."""
    things = {event.thing_id for event in found}
    rows = await session.execute(select(Told).where(Told.brand_id == scope.brand_id, col(Told.thing_id).in_(things)))
    told = {row.thing_id: row for row in rows.scalars()}
    fresh = []
    for event in found:
        rule, before = kinds.rule_of(event.type, event.payload), told.get(event.thing_id)
        if rule is not None and (rule.repeats or before is None or before.kind is not rule.kind):
            fresh.append((event, rule))
        if rule is None and before is not None and _is_same_story(event, before):
            del told[event.thing_id]
            await session.delete(before)
        elif rule is not None and not rule.repeats:
            if before is None:
                told[event.thing_id] = before = Told(
                    brand_id=scope.brand_id, thing_id=event.thing_id, kind=rule.kind, at=now
                )
                session.add(before)
            before.kind, before.at = rule.kind, now
        await session.flush()
    return fresh


def _is_same_story(event: Event, before: Told) -> bool:
    """Whether an event of this type is one that changes what was told."""
    return any(rule.event is event.type and rule.kind is before.kind for rule in kinds.RULES)


def _notification(one: News, person: Person, house: House, now: datetime) -> Notification:
    kind = one.rule.kind
    by_mail = house.has_mail and person.has_email and person.wants(kind, NotificationWay.MAIL)
    return Notification(
        brand_id=one.event.brand_id,
        id=new_uuid(),
        event_id=one.event.id,
        seq=one.event.seq or 0,
        user_id=person.user_id,
        kind=kind,
        thing_prefix=one.rule.about.value,
        thing_id=one.thing_id,
        facts=one.facts,
        at=one.event.at,
        in_app=person.wants(kind, NotificationWay.APP),
        mail_due_at=mail_due(now, person.wishes, is_urgent=kinds.HABITS[kind].is_urgent) if by_mail else None,
    )


async def _write(session: Session, scope: Scope, notices: Sequence[Notification]) -> None:
    if not notices:
        return
    connection = await driver(session)
    columns: list[list[Any]] = [
        [notice.id for notice in notices],
        [notice.event_id for notice in notices],
        [notice.seq for notice in notices],
        [notice.user_id for notice in notices],
        [notice.kind.value for notice in notices],
        [notice.thing_prefix for notice in notices],
        [notice.thing_id for notice in notices],
        [orjson.dumps(notice.facts).decode() for notice in notices],
        [notice.at for notice in notices],
        [notice.in_app for notice in notices],
        [notice.mail_due_at for notice in notices],
    ]
    await connection.execute(_TELL, scope.brand_id, *columns)
    due: dict[UUID, datetime] = {}
    for notice in notices:
        if notice.mail_due_at is not None:
            due[notice.user_id] = min(due.get(notice.user_id, notice.mail_due_at), notice.mail_due_at)
    if due:
        await connection.execute(_MAIL, scope.brand_id, sorted(due), [due[user] for user in sorted(due)])
