"""Who says the same: a mention's original, and how often and where the same was said."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET

from services.api import loaders
from services.api.schema.connection import FIRST, Connection, Info, connection, requested
from services.api.schema.identity import Identity
from shared import models
from shared.domain.listening import clusters
from shared.domain.listening.clusters import AuthorShare, Cluster
from shared.models.enums import Interval, Network

if TYPE_CHECKING:
    from services.api.schema.mention import Mention

_Mention = Annotated["Mention", strawberry.lazy("services.api.schema.mention")]
Root = strawberry.Parent[Cluster]


async def _author(root: strawberry.Parent[AuthorShare], info: Info) -> Any:
    return await loaders.identity(info.context, root.brand_id, root.author_id)


@strawberry.type(description="How many were published in the hour or day that begins at `start`.")
class CopyBurst:
    start: datetime
    count: int


@strawberry.type(description="How many a network carries.")
class CopyNetwork:
    network: Network
    count: int


@strawberry.type(description="How many somebody said.")
class CopyAuthor:
    author: Identity | None = strawberry.field(resolver=_author)
    count: int


async def _mentions(root: Root, info: Info, first: int | None = FIRST, after: str | None = UNSET) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.original.brand_id) as (session, scope):
        found = await clusters.page_of(session, scope, root.original, page=page, cursors=info.context.services.cursors)
    return connection(found, page)


@strawberry.type(
    description="An original and its copies. `spread` is by hour or day of the brand's zone, without the empty ones;"
    " `authors` are the ten that said it most often, of `authorCount`."
)
class CopyCluster:
    original: _Mention
    count: int
    first_at: datetime
    last_at: datetime
    interval: Interval
    spread: list[CopyBurst]
    networks: list[CopyNetwork]
    author_count: int
    authors: list[CopyAuthor]
    mentions: Connection[_Mention] = strawberry.field(
        resolver=_mentions, description="The original, then its copies as they were published."
    )


async def duplicate_of(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    """The mention that this one is a copy of."""
    found = await loaders.original(info.context, root)
    return await loaders.mention(info.context, root.brand_id, found) if found is not None else None


async def copies(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    """The cluster that a mention is of."""
    async with info.context.reading(root.brand_id) as (session, scope):
        return await clusters.of(session, scope, root)
