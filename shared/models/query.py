"""Queries that listen, their versions, and what they matched."""

from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import JSON_VALUE, NOW, TEXT, TIME
from shared.models.enums import QueryGroup, string_enum

ANY: Final = UUID(int=0)  # instead of a query's id: any of the brand's


class SavedQuery(SQLModel, table=True):
    """A boolean search that listens. `terms` counts its words, phrases and fields; `is_broad`: nothing in it can be
    waited for, so that each mention is asked."""

    __tablename__ = "saved_query"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    name: str = Field(sa_type=TEXT)
    expression: str = Field(sa_type=TEXT)
    group: QueryGroup = Field(sa_type=cast(Any, string_enum(QueryGroup)))
    terms: int
    is_broad: bool
    created_by: UUID | None = None
    updated_by: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    updated_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1


class SavedQueryVersion(SQLModel, table=True):
    """A query as it was saved once."""

    __tablename__ = "saved_query_version"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "query_id"], ["saved_query.brand_id", "saved_query.id"]),
        UniqueConstraint("brand_id", "query_id", "version"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    query_id: UUID
    version: int
    name: str = Field(sa_type=TEXT)
    expression: str = Field(sa_type=TEXT)
    group: QueryGroup = Field(sa_type=cast(Any, string_enum(QueryGroup)))
    saved_by: UUID | None = None
    saved_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class Match(SQLModel, table=True):
    """A mention that a query matched, and in which version. `spans` are [start, end) in code points of the text, the
    first hundred of them."""

    __tablename__ = "match"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "query_id"], ["saved_query.brand_id", "saved_query.id"]),
        ForeignKeyConstraint(["brand_id", "mention_id"], ["mention.brand_id", "mention.id"]),
        Index("ix_match_mention", "brand_id", "mention_id"),
    )
    brand_id: UUID = Field(primary_key=True)
    query_id: UUID = Field(primary_key=True)
    mention_id: UUID = Field(primary_key=True)
    version: int
    spans: list[list[int]] = Field(default_factory=list, sa_type=JSON_VALUE)


class RollupQueryDay(SQLModel, table=True):
    """What a query matched on a channel on one day in the brand's zone, kept for ever. The row of no query (`ANY`)
    counts what any query matched, each mention once."""

    __tablename__ = "rollup_query_day"
    brand_id: UUID = Field(primary_key=True)
    query_id: UUID = Field(primary_key=True)
    channel_id: UUID = Field(primary_key=True)
    day: datetime = Field(primary_key=True, sa_type=TIME)  # the instant at which the local day begins
    mentions: int = 0
    posts: int = 0
    positive: int = 0
    neutral: int = 0
    negative: int = 0
