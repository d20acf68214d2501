"""A brand's weekly times, and the posts that go through them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant, require_version
from services.api.rest.ids import ChannelRef, PostRef, SlotPath, SlotRef
from services.api.rest.posts import PostList, read_all
from services.api.rest.shapes import Body, ListRead, Paging, Read, whole
from shared.domain.publishing.planning import queue, slots
from shared.domain.publishing.planning.slots import Moved, SlotChanges, SlotDraft
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.enums import Weekday
from shared.models.planning import Slot
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/slots", route_class=TransactedRoute, tags=["planning"])
queueing = APIRouter(prefix="/v1/brands/{brand_id}/queue", route_class=TransactedRoute, tags=["planning"])


class SlotRead(Read):
    """A time of the week. `timezone` null: the brand's; no `channel_ids`: for all channels."""

    id: SlotRef
    label: str
    weekday: Weekday
    local_time: str
    timezone: str | None
    channel_ids: list[ChannelRef]
    paused: bool
    created_at: datetime
    version: int


class MovedRead(Read):
    """A post that was planned for `before` and now is for `after`; `slot_id` null: it keeps its time, in no slot."""

    post_id: PostRef
    before: datetime
    after: datetime
    slot_id: SlotRef | None


class SlotChanged(SlotRead):
    """The slot as it is now, and the posts that moved with it."""

    moved: list[MovedRead]


class QueueReordered(Read):
    """The posts that moved."""

    moved: list[MovedRead]


class SlotList(ListRead[SlotRead]):
    pass


class Reorder(Body):
    """The posts, in the order in which they are to go out."""

    post_ids: list[PostRef] = Field(min_length=1, max_length=500)


def _facts(slot: Slot) -> dict[str, Any]:
    return {name: getattr(slot, name) for name in SlotRead.model_fields}


def _moved(found: list[Moved]) -> list[MovedRead]:
    return [MovedRead.model_validate(one, from_attributes=True) for one in found]


def _changed(slot: Slot, moved: list[Moved]) -> SlotChanged:
    return SlotChanged(**_facts(slot), moved=_moved(moved))


@router.get("", response_model=SlotList, summary="The brand's slots, in the order in which they were made")
async def list_slots(call: Calling, scope: InBrand) -> dict[str, Any]:
    return whole([SlotRead(**_facts(slot)) for slot in await slots.list_(call.session, scope)])


@router.post("", status_code=201, response_model=SlotRead, summary="Make a slot")
async def create_slot(call: Calling, scope: InBrand, body: Annotated[SlotDraft, FromBody()]) -> Response:
    made = await slots.create(call.session, scope, draft=body, now=call.services.clock())
    where = f"/v1/brands/{typeid(Prefix.BRAND, scope.brand_id)}/slots/{typeid(Prefix.SLOT, made.id)}"
    answer = SlotRead(**_facts(made)).model_dump_json()
    return Response(answer, 201, {"location": where}, "application/json")


@router.get("/{slot_id}", summary="One slot")
async def get_slot(call: Calling, scope: InBrand, slot_id: SlotPath) -> SlotRead:
    return SlotRead(**_facts(await slots.get(call.session, scope, slot_id)))


@router.patch("/{slot_id}", summary="Change a slot; what stands in it is placed again")
async def update_slot(
    call: Calling, scope: InBrand, slot_id: SlotPath, body: Annotated[SlotChanges, FromBody()], if_match: IfMatch = None
) -> SlotChanged:
    current = (await slots.get(call.session, scope, slot_id)).version
    require_version(if_match, current)
    now = call.services.clock()
    found = await slots.update(call.session, scope, slot_id, changes=body, now=now, if_version=current)
    return _rung(call, found)


@router.post("/{slot_id}/remove", summary="End a slot; what stands in it moves through the others")
async def remove_slot(call: Calling, scope: InBrand, slot_id: SlotPath, if_match: IfMatch = None) -> SlotChanged:
    version = await _if_version(call, scope, slot_id, if_match)
    return _rung(call, await slots.remove(call.session, scope, slot_id, now=call.services.clock(), if_version=version))


def _rung(call: Call, found: tuple[Slot, list[Moved]]) -> SlotChanged:
    call.ring(SendOutgoing())
    return _changed(*found)


async def _if_version(call: Call, scope: Scope, slot_id: SlotPath, if_match: str | None) -> int | None:
    return meant(if_match, (await slots.get(call.session, scope, slot_id)).version)


@queueing.get("", response_model=PostList, summary="What waits in slots, the next first")
async def list_queue(
    call: Calling, scope: InBrand, page: Paging, slot_id: Annotated[SlotRef | None, Query()] = None
) -> dict[str, Any]:
    services = call.services
    found = await queue.list_(
        call.session, scope, slot_id=slot_id, page=page, cursors=services.cursors, now=services.clock()
    )
    data = await read_all(call, scope, found.items)
    return {"data": data, "next_cursor": found.next_cursor, "has_more": found.has_more}


@queueing.post("/reorder", summary="Let posts that wait in slots go out in another order")
async def reorder_queue(call: Calling, scope: InBrand, body: Annotated[Reorder, FromBody()]) -> QueueReordered:
    moved = await queue.reorder(call.session, scope, post_ids=body.post_ids, now=call.services.clock())
    call.ring(SendOutgoing())
    return QueueReordered(moved=_moved(moved))
