"""Filters that are kept under a name."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import JSON_VALUE, NOW, TEXT, TIME, JsonObject
from shared.models.enums import MentionOrder, string_enum


class View(SQLModel, table=True):
    """Which mentions are looked at, and in which order; `where` holds what of the filter is set."""

    __tablename__ = "view"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    name: str = Field(sa_type=TEXT)
    where: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    order: MentionOrder = Field(sa_type=cast(Any, string_enum(MentionOrder)))
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    updated_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1
