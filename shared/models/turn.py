"""Queues of turns: what is asked of a network next, for which channel, and who has it in hand; ids and times."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import TEXT, TIME
from shared.models.enums import UpkeepKind, string_enum


class DuePoll(SQLModel, table=True):
    """When a channel is polled next."""

    __tablename__ = "due_poll"
    __table_args__ = (Index("ix_due_poll_due_at", "due_at"),)
    channel_id: UUID = Field(primary_key=True)
    brand_id: UUID
    lane: str = Field(default="", sa_type=TEXT, sa_column_kwargs={"server_default": ""})  # one a network host
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    failures: int = 0


class DueFetch(SQLModel, table=True):
    """Something that a delivery only named, and when it is fetched. `key` is the digest of kind and external id.

    `depth` counts how many things in a row were only named by what was fetched before them.
    """

    __tablename__ = "due_fetch"
    __table_args__ = (Index("ix_due_fetch_due_at", "due_at"), UniqueConstraint("channel_id", "key"))
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    brand_id: UUID
    channel_id: UUID
    lane: str = Field(sa_type=TEXT)
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    failures: int = 0
    kind: str = Field(sa_type=TEXT)
    external_id: str = Field(sa_type=TEXT)
    key: UUID
    depth: int
    arrival_id: UUID  # which named it


class DueOperation(SQLModel, table=True):
    """When a long work goes on."""

    __tablename__ = "due_operation"
    __table_args__ = (Index("ix_due_operation_due_at", "due_at"),)
    operation_id: UUID = Field(primary_key=True)
    brand_id: UUID
    channel_id: UUID
    lane: str = Field(sa_type=TEXT)
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    failures: int = 0


class DueUpkeep(SQLModel, table=True):
    """When a channel's login or subscription is looked after."""

    __tablename__ = "due_upkeep"
    __table_args__ = (Index("ix_due_upkeep_due_at", "due_at"), UniqueConstraint("channel_id", "kind"))
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    brand_id: UUID
    channel_id: UUID
    kind: UpkeepKind = Field(sa_type=cast(Any, string_enum(UpkeepKind)))
    lane: str = Field(sa_type=TEXT)
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    failures: int = 0


class DueDeepening(SQLModel, table=True):
    """When a brand's mentions are read deep next. `dropped`: how many had to make room and are not told of yet."""

    __tablename__ = "due_deepening"
    __table_args__ = (Index("ix_due_deepening_due_at", "due_at"),)
    brand_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    dropped: int = 0


class Deepening(SQLModel, table=True):
    """A mention that waits to be read deep, by its key."""

    __tablename__ = "deepening"
    __table_args__ = (Index("ix_deepening_queued_at", "brand_id", "queued_at"),)
    brand_id: UUID = Field(primary_key=True)
    mention_key: UUID = Field(primary_key=True)
    queued_at: datetime = Field(sa_type=TIME)
