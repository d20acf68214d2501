"""Posts that belong together."""

from datetime import date, datetime
from typing import Any

import strawberry

from services.api.schema.connection import Node, public_id
from shared import models
from shared.ids import Prefix


@strawberry.type(description="One UTM parameter: `name` is source, medium, campaign, term or content.")
class Tag:
    name: str
    value: str


def _tags(root: strawberry.Parent[models.Campaign]) -> Any:
    return [Tag(name=name, value=value) for name, value in root.tags.items()]


@strawberry.type(description="A name over posts; `tags` are what their links get, on `domains` (none named: on all).")
class Campaign(Node):
    id: strawberry.ID = public_id(Prefix.CAMPAIGN)
    name: str
    starts_on: date | None
    ends_on: date | None
    tags: list[Tag] = strawberry.field(resolver=_tags)
    domains: list[str]
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def is_type_of(cls, obj: Any, _info: Any) -> bool:
        return isinstance(obj, models.Campaign)
