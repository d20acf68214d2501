"""Pictures, films and sounds that were uploaded."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from services.api import loaders
from services.api.schema.connection import FIRST, Info, Node, connection, given, public_id, requested
from services.api.schema.mention import Media
from shared import models
from shared.domain.publishing.library import media
from shared.ids import Prefix
from shared.models.base import JsonList
from shared.models.enums import MediaKind

Root = strawberry.Parent[models.Media]


@strawberry.type(description="What is seen or heard in a file, for those who can't, in one language.")
class AltText:
    language: str
    text: str


@strawberry.input(description="Absent: any. `unused` true: those that no post names, false: those that one does.")
class MediaFileFilter:
    kinds: list[MediaKind] | None = UNSET
    unused: bool | None = UNSET

    def read(self) -> media.MediaFilter:
        return media.MediaFilter(kinds=tuple(self.kinds) if self.kinds else (), unused=given(self.unused))


def _alts(root: Root) -> Any:
    return [AltText(language=language, text=said) for language, said in sorted(root.alts.items())]


def _url(root: Root, info: Info) -> str:
    services = info.context.services
    return services.addresses.at(services.clock())(root.brand_id, root.id)


@strawberry.type(
    description="A picture, film or sound that was uploaded (by REST). `url` is where anybody can fetch it for some"
    " hours. `size` is in bytes, `fingerprint` the SHA-256 of what is kept."
)
class MediaFile(Node):
    id: strawberry.ID = public_id(Prefix.MEDIA)
    name: str
    kind: MediaKind
    type: str
    size: int
    width: int | None
    height: int | None
    seconds: float | None
    fingerprint: str
    alts: list[AltText] = strawberry.field(resolver=_alts)
    url: str = strawberry.field(resolver=_url)
    created_at: datetime
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Media)


async def shown(info: Info, brand_id: UUID, items: JsonList) -> list[Media]:
    """What a post names: where it is, and what is said of it."""
    context = info.context
    known = await loaders.known_media(context, brand_id, items)
    address = context.services.addresses.at(context.services.clock())
    found = known.outgoing(context.scope(brand_id), items, address)
    return [Media(url=one.url, kind=one.kind, alt=one.alt) for one in found]


async def listed(
    root: strawberry.Parent[models.Brand],
    info: Info,
    first: int | None = FIRST,
    after: str | None = UNSET,
    where: MediaFileFilter | None = UNSET,
) -> Any:
    page = requested(first, after)
    async with info.context.reading(root.brand_id) as (session, scope):
        found = await media.search(
            session, scope, where=where.read() if where else None, page=page, cursors=info.context.services.cursors
        )
    return connection(found, page)
