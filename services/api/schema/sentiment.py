"""What is read of a mention, and what people say against it."""

from datetime import datetime
from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.connection import Info, public_id
from shared import models
from shared.domain.listening import readings
from shared.ids import Prefix, typeid
from shared.models import enums
from shared.models.enums import CorrectedField, Intent, SentimentSource


@strawberry.type(description="What the fast model said of the mood, where the deep one has looked at the text too.")
class FastSentiment:
    label: enums.Sentiment
    score: float | None
    model_version: str | None


@strawberry.type(
    description="The mood, and who says so. A person's word has no `score` and no `modelVersion`; `fast` is there where"
    " `modelVersion` is the deep model's."
)
class Sentiment:
    label: enums.Sentiment
    score: float | None
    source: SentimentSource
    model_version: str | None
    fast: FastSentiment | None


def _user_id(root: strawberry.Parent[models.Correction]) -> strawberry.ID | None:
    return strawberry.ID(typeid(Prefix.USER, root.user_id)) if root.user_id is not None else None


@strawberry.type(description="A person's word on one field. `replaced` is what stood there before, or null.")
class Correction:
    id: strawberry.ID = public_id(Prefix.CORRECTION)
    field: CorrectedField
    value: list[str]
    replaced: list[str] | None
    user_id: strawberry.ID | None = strawberry.field(resolver=_user_id)
    made_at: datetime


def sentiment(root: strawberry.Parent[models.Mention]) -> Any:
    return readings.mood_of(root)


def intents(root: strawberry.Parent[models.Mention]) -> Any:
    return [Intent(intent) for intent in root.intents] if root.intents is not None else None


async def corrections(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    return await loaders.corrections(info.context, root.brand_id, root.id)
