"""Things read many at a time, so that a list's rows never ask one by one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import col, select
from strawberry.dataloader import DataLoader

from services.api.context import Context
from shared.db import Session
from shared.domain.brands import brands, channels, coverage, hooks
from shared.domain.insight.alerting import rules
from shared.domain.listening import clusters, identities, mentions, queries, searching, threads
from shared.domain.listening import corrections as _corrections
from shared.domain.listening import matches as matching
from shared.domain.listening import searches as _searches
from shared.domain.listening.searches import Search
from shared.domain.listening.searching import Spans
from shared.domain.notifying import delivery_log, notifications
from shared.domain.publishing import campaigns, cautions, figures, posts
from shared.domain.publishing.agreeing import reviews
from shared.domain.publishing.agreeing.reviews import Standing
from shared.domain.publishing.cautions import Caution
from shared.domain.publishing.library import media, naming
from shared.domain.publishing.library.naming import Known
from shared.domain.scope import Scope
from shared.models import (
    AlertRule,
    Approval,
    Attempt,
    Campaign,
    Channel,
    Correction,
    Coverage,
    Edit,
    Figure,
    Hook,
    Identity,
    Match,
    Media,
    Mention,
    Outgoing,
    Post,
    SavedQuery,
    SavedQueryVersion,
    Thread,
    Variant,
    WebhookAttempt,
    WebhookDelivery,
)
from shared.models.base import JsonList

T = TypeVar("T")
Found = Callable[[Session, Scope, list[Any]], Awaitable[dict[Any, T]]]


def _loader(context: Context, name: str, read: Found[T]) -> DataLoader[tuple[UUID, Any], T | None]:
    """The request's loader of this name: `read` for all keys that are asked for in one turn of the loop."""

    async def load(keys: list[tuple[UUID, Any]]) -> Sequence[T | None]:
        found: dict[tuple[UUID, Any], T] = {}
        for brand in sorted({brand for brand, _ in keys}):
            async with context.reading(brand) as (session, scope):
                wanted = [key for owner, key in keys if owner == brand]
                found |= {(brand, key): value for key, value in (await read(session, scope, wanted)).items()}
        return [found.get(key) for key in keys]

    loader = context.loaders.get(name)
    if loader is None:
        loader = context.loaders[name] = DataLoader(load_fn=load)
    assert isinstance(loader, DataLoader)
    return loader


async def _load(context: Context, name: str, brand_id: UUID, key: Any, read: Found[T]) -> T | None:
    """What `read` has for this key; None where it has nothing."""
    return await _loader(context, name, read).load((brand_id, key))


async def channel(context: Context, brand_id: UUID, id_: UUID) -> Channel | None:
    return await _load(context, "channel", brand_id, id_, channels.by_ids)


async def identity(context: Context, brand_id: UUID, id_: UUID) -> Identity | None:
    return await _load(context, "identity", brand_id, id_, identities.by_ids)


async def mention(context: Context, brand_id: UUID, id_: UUID) -> Mention | None:
    return await _load(context, "mention", brand_id, id_, mentions.by_ids)


async def mention_by_key(context: Context, brand_id: UUID, key: UUID) -> Mention | None:
    return await _load(context, "mention_by_key", brand_id, key, mentions.by_keys)


async def thread(context: Context, brand_id: UUID, id_: UUID) -> Thread | None:
    return await _load(context, "thread", brand_id, id_, threads.by_ids)


async def hook(context: Context, brand_id: UUID, id_: UUID) -> Hook | None:
    return await _load(context, "hook", brand_id, id_, hooks.by_ids)


async def intervals(context: Context, brand_id: UUID, channel_id: UUID) -> list[Coverage]:
    return await _load(context, "coverage", brand_id, channel_id, coverage.intervals) or []


async def _posts(session: Session, scope: Scope, ids: list[UUID]) -> dict[UUID, Post]:
    found = await session.execute(select(Post).where(Post.brand_id == scope.brand_id, col(Post.id).in_(ids)))
    return {row.id: row for row in found.scalars()}


async def post(context: Context, brand_id: UUID, id_: UUID) -> Post | None:
    return await _load(context, "post", brand_id, id_, _posts)


def remember(context: Context, post_: Post, variants_: list[Variant]) -> None:
    """Answer from these for a post that is there no longer, until the next root field begins."""
    _loader(context, "post", _posts).prime((post_.brand_id, post_.id), post_)
    _loader(context, "variants", posts.variants_of).prime((post_.brand_id, post_.id), variants_)


async def variants(context: Context, brand_id: UUID, post_id: UUID) -> list[Variant]:
    return await _load(context, "variants", brand_id, post_id, posts.variants_of) or []


async def warnings(context: Context, post_: Post) -> list[Caution]:
    """What is worth a second look; its row goes along, since it says what is looked at."""

    async def read(session: Session, scope: Scope, rows: list[_Written]) -> dict[_Written, list[Caution]]:
        variants_ = await posts.variants_of(session, scope, [row.post.id for row in rows])
        pairs = [(row.post, variants_.get(row.post.id, [])) for row in rows]
        found = await cautions.of_posts(session, scope, pairs)
        return {row: found[row.post.id] for row in rows}

    return await _load(context, "warnings", post_.brand_id, _Written(post_), read) or []


class _Written:
    """A post as a loader's key."""

    __slots__ = ("post",)

    def __init__(self, post_: Post) -> None:
        self.post = post_

    def __hash__(self) -> int:
        return hash(self.post.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Written) and other.post.id == self.post.id


async def outgoings(context: Context, brand_id: UUID, variant_id: UUID) -> list[Outgoing]:
    return await _load(context, "outgoing", brand_id, variant_id, posts.outgoing_of) or []


async def said(context: Context, brand_id: UUID, post_id: UUID) -> list[Approval]:
    return await _load(context, "said", brand_id, post_id, reviews.said_of) or []


async def standing(context: Context, row: Post) -> Standing | None:
    """How a post stands before those who must agree; None once it is deleted."""

    async def read(session: Session, scope: Scope, ids: list[UUID]) -> dict[UUID, Standing]:
        return await reviews.standings(session, scope, list((await _posts(session, scope, ids)).values()))

    return await _load(context, "standing", row.brand_id, row.id, read)


async def spoken(context: Context, brand_id: UUID) -> str | None:
    """In which language the viewer is told of a brand."""

    async def read(session: Session, scope: Scope, ids: list[UUID]) -> dict[UUID, str]:
        assert scope.principal is not None
        return await notifications.spoken(session, scope.principal, ids)

    return await _load(context, "spoken", brand_id, brand_id, read)


async def webhook_attempts(context: Context, row: WebhookDelivery) -> list[WebhookAttempt]:
    """Every try at a delivery."""

    async def read(session: Session, _: Scope, ids: list[UUID]) -> dict[UUID, list[WebhookAttempt]]:
        return await delivery_log.attempts(session, row.brand_id, ids)

    return await _load(context, f"webhook attempts of {row.brand_id}", row.brand_id, row.id, read) or []


async def attempts(context: Context, brand_id: UUID, outgoing_id: UUID) -> list[Attempt]:
    return await _load(context, "attempts", brand_id, outgoing_id, posts.attempts_of) or []


async def _files(session: Session, scope: Scope, ids: list[UUID]) -> dict[UUID, Media]:
    return await media.by_ids(session, scope, ids)


async def _languages(session: Session, scope: Scope, ids: list[UUID]) -> dict[UUID, list[str]]:
    return dict.fromkeys(ids, (await brands.get(session, scope)).languages)


async def languages(context: Context, brand_id: UUID) -> list[str]:
    """The languages that the brand mostly hears."""
    return await _load(context, "languages", brand_id, brand_id, _languages) or []


async def _file(context: Context, brand_id: UUID, id_: UUID) -> Media | None:
    return await _load(context, "media", brand_id, id_, _files)


async def known_media(context: Context, brand_id: UUID, items: JsonList) -> Known:
    """The files that some items name, and the languages in which their texts are looked for."""
    ids = naming.ids_of(items)
    if not ids:
        return Known()
    found = await asyncio.gather(*(_file(context, brand_id, id_) for id_ in ids))
    spoken_in = await languages(context, brand_id)
    return Known({row.id: row for row in found if row is not None}, tuple(spoken_in))


async def figures_of(context: Context, brand_id: UUID, variant_id: UUID) -> list[Figure]:
    return await _load(context, "figures", brand_id, variant_id, figures.of_variants) or []


async def shown(context: Context, brand_id: UUID, variant_id: UUID) -> Mention | None:
    """The variant as its network shows it."""
    return await _load(context, "shown", brand_id, variant_id, figures.mentions_of)


async def alert_rule(context: Context, brand_id: UUID, id_: UUID) -> AlertRule | None:
    return await _load(context, "alert_rule", brand_id, id_, rules.by_ids)


async def campaign(context: Context, brand_id: UUID, id_: UUID) -> Campaign | None:
    return await _load(context, "campaign", brand_id, id_, campaigns.by_ids)


async def saved_query(context: Context, brand_id: UUID, id_: UUID) -> SavedQuery | None:
    return await _load(context, "saved_query", brand_id, id_, queries.by_ids)


async def query_versions(context: Context, brand_id: UUID, id_: UUID) -> list[SavedQueryVersion]:
    return await _load(context, "query_versions", brand_id, id_, queries.versions) or []


async def searches(context: Context, brand_id: UUID, operation_id: UUID) -> list[Search]:
    return await _load(context, "searches", brand_id, operation_id, _searches.of) or []


async def highlights(context: Context, brand_id: UUID, mention_id: UUID, words: str) -> Spans:
    """Where in a mention's text the words of a search are."""

    async def read(session: Session, scope: Scope, wanted: list[tuple[str, UUID]]) -> dict[Any, Spans]:
        found: dict[Any, Spans] = {}
        for said in sorted({said for said, _ in wanted}):
            ids = [id_ for other, id_ in wanted if other == said]
            of_these = await searching.highlights(session, scope, said, ids)
            found |= {(said, id_): spans for id_, spans in of_these.items()}
        return found

    return await _load(context, "highlights", brand_id, (words, mention_id), read) or []


async def matches(context: Context, brand_id: UUID, mention_id: UUID) -> list[Match]:
    return await _load(context, "matches", brand_id, mention_id, matching.of_mentions) or []


async def edits(context: Context, row: Mention) -> list[Edit]:
    """A mention's versions; its row goes along, because a mention of one version has no others."""

    async def read(session: Session, scope: Scope, rows: list[_Row]) -> dict[_Row, list[Edit]]:
        found = await mentions.history(session, scope, [row.mention for row in rows])
        return {row: found[row.mention.key] for row in rows}

    return await _load(context, "edits", row.brand_id, _Row(row), read) or []


async def original(context: Context, row: Mention) -> UUID | None:
    """The id of what a mention is a copy of; its row goes along, because it says whether it is one."""

    async def read(session: Session, scope: Scope, rows: list[_Row]) -> dict[_Row, UUID | None]:
        found = await clusters.originals(session, scope, [row.mention for row in rows])
        return {row: found[row.mention.id] for row in rows if row.mention.id in found}

    return await _load(context, "original", row.brand_id, _Row(row), read) if row.is_copy else None


async def corrections(context: Context, brand_id: UUID, mention_id: UUID) -> list[Correction]:
    return await _load(context, "corrections", brand_id, mention_id, _corrections.of_mentions) or []


class _Row:
    """A mention as a loader's key."""

    __slots__ = ("mention",)

    def __init__(self, mention_: Mention) -> None:
        self.mention = mention_

    def __hash__(self) -> int:
        return hash(self.mention.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Row) and other.mention.key == self.mention.key
