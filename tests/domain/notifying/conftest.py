"""A brand whose events are numbered and told, with people who work for it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from services.local.servers import ServerUrls
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.events import events, sequencer
from shared.domain.events.events import NewEvent
from shared.domain.notifying import making, notifications, preferences
from shared.domain.notifying.preferences import Choice, Preferences
from shared.domain.page import Cursors, PageRequest
from shared.domain.scope import Principal
from shared.ids import new_uuid
from shared.models.enums import EventType, GrantRole, KeyScope, NotificationKind, NotificationWay
from shared.models.notification import Notification
from shared.vault import Vault
from tests.conftest import House, HouseBrand, TestDatabase, on_database

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    """What a test does: something happens, people are told, somebody looks."""

    worker: Database
    app: Database
    house: House
    brand: HouseBrand
    eye: asyncpg.Connection

    async def happens(self, *facts: NewEvent, brand_id: UUID | None = None) -> None:
        """These facts are committed and numbered."""
        async with self.worker.session() as session:
            scope = await scopes.house(session, brand_id or self.brand.brand_id)
            await events.add(session, scope.brand_id, facts, now=NOW)
        async with self.worker.session() as session:
            await sequencer.number(session, limit=1000)

    async def tell(self, *, now: datetime = NOW, has_mail: bool = True) -> int:
        """Make notifications of all that waits; of how many brands."""
        async with self.worker.session() as session:
            ready = await making.claim(session, limit=100, lease=timedelta(minutes=1))
        for one in ready:
            async with self.worker.session() as session:
                scope = await scopes.house(session, one.brand_id)
                await making.make(session, scope, one, house=making.House(has_mail), now=now)
        return len(ready)

    async def told(self, user_id: UUID | None = None) -> list[NotificationKind]:
        """What a user was told, in order."""
        rows = await self.eye.fetch(
            "SELECT kind FROM notification WHERE user_id = $1 ORDER BY seq, id", user_id or self.brand.user_id
        )
        return [NotificationKind(row["kind"]) for row in rows]

    async def colleague(self, role: GrantRole, *, email: str | None = None) -> Principal:
        """Somebody of another organization that has this role on the brand."""
        organization, user = new_uuid(), new_uuid()
        for statement, arguments in (
            ("INSERT INTO organization (id, name) VALUES ($1, 'Agency')", (organization,)),
            ('INSERT INTO "user" (id, name, email) VALUES ($1, $2, $3)', (user, role.value, email)),
            ("INSERT INTO membership (organization_id, user_id, role) VALUES ($1, $2, 'member')", (organization, user)),
            (
                'INSERT INTO "grant" (id, organization_id, brand_id, role) VALUES ($1, $2, $3, $4)',
                (new_uuid(), organization, self.brand.brand_id, role.value),
            ),
        ):
            await self.eye.execute(statement, *arguments)
        everything = frozenset({KeyScope.ALL})
        return Principal(new_uuid(), user, organization, everything, {self.brand.brand_id: role})

    @property
    def owner(self) -> Principal:
        brand, everything = self.brand, frozenset({KeyScope.ALL})
        brands = {brand.brand_id: GrantRole.OWNER}
        return Principal(new_uuid(), brand.user_id, brand.organization_id, everything, brands)

    async def wish(self, who: Principal, *choices: Choice, **more: object) -> Preferences:
        """The user's preferences from now on."""
        async with self.app.session() as session:
            await enter(session, who)
            wanted = Preferences(choices=choices, **more)  # type: ignore[arg-type]
            return await preferences.put(session, who, wanted, now=NOW)

    async def list(self, who: Principal) -> Sequence[Notification]:
        async with self.app.reading() as session:
            await enter(session, who)
            cursors = Cursors(Vault(["k"]))
            return (await notifications.search(session, who, page=PageRequest(100), cursors=cursors)).items


async def enter(session: Session, who: Principal) -> None:
    """The transaction acts for this user, as after `scope.enter`."""
    await session.execute(text(f"SET LOCAL parvis.acting_user = '{who.user_id}'"))
    await session.execute(text(f"SET LOCAL parvis.organization = '{who.organization_id}'"))


def off(kind: NotificationKind, way: NotificationWay = NotificationWay.APP, brand_id: UUID | None = None) -> Choice:
    return Choice(kind, way, is_on=False, brand_id=brand_id)


def on(kind: NotificationKind, way: NotificationWay = NotificationWay.APP, brand_id: UUID | None = None) -> Choice:
    return Choice(kind, way, is_on=True, brand_id=brand_id)


def post(status: str, post_id: UUID, version: int = 1) -> NewEvent:
    return NewEvent(EventType.POST_CHANGED, post_id, version, {"status": status})


def channel(status: str, channel_id: UUID, action: str = "channel.update") -> NewEvent:
    return NewEvent(EventType.CHANNEL_CHANGED, channel_id, 1, {"status": status, "action": action})


@pytest.fixture
async def desk(
    servers: ServerUrls, database: TestDatabase, worker_db: Database, app_db: Database, house: House, brand: HouseBrand
) -> AsyncIterator[Desk]:
    eye = await asyncpg.connect(on_database(servers.superuser, database.name))
    made = Desk(worker_db, app_db, house, brand, eye)
    await made.tell()
    yield made
    await eye.close()
