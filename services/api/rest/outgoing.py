"""Effects on networks that must happen once: each one's whole story, and what a person can do about it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.ids import (
    AttemptRef,
    ChannelRef,
    IdentityRef,
    MentionRef,
    OutgoingPath,
    OutgoingRef,
    UserRef,
    VariantRef,
)
from services.api.rest.shapes import Body, ListRead, Paging, Read, Text, listed
from shared.connectors.registry import CARDS
from shared.domain.publishing.sending import settling, stories
from shared.domain.publishing.sending.settling import Settlement
from shared.domain.publishing.sending.stories import OutgoingFilter
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.base import JsonObject
from shared.models.enums import OutgoingKind, OutgoingState
from shared.models.post import Attempt, Outgoing
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/outgoing", route_class=TransactedRoute, tags=["outgoing"])


class OutgoingRead(Read):
    """One effect on a network that must happen once. It hangs beneath `after_id` and waits until that is live."""

    id: OutgoingRef
    kind: OutgoingKind
    state: OutgoingState
    channel_id: ChannelRef
    variant_id: VariantRef | None
    mention_id: MentionRef | None
    identity_id: IdentityRef | None
    after_id: OutgoingRef | None
    due_at: datetime
    tries: int
    first_attempt_at: datetime | None
    external_id: str | None
    url: str | None
    problem: JsonObject | None
    settled_at: datetime | None
    created_at: datetime


class AttemptRead(Read):
    """One try, committed before the network was called. `outcome` null: it was never heard of again."""

    id: AttemptRef
    number: int
    step: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    message: str | None


class OutgoingStory(OutgoingRead):
    """An effect with every try at it. `said` is where it stands, in a sentence; `ways_out` what a person can do now."""

    text: str
    created_by: UserRef | None
    said: str
    ways_out: list[str]
    attempts: list[AttemptRead]


class OutgoingList(ListRead[OutgoingRead]):
    pass


class Settle(Body):
    """What a person found out about an effect whose fate was not known."""

    as_: Settlement = Field(alias="as")
    external_id: Text | None = None


def outgoing_read(row: Outgoing) -> OutgoingRead:
    return OutgoingRead(**{name: getattr(row, name) for name in OutgoingRead.model_fields})


def made(scope: Scope, row: Outgoing, status: int = 201) -> Response:
    """The answer to what brought an effect under way."""
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.OUTGOING, row.id)
    where = {"location": f"/v1/brands/{brand}/outgoing/{own}"}
    return Response(outgoing_read(row).model_dump_json(), status, where, "application/json")


async def _story(call: Call, scope: Scope, row: Outgoing) -> OutgoingStory:
    tries: list[Attempt] = await stories.attempts(call.session, scope, row.id)
    return OutgoingStory(
        **{name: getattr(row, name) for name in OutgoingRead.model_fields},
        text=row.payload.get("text", ""),
        created_by=row.created_by,
        said=stories.said_of(row, scope.now(call.services.clock())),
        ways_out=stories.ways_out(row),
        attempts=[AttemptRead(**{name: getattr(one, name) for name in AttemptRead.model_fields}) for one in tries],
    )


@router.get("", response_model=OutgoingList, summary="Effects on networks, the newest first")
async def list_outgoing(
    call: Calling,
    scope: InBrand,
    page: Paging,
    state: Annotated[list[OutgoingState] | None, Query()] = None,
    kind: Annotated[list[OutgoingKind] | None, Query()] = None,
    channel_id: Annotated[list[ChannelRef] | None, Query()] = None,
    mention_id: Annotated[MentionRef | None, Query()] = None,
) -> dict[str, Any]:
    where = OutgoingFilter(tuple(state or ()), tuple(kind or ()), tuple(channel_id or ()), mention_id)
    found = await stories.search(call.session, scope, where=where, page=page, cursors=call.services.cursors)
    return listed(found, outgoing_read)


@router.get("/{outgoing_id}", summary="An effect's whole story: every try, and what can be done about it")
async def get_outgoing(call: Calling, scope: InBrand, outgoing_id: OutgoingPath) -> OutgoingStory:
    return await _story(call, scope, await stories.get(call.session, scope, outgoing_id))


@router.post("/{outgoing_id}/settle", summary="Say what became of an effect whose fate was not known")
async def settle_outgoing(
    call: Calling, scope: InBrand, outgoing_id: OutgoingPath, body: Annotated[Settle, FromBody()]
) -> OutgoingRead:
    settled = await settling.settle(
        call.session,
        scope,
        outgoing_id,
        as_=body.as_,
        external_id=body.external_id,
        cards=CARDS,
        now=call.services.clock(),
    )
    call.ring(SendOutgoing())
    return outgoing_read(settled)


@router.post("/{outgoing_id}/cancel", summary="Take back an effect of which nothing has left yet")
async def cancel_outgoing(call: Calling, scope: InBrand, outgoing_id: OutgoingPath) -> OutgoingRead:
    return outgoing_read(await settling.cancel(call.session, scope, outgoing_id, now=call.services.clock()))
