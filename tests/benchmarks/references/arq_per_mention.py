"""A worker as it is usually written: an arq job, a session over SQLModel tables and a commit for each mention.

It records what Parvis records, in the same tables under the same role and policies. arq has its defaults.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import arq
from arq.connections import RedisSettings
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import col, select

import shared.queues  # noqa: F401  where it is imported arq's keys have other names: sender and worker both do
from shared.models import Arrival, Identity, Mention, Thread
from shared.models.enums import ArrivalState, AuthorKind, EventType, MentionKind, Network
from shared.models.event import Event
from shared.models.mention import RollupDay, RollupHour

QUEUE = "reference:mentions"


class Author(BaseModel):
    id: str
    handle: str | None = None
    name: str | None = None


class Said(BaseModel):
    id: str
    kind: MentionKind
    text: str
    author: Author
    published_at: datetime
    parent_id: str | None = None
    language: str | None = None
    url: str | None = None


class Payload(BaseModel):
    mentions: list[Said]


def key_of(channel_id: UUID, external_id: str) -> UUID:
    return UUID(bytes=hashlib.blake2b(f"{channel_id} {external_id}".encode(), digest_size=16).digest())


async def record_mention(context: dict[str, Any], arrival_id: str) -> None:
    async with AsyncSession(context["engine"]) as session:
        arrival = await session.get(Arrival, UUID(arrival_id))
        assert arrival is not None
        assert arrival.body is not None
        assert arrival.brand_id is not None
        assert arrival.channel_id is not None
        await session.execute(text("SELECT parvis.scope(:brand)"), {"brand": str(arrival.brand_id)})
        for said in Payload.model_validate_json(arrival.body).mentions:
            mention = await upsert(session, arrival.brand_id, arrival.channel_id, said, arrival.stamp)
            await count(session, mention)
            await index(session, mention)
            event = Event(
                brand_id=mention.brand_id,
                id=uuid4(),
                type=EventType.MENTION_RECORDED,
                thing_id=mention.id,
                version=1,
                at=datetime.now(UTC),
            )
            session.add(event)
            await session.execute(
                text("INSERT INTO event_queue (brand_id, event_id) VALUES (:brand, :event)"),
                {"brand": event.brand_id, "event": event.id},
            )
        arrival.state, arrival.settled_at = ArrivalState.SETTLED, datetime.now(UTC)
        await session.commit()


async def upsert(session: AsyncSession, brand_id: UUID, channel_id: UUID, said: Said, stamp: datetime) -> Mention:
    author = await identity_of(session, brand_id, key_of(channel_id, said.author.id), said.author)
    root = key_of(channel_id, said.parent_id or said.id)
    thread_id = await thread_of(session, brand_id, root, said.published_at)
    key = key_of(channel_id, said.id)
    found = await session.scalars(select(Mention).where(Mention.brand_id == brand_id, Mention.key == key))
    mention = found.one_or_none()
    if mention is None:
        mention = Mention(
            brand_id=brand_id, id=uuid4(), key=key, network=Network.GENERIC, external_id=said.id,
            channel_id=channel_id, kind=said.kind, published_at=said.published_at, observed_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(mention)
    mention.heard, mention.published_at_known, mention.author_kind = True, True, AuthorKind.CONSUMER
    mention.text, mention.language, mention.url, mention.version_stamp = said.text, said.language, said.url, stamp
    mention.author_id, mention.thread_id, mention.parent_external_id = author, thread_id, said.parent_id
    mention.parent_key = root if said.parent_id else None
    await session.flush()
    return mention


async def identity_of(session: AsyncSession, brand_id: UUID, key: UUID, author: Author) -> UUID:
    row = {"brand_id": brand_id, "id": uuid4(), "key": key, "network": Network.GENERIC, "external_id": author.id,
           "handle": author.handle, "name": author.name, "facts_at": {}}  # fmt: skip
    await session.execute(insert(Identity).values(row).on_conflict_do_nothing())
    found = await session.scalars(select(Identity.id).where(Identity.brand_id == brand_id, Identity.key == key))
    return found.one()


async def thread_of(session: AsyncSession, brand_id: UUID, key: UUID, at: datetime) -> UUID:
    row = {"brand_id": brand_id, "id": uuid4(), "key": key, "last_at": at}
    await session.execute(insert(Thread).values(row).on_conflict_do_nothing())
    found = await session.scalars(select(Thread).where(Thread.brand_id == brand_id, Thread.key == key))
    thread = found.one()
    thread.last_at = max(thread.last_at, at)
    return thread.id


async def count(session: AsyncSession, mention: Mention) -> None:
    day = mention.published_at.replace(hour=0, minute=0, second=0, microsecond=0)
    hour = mention.published_at.replace(minute=0, second=0, microsecond=0)
    of_day = {"brand_id": mention.brand_id, "channel_id": mention.channel_id, "kind": mention.kind, "day": day}
    for table, row, place in (
        (RollupDay, of_day, ["brand_id", "channel_id", "kind", "day"]),
        (RollupHour, {"brand_id": mention.brand_id, "hour": hour}, ["brand_id", "hour"]),
    ):
        added = {"mentions": col(table.mentions) + 1}
        statement = insert(table).values(**row, mentions=1, posts=0)
        await session.execute(statement.on_conflict_do_update(index_elements=place, set_=added))


async def index(session: AsyncSession, mention: Mention) -> None:
    await session.execute(
        text(
            "SELECT parvis.index_mentions(:brand, CAST(:ids AS uuid[]), CAST(:times AS timestamptz[]),"
            " CAST(:languages AS text[]), CAST(:texts AS text[]))"
        ),
        {
            "brand": mention.brand_id,
            "ids": [mention.id],
            "times": [mention.published_at],
            "languages": [mention.language],
            "texts": [mention.text],
        },
    )


async def enqueue(redis_url: str, arrivals: Sequence[UUID]) -> None:
    """One job for each arrival."""
    redis = await arq.create_pool(RedisSettings.from_dsn(redis_url))
    await asyncio.gather(*(redis.enqueue_job("record_mention", str(it), _queue_name=QUEUE) for it in arrivals))
    await redis.aclose()


async def start_up(context: dict[str, Any]) -> None:
    url = "postgresql+asyncpg://" + os.environ["DATABASE"].split("://", 1)[1]
    context["engine"] = create_async_engine(url, pool_size=10, max_overflow=0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    arq.run_worker(
        {
            "functions": [record_mention],
            "queue_name": QUEUE,
            "redis_settings": RedisSettings.from_dsn(os.environ["REDIS"]),
            "on_startup": start_up,
        }
    )
