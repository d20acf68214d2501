"""Who must agree to a post, what was said of it, the client's links, and what holds everything back."""

from datetime import datetime
from typing import Any

import strawberry

from services.api.schema.connection import public_id
from shared import models
from shared.domain.publishing.agreeing import holds
from shared.domain.publishing.agreeing.reviews import Standing
from shared.ids import Prefix, typeid
from shared.models.enums import ApprovalKind, HoldSource, Missed, Reviewer


def _id(prefix: Prefix, name: str) -> Any:
    """The public id in a column that may hold one."""

    def resolve(root: strawberry.Parent[Any]) -> strawberry.ID | None:
        value = getattr(root, name)
        return strawberry.ID(typeid(prefix, value)) if value is not None else None

    return strawberry.field(resolver=resolve)


def _content(root: strawberry.Parent[models.Approval]) -> str:
    return root.digest.hex()


@strawberry.type(
    description="What somebody said of one version of a post; a client gives a `name`, and came by a link."
)
class Approval:
    id: strawberry.ID = public_id(Prefix.APPROVAL)
    kind: ApprovalKind
    version: int
    content: str = strawberry.field(resolver=_content, description="Names what the post said then.")
    user_id: strawberry.ID | None = _id(Prefix.USER, "user_id")
    link_id: strawberry.ID | None = _id(Prefix.APPROVAL_LINK, "link_id")
    name: str | None
    text: str | None
    variant_id: strawberry.ID | None = _id(Prefix.VARIANT, "variant_id")
    place: str | None
    created_at: datetime


@strawberry.type(description="How the present version stands: who has agreed, of how many, and whose turn it is.")
class Review:
    content: str
    waits_for: Reviewer | None
    people_needed: int
    people: list[strawberry.ID]
    client_needed: bool
    client: bool


def review(stands: Standing) -> Review:
    """The standing as it is shown."""
    return Review(
        content=stands.digest.hex(),
        waits_for=stands.waits_for,
        people_needed=stands.policy.people,
        people=[strawberry.ID(typeid(Prefix.USER, one)) for one in stands.people],
        client_needed=stands.policy.client,
        client=stands.client,
    )


def _post_ids(root: strawberry.Parent[models.ApprovalLink]) -> list[strawberry.ID]:
    return [strawberry.ID(typeid(Prefix.POST, one)) for one in root.post_ids]


@strawberry.type(description="It opens its posts to a client without a user until it expires or is revoked.")
class ApprovalLink:
    id: strawberry.ID = public_id(Prefix.APPROVAL_LINK)
    name: str
    language: str
    post_ids: list[strawberry.ID] = strawberry.field(resolver=_post_ids)
    created_by: strawberry.ID | None = _id(Prefix.USER, "created_by")
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None


@strawberry.type(description="Why everything is held, from when until when, and what became of what was missed.")
class Hold:
    id: strawberry.ID = public_id(Prefix.HOLD)
    reason: str
    source: HoldSource
    held_by: strawberry.ID | None = _id(Prefix.USER, "held_by")
    held_at: datetime
    released_by: strawberry.ID | None = _id(Prefix.USER, "released_by")
    released_at: datetime | None
    missed: Missed | None


@strawberry.type(description="`hold` is on; null without one. `missed` of the `waiting` effects should be out by now.")
class HoldStanding:
    hold: Hold | None
    waiting: int
    missed: int


def hold_standing(found: holds.Standing) -> Any:
    """The standing as it is shown."""
    hold: Any = found.hold
    return HoldStanding(hold=hold, waiting=found.waiting, missed=found.missed)


def verdicts(said: list[models.Approval]) -> list[models.Approval]:
    """Agreements and wishes for changes."""
    return [one for one in said if one.kind is not ApprovalKind.COMMENT]


def remarks(said: list[models.Approval]) -> list[models.Approval]:
    """What was said in words."""
    return [one for one in said if one.text]
