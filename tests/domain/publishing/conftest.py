"""A brand with channels that can publish, and short words for what tests do with posts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.connectors.registry import CARDS
from shared.contract import Card
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostDraft
from shared.domain.publishing.library.media_addresses import Addresses
from shared.domain.publishing.sending import outgoing
from shared.domain.publishing.sending.attempts import Pace
from shared.domain.publishing.sending.outcomes import Outcome
from shared.domain.publishing.sending.outgoing import Claim, Try
from shared.domain.scope import Scope
from shared.models.enums import Network
from shared.models.post import Outgoing, Post, Variant
from shared.vault import Vault
from tests.conftest import NOW, House, HouseBrand, HouseChannel

LATER = NOW + timedelta(hours=1)
PACE = Pace(
    first=timedelta(seconds=10),
    longest=timedelta(hours=1),
    times=3,
    lease=timedelta(seconds=60),
    doubt=timedelta(seconds=30),
)
RECEIVER = {"url": "http://127.0.0.1:9/posts", "secret": "whsec_c2VjcmV0"}
ADDRESS = Addresses(Vault(["a key of the tests"]), "http://api.example").at
Act = Callable[[Session, Scope], Awaitable[Any]]


@dataclass(frozen=True)
class Desk:
    """One brand's publishing, each act in a transaction of its own."""

    app: Database
    worker: Database
    house: House
    brand: HouseBrand
    vault: Vault
    cards: Mapping[Network, Card] = field(default_factory=lambda: CARDS)

    def knowing(self, **more: Any) -> "Desk":
        """The same desk, where the generic network is otherwise than it is."""
        return replace(self, cards={**CARDS, Network.GENERIC: replace(CARDS[Network.GENERIC], **more)})

    @asynccontextmanager
    async def at(self, db: Database | None = None) -> AsyncIterator[tuple[Session, Scope]]:
        async with (db or self.app).session() as session:
            yield session, await scopes.house_at(session, self.brand.brand_id)

    async def channel(self, network: Network = Network.GENERIC, **more: Any) -> HouseChannel:
        more.setdefault("credentials", RECEIVER if network is Network.GENERIC else {})
        return await self.house.channel(self.brand, network, **more)

    async def create(self, now: datetime = NOW, **body: Any) -> Post:
        async with self.at() as (session, scope):
            draft = PostDraft.model_validate({"text": "Bonjour", **body})
            return await posts.create(session, scope, draft=draft, cards=self.cards, now=now)

    async def scheduled(self, *channels: HouseChannel, at: datetime = LATER, **body: Any) -> Post:
        return await self.create(channel_ids=[c.id for c in channels], scheduled_at=at, **body)

    async def publish(self, post: Post, now: datetime = NOW) -> Post:
        async with self.at() as (session, scope):
            return await posts.publish(session, scope, post.id, cards=self.cards, now=now)

    async def cancel(self, post: Post, now: datetime = NOW) -> Post:
        async with self.at() as (session, scope):
            return await posts.cancel(session, scope, post.id, now=now)

    async def post(self, post: Post) -> Post:
        async with self.at() as (session, scope):
            return await posts.get(session, scope, post.id)

    async def variants(self, post: Post) -> list[Variant]:
        async with self.at() as (session, scope):
            return (await posts.variants_of(session, scope, [post.id])).get(post.id, [])

    async def outgoing(self, post: Post) -> list[Outgoing]:
        async with self.at() as (session, scope):
            ids = [v.id for v in (await posts.variants_of(session, scope, [post.id])).get(post.id, [])]
            found = await posts.outgoing_of(session, scope, ids)
            return [one for rows in found.values() for one in rows]

    async def claim(self, now: datetime, lease: timedelta = PACE.lease, **more: Any) -> list[Claim]:
        async with self.worker.session() as session:
            return await outgoing.claim_due(session, now=now, limit=100, lease=lease, **more)

    async def begin(self, claims: list[Claim], now: datetime) -> list[Try]:
        async with self.at(self.worker) as (session, scope):
            return await outgoing.begin(
                session, scope, self.vault, claims, cards=self.cards, pace=PACE, address=ADDRESS(now), now=now
            )

    async def settle(self, made: Try, outcome: Outcome, now: datetime) -> bool:
        async with self.at(self.worker) as (session, scope):
            card = self.cards[made.network]
            return await outgoing.settle(session, scope, made, outcome, card=card, pace=PACE, now=now)

    async def attempt(self, now: datetime) -> Try:
        """Claim and begin the one effect that is due."""
        (made,) = await self.begin(await self.claim(now), now)
        return made

    async def expire(self, outgoing_id: UUID) -> None:
        """Let the lease of a claim end at once."""
        async with self.worker.session() as session:
            from sqlalchemy import text

            await session.execute(
                text(
                    "UPDATE due_outgoing SET leased_until = clock_timestamp() - interval '1 s' WHERE outgoing_id = :i"
                ),
                {"i": outgoing_id},
            )


@pytest.fixture
def desk(app_db: Database, worker_db: Database, house: House, brand: HouseBrand) -> Desk:
    return Desk(app_db, worker_db, house, brand, house.vault)
