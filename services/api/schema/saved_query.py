"""Boolean queries that listen, and what they matched."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.connection import Info, Node, public_id
from shared import models
from shared.domain.listening import queries
from shared.ids import Prefix, typeid
from shared.models.enums import QueryGroup


@strawberry.type(description="From `start` to `end` in a text, in code points, the end exclusive.")
class Span:
    start: int
    end: int


def spans(found: Any) -> list[Span]:
    return [Span(start=start, end=end) for start, end in found]


def _saved_by(root: strawberry.Parent[models.SavedQueryVersion]) -> strawberry.ID | None:
    return strawberry.ID(typeid(Prefix.USER, root.saved_by)) if root.saved_by is not None else None


@strawberry.type(description="A query as it was saved once.")
class SavedQueryVersion:
    version: int
    name: str
    expression: str
    group: QueryGroup
    saved_by: strawberry.ID | None = strawberry.field(resolver=_saved_by)
    saved_at: datetime


async def _versions(root: strawberry.Parent[models.SavedQuery], info: Info) -> Any:
    return await loaders.query_versions(info.context, root.brand_id, root.id)


@strawberry.type(
    description="A boolean search that listens. `isBroad`: nothing in it can be waited for, so each mention is asked."
)
class SavedQuery(Node):
    id: strawberry.ID = public_id(Prefix.QUERY)
    name: str
    expression: str
    group: QueryGroup
    terms: int
    is_broad: bool
    created_at: datetime
    updated_at: datetime
    version: int
    versions: list[SavedQueryVersion] = strawberry.field(resolver=_versions, description="The newest first.")

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.SavedQuery)


async def _query(root: strawberry.Parent[models.Match], info: Info) -> Any:
    return await loaders.saved_query(info.context, root.brand_id, root.query_id)


def _spans(root: strawberry.Parent[models.Match]) -> Any:
    return spans(root.spans)


@strawberry.type(
    description="A query that matched, in which version, and what in the text made it: the first hundred places."
)
class Match:
    query: SavedQuery = strawberry.field(resolver=_query)
    version: int
    spans: list[Span] = strawberry.field(resolver=_spans)


async def listed(root: strawberry.Parent[models.Brand], info: Info) -> Any:
    """All of a brand's, in the order in which they were made."""
    async with info.context.reading(root.brand_id) as (session, scope):
        return await queries.list_(session, scope)
