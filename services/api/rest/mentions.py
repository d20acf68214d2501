"""What was said to or about a brand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.api.rest import identities as identity_shapes
from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.identities import IdentityRead
from services.api.rest.ids import (
    ChannelRef,
    IdentityRef,
    MentionPath,
    MentionRef,
    QueryRef,
    ThreadRef,
    VariantRef,
    ViewRef,
)
from services.api.rest.shapes import ListRead, Moment, Paging, Read, listed
from shared.domain.listening import clusters, identities, mentions, readings, searching, versions, views
from shared.domain.listening.filters import SEARCH_MOST, MentionFilter
from shared.domain.listening.searching import Spans
from shared.domain.page import Page
from shared.domain.scope import Scope
from shared.models.enums import (
    AuthorKind,
    Intent,
    MentionKind,
    MentionOrder,
    Network,
    Sentiment,
    SentimentSource,
    Visibility,
)
from shared.models.mention import Edit, Identity, Mention

router = APIRouter(prefix="/v1/brands/{brand_id}/mentions", route_class=TransactedRoute, tags=["mentions"])


class MediaRead(Read):
    url: str
    kind: str
    alt: str | None = None


class EngagementRead(Read):
    """The network's own counters; null is unknown, not zero."""

    likes: int | None
    replies: int | None
    shares: int | None
    views: int | None


class FastSentimentRead(Read):
    """What the fast model said of the mood, where the deep one has looked at the text too."""

    label: Sentiment
    score: float | None
    model_version: str | None


class SentimentRead(Read):
    """The mood, and who says so. A person's word has no `score` and no `model_version`; `fast` is there where
    `model_version` is the deep model's."""

    label: Sentiment
    score: float | None
    source: SentimentSource
    model_version: str | None
    fast: FastSentimentRead | None


class SpanRead(Read):
    """From `start` to `end` in the text, in code points, the end exclusive."""

    start: int
    end: int


class MentionRead(Read):
    """Anything said to or about the brand, in its standing version. `text` is null once deleted.

    `reach` is its views, else its author's followers as last told with it; null where nobody told. What is read of it,
    from `sentiment` to `topics`, is null until it is; `urgency` and `offence` go from 0 to 1.
    `duplicate_of` is the mention that it is an exact or near copy of; null, where it is of none.
    `highlights`: where in `text` the words of the list's search are; null without a search.
    """

    id: MentionRef
    network: Network
    kind: MentionKind
    visibility: Visibility
    external_id: str
    url: str | None
    text: str | None
    language: str | None
    media: list[MediaRead]
    rating: float | None
    published_at: datetime
    observed_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    hidden_at: datetime | None
    author: IdentityRead | None
    author_kind: AuthorKind
    channel_id: ChannelRef
    parent_id: MentionRef | None
    parent_external_id: str | None
    thread_id: ThreadRef | None
    variant_id: VariantRef | None
    engagement: EngagementRead
    reach: int | None
    sentiment: SentimentRead | None
    intents: list[Intent] | None
    urgency: float | None
    offence: float | None
    topics: list[str] | None
    duplicate_of: MentionRef | None
    highlights: list[SpanRead] | None
    version: int


class MentionList(ListRead[MentionRead]):
    pass


class EditRead(Read):
    """One version of a mention."""

    text: str | None
    edited_at: datetime | None
    observed_at: datetime


class EditList(ListRead[EditRead]):
    pass


def read(mention: Mention, author: Identity | None, original: UUID | None, spans: Spans | None = None) -> MentionRead:
    return MentionRead(
        id=mention.id,
        network=mention.network,
        kind=mention.kind,
        visibility=mention.visibility,
        external_id=mention.external_id,
        url=mention.url,
        text=mention.text,
        language=mention.language,
        media=[MediaRead.model_validate(item) for item in mention.media],
        rating=mention.rating,
        published_at=mention.published_at,
        observed_at=mention.observed_at,
        edited_at=mention.edited_at,
        deleted_at=mention.deleted_at,
        hidden_at=mention.hidden_at,
        author=identity_shapes.read(author) if author is not None else None,
        author_kind=mention.author_kind,
        channel_id=mention.channel_id,
        parent_id=mention.parent_id,
        parent_external_id=mention.parent_external_id,
        thread_id=mention.thread_id,
        variant_id=mention.variant_id,
        engagement=EngagementRead(
            likes=mention.likes, replies=mention.replies, shares=mention.shares, views=mention.views
        ),
        reach=mention.reach,
        sentiment=_sentiment(mention),
        intents=[Intent(intent) for intent in mention.intents] if mention.intents is not None else None,
        urgency=mention.urgency,
        offence=mention.offence,
        topics=mention.topics,
        duplicate_of=original,
        highlights=[SpanRead(start=start, end=end) for start, end in spans] if spans is not None else None,
        version=mention.version,
    )


def _sentiment(mention: Mention) -> SentimentRead | None:
    mood = readings.mood_of(mention)
    return SentimentRead.model_validate(mood, from_attributes=True) if mood is not None else None


_SHOWN = {"false": False, "true": True, "null": None}


def mention_filter(
    network: Annotated[list[Network] | None, Query()] = None,
    channel_id: Annotated[list[ChannelRef] | None, Query()] = None,
    kind: Annotated[list[MentionKind] | None, Query()] = None,
    visibility: Annotated[Visibility | None, Query()] = None,
    language: Annotated[list[str] | None, Query(description="ISO 639-1, such as `nl`.")] = None,
    sentiment: Annotated[list[Sentiment] | None, Query()] = None,
    intent: Annotated[list[Intent] | None, Query(description="With one of these intents at least.")] = None,
    author_id: Annotated[IdentityRef | None, Query()] = None,
    author_kind: Annotated[list[AuthorKind] | None, Query()] = None,
    thread_id: Annotated[ThreadRef | None, Query()] = None,
    query_id: Annotated[list[QueryRef] | None, Query(description="That one of these queries matched.")] = None,
    min_rating: Annotated[float | None, Query(), Field(allow_inf_nan=False)] = None,
    q: Annotated[str | None, Query(max_length=SEARCH_MOST, description="Words to search for.")] = None,
    since: Annotated[Moment | None, Query(description="Published at or after.")] = None,
    until: Annotated[Moment | None, Query(description="Published before.")] = None,
    deleted: Annotated[
        Literal["false", "true", "null"],
        Query(description="`false` leaves deleted mentions out, `true` shows only them, `null` both."),
    ] = "false",
    duplicates: Annotated[
        Literal["false", "true", "null"],
        Query(description="`false` leaves copies out: what many say is there once. `true` shows only copies."),
    ] = "null",
) -> MentionFilter:
    return MentionFilter(
        networks=_tuple(network),
        channel_ids=_tuple(channel_id),
        kinds=_tuple(kind),
        visibility=visibility,
        languages=_tuple(language),
        sentiments=_tuple(sentiment),
        intents=_tuple(intent),
        author_id=author_id,
        author_kinds=_tuple(author_kind),
        thread_id=thread_id,
        query_ids=_tuple(query_id),
        min_rating=min_rating,
        search=q,
        since=since,
        until=until,
        deleted=_SHOWN[deleted],
        duplicates=_SHOWN[duplicates],
    )


Where = Annotated[MentionFilter, Depends(mention_filter)]


async def listing(call: Call, scope: Scope, page: Page[Mention], words: str | None = None) -> dict[str, Any]:
    """A page of mentions with their authors, read at once; where `words` found them, with where they are."""
    authors = await _authors(call, scope, page.items)
    originals = await clusters.originals(call.session, scope, page.items)
    ids = [mention.id for mention in page.items]
    spans = await searching.highlights(call.session, scope, words, ids) if words is not None else None
    data = [
        read(
            it,
            authors.get(it.author_id),
            originals.get(it.id),
            spans.get(it.id, []) if spans is not None else None,
        )
        for it in page.items
    ]
    return {"data": data, "next_cursor": page.next_cursor, "has_more": page.has_more}


@router.get("", response_model=MentionList, summary="Mentions, newest first unless another order is asked for")
async def list_mentions(
    call: Calling,
    scope: InBrand,
    where: Where,
    page: Paging,
    order: Annotated[
        MentionOrder | None, Query(description="Without it the view's own, else `newest`; `best` is a search's.")
    ] = None,
    view: Annotated[
        ViewRef | None, Query(description="What this view shows, which the other parameters narrow.")
    ] = None,
) -> dict[str, Any]:
    if view is not None:
        where, order = await views.looked_at(call.session, scope, view, more=where, order=order)
    found = await mentions.search(
        call.session, scope, where=where, order=order or MentionOrder.NEWEST, page=page, cursors=call.services.cursors
    )
    return await listing(call, scope, found, where.words)


@router.get("/{mention_id}", summary="One mention, deleted or not")
async def get_mention(call: Calling, scope: InBrand, mention_id: MentionPath) -> MentionRead:
    return await with_author(call, scope, await mentions.get(call.session, scope, mention_id))


@router.get("/{mention_id}/history", response_model=EditList, summary="Every version of a mention, oldest first")
async def get_mention_history(call: Calling, scope: InBrand, mention_id: MentionPath, page: Paging) -> dict[str, Any]:
    mention = await mentions.get(call.session, scope, mention_id)
    found = await versions.page_of(call.session, scope, mention, page=page, cursors=call.services.cursors)
    return listed(found, _edit)


def _edit(edit: Edit) -> EditRead:
    return EditRead(text=edit.text, edited_at=edit.edited_at, observed_at=edit.observed_at)


async def with_author(call: Call, scope: Scope, mention: Mention) -> MentionRead:
    """One mention as it is answered."""
    authors = await _authors(call, scope, [mention])
    originals = await clusters.originals(call.session, scope, [mention])
    return read(mention, authors.get(mention.author_id), originals.get(mention.id))


async def _authors(call: Call, scope: Scope, found: Sequence[Mention]) -> dict[Any, Identity]:
    wanted = {mention.author_id for mention in found if mention.author_id is not None}
    return await identities.by_ids(call.session, scope, wanted) if wanted else {}


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return tuple(values) if values is not None else None
