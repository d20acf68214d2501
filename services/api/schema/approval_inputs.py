"""What the verbs around approval and hold take."""

from datetime import datetime

import strawberry
from strawberry import UNSET

from services.api.schema.connection import given
from services.api.schema.inputs import given_values, validated
from shared.domain.brands.brands import BrandChanges
from shared.domain.publishing.agreeing.links import LinkDraft
from shared.models.enums import ApprovalPolicy, Missed


@strawberry.input(description="What is absent stays. `approval` people, then the client, must agree to every post.")
class UpdateBrandInput:
    id: strawberry.ID
    if_version: int | None = UNSET
    name: str | None = UNSET
    languages: list[str] | None = UNSET
    timezone: str | None = UNSET
    approval: ApprovalPolicy | None = UNSET
    client_approval: bool | None = UNSET
    approval_reminder_hours: int | None = UNSET
    approval_last_call_hours: int | None = UNSET
    learns: bool | None = UNSET

    def changes(self) -> BrandChanges:
        return validated(BrandChanges, given_values(self, *BrandChanges.model_fields))


@strawberry.input
class SubmitPostInput:
    id: strawberry.ID
    if_version: int | None = UNSET


@strawberry.input(description="`ifVersion` is the version that you saw: it is what you agree to.")
class ApproveInput:
    id: strawberry.ID
    if_version: int
    comment: str | None = UNSET


@strawberry.input(description="`ifVersion` is the version that you saw.")
class RequestChangesInput:
    id: strawberry.ID
    if_version: int
    comment: str


@strawberry.input(description="`place` says where it points to, such as `text` or `media/0`.")
class AddCommentInput:
    id: strawberry.ID
    text: str
    variant_id: strawberry.ID | None = UNSET
    place: str | None = UNSET


@strawberry.input(description="For the posts named, or for those that are planned from `since` to `until` now.")
class CreateApprovalLinkInput:
    brand_id: strawberry.ID
    name: str
    expires_at: datetime
    language: str | None = UNSET
    post_ids: list[strawberry.ID] | None = UNSET
    since: datetime | None = UNSET
    until: datetime | None = UNSET

    def draft(self) -> LinkDraft:
        names = ("name", "expires_at", "language", "post_ids", "since", "until")
        values = {name: value for name in names if (value := given(getattr(self, name))) is not None}
        if "post_ids" in values:
            values["post_ids"] = [str(one) for one in values["post_ids"]]
        return validated(LinkDraft, values)


@strawberry.input
class RevokeApprovalLinkInput:
    id: strawberry.ID


@strawberry.input
class HoldInput:
    brand_id: strawberry.ID
    reason: str


@strawberry.input(description="PUBLISH what was missed at once, CANCEL it, or ASK: it stays held, and says so.")
class ReleaseHoldInput:
    brand_id: strawberry.ID
    missed: Missed
