"""Raw things that came in, as they came."""

import base64
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import ArrivalPath, ArrivalRef, ChannelRef, MentionRef
from services.api.rest.shapes import ListRead, Paging, Read, listed
from shared.domain.listening import arrivals, mentions
from shared.models.arrival import Arrival
from shared.models.base import JsonList, JsonObject
from shared.models.enums import ArrivalSource, ArrivalState, Network
from shared.queues import SettleArrivals

router = APIRouter(prefix="/v1/brands/{brand_id}/arrivals", route_class=TransactedRoute, tags=["arrivals"])


class ArrivalRead(Read):
    """One raw thing received, polled or fetched. `problems` and `ignored` say what was wrong or passed over."""

    id: ArrivalRef
    network: Network
    source: ArrivalSource
    channel_id: ChannelRef | None
    part_of: ArrivalRef | None
    state: ArrivalState
    stamp: datetime
    received_at: datetime
    settled_at: datetime | None
    problems: JsonList
    ignored: JsonList


class ArrivalList(ListRead[ArrivalRead]):
    pass


class ArrivalDetail(ArrivalRead):
    """With its body, byte for byte: `body_text` where it is UTF-8, `body_base64` always; null once forgotten."""

    headers: JsonObject
    body_text: str | None
    body_base64: str | None
    body_bytes: int | None
    mention_ids: list[MentionRef]


def _facts(arrival: Arrival) -> dict[str, Any]:
    return {name: getattr(arrival, name) for name in ArrivalRead.model_fields}


def read(arrival: Arrival) -> ArrivalRead:
    return ArrivalRead(**_facts(arrival))


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


@router.get("", response_model=ArrivalList, summary="Arrivals, newest first")
async def list_arrivals(
    call: Calling, scope: InBrand, page: Paging, state: Annotated[ArrivalState | None, Query()] = None
) -> dict[str, Any]:
    found = await arrivals.search(call.session, scope, state=state, page=page, cursors=call.services.cursors)
    return listed(found, read)


@router.get("/{arrival_id}", summary="One arrival, with its body and what became of it")
async def get_arrival(call: Calling, scope: InBrand, arrival_id: ArrivalPath) -> ArrivalDetail:
    arrival = await arrivals.get(call.session, scope, arrival_id)
    heard = await mentions.by_keys(call.session, scope, arrival.mention_keys)
    body = arrival.body
    return ArrivalDetail(
        **_facts(arrival),
        headers=arrival.headers,
        body_text=_text(body) if body is not None else None,
        body_base64=base64.b64encode(body).decode() if body is not None else None,
        body_bytes=len(body) if body is not None else None,
        mention_ids=[heard[key].id for key in arrival.mention_keys if key in heard],
    )


@router.post("/{arrival_id}/replay", summary="Put an arrival before the worker once more")
async def replay_arrival(call: Calling, scope: InBrand, arrival_id: ArrivalPath) -> ArrivalRead:
    arrival = await arrivals.replay(call.session, scope, arrival_id, now=call.services.clock())
    call.ring(SettleArrivals())
    return read(arrival)
