"""Who must agree before a post goes out, what they said of which version, and what holds everything back."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, NOW, TEXT, TIME, UUIDS
from shared.models.enums import ApprovalKind, HoldSource, Missed, string_enum


class Review(SQLModel, table=True):
    """Which version of a post stands before those who must agree; its id is the post's.

    `digest` is of what would go out, written by `author_id`; `since_at`: when that was first put before somebody. It is
    written anew for each version.
    """

    __tablename__ = "review"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "id"], ["post.brand_id", "post.id"]),
        Index("ix_review_since_at", "brand_id", "since_at", "id"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    digest: bytes = Field(sa_type=BYTES)
    author_id: UUID | None = None
    since_at: datetime | None = Field(default=None, sa_type=TIME)
    reminded_at: datetime | None = Field(default=None, sa_type=TIME)
    last_called_at: datetime | None = Field(default=None, sa_type=TIME)


class Approval(SQLModel, table=True):
    """What somebody said of exactly one version of a post. Rows are only ever added.

    `digest` and `version` are the version's. Said by a user, or by a client through a link, under the `name` they gave.
    `variant_id` and `place` (such as `text` or `media/0`) say where a comment points to.
    """

    __tablename__ = "approval"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "post_id"], ["post.brand_id", "post.id"]),
        Index("ix_approval_post", "brand_id", "post_id", "id"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    post_id: UUID
    kind: ApprovalKind = Field(sa_type=cast(Any, string_enum(ApprovalKind)))
    digest: bytes = Field(sa_type=BYTES)
    version: int
    user_id: UUID | None = None
    link_id: UUID | None = None
    name: str | None = Field(default=None, sa_type=TEXT)
    text: str | None = Field(default=None, sa_type=TEXT)
    variant_id: UUID | None = None
    place: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class Hold(SQLModel, table=True):
    """Everything scheduled of a brand is held back, from `held_at` until it is released; one at a time."""

    __tablename__ = "hold"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        Index("uq_hold_current", "brand_id", unique=True, postgresql_where=text("released_at IS NULL")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    reason: str = Field(sa_type=TEXT)
    source: HoldSource = Field(sa_type=cast(Any, string_enum(HoldSource)))
    held_by: UUID | None = None
    held_at: datetime = Field(sa_type=TIME)
    released_by: UUID | None = None
    released_at: datetime | None = Field(default=None, sa_type=TIME)
    missed: Missed | None = Field(default=None, sa_type=cast(Any, string_enum(Missed)))


class ApprovalLink(SQLModel, table=True):
    """An address by which a client without a user approves these posts. Only the hash of its token is kept.

    It names its brand and posts without foreign keys: who comes with it is known by the token alone.
    """

    __tablename__ = "approval_link"
    __table_args__ = (UniqueConstraint("hash"), Index("ix_approval_link_brand", "brand_id", "id"))
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    brand_id: UUID
    hash: bytes = Field(sa_type=BYTES)
    name: str = Field(sa_type=TEXT)  # the client's
    language: str = Field(sa_type=TEXT)  # of the page
    post_ids: list[UUID] = Field(sa_type=UUIDS)
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    expires_at: datetime = Field(sa_type=TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=TIME)
    last_seen_at: datetime | None = Field(default=None, sa_type=TIME)


class DueReminder(SQLModel, table=True):
    """When somebody is reminded next that a post waits for them; ids and times only."""

    __tablename__ = "due_reminder"
    __table_args__ = (Index("ix_due_reminder_due_at", "due_at"),)
    post_id: UUID = Field(primary_key=True)
    brand_id: UUID
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
