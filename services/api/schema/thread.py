"""The trees in which things are said."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import strawberry
from strawberry import UNSET

from services.api import loaders
from services.api.schema.connection import FIRST, Connection, Info, Node, public_id
from services.api.schema.mention import NOBODY, Mention, MentionFilter, listed
from shared import models
from shared.domain.listening.filters import MentionFilter as DomainFilter
from shared.ids import Prefix
from shared.models.enums import MentionOrder


async def _root(root: strawberry.Parent[models.Thread], info: Info) -> Any:
    return await loaders.mention_by_key(info.context, root.brand_id, root.key)


async def _mentions(
    root: strawberry.Parent[models.Thread],
    info: Info,
    first: int | None = FIRST,
    after: str | None = UNSET,
    where: MentionFilter | None = UNSET,
    order: MentionOrder | None = MentionOrder.NEWEST,
) -> Any:
    asked = where.read() if where else DomainFilter()
    within = replace(asked, thread_id=root.id if asked.thread_id in {None, root.id} else NOBODY)
    return await listed(info, root.brand_id, first, after, within, order)


@strawberry.type(description="The tree under one root, which may not be known yet.")
class Thread(Node):
    id: strawberry.ID = public_id(Prefix.THREAD)
    last_at: datetime
    root: Mention | None = strawberry.field(resolver=_root)
    mentions: Connection[Mention] = strawberry.field(resolver=_mentions)

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Thread)
