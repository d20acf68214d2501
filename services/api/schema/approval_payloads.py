"""What the verbs around approval and hold answer."""

import strawberry

from services.api.schema.approval import Approval, ApprovalLink, Hold
from services.api.schema.brand import Brand
from services.api.schema.outgoing import Problem
from services.api.schema.post import Post


@strawberry.type
class UpdateBrandPayload:
    brand: Brand | None
    errors: list[Problem]


@strawberry.type
class SubmitPostPayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type
class ApprovePayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type
class RequestChangesPayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type
class AddCommentPayload:
    approval: Approval | None
    errors: list[Problem]


@strawberry.type(description="`url` is for the client alone; it is shown this once.")
class CreateApprovalLinkPayload:
    approval_link: ApprovalLink | None
    url: str | None
    errors: list[Problem]


@strawberry.type
class RevokeApprovalLinkPayload:
    approval_link: ApprovalLink | None
    errors: list[Problem]


@strawberry.type
class HoldPayload:
    hold: Hold | None
    errors: list[Problem]


@strawberry.type
class ReleaseHoldPayload:
    hold: Hold | None
    errors: list[Problem]
