"""Pictures, films and sounds that were uploaded, and what names them."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BIGINT, JSON_VALUE, NOW, TEXT, TIME
from shared.models.enums import MediaKind, string_enum


class Media(SQLModel, table=True):
    """One file. `type` is told by its content, `fingerprint` the SHA-256 of the stored bytes in hexadecimal.

    `size` is in bytes, `width` and `height` in pixels as it is shown, `seconds` the length. `alts` are the texts for
    those who can't see it, by language. `removed_at`: nobody finds it; it stays while something names it.
    """

    __tablename__ = "media"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        Index(
            "uq_media_fingerprint",
            "brand_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index("ix_media_removed", "brand_id", "removed_at", postgresql_where=text("removed_at IS NOT NULL")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    name: str = Field(sa_type=TEXT)
    kind: MediaKind = Field(sa_type=cast(Any, string_enum(MediaKind)))
    type: str = Field(sa_type=TEXT)
    size: int = Field(sa_type=BIGINT)
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    fingerprint: str = Field(sa_type=TEXT)
    alts: dict[str, str] = Field(default_factory=dict, sa_type=JSON_VALUE)
    key: str = Field(sa_type=TEXT)  # where the store has it
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    removed_at: datetime | None = Field(default=None, sa_type=TIME)
    version: int = 1


class MediaUse(SQLModel, table=True):
    """Something names this file: a post or one of its variants, an effect, such as an answer, or a recurrence.

    `thing_id` is the one of the two that is set; where neither is, it is the recurrence's.
    """

    __tablename__ = "media_use"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "post_id"], ["post.brand_id", "post.id"]),
        ForeignKeyConstraint(["brand_id", "outgoing_id"], ["outgoing.brand_id", "outgoing.id"]),
        ForeignKeyConstraint(["brand_id", "media_id"], ["media.brand_id", "media.id"]),
        Index("ix_media_use_media", "brand_id", "media_id"),
    )
    brand_id: UUID = Field(primary_key=True)
    thing_id: UUID = Field(primary_key=True)
    media_id: UUID = Field(primary_key=True)
    post_id: UUID | None = None
    outgoing_id: UUID | None = None
