"""Many posts in one request: the same done to each, a copy of one, or a table of new ones."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Body as FromBody

from services.api.rest.call import Call, Calling, InBrand, TransactedRoute
from services.api.rest.ids import PostPath, PostRef
from services.api.rest.posts import PostRead, answer, read_all
from services.api.rest.shapes import Read
from shared.connectors.registry import CARDS
from shared.domain.publishing import many, posts, sheets
from shared.domain.publishing.many import Many
from shared.domain.scope import Scope
from shared.errors import NotFound, Problem
from shared.models.post import Post
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/posts", route_class=TransactedRoute, tags=["posts"])


class ProblemRead(Read):
    """What was wrong, and where."""

    code: str
    message: str
    path: list[str | int]


class DoneRead(Read):
    """What came of one: the post as it stands now (a copy, where it was duplicated), null where it is gone."""

    asked_id: PostRef
    post: PostRead | None
    problems: list[ProblemRead]


class DoneList(Read):
    data: list[DoneRead]


class LineRead(Read):
    """What came of one line of the table; the path of a problem is its column."""

    line: int
    post_id: PostRef | None
    problems: list[ProblemRead]


class ImportRead(Read):
    """What came of a table. On trial nothing was kept."""

    written: int
    refused: int
    trial: bool
    lines: list[LineRead]


def _problem(found: Problem) -> ProblemRead:
    return ProblemRead(code=found.code, message=found.message, path=list(found.path))


async def _there(call: Call, scope: Scope, done: list[many.Done]) -> list[Post]:
    found = []
    for one in done:
        try:
            found += [await posts.get(call.session, scope, one.post_id)] if one.post_id is not None else []
        except NotFound:
            continue
    return found


@router.post("/batch", response_model=DoneList, summary="Do the same to many posts; each is answered for")
async def batch_posts(call: Calling, scope: InBrand, body: Annotated[Many, FromBody()]) -> dict[str, Any]:
    done = await many.each(call.session, scope, many=body, cards=CARDS, now=call.services.clock())
    call.ring(SendOutgoing())
    read = {post.id: post for post in await read_all(call, scope, await _there(call, scope, done))}
    return {
        "data": [
            DoneRead(
                asked_id=one.asked_id,
                post=read.get(one.post_id) if one.post_id is not None else None,
                problems=[_problem(found) for found in one.problems],
            )
            for one in done
        ]
    }


@router.post(
    "/import",
    response_model=ImportRead,
    summary="Write posts from a table (CSV), one a line; good lines are kept, the others told of",
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": f"The table, in UTF-8. Its first line names the columns: {', '.join(sheets.COLUMNS)}.",
            # Whatever type the body is sent as, it is read as a table; generated clients know this one.
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def import_posts(
    call: Calling,
    scope: InBrand,
    request: Request,
    trial: Annotated[bool, Query(description="Say what would come of it, and keep nothing.")] = False,
) -> ImportRead:
    table = await request.body()
    report = await sheets.write(call.session, scope, table, cards=CARDS, now=call.services.clock(), trial=trial)
    call.ring(SendOutgoing())
    lines = [
        LineRead(line=one.number, post_id=one.post_id, problems=[_problem(found) for found in one.problems])
        for one in report.lines
    ]
    return ImportRead(written=report.written, refused=report.refused, trial=trial, lines=lines)


@router.post("/{post_id}/duplicate", status_code=201, response_model=PostRead, summary="A new draft that says the same")
async def duplicate_post(call: Calling, scope: InBrand, post_id: PostPath) -> Response:
    copy = await many.duplicate(call.session, scope, post_id, cards=CARDS, now=call.services.clock())
    return await answer(call, scope, copy, 201)
