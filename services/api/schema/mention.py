"""What was said."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api import loaders
from services.api.completed import completed
from services.api.schema import copies as copying
from services.api.schema import sentiment as reading
from services.api.schema.channel import Channel
from services.api.schema.connection import Info, Node, connection, given, public_id, requested
from services.api.schema.copies import CopyCluster
from services.api.schema.explanation import Explanation, explanation
from services.api.schema.identity import Identity
from services.api.schema.saved_query import Match, Span, spans
from services.api.schema.sentiment import Correction, Sentiment
from shared import models
from shared.domain.listening import mentions
from shared.domain.listening.filters import MentionFilter as DomainFilter
from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid
from shared.models import enums
from shared.models.enums import AuthorKind, Intent, MentionKind, MentionOrder, Network, Visibility

if TYPE_CHECKING:
    from services.api.schema.thread import Thread

NOBODY = UUID(int=0)  # the id of nothing: what a foreign or malformed id in a filter stands for


@strawberry.type(description="A picture, film or file, by its address; `kind` is the network's own word for it.")
class Media:
    url: str
    kind: str
    alt: str | None


@strawberry.type(description="Each is null where the network did not say.")
class Engagement:
    likes: int | None
    replies: int | None
    shares: int | None
    views: int | None


@strawberry.type(description="One version of a mention's text.")
class Edit:
    text: str | None
    edited_at: datetime | None
    observed_at: datetime


def _media(root: strawberry.Parent[models.Mention]) -> Any:
    return [Media(url=m["url"], kind=m["kind"], alt=m.get("alt")) for m in root.media]


def _itself(root: strawberry.Parent[models.Mention]) -> Any:
    return root


async def _history(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    return await loaders.edits(info.context, root)


async def _author(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    return await loaders.identity(info.context, root.brand_id, root.author_id) if root.author_id else None


async def _channel(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    return await loaders.channel(info.context, root.brand_id, root.channel_id)


async def _parent(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    return await loaders.mention(info.context, root.brand_id, root.parent_id) if root.parent_id else None


async def _thread(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    return await loaders.thread(info.context, root.brand_id, root.thread_id) if root.thread_id else None


async def _matches(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    return await loaders.matches(info.context, root.brand_id, root.id)


async def _highlights(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    words = _searched(info)
    return spans(await loaders.highlights(info.context, root.brand_id, root.id, words)) if words is not None else None


def _searched(info: Info) -> str | None:
    """The words by which the list found this mention; None where it is no list's, or the list searched for nothing."""
    place = info.path.prev
    if place is not None and place.typename == "MentionEdge":
        place = place.prev
    nodes = place.prev if place is not None and isinstance(place.key, int) else None
    if nodes is None or nodes.typename != "MentionConnection" or nodes.prev is None:
        return None
    return info.context.searches.get(tuple(nodes.prev.as_list()))


@strawberry.type(description="Anything said to or about the brand. `text` is null once deleted.")
class Mention(Node):
    id: strawberry.ID = public_id(Prefix.MENTION)
    network: Network
    kind: MentionKind
    visibility: Visibility
    external_id: str
    url: str | None
    text: str | None
    language: str | None
    media: list[Media] = strawberry.field(resolver=_media)
    rating: float | None
    published_at: datetime
    observed_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    hidden_at: datetime | None
    history: list[Edit] = strawberry.field(resolver=_history)
    author: Identity | None = strawberry.field(resolver=_author)
    author_kind: AuthorKind
    channel: Channel | None = strawberry.field(resolver=_channel)
    parent: "Mention | None" = strawberry.field(resolver=_parent)
    thread: Annotated["Thread", strawberry.lazy("services.api.schema.thread")] | None = strawberry.field(
        resolver=_thread
    )
    engagement: Engagement = strawberry.field(resolver=_itself)
    reach: int | None = strawberry.field(
        description="Its views, else its author's followers as last told with it; null where nobody told."
    )
    sentiment: Sentiment | None = strawberry.field(resolver=reading.sentiment, description="Null until it is read.")
    intents: list[Intent] | None = strawberry.field(resolver=reading.intents, description="Null until they are read.")
    urgency: float | None = strawberry.field(description="From 0 to 1; null until it is read.")
    offence: float | None = strawberry.field(description="From 0 to 1; null until it is read.")
    topics: list[str] | None = strawberry.field(description="The phrases that it is about; null until they are read.")
    corrections: list[Correction] = strawberry.field(resolver=reading.corrections)
    explanation: Explanation | None = strawberry.field(
        resolver=explanation, description="Why it is read so; null where it is deleted or not read."
    )
    matches: list[Match] = strawberry.field(resolver=_matches, description="The queries that it matches.")
    duplicate_of: "Mention | None" = strawberry.field(
        resolver=copying.duplicate_of, description="What it is an exact or near copy of; null where of nothing."
    )
    copies: CopyCluster = strawberry.field(
        resolver=copying.copies, description="All that say the same, itself among them."
    )
    highlights: list[Span] | None = strawberry.field(
        resolver=_highlights, description="Where in `text` the words of the list's search are; null without a search."
    )

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Mention)


@strawberry.input(
    description="Absent: any. `since` is inclusive, `until` exclusive; `deleted: null` shows both. `duplicates: false`"
    " leaves copies out, so that what many say is there once."
)
class MentionFilter:
    networks: list[Network] | None = UNSET
    channel_ids: list[strawberry.ID] | None = UNSET
    kinds: list[MentionKind] | None = UNSET
    visibility: Visibility | None = UNSET
    languages: list[str] | None = UNSET
    sentiments: list[enums.Sentiment] | None = UNSET
    intents: list[Intent] | None = UNSET
    author_id: strawberry.ID | None = UNSET
    author_kinds: list[AuthorKind] | None = UNSET
    thread_id: strawberry.ID | None = UNSET
    query_ids: list[strawberry.ID] | None = UNSET
    min_rating: float | None = UNSET
    search: str | None = UNSET
    since: datetime | None = UNSET
    until: datetime | None = UNSET
    deleted: bool | None = False
    duplicates: bool | None = UNSET

    def read(self) -> DomainFilter:
        """Raises Invalid. An id of another brand, or of nothing, matches nothing."""
        return DomainFilter(
            networks=_tuple(self.networks),
            channel_ids=named_all(Prefix.CHANNEL, self.channel_ids),
            kinds=_tuple(self.kinds),
            visibility=self.visibility or None,
            languages=_tuple(self.languages),
            sentiments=_tuple(self.sentiments),
            intents=_tuple(self.intents),
            author_id=_named(Prefix.IDENTITY, self.author_id),
            author_kinds=_tuple(self.author_kinds),
            thread_id=_named(Prefix.THREAD, self.thread_id),
            query_ids=named_all(Prefix.QUERY, self.query_ids),
            min_rating=given(self.min_rating),
            search=given(self.search),
            since=given(self.since),
            until=given(self.until),
            deleted=self.deleted,
            duplicates=given(self.duplicates),
        )


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return tuple(values) if given(values) is not None and values is not None else None


def _named(prefix: Prefix, text: str | None) -> UUID | None:
    """The uuid of an id; of nothing, where it is malformed. None where none is given."""
    if given(text) is None or text is None:
        return None
    try:
        return parse_typeid(prefix, text)
    except NotFound:
        return NOBODY


def named_all(prefix: Prefix, texts: Sequence[str] | None) -> tuple[UUID, ...] | None:
    """The uuids of ids. None where none are given."""
    if given(texts) is None or texts is None:
        return None
    return tuple(_named(prefix, text) or NOBODY for text in texts)


async def listed(
    info: Info, brand_id: UUID, first: int | None, after: str | None, where: DomainFilter, order: MentionOrder | None
) -> Any:
    """A page of mentions: in one SQL and without the executor where the selection allows it, else field by field."""
    page = requested(first, after)
    order = order or MentionOrder.NEWEST
    async with info.context.reading(brand_id) as (session, scope):
        quick = await completed(info, session, scope, where=where, order=order, page=page)
        if quick is not None:
            return quick
        found = await mentions.search(
            session, scope, where=where, order=order, page=page, cursors=info.context.services.cursors
        )
    if where.words is not None:
        info.context.searches[tuple(info.path.as_list())] = where.words
    return connection(found, page)
