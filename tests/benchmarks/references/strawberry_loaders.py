"""A page as a careful user of Strawberry writes it: the ORM, one DataLoader for each relation, parsing cached.

It asks for no key: checking one would come on top.
"""

import asyncio
import base64
import json
import os
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlmodel import col
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

from shared import models
from shared.db import driver_url


@strawberry.type
class Identity:
    id: UUID
    network: str
    external_id: str
    handle: str | None
    name: str | None


@strawberry.type
class Channel:
    id: UUID
    network: str
    name: str
    status: str


@strawberry.type
class Thread:
    id: UUID
    last_at: datetime


@strawberry.type
class Engagement:
    likes: int | None
    replies: int | None
    shares: int | None
    views: int | None


async def _author(root: strawberry.Parent[models.Mention], info: strawberry.Info) -> Identity | None:
    found: Identity | None = await info.context["loaders"][models.Identity].load(root.author_id)
    return found


async def _channel(root: strawberry.Parent[models.Mention], info: strawberry.Info) -> Channel | None:
    found: Channel | None = await info.context["loaders"][models.Channel].load(root.channel_id)
    return found


async def _thread(root: strawberry.Parent[models.Mention], info: strawberry.Info) -> Thread | None:
    found: Thread | None = await info.context["loaders"][models.Thread].load(root.thread_id)
    return found


def _engagement(root: strawberry.Parent[models.Mention]) -> Engagement:
    return Engagement(likes=root.likes, replies=root.replies, shares=root.shares, views=root.views)


@strawberry.type
class Mention:
    id: UUID
    network: str
    kind: str
    visibility: str
    external_id: str
    url: str | None
    text: str | None
    language: str | None
    published_at: datetime
    observed_at: datetime
    edited_at: datetime | None
    author_kind: str
    engagement: Engagement = strawberry.field(resolver=_engagement)
    author: Identity | None = strawberry.field(resolver=_author)
    channel: Channel | None = strawberry.field(resolver=_channel)
    thread: Thread | None = strawberry.field(resolver=_thread)


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class MentionConnection:
    nodes: list[Mention]
    page_info: PageInfo


async def _mentions(info: strawberry.Info, brand_id: UUID, first: int = 20, after: str | None = None) -> Any:
    query = select(models.Mention).where(
        col(models.Mention.brand_id) == brand_id, text("heard"), col(models.Mention.deleted_at).is_(None)
    )
    place = (col(models.Mention.published_at), col(models.Mention.id))
    if after:
        at, id_ = json.loads(base64.b64decode(after))
        query = query.where(tuple_(*place) < (datetime.fromisoformat(at), UUID(id_)))
    query = query.order_by(*(column.desc() for column in place)).limit(first + 1)
    session: AsyncSession = info.context["session"]
    async with info.context["turn"]:
        rows: list[Any] = list((await session.execute(query)).scalars())
    more = len(rows) > first
    last = rows[first - 1] if more else None
    end = (
        base64.b64encode(json.dumps([last.published_at.isoformat(), str(last.id)]).encode()).decode() if last else None
    )
    return MentionConnection(nodes=rows[:first], page_info=PageInfo(has_next_page=more, end_cursor=end))


@strawberry.type
class Query:
    mentions: MentionConnection = strawberry.field(resolver=_mentions)


class InOneTransaction(SchemaExtension):
    """A session for each request, under the brand's scope, and the loaders that read in it."""

    async def on_execute(self) -> Any:
        context = self.execution_context.context
        async with AsyncSession(context["engine"], expire_on_commit=False) as session, session.begin():
            await session.execute(select(func.parvis.scope(os.environ["BRAND"])))
            context |= {"session": session, "turn": asyncio.Lock(), "loaders": {}}
            for table in (models.Identity, models.Channel, models.Thread):
                context["loaders"][table] = _loader(context, table)
            yield


def _loader(context: dict[str, Any], table: Any) -> DataLoader[UUID, Any]:
    async def load(ids: list[UUID]) -> list[Any]:
        query = select(table).where(table.brand_id == UUID(os.environ["BRAND"]), table.id.in_(ids))
        async with context["turn"]:
            found = {row.id: row for row in (await context["session"].execute(query)).scalars()}
        return [found.get(id_) for id_ in ids]

    return DataLoader(load_fn=load)


class _App(GraphQL[Any, None]):
    engine: AsyncEngine | None = None

    async def get_context(self, request: Any, response: Any) -> Any:
        if self.engine is None:
            self.engine = create_async_engine(driver_url(os.environ["DATABASE_URL"]), pool_size=10, max_overflow=0)
        return {"engine": self.engine}


_parsed, _validated = ParserCache(), ValidationCache()  # each holds its cache, so there is one of it
_graphql = _App(
    strawberry.Schema(query=Query, extensions=[lambda: _parsed, lambda: _validated, InOneTransaction]),
    graphql_ide=None,
    subscription_protocols=(),
)


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    await _graphql(scope, receive, send)
