"""What a brand's corrections have taught the readings of its texts."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.shapes import Read
from shared.domain.listening import calibrations
from shared.models.enums import Intent, Sentiment

router = APIRouter(prefix="/v1/brands/{brand_id}/calibration", route_class=TransactedRoute, tags=["brands"])


class SentimentShift(Read):
    """What is added to the log-odds of a mood: 0.7 doubles its odds."""

    label: Sentiment
    shift: float


class IntentShift(Read):
    """What is added to the log-odds of an intent: 0.7 doubles its odds."""

    label: Intent
    shift: float


class CalibrationRead(Read):
    """What people's corrections move in what is read for the brand from now on. Nothing moves before `needed`
    corrections of sentiment, or of intents; nothing is used while the brand does not learn."""

    learns: bool
    needed: int
    sentiment_corrections: int = Field(description="Mentions whose sentiment people corrected, the latest 2,000.")
    intent_corrections: int = Field(description="Mentions whose intents people corrected, the latest 2,000.")
    sentiments: list[SentimentShift]
    intents: list[IntentShift]
    since: datetime | None = Field(description="Since when the shifts are as they are; null while they are nothing.")


@router.get("", summary="What a brand's corrections have taught")
async def get_calibration(call: Calling, scope: InBrand) -> CalibrationRead:
    return CalibrationRead.model_validate(await calibrations.standing(call.session, scope), from_attributes=True)
