"""When the brand speaks: weekly slots, recurrences, days of silence, and the calendar as others subscribe to it."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, DATES, JSON_VALUE, NOW, TEXT, TIME, UUIDS, JsonObject
from shared.models.enums import BlackoutPolicy, RecurrenceStatus, Weekday, string_enum


class Slot(SQLModel, table=True):
    """A weekly time at which the brand publishes. `timezone` None: the brand's; no `channel_ids`: all channels.

    A removed one is kept for the posts that went out in it.
    """

    __tablename__ = "slot"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    label: str = Field(default="", sa_type=TEXT)
    weekday: Weekday = Field(sa_type=cast(Any, string_enum(Weekday)))
    local_time: str = Field(sa_type=TEXT)  # 10:00
    timezone: str | None = Field(default=None, sa_type=TEXT)
    channel_ids: list[UUID] = Field(default_factory=list, sa_type=UUIDS)
    paused: bool = False
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    removed_at: datetime | None = Field(default=None, sa_type=TIME)
    version: int = 1


class Blackout(SQLModel, table=True):
    """Days on which the brand is silent, the first and the last included."""

    __tablename__ = "blackout"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        Index("ix_blackout_ends_on", "brand_id", "ends_on"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    starts_on: date
    ends_on: date
    label: str = Field(default="", sa_type=TEXT)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1


class Recurrence(SQLModel, table=True):
    """A post that comes again, by a rule with an end, at wall-clock time in a zone.

    `template` is what each occurrence says. Those up to `made_until` have become posts; a day in `skipped` never does.
    `problem`: why it was paused by itself.
    """

    __tablename__ = "recurrence"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        Index("ix_recurrence_active", "brand_id", postgresql_where=text("status = 'active'")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    template: JsonObject = Field(sa_type=JSON_VALUE)
    rule: str = Field(sa_type=TEXT)
    starts_on: date
    local_time: str = Field(sa_type=TEXT)  # 10:00
    timezone: str = Field(sa_type=TEXT)
    blackouts: BlackoutPolicy = Field(sa_type=cast(Any, string_enum(BlackoutPolicy)))
    status: RecurrenceStatus = Field(default=RecurrenceStatus.ACTIVE, sa_type=cast(Any, string_enum(RecurrenceStatus)))
    skipped: list[date] = Field(default_factory=list, sa_type=DATES)
    made_until: date | None = None
    problem: JsonObject | None = Field(default=None, sa_type=JSON_VALUE)
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    updated_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1


class DueRecurrence(SQLModel, table=True):
    """When a recurrence is looked at next for posts that are still to be made; ids and times only."""

    __tablename__ = "due_recurrence"
    __table_args__ = (Index("ix_due_recurrence_due_at", "due_at"),)
    recurrence_id: UUID = Field(primary_key=True)
    brand_id: UUID
    due_at: datetime = Field(sa_type=TIME)


class CalendarFeed(SQLModel, table=True):
    """An address under which one user's calendar program reads the brand's calendar. Of its token the digest is kept.

    It is looked up before any brand is known, so it stands outside content.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (UniqueConstraint("digest"), Index("ix_calendar_feed_brand", "brand_id", "user_id"))
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    digest: bytes = Field(sa_type=BYTES)
    brand_id: UUID
    organization_id: UUID
    user_id: UUID
    label: str = Field(default="", sa_type=TEXT)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
