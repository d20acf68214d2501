"""Webhooks that we send: where to, what, and every try at it."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, JSON_VALUE, NOW, TEXT, TEXTS, TIME, JsonObject
from shared.models.enums import WebhookState, string_enum


class WebhookEndpoint(SQLModel, table=True):
    """An address that is told of notifications: a user's own (`user_id`), or a brand's (`brand_id`).

    It is looked up before a brand is known, so it names its brand without a foreign key. `secret` and, until
    `secret_before_until`, `secret_before` are sealed. `failing_since`: when the failures in a row began.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        ForeignKeyConstraint(["user_id"], ["user.id"]),
        Index("ix_webhook_endpoint_brand", "brand_id"),
        Index("ix_webhook_endpoint_user", "user_id"),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    organization_id: UUID
    user_id: UUID | None = None
    brand_id: UUID | None = None
    url: str = Field(sa_type=TEXT)
    kinds: list[str] = Field(sa_type=TEXTS)
    secret: bytes = Field(sa_type=BYTES)
    secret_before: bytes | None = Field(default=None, sa_type=BYTES)
    secret_before_until: datetime | None = Field(default=None, sa_type=TIME)
    failing_since: datetime | None = Field(default=None, sa_type=TIME)
    disabled_at: datetime | None = Field(default=None, sa_type=TIME)
    disabled_reason: str | None = Field(default=None, sa_type=TEXT)
    removed_at: datetime | None = Field(default=None, sa_type=TIME)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1


class WebhookDelivery(SQLModel, table=True):
    """One message to one endpoint; its public id is the message's `webhook-id`, the same at every try.

    `event_id` None: a test that a person asked for.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        Index("uq_webhook_delivery_once", "brand_id", "endpoint_id", "event_id", unique=True),
        Index("ix_webhook_delivery_endpoint", "brand_id", "endpoint_id", "id"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    endpoint_id: UUID
    event_id: UUID | None = None
    type: str = Field(sa_type=TEXT)
    payload: JsonObject = Field(sa_type=JSON_VALUE)
    state: WebhookState = Field(default=WebhookState.WAITING, sa_type=cast(Any, string_enum(WebhookState)))
    tries: int = 0
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    next_at: datetime | None = Field(default=None, sa_type=TIME)
    settled_at: datetime | None = Field(default=None, sa_type=TIME)


class WebhookAttempt(SQLModel, table=True):
    """One try at a delivery, committed before the call. `ended_at` None: never heard of again."""

    __tablename__ = "webhook_attempt"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "delivery_id"], ["webhook_delivery.brand_id", "webhook_delivery.id"]),
    )
    brand_id: UUID = Field(primary_key=True)
    delivery_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    started_at: datetime = Field(sa_type=TIME)
    ended_at: datetime | None = Field(default=None, sa_type=TIME)
    status: int | None = None
    answer: str | None = Field(default=None, sa_type=TEXT)


class DueWebhook(SQLModel, table=True):
    """When a delivery is tried next, and who has it in hand; ids and times only."""

    __tablename__ = "due_webhook"
    __table_args__ = (Index("ix_due_webhook_due_at", "due_at"),)
    delivery_id: UUID = Field(primary_key=True)
    brand_id: UUID
    endpoint_id: UUID
    lane: str = Field(sa_type=TEXT)  # one a host: a slow one delays nobody else
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    failures: int = 0
