"""Facts that happened, for feeds, subscriptions and webhooks."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BIGINT, JSON_VALUE, NOW, TIME, JsonObject
from shared.models.enums import EventType, string_enum


class Event(SQLModel, table=True):
    """Written in its fact's own transaction; it has no public number until the sequencer gives it `seq`."""

    __tablename__ = "event"
    __table_args__ = (Index("uq_event_seq", "brand_id", "seq", unique=True),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    seq: int | None = Field(default=None, sa_type=BIGINT)
    type: EventType = Field(sa_type=cast(Any, string_enum(EventType)))
    thing_id: UUID
    version: int
    payload: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class EventQueue(SQLModel, table=True):
    """Events that wait for their number; ids only."""

    __tablename__ = "event_queue"
    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    brand_id: UUID
    event_id: UUID
