"""The media that posts name: found by their ids, held against removal, and shown or sent for what they are."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from shared.contract import OutgoingMedia
from shared.db import Session
from shared.domain.publishing import reading
from shared.domain.publishing.drafts import MediaItem
from shared.domain.publishing.library import media
from shared.domain.publishing.library.media_addresses import Address
from shared.domain.publishing.library.media_fits import Item
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.ids import Prefix, parse_typeid
from shared.models.base import JsonList, JsonObject
from shared.models.brand import Brand
from shared.models.media import Media, MediaUse
from shared.models.post import Outgoing, Post, Variant

D = TypeVar("D", bound=BaseModel)
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """The files behind some items, and the languages in which their texts are looked for, the first first."""

    files: Mapping[UUID, Media] = field(default_factory=dict)
    languages: tuple[str, ...] = ()

    def file(self, item: JsonObject) -> Media | None:
        """The file that an item names; None for what stands on the web."""
        id_ = named(item)
        return self.files.get(id_) if id_ is not None else None

    def alt(self, item: JsonObject, language: str | None = None) -> str | None:
        """What is said of an item to those who can't see it: its own words, else the file's in the best language."""
        own: str | None = item.get("alt")
        file = self.file(item)
        if own is not None or file is None:
            return own
        wanted = (language, (language or "").partition("-")[0], *self.languages)
        return next((file.alts[one] for one in wanted if one and one in file.alts), None)

    def item(self, item: JsonObject, language: str | None = None) -> Item:
        """What of an item a network has limits for."""
        return Item(item["kind"], self.alt(item, language), self.file(item))

    def outgoing(
        self, scope: Scope, items: Iterable[JsonObject], address: Address, language: str | None = None
    ) -> tuple[OutgoingMedia, ...]:
        """The items as a connector is handed them."""
        return tuple(self._outgoing(scope, item, address, language) for item in items)

    def _outgoing(self, scope: Scope, item: JsonObject, address: Address, language: str | None) -> OutgoingMedia:
        file, alt = self.file(item), self.alt(item, language)
        if file is None:
            return OutgoingMedia(url_of(scope, item, address), item["kind"], alt)
        return OutgoingMedia(
            url=address(scope.brand_id, file.id),
            kind=file.kind.value,
            alt=alt,
            key=file.key,
            type=file.type,
            size=file.size,
            width=file.width,
            height=file.height,
            seconds=file.seconds,
        )


def named(item: JsonObject) -> UUID | None:
    """The id of our own file that an item names."""
    id_ = item.get("media_id")
    return parse_typeid(Prefix.MEDIA, id_) if id_ is not None else None


def ids_of(items: Iterable[JsonObject]) -> list[UUID]:
    """Our own files among some items, in their order."""
    return [id_ for item in items if (id_ := named(item)) is not None]


def url_of(scope: Scope, item: JsonObject, address: Address) -> str:
    """Where an item can be fetched."""
    id_ = named(item)
    url: str = address(scope.brand_id, id_) if id_ is not None else item["url"]
    return url


async def known(session: Session, scope: Scope, lists: Iterable[Iterable[JsonObject]]) -> Known:
    """What is known of the items of these lists, in two statements at most."""
    ids = _ids(lists)
    if not ids:
        return Known()
    languages = select(Brand.languages).where(col(Brand.brand_id) == scope.brand_id)
    spoken = (await session.execute(languages)).scalar_one()
    return Known(await media.by_ids(session, scope, ids), tuple(spoken))


async def outgoing(
    session: Session, scope: Scope, items: JsonList, address: Address, language: str | None = None
) -> tuple[OutgoingMedia, ...]:
    """The items of one effect as its connector is handed them."""
    return (await known(session, scope, [items])).outgoing(scope, items, address, language)


async def filled(session: Session, scope: Scope, draft: D) -> D:
    """The draft with its `media_ids` among its `media`, and with our own files told for what they are.

    The files can't be removed until the transaction ends. Raises Invalid, naming each place.
    """
    draft = draft.model_copy(deep=True)
    problems: list[Problem] = []
    places: list[tuple[Place, MediaItem]] = []
    for place, node in _nodes(draft):
        ids = getattr(node, "media_ids", None)
        if ids is not None and node.media:
            problems.append(Problem("exclusive", "give media or media_ids, not both", (*place, "media_ids")))
        elif ids is not None:
            node.media = [MediaItem(media_id=id_) for id_ in ids]
        field = "media" if ids is None else "media_ids"
        places += [((*place, field, n), item) for n, item in enumerate(node.media or ()) if item.media_id is not None]
    found = await hold(session, scope, {item.media_id for _, item in places if item.media_id is not None})
    for place, item in places:
        file = found.get(item.media_id) if item.media_id is not None else None
        if file is None:
            problems.append(Problem("unknown_media", "this brand has no such media", place))
        else:
            item.kind = file.kind.value
    if problems:
        raise Invalid(problems)
    return draft


def _nodes(draft: BaseModel) -> Iterator[tuple[Place, Any]]:
    """Whatever in a draft has media, and where it stands."""
    yield (), draft
    for number, variant in enumerate(getattr(draft, "variants", None) or ()):
        yield ("variants", number), variant
        for index, part in enumerate(variant.parts):
            yield ("variants", number, "parts", index), part


async def hold(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Media]:
    """The files of these ids that are there, which nobody can remove until this transaction ends."""
    if not ids:
        return {}
    wanted = (
        select(Media)
        .where(col(Media.brand_id) == scope.brand_id, col(Media.id).in_(ids), col(Media.removed_at).is_(None))
        .order_by(col(Media.id))
        .with_for_update(read=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in (await session.execute(wanted)).scalars()}


def lists_of(post: Post, variants: Iterable[Variant]) -> list[JsonList]:
    """Every list of media of a post: its own, its variants', and those of their parts."""
    lists: list[JsonList] = [post.media]
    for variant in variants:
        lists.append(variant.media or [])
        lists += [part.get("media") or [] for part in variant.parts]
    return lists


async def keep_uses(session: Session, scope: Scope, post: Post) -> None:
    """Write down which files a post names, in the transaction in which it comes to name them.

    Variants that were tried and taken away still name theirs: they are what went out.
    """
    await session.flush()
    variants = (await reading.variants_of(session, scope, [post.id])).get(post.id, [])
    await _keep(session, scope, _ids(lists_of(post, variants)), {"thing_id": post.id, "post_id": post.id})


async def keep_uses_of_recurrence(
    session: Session, scope: Scope, recurrence_id: UUID, lists: Iterable[Iterable[JsonObject]]
) -> None:
    """Write down which files a recurrence names for the posts that are still to come of it; none once it has ended."""
    await _keep(session, scope, _ids(lists), {"thing_id": recurrence_id})


async def _keep(session: Session, scope: Scope, wanted: set[UUID], what: dict[str, UUID]) -> None:
    """These files, and no others, are named by this thing."""
    of_thing = (col(MediaUse.brand_id) == scope.brand_id, col(MediaUse.thing_id) == what["thing_id"])
    there = set((await session.execute(select(MediaUse.media_id).where(*of_thing))).scalars())
    if there - wanted:
        gone = delete(MediaUse).where(*of_thing, col(MediaUse.media_id).in_(there - wanted))
        await session.execute(gone.execution_options(synchronize_session=False))
    await _use(session, scope, wanted - there, what)


async def keep_uses_of_effect(session: Session, scope: Scope, outgoing: Outgoing) -> None:
    """Write down which files an effect names that belongs to no post."""
    ids = _ids([outgoing.payload.get("media") or []])
    await _use(session, scope, ids, {"thing_id": outgoing.id, "outgoing_id": outgoing.id})


async def _use(session: Session, scope: Scope, ids: Collection[UUID], what: dict[str, UUID]) -> None:
    if ids:
        rows = [{"brand_id": scope.brand_id, "media_id": id_, **what} for id_ in sorted(ids)]
        await session.execute(insert(MediaUse).values(rows).on_conflict_do_nothing())


def _ids(lists: Iterable[Iterable[JsonObject]]) -> set[UUID]:
    return {id_ for items in lists for id_ in ids_of(items)}
