"""What a brand's corrections have taught the readings of its texts."""

from datetime import datetime
from typing import Any

import strawberry

from services.api.schema.connection import Info
from shared import models
from shared.domain.listening import calibrations
from shared.models import enums
from shared.models.enums import Intent


@strawberry.type(description="What is added to the log-odds of a mood: 0.7 doubles its odds.")
class SentimentShift:
    label: enums.Sentiment
    shift: float


@strawberry.type(description="What is added to the log-odds of an intent: 0.7 doubles its odds.")
class IntentShift:
    label: Intent
    shift: float


@strawberry.type(
    description="What corrections move in what is read from now on: nothing before `needed` of them, nothing while the "
    "brand does not learn."
)
class Calibration:
    learns: bool
    needed: int
    sentiment_corrections: int
    intent_corrections: int
    sentiments: list[SentimentShift]
    intents: list[IntentShift]
    since: datetime | None


async def standing(root: strawberry.Parent[models.Brand], info: Info) -> Any:
    async with info.context.reading(root.brand_id) as (session, scope):
        return await calibrations.standing(session, scope)
