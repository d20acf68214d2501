"""A brand that has been heard for weeks, and short words for what tests do with its rules."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from shared.contract import Author, Said
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.insight.alerting import rules, watch
from shared.domain.insight.alerting.memory import Memory
from shared.domain.insight.alerting.rules import AlertRuleChanges, AlertRuleDraft
from shared.domain.insight.alerting.watch import Looked
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.ears import Ears
from shared.domain.listening.readings import Read, Readings
from shared.domain.listening.record import record
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models import Alert, AlertRule, Event, Mention
from shared.models.enums import EventType, MentionKind
from tests.conftest import NOW, House, HouseBrand, HouseChannel

DAYS = 15
MINUTE = timedelta(minutes=1)
SAYINGS = ("Mooie winkel", "Toujours bien reçu", "Kaffee war gut", "Nice cups today", "Trop d'attente hier")


@dataclass
class Lookout:
    """A watch over one brand: NOW is fifteen days after it was first heard, about a mention every half hour."""

    app: Database
    worker: Database
    house: House
    brand: HouseBrand
    channel: HouseChannel
    memory: Memory = field(default_factory=Memory)
    count: int = 0

    @asynccontextmanager
    async def at(self, db: Database | None = None) -> AsyncIterator[tuple[Session, Scope]]:
        async with (db or self.worker).session() as session:
            yield session, await scopes.house_at(session, self.brand.brand_id)

    async def hear(
        self,
        *moments: datetime,
        words: str | None = None,
        followers: int | None = None,
        heard_at: datetime | None = None,
        read: Read | None = None,
        **more: Any,
    ) -> None:
        """A mention at each moment, each by another author; heard when the last of them was said, at NOW at the
        soonest, or at `heard_at`."""
        heard = []
        for at in moments:
            self.count += 1
            said, who = words if words is not None else SAYINGS[self.count % len(SAYINGS)], f"a-{self.count}"
            heard.append(
                Said(
                    f"m-{self.count}", kind=MentionKind.COMMENT, stamp=at, published_at=at,
                    text=f"{said} {self.count}", author=Author(who, handle=who, followers=followers), **more,
                )
            )  # fmt: skip
        for start in range(0, len(heard), 500):
            async with self.at() as (session, scope):
                part = HeardPart(
                    self.channel.id, self.channel.channel.network, str(self.channel.id), heard[start : start + 500]
                )
                now, readings = heard_at or max(*moments, NOW), Readings(read) if read is not None else None
                await record(session, scope, [part], now=now, ears=Ears(), readings=readings)

    async def storm(self, until: datetime, count: int = 60, words: str = "Rappel produit dangereux") -> None:
        """So many mentions within the hour before."""
        await self.hear(*(until - timedelta(seconds=3500 * n / count + 5) for n in range(count)), words=words)

    async def rule(self, kind: str = "volume_spike", now: datetime = NOW, **more: Any) -> AlertRule:
        async with self.at(self.app) as (session, scope):
            draft = AlertRuleDraft.model_validate({"name": "Watch", "kind": kind, **more})
            return await rules.create(session, scope, draft=draft, now=now)

    async def change(self, rule: AlertRule, now: datetime = NOW, **changes: Any) -> AlertRule:
        async with self.at(self.app) as (session, scope):
            said = AlertRuleChanges.model_validate(changes)
            return await rules.change(session, scope, rule.id, changes=said, now=now, if_version=None)

    async def look(self, rule: AlertRule, now: datetime, memory: Memory | None = None) -> Looked | None:
        async with self.at() as (session, scope):
            return await watch.look(session, scope, rule.id, memory=memory or self.memory, now=now)

    async def alerts(self) -> list[Alert]:
        async with self.at(self.app) as (session, scope):
            wanted = select(Alert).where(col(Alert.brand_id) == scope.brand_id).order_by(col(Alert.id))
            return list((await session.execute(wanted)).scalars())

    async def told(self) -> list[EventType]:
        """The turns that were told, in order."""
        types = (EventType.ALERT_OPENED, EventType.ALERT_FOLLOWED, EventType.ALERT_CLOSED)
        async with self.at(self.app) as (session, scope):
            wanted = select(Event.type).where(Event.brand_id == scope.brand_id, col(Event.type).in_(types))
            return [EventType(one) for one in (await session.execute(wanted.order_by(col(Event.id)))).scalars()]

    async def named(self) -> list[list[str]]:
        """The texts of the mentions that were told with each turn, in order."""
        async with self.at(self.app) as (session, scope):
            events = select(Event).where(Event.brand_id == scope.brand_id, col(Event.type).like("alert.%"))
            ids = [
                one.payload.get("mention_ids", [])
                for one in (await session.execute(events.order_by(col(Event.id)))).scalars()
            ]
            rows = await session.execute(select(Mention.id, Mention.text).where(Mention.brand_id == scope.brand_id))
            texts = {typeid(Prefix.MENTION, id_): text for id_, text in rows}
            return [[texts[id_] for id_ in some] for some in ids]

    async def due_at(self) -> datetime | None:
        async with self.at() as (session, scope):
            found = await session.execute(
                text("SELECT due_at FROM due_alert WHERE brand_id = :b"), {"b": scope.brand_id}
            )
            at: datetime | None = found.scalar_one_or_none()
            return at


@pytest.fixture
async def newcomer(house: House, brand: HouseBrand, app_db: Database, worker_db: Database) -> Lookout:
    """A watch over a brand of which nothing was heard yet."""
    return Lookout(app_db, worker_db, house, brand, await house.channel(brand))


@pytest.fixture
async def lookout(house: House, brand: HouseBrand, app_db: Database, worker_db: Database) -> Lookout:
    channel = await house.channel(brand)
    made = Lookout(app_db, worker_db, house, brand, channel)
    begins = NOW - timedelta(days=DAYS)
    async with house.owner_db.session() as session:
        await scopes.house(session, brand.brand_id)
        await session.execute(
            text("UPDATE coverage SET from_at = :at WHERE brand_id = :b"), {"at": begins, "b": brand.brand_id}
        )
    chance = random.Random(1)
    await made.hear(*(begins + timedelta(minutes=30 * n + chance.random() * 29) for n in range(DAYS * 48)))
    return made


def ids(alerts: list[Alert]) -> list[UUID]:
    return [one.id for one in alerts]
