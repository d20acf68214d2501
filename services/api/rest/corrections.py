"""What a person says against a reading."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import CorrectionRef, MentionPath, UserRef
from services.api.rest.mentions import MentionRead, with_author
from services.api.rest.shapes import Body, ListRead, Paging, Read, listed
from shared.domain.listening import corrections
from shared.domain.listening.corrections import Said
from shared.ids import Prefix, typeid
from shared.models.enums import CorrectedField, Intent, Sentiment
from shared.models.mention import Correction

router = APIRouter(
    prefix="/v1/brands/{brand_id}/mentions/{mention_id}/corrections", route_class=TransactedRoute, tags=["mentions"]
)


class Correct(Body):
    """What is right, of one field at least. `intents` are all that the writer has, and may be none."""

    sentiment: Sentiment | None = None
    intents: list[Intent] | None = Field(default=None, max_length=len(Intent))
    language: str | None = Field(default=None, description="ISO 639-1, such as `nl`.", max_length=2)


class CorrectionRead(Read):
    """A person's word on one field. `replaced` is what stood there before, null where nothing did."""

    id: CorrectionRef
    field: CorrectedField
    value: list[str]
    replaced: list[str] | None
    user_id: UserRef | None
    made_at: datetime


class CorrectionList(ListRead[CorrectionRead]):
    pass


def _read(row: Correction) -> CorrectionRead:
    return CorrectionRead(**{name: getattr(row, name) for name in CorrectionRead.model_fields})


@router.post(
    "", status_code=201, response_model=MentionRead, summary="Say what is right where a mention was read wrongly"
)
async def correct_mention(
    call: Calling, scope: InBrand, mention_id: MentionPath, body: Annotated[Correct, FromBody()]
) -> Response:
    said = Said(body.sentiment, tuple(body.intents) if body.intents is not None else None, body.language)
    services = call.services
    mention = await corrections.correct(
        call.session, scope, mention_id, said=said, ears=services.ears, now=services.clock()
    )
    read = await with_author(call, scope, mention)
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.MENTION, mention.id)
    where = {"location": f"/v1/brands/{brand}/mentions/{own}/corrections"}
    return Response(read.model_dump_json(), 201, where, "application/json")


@router.get("", response_model=CorrectionList, summary="What was corrected of a mention, the first first")
async def list_corrections(call: Calling, scope: InBrand, mention_id: MentionPath, page: Paging) -> dict[str, Any]:
    found = await corrections.page_of(call.session, scope, mention_id, page=page, cursors=call.services.cursors)
    return listed(found, _read)
