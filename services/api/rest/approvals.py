"""What people say of posts before they go out, and what waits for whom."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody

from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, require_version
from services.api.rest.ids import ApprovalLinkRef, ApprovalRef, PostPath, PostRef, UserRef, VariantRef
from services.api.rest.posts import PostRead, answer, if_version
from services.api.rest.shapes import Body, ListRead, Paging, Read, Text, listed, whole
from shared.connectors.registry import CARDS
from shared.domain.publishing import posts
from shared.domain.publishing.agreeing import approvals, reviews
from shared.domain.publishing.agreeing.reviews import Standing, Waiting
from shared.ids import Prefix, typeid
from shared.models.approval import Approval
from shared.models.enums import ApprovalKind, PostStatus, Reviewer
from shared.queues import SendOutgoing

router = APIRouter(prefix="/v1/brands/{brand_id}/posts/{post_id}", route_class=TransactedRoute, tags=["approvals"])
waiting = APIRouter(prefix="/v1/brands/{brand_id}/approvals", route_class=TransactedRoute, tags=["approvals"])


class ApprovalRead(Read):
    """What somebody said of one version of a post: `version` is the post's, `content` names what it said then.

    By a user, or by a client through a link, under the name that they gave.
    """

    id: ApprovalRef
    kind: ApprovalKind
    version: int
    content: str
    user_id: UserRef | None
    link_id: ApprovalLinkRef | None
    name: str | None
    text: str | None
    variant_id: VariantRef | None
    place: str | None
    created_at: datetime


class ApprovalList(ListRead[ApprovalRead]):
    pass


class StandingRead(Read):
    """How the present version of a post stands: who has agreed, of how many, and whose turn it is."""

    content: str
    waits_for: Reviewer | None
    people_needed: int
    people: list[UserRef]
    client_needed: bool
    client: bool


class WaitingRead(StandingRead):
    """A post that waits for somebody, since when, and when it is to go out."""

    post_id: PostRef
    version: int
    since_at: datetime
    scheduled_at: datetime | None


class WaitingList(ListRead[WaitingRead]):
    pass


class ReviewRead(StandingRead):
    """`status` is the post's."""

    post_id: PostRef
    status: PostStatus
    version: int


class Agreement(Body):
    comment: Text | None = None


class ChangeRequest(Body):
    comment: Text


class CommentBody(Body):
    """`place` says where it points to, such as `text` or `media/0`."""

    text: Text
    variant_id: VariantRef | None = None
    place: Text | None = None


def read(row: Approval) -> ApprovalRead:
    own = {name: getattr(row, name) for name in ApprovalRead.model_fields if name != "content"}
    return ApprovalRead(**own, content=row.digest.hex())


def _standing(stands: Standing) -> dict[str, Any]:
    return {
        "content": stands.digest.hex(),
        "waits_for": stands.waits_for,
        "people_needed": stands.policy.people,
        "people": list(stands.people),
        "client_needed": stands.policy.client,
        "client": stands.client,
    }


def _waiting(one: Waiting) -> WaitingRead:
    post = one.post
    return WaitingRead(
        **_standing(one.stands),
        post_id=post.id,
        version=post.version,
        since_at=one.since_at,
        scheduled_at=post.scheduled_at,
    )


@router.post("/submit", response_model=PostRead, summary="Put a post before those who must agree")
async def submit_post(call: Calling, scope: InBrand, post_id: PostPath, if_match: IfMatch = None) -> Response:
    version = await if_version(call, scope, post_id, if_match)
    now = call.services.clock()
    post = await approvals.submit(call.session, scope, post_id, cards=CARDS, now=now, if_version=version)
    call.ring(SendOutgoing())
    return await answer(call, scope, post)


@router.post("/approve", response_model=PostRead, summary="Agree to a post as it is at the version of If-Match")
async def approve(
    call: Calling,
    scope: InBrand,
    post_id: PostPath,
    body: Annotated[Agreement | None, FromBody()] = None,
    if_match: IfMatch = None,
) -> Response:
    current = (await posts.get(call.session, scope, post_id)).version
    require_version(if_match, current)
    post = await approvals.approve(
        call.session,
        scope,
        post_id,
        if_version=current,
        comment=body.comment if body is not None else None,
        cards=CARDS,
        now=call.services.clock(),
    )
    call.ring(SendOutgoing())
    return await answer(call, scope, post)


@router.post("/request-changes", response_model=PostRead, summary="Give a post back, saying what is wrong")
async def request_changes(
    call: Calling,
    scope: InBrand,
    post_id: PostPath,
    body: Annotated[ChangeRequest, FromBody()],
    if_match: IfMatch = None,
) -> Response:
    current = (await posts.get(call.session, scope, post_id)).version
    require_version(if_match, current)
    post = await approvals.request_changes(
        call.session, scope, post_id, if_version=current, comment=body.comment, now=call.services.clock()
    )
    return await answer(call, scope, post)


async def _said(call: Calling, scope: InBrand, post_id: PostPath) -> list[Approval]:
    await posts.get(call.session, scope, post_id)
    return (await reviews.said_of(call.session, scope, [post_id])).get(post_id, [])


@router.get("/approvals", response_model=ApprovalList, summary="Who agreed to which version, and who wanted changes")
async def list_approvals(call: Calling, scope: InBrand, post_id: PostPath) -> dict[str, Any]:
    said = await _said(call, scope, post_id)
    return whole([read(row) for row in said if row.kind is not ApprovalKind.COMMENT])


@router.get("/comments", response_model=ApprovalList, summary="What was remarked on each version, the oldest first")
async def list_comments(call: Calling, scope: InBrand, post_id: PostPath) -> dict[str, Any]:
    return whole([read(row) for row in await _said(call, scope, post_id) if row.text])


@router.post("/comments", status_code=201, response_model=ApprovalRead, summary="Remark on a post, or a place in it")
async def add_comment(
    call: Calling, scope: InBrand, post_id: PostPath, body: Annotated[CommentBody, FromBody()], response: Response
) -> ApprovalRead:
    said = await approvals.comment(
        call.session,
        scope,
        post_id,
        text=body.text,
        variant_id=body.variant_id,
        place=body.place,
        now=call.services.clock(),
    )
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.POST, post_id)
    response.headers["location"] = f"/v1/brands/{brand}/posts/{own}/comments"
    return read(said)


@router.get("/review", summary="Whose turn it is, and who has agreed to the present version")
async def get_review(call: Calling, scope: InBrand, post_id: PostPath) -> ReviewRead:
    post = await posts.get(call.session, scope, post_id)
    stands = (await reviews.standings(call.session, scope, [post]))[post_id]
    return ReviewRead(**_standing(stands), post_id=post_id, status=post.status, version=post.version)


@waiting.get("/waiting", response_model=WaitingList, summary="What waits for whom, the longest waiting first")
async def list_waiting(call: Calling, scope: InBrand, page: Paging) -> dict[str, Any]:
    return listed(await reviews.waiting(call.session, scope, page=page, cursors=call.services.cursors), _waiting)
