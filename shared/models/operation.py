"""Long work that a person may watch and call off."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import JSON_VALUE, NOW, TEXT, TEXTS, TIME, JsonObject
from shared.models.enums import OperationKind, OperationStatus, string_enum


class Operation(SQLModel, table=True):
    """A backfill of a channel, or the recall of a query: from now back to `since`, done down to `reached_at`. Or what
    was said on a channel since then, read again. Or the search of a network for a recall, its parent.

    A backfill brings `arrivals`; a recall asks `mentions` and finds `matches`; read again, some mentions are `changed`;
    a search brings `mentions`, and `asked` says what it asked for. A recall that a renamed author began has that author
    there, and asks nobody else's mentions.
    """

    __tablename__ = "operation"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "channel_id"], ["channel.brand_id", "channel.id"]),
        Index("ix_operation_channel", "brand_id", "channel_id", "id"),
        Index(
            "uq_operation_unfinished",
            "brand_id",
            "channel_id",
            "kind",
            unique=True,
            postgresql_where=text("status IN ('pending', 'running') AND kind <> 'search'"),
        ),
        Index("ix_operation_parent", "brand_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    kind: OperationKind = Field(sa_type=cast(Any, string_enum(OperationKind)))
    status: OperationStatus = Field(default=OperationStatus.PENDING, sa_type=cast(Any, string_enum(OperationStatus)))
    channel_id: UUID | None = None
    query_id: UUID | None = None  # without a foreign key: a query that is deleted leaves what was done for it
    parent_id: UUID | None = None
    over: list[str] = Field(default_factory=list, sa_type=TEXTS, sa_column_kwargs={"server_default": "{}"})
    asked: JsonObject | None = Field(default=None, sa_type=JSON_VALUE)
    since: datetime = Field(sa_type=TIME)
    cursor: str | None = Field(default=None, sa_type=TEXT)
    reached_at: datetime | None = Field(default=None, sa_type=TIME)
    arrivals: int = 0
    pages: int = 0
    mentions: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    matches: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    changed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    problem: JsonObject | None = Field(default=None, sa_type=JSON_VALUE)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    started_at: datetime | None = Field(default=None, sa_type=TIME)
    ended_at: datetime | None = Field(default=None, sa_type=TIME)
    version: int = 1

    @property
    def is_over(self) -> bool:
        return self.status not in {OperationStatus.PENDING, OperationStatus.RUNNING}
