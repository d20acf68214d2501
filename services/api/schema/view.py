"""Filters of mentions that are kept under a name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api.schema.connection import FIRST, Connection, Info, Node, connection, public_id, requested
from services.api.schema.mention import Mention, MentionFilter
from services.api.schema.mention import listed as listed_mentions
from shared import models
from shared.domain.listening import views
from shared.domain.listening.filters import MentionFilter as DomainFilter
from shared.ids import Prefix, typeid
from shared.models.enums import AuthorKind, Intent, MentionKind, MentionOrder, Network, Sentiment, Visibility

Root = strawberry.Parent[models.View]


@strawberry.type(description="Which mentions a view shows, as in `MentionFilter`; null: any.")
class ViewWhere:
    networks: list[Network] | None
    channel_ids: list[strawberry.ID] | None
    kinds: list[MentionKind] | None
    visibility: Visibility | None
    languages: list[str] | None
    sentiments: list[Sentiment] | None
    intents: list[Intent] | None
    author_id: strawberry.ID | None
    author_kinds: list[AuthorKind] | None
    thread_id: strawberry.ID | None
    query_ids: list[strawberry.ID] | None
    min_rating: float | None
    search: str | None
    since: datetime | None
    until: datetime | None
    deleted: bool | None
    duplicates: bool | None


def _where(root: Root) -> Any:
    kept = views.filter_of(root)
    return ViewWhere(
        networks=_list(kept.networks),
        channel_ids=_ids(Prefix.CHANNEL, kept.channel_ids),
        kinds=_list(kept.kinds),
        visibility=kept.visibility,
        languages=_list(kept.languages),
        sentiments=_list(kept.sentiments),
        intents=_list(kept.intents),
        author_id=_id(Prefix.IDENTITY, kept.author_id),
        author_kinds=_list(kept.author_kinds),
        thread_id=_id(Prefix.THREAD, kept.thread_id),
        query_ids=_ids(Prefix.QUERY, kept.query_ids),
        min_rating=kept.min_rating,
        search=kept.search,
        since=kept.since,
        until=kept.until,
        deleted=kept.deleted,
        duplicates=kept.duplicates,
    )


def _list(values: Sequence[Any] | None) -> list[Any] | None:
    return list(values) if values is not None else None


def _id(prefix: Prefix, id_: UUID | None) -> strawberry.ID | None:
    return strawberry.ID(typeid(prefix, id_)) if id_ is not None else None


def _ids(prefix: Prefix, ids: Sequence[UUID] | None) -> list[strawberry.ID] | None:
    return [strawberry.ID(typeid(prefix, id_)) for id_ in ids] if ids is not None else None


async def _mentions(
    root: Root,
    info: Info,
    first: int | None = FIRST,
    after: str | None = UNSET,
    where: MentionFilter | None = UNSET,
    order: MentionOrder | None = UNSET,
) -> Any:
    more = where.read() if where else DomainFilter()
    async with info.context.reading(root.brand_id) as (session, scope):
        meant, found = await views.looked_at(session, scope, root.id, more=more, order=order or None)
    return await listed_mentions(info, root.brand_id, first, after, meant, found)


@strawberry.type(description="A filter of mentions under a name, and the order in which it shows them.")
class View(Node):
    id: strawberry.ID = public_id(Prefix.VIEW)
    name: str
    where: ViewWhere = strawberry.field(resolver=_where)
    order: MentionOrder
    created_at: datetime
    updated_at: datetime
    version: int
    mentions: Connection[Mention] = strawberry.field(
        resolver=_mentions,
        description="What it shows, narrowed by `where`, in its own order unless another is asked for; an error where"
        " it names what is gone.",
    )

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.View)


async def listed(
    root: strawberry.Parent[models.Brand], info: Info, first: int | None = FIRST, after: str | None = UNSET
) -> Any:
    """A brand's, the newest made first."""
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await views.search(session, scope, page=page, cursors=info.context.services.cursors)
    return connection(found, page)
