"""A brand where somebody must agree before a post goes out, and short words for what they say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.connectors.registry import CARDS
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.publishing import posts
from shared.domain.publishing.agreeing import approvals, holds, links, reminders, reviews
from shared.domain.publishing.agreeing.links import LinkDraft, Made
from shared.domain.publishing.agreeing.reviews import Standing
from shared.domain.publishing.drafts import PostChanges
from shared.domain.scope import Principal, Scope
from shared.ids import new_uuid
from shared.models.approval import Approval, Hold
from shared.models.enums import ApprovalKind, EventType, GrantRole, KeyScope, Missed
from shared.models.post import Post
from tests.conftest import NOW, HouseChannel
from tests.domain.publishing.conftest import LATER, Desk

NOOR, ELIF, JAN = new_uuid(), new_uuid(), new_uuid()


@dataclass(frozen=True)
class Table:
    """Those who must agree, around one brand's posts. Noor writes; Elif and Jan agree."""

    desk: Desk

    @asynccontextmanager
    async def by(self, user: UUID, role: GrantRole = GrantRole.MANAGER) -> AsyncIterator[tuple[Session, Scope]]:
        brand = self.desk.brand
        async with self.desk.app.session() as session:
            await scopes.enter(session, brand.api_key)
            await scopes.see(session, [brand.brand_id])
            who = Principal(new_uuid(), user, brand.organization_id, frozenset({KeyScope.ALL}), {brand.brand_id: role})
            yield session, Scope(brand.brand_id, who, role)

    async def wants(self, approval: str, *, client: bool = False, **more: Any) -> None:
        """Set the brand's rule."""
        values = {"approval": approval, "client": client, "reminder": 24, "last_call": 4, **more}
        async with self.desk.at(self.desk.house.owner_db) as (session, scope):
            await session.execute(
                text(
                    "UPDATE brand SET approval = :approval, client_approval = :client, approval_reminder_hours ="
                    " :reminder, approval_last_call_hours = :last_call WHERE brand_id = :brand"
                ),
                {**values, "brand": scope.brand_id},
            )

    async def write(self, *channels: HouseChannel, at: datetime | None = LATER, **body: Any) -> Post:
        """A post of Noor's, planned `at`."""
        async with self.by(NOOR, GrantRole.EDITOR) as (session, scope):
            draft = posts.PostDraft.model_validate(
                {"text": "Bonjour", "channel_ids": [c.id for c in channels], "scheduled_at": at, **body}
            )
            return await posts.create(session, scope, draft=draft, cards=CARDS, now=NOW)

    async def edit(self, post: Post, user: UUID = NOOR, now: datetime = NOW, **changes: Any) -> Post:
        async with self.by(user, GrantRole.EDITOR) as (session, scope):
            wanted = PostChanges.model_validate(changes)
            return await posts.update(session, scope, post.id, changes=wanted, cards=CARDS, now=now)

    async def move(self, post: Post, at: datetime, now: datetime = NOW) -> Post:
        async with self.by(NOOR, GrantRole.EDITOR) as (session, scope):
            return await posts.schedule(session, scope, post.id, at=at, cards=CARDS, now=now)

    async def submit(self, post: Post, now: datetime = NOW) -> Post:
        async with self.by(NOOR, GrantRole.EDITOR) as (session, scope):
            return await approvals.submit(session, scope, post.id, cards=CARDS, now=now)

    async def agree(
        self, post: Post, user: UUID = ELIF, now: datetime = NOW, role: GrantRole = GrantRole.MANAGER
    ) -> Post:
        async with self.by(user, role) as (session, scope):
            return await approvals.approve(session, scope, post.id, if_version=post.version, cards=CARDS, now=now)

    async def object(self, post: Post, user: UUID = ELIF, comment: str = "too loud", now: datetime = NOW) -> Post:
        async with self.by(user) as (session, scope):
            return await approvals.request_changes(
                session, scope, post.id, if_version=post.version, comment=comment, now=now
            )

    async def remark(self, post: Post, text: str, **more: Any) -> Approval:
        async with self.by(ELIF, GrantRole.RESPONDER) as (session, scope):
            return await approvals.comment(session, scope, post.id, text=text, now=NOW, **more)

    async def stands(self, post: Post) -> Standing:
        async with self.desk.at() as (session, scope):
            found = await posts.get(session, scope, post.id)
            return (await reviews.standings(session, scope, [found]))[post.id]

    async def said(self, post: Post) -> list[Approval]:
        async with self.desk.at() as (session, scope):
            return (await reviews.said_of(session, scope, [post.id])).get(post.id, [])

    async def link(self, *of: Post, days: int = 7, **more: Any) -> Made:
        async with self.by(NOOR, GrantRole.EDITOR) as (session, scope):
            values = {"name": "Mme Claes", "post_ids": [post.id for post in of], "expires_at": NOW + timedelta(days)}
            draft = LinkDraft.model_validate({**values, **more})
            return await links.create(session, scope, draft=draft, now=NOW)

    async def client(
        self, made: Made, post: Post, kind: ApprovalKind = ApprovalKind.APPROVED, *, digest: bytes | None = None,
        comment: str | None = None, now: datetime = NOW,
    ) -> Post:  # fmt: skip
        seen = digest if digest is not None else (await self.stands(post)).digest
        async with self.desk.app.session() as session:
            scope, link = await links.enter(session, made.token, now=now)
            return await approvals.answer(
                session, scope, link, post.id,
                digest=seen, kind=kind, name="Mme Claes", comment=comment, cards=CARDS, now=now,
            )  # fmt: skip

    async def hold(self, now: datetime = NOW) -> Hold:
        async with self.by(ELIF) as (session, scope):
            return await holds.hold(session, scope, reason="a storm", now=now)

    async def release(self, missed: Missed, now: datetime = NOW) -> Hold:
        async with self.by(ELIF) as (session, scope):
            return await holds.release(session, scope, missed=missed, now=now)

    async def is_held(self) -> bool:
        async with self.desk.at() as (session, scope):
            return (await holds.standing(session, scope, now=NOW)).hold is not None

    async def remind(self, now: datetime) -> int:
        async with self.desk.worker.session() as session:
            due = await reminders.claim(session, now=now, limit=100, lease=timedelta(seconds=60))
        told = 0
        for post_ids in due.values():
            async with self.desk.worker.session() as session:
                scope = await scopes.house_at(session, self.desk.brand.brand_id)
                told += await reminders.remind(session, scope, post_ids, now=now)
        return told

    async def facts(self, kind: EventType) -> list[dict[str, Any]]:
        async with self.desk.at() as (session, scope):
            found = await session.execute(
                text("SELECT payload FROM event WHERE brand_id = :brand AND type = :type ORDER BY id"),
                {"brand": scope.brand_id, "type": kind.value},
            )
            return list(found.scalars())
