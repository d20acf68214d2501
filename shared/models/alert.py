"""What a brand is watched for, and what was found."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import JSON_VALUE, NOW, TEXT, TIME, JsonObject
from shared.models.enums import AlertKind, AlertSensitivity, AlertState, string_enum


class AlertRule(SQLModel, table=True):
    """What is watched for among the mentions that `where` lets through (empty: all), and how easily it speaks.

    `reach` is of rules about far-reaching authors. Until `snoozed_until` nothing opens, and nothing is followed up.
    A removed one is kept for its alerts.
    """

    __tablename__ = "alert_rule"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    name: str = Field(sa_type=TEXT)
    kind: AlertKind = Field(sa_type=cast(Any, string_enum(AlertKind)))
    sensitivity: AlertSensitivity = Field(sa_type=cast(Any, string_enum(AlertSensitivity)))
    where: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    reach: int | None = None
    hold_posts: bool = False
    paused: bool = False
    snoozed_until: datetime | None = Field(default=None, sa_type=TIME)
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    updated_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    removed_at: datetime | None = Field(default=None, sa_type=TIME)
    version: int = 1


class Alert(SQLModel, table=True):
    """Something that was not as usual from `since` on. `evidence` explains it: the window, what was expected, what
    drives it. `course` is what the watch remembers of it; one that a person closed has a course until it is calm.

    `version` counts what was told: opened, followed up, closed; `seen` and `evidence` move with the mentions between.
    """

    __tablename__ = "alert"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "rule_id"], ["alert_rule.brand_id", "alert_rule.id"]),
        Index("uq_alert_open", "brand_id", "rule_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_alert_rule", "brand_id", "rule_id", "id"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    rule_id: UUID
    kind: AlertKind = Field(sa_type=cast(Any, string_enum(AlertKind)))
    since: datetime = Field(sa_type=TIME)
    opened_at: datetime = Field(sa_type=TIME)
    followed_at: datetime | None = Field(default=None, sa_type=TIME)
    closed_at: datetime | None = Field(default=None, sa_type=TIME)
    closed_by: UUID | None = None
    seen: float
    expected: float | None = None
    evidence: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    course: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    hold_id: UUID | None = None
    version: int = 1

    @property
    def state(self) -> AlertState:
        return AlertState.OPEN if self.closed_at is None else AlertState.CLOSED


class DueAlert(SQLModel, table=True):
    """When a brand with rules is looked at next; ids and times only."""

    __tablename__ = "due_alert"
    __table_args__ = (Index("ix_due_alert_due_at", "due_at"),)
    brand_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
