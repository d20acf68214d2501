"""Trees of mentions under one root."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.ids import MentionRef, ThreadPath, ThreadRef
from services.api.rest.mentions import MentionList, listing
from services.api.rest.shapes import ListRead, Paging, Read
from shared.domain.listening import mentions, threads
from shared.domain.listening.filters import MentionFilter
from shared.models.enums import MentionOrder
from shared.models.mention import Mention, Thread

router = APIRouter(prefix="/v1/brands/{brand_id}/threads", route_class=TransactedRoute, tags=["threads"])


class ThreadRead(Read):
    """`root_id` is null while the root itself has not been heard."""

    id: ThreadRef
    root_id: MentionRef | None
    last_at: datetime


class ThreadList(ListRead[ThreadRead]):
    pass


def read(thread: Thread, root: Mention | None) -> ThreadRead:
    return ThreadRead(id=thread.id, root_id=root.id if root is not None else None, last_at=thread.last_at)


@router.get("", response_model=ThreadList, summary="Threads, the one with the newest word first")
async def list_threads(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    found = await threads.search(call.session, scope, page=page, cursors=call.services.cursors)
    roots = await threads.roots(call.session, scope, found.items)
    data = [read(thread, roots.get(thread.id)) for thread in found.items]
    return {"data": data, "next_cursor": found.next_cursor, "has_more": found.has_more}


@router.get("/{thread_id}", summary="One thread")
async def get_thread(call: Calling, scope: InBrand, thread_id: ThreadPath) -> ThreadRead:
    thread = await threads.get(call.session, scope, thread_id)
    roots = await threads.roots(call.session, scope, [thread])
    return read(thread, roots.get(thread.id))


@router.get("/{thread_id}/mentions", response_model=MentionList, summary="What was said in a thread, oldest first")
async def list_thread_mentions(call: Calling, scope: InBrand, thread_id: ThreadPath, page: Paging) -> dict[str, Any]:
    await threads.get(call.session, scope, thread_id)
    found = await mentions.search(
        call.session,
        scope,
        where=MentionFilter(thread_id=thread_id),
        order=MentionOrder.OLDEST,
        page=page,
        cursors=call.services.cursors,
    )
    return await listing(call, scope, found)
