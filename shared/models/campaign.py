"""Posts that belong together."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import JSON_VALUE, NOW, TEXT, TEXTS, TIME, JsonObject


class Campaign(SQLModel, table=True):
    """A name over posts. `tags` are the UTM parameters that their links get, on `domains` (none named: on all)."""

    __tablename__ = "campaign"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    name: str = Field(sa_type=TEXT)
    starts_on: date | None = None
    ends_on: date | None = None
    tags: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    domains: list[str] = Field(default_factory=list, sa_type=TEXTS)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    updated_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1
