"""Long work: begun, watched, called off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response
from fastapi import Body as FromBody

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.ids import BrandRef, ChannelPath, ChannelRef, OperationPath, OperationRef, QueryRef
from services.api.rest.shapes import Body, Moment, Read
from services.api.rest.whereabouts import scope_of
from shared.connectors.registry import connector
from shared.domain.brands import channels
from shared.domain.listening import backfills, rereadings, searches
from shared.domain.listening.searches import Search, SearchEnd
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.enums import Network, OperationKind, OperationStatus, RecallOver
from shared.models.operation import Operation

starting = APIRouter(prefix="/v1/brands/{brand_id}/channels", route_class=TransactedRoute, tags=["channels"])
router = APIRouter(prefix="/v1/operations", route_class=TransactedRoute, tags=["operations"])


class Backfill(Body):
    """From when on."""

    since: Moment


class Rereading(Body):
    """From when on; without it all that was ever said."""

    since: Moment | None = None


class OperationProgress(Read):
    """How far it is, for programs and in words. `reached_at`: everything since then is done.

    A backfill brings arrivals; a recall asks mentions, and finds matches; mentions are read again, some are `changed`.
    """

    arrivals: int
    pages: int
    mentions: int
    matches: int
    changed: int
    reached_at: datetime | None
    message: str


class OperationResult(Read):
    """What came of it. `reached_at` is later than what was asked for where the network shows no more."""

    arrivals: int
    mentions: int
    matches: int
    changed: int
    reached_at: datetime | None


class SearchRequestRead(Read):
    """One request: the words and phrases that must all stand in what is brought, and what came of it.

    `ended`: `through`, `network_ends` (it shows no more), `repeats`, `not_told` (whether it searches) or `most_pages`.
    """

    words: list[str]
    pages: int
    brought: int
    reached_at: datetime | None
    ended: SearchEnd | None


class SearchRead(Read):
    """The search of a network for a recall, by a channel's login; `left_out` of the query could not be asked for."""

    id: OperationRef
    network: Network
    channel_id: ChannelRef
    status: OperationStatus
    requests: list[SearchRequestRead]
    left_out: list[str]
    pages: int
    brought: int
    reached_at: datetime | None
    problem: "OperationProblem | None"


class OperationProblem(Read):
    """Why it did not go on."""

    code: str
    message: str


class OperationRead(Read):
    """One long work, of a channel or of a query. `result` is there once it is over, `problem` where it failed.

    `searches` are those of a recall over networks.
    """

    id: OperationRef
    brand_id: BrandRef
    kind: OperationKind
    status: OperationStatus
    channel_id: ChannelRef | None
    query_id: QueryRef | None
    since: datetime
    progress: OperationProgress
    result: OperationResult | None
    problem: OperationProblem | None
    over: list[RecallOver]
    searches: list[SearchRead]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int


def read(operation: Operation, searched: Sequence[Search] = ()) -> OperationRead:
    outcome = {name: getattr(operation, name) for name in OperationResult.model_fields}
    facts: dict[str, Any] = {
        "progress": backfills.progress(operation),
        "result": outcome if operation.is_over else None,
        "problem": operation.problem,
        "over": operation.over,
        "searches": [_search(one) for one in searched],
    }
    plain = (
        "id", "brand_id", "kind", "status", "channel_id", "query_id",
        "since", "created_at", "started_at", "ended_at", "version",
    )  # fmt: skip
    return OperationRead(**facts, **{name: getattr(operation, name) for name in plain})


def _search(one: Search) -> SearchRead:
    own = one.operation
    return SearchRead.model_validate(
        {
            "id": own.id, "network": one.network, "channel_id": own.channel_id, "status": own.status,
            "requests": one.requests, "left_out": one.left_out, "pages": own.pages, "brought": own.mentions,
            "reached_at": own.reached_at, "problem": own.problem,
        }
    )  # fmt: skip


async def whole(call: Call, scope: Scope, operation: Operation) -> OperationRead:
    """An operation with the searches that belong to it."""
    found = await searches.of(call.session, scope, [operation.id])
    return read(operation, found.get(operation.id, ()))


async def _scope(
    operation_id: OperationPath, call: Calling, parvis_brand: Annotated[str | None, Header()] = None
) -> Scope:
    """The brand that the operation is of, among the key's."""
    return await scope_of(call, Prefix.OPERATION, operation_id, parvis_brand)


InItsBrand = Annotated[Scope, Depends(_scope)]


@starting.post(
    "/{channel_id}/backfill",
    status_code=202,
    response_model=OperationRead,
    summary="Bring what was said on the channel from a moment on",
)
async def backfill_channel(
    call: Calling, scope: InBrand, channel_id: ChannelPath, body: Annotated[Backfill, FromBody()]
) -> Response:
    channel = await channels.get(call.session, scope, channel_id)
    card = connector(channel.network).card
    made = await backfills.start(
        call.session, scope, channel_id, since=body.since, card=card, now=call.services.clock()
    )  # fmt: skip
    return _begun(made)


@starting.post(
    "/{channel_id}/reread",
    status_code=202,
    response_model=OperationRead,
    summary="Read anew what another version of the model has read, or none",
)
async def reread_channel(
    call: Calling, scope: InBrand, channel_id: ChannelPath, body: Annotated[Rereading, FromBody()]
) -> Response:
    since, now = body.since or rereadings.EVER, call.services.clock()
    return _begun(await rereadings.start(call.session, scope, channel_id, since=since, now=now))


def _begun(made: Operation) -> Response:
    where = f"/v1/operations/{typeid(Prefix.OPERATION, made.id)}"
    return Response(read(made).model_dump_json(), 202, {"location": where}, "application/json")


@router.get("/{operation_id}", summary="How far an operation is")
async def get_operation(call: Calling, scope: InItsBrand, operation_id: OperationPath) -> OperationRead:
    return await whole(call, scope, await backfills.get(call.session, scope, operation_id))


@router.post("/{operation_id}/cancel", summary="Call an operation off; what it has brought stays")
async def cancel_operation(call: Calling, scope: InItsBrand, operation_id: OperationPath) -> OperationRead:
    cancelled = await backfills.cancel(call.session, scope, operation_id, now=call.services.clock())
    return await whole(call, scope, cancelled)
