"""A brand's presences on networks, the addresses that networks post to, and when each was really observed."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from pydantic import field_validator
from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, JSON_VALUE, NOW, TEXT, TEXTS, TIME, JsonList, JsonObject
from shared.models.enums import ChannelStatus, CoverageKind, Network, string_enum


class ChannelDraft(SQLModel):
    """What connecting by token takes. `credentials` are sealed at once and never answered again."""

    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    name: str | None = Field(default=None, max_length=200, sa_type=TEXT)
    external_id: str | None = Field(default=None, max_length=500, sa_type=TEXT)
    base_url: str | None = Field(default=None, max_length=2000, sa_type=TEXT)
    terms: list[str] = Field(default_factory=list, sa_type=TEXTS)  # hashtags and searches that it follows

    @field_validator("name", "external_id", "base_url")
    @classmethod
    def _not_blank(cls, value: str | None) -> str | None:
        return value.strip() or None if value is not None else None


class Channel(SQLModel, table=True):
    """One connected presence of a brand on a network."""

    __tablename__ = "channel"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        Index(
            "uq_channel_external_id",
            "brand_id",
            "network",
            "external_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    name: str = Field(sa_type=TEXT)
    external_id: str = Field(sa_type=TEXT)
    base_url: str | None = Field(default=None, sa_type=TEXT)
    status: ChannelStatus = Field(default=ChannelStatus.ACTIVE, sa_type=cast(Any, string_enum(ChannelStatus)))
    status_reason: str | None = Field(default=None, sa_type=TEXT)
    hook_id: UUID
    credentials: bytes | None = Field(default=None, sa_type=BYTES)
    login_expires_at: datetime | None = Field(default=None, sa_type=TIME)  # when the credentials run out by themselves
    terms: list[str] = Field(default_factory=list, sa_type=TEXTS, sa_column_kwargs={"server_default": "{}"})
    limits: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)  # its server's own: `text`, `media`
    findings: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)
    checked_at: datetime | None = Field(default=None, sa_type=TIME)
    last_heard_at: datetime | None = Field(default=None, sa_type=TIME)
    poll_cursor: str | None = Field(default=None, sa_type=TEXT)
    last_polled_at: datetime | None = Field(default=None, sa_type=TIME)
    recheck_cursor: UUID | None = None  # the mention that was looked at again last
    subscribe_at: datetime | None = Field(default=None, sa_type=TIME)  # when the network has to be asked again to push
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    removed_at: datetime | None = Field(default=None, sa_type=TIME)
    version: int = 1


class Coverage(SQLModel, table=True):
    """An interval in which a channel was observed, or a known hole in it; `to_at` is open while it lasts."""

    __tablename__ = "coverage"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "channel_id"], ["channel.brand_id", "channel.id"]),
        Index("ix_coverage_channel", "brand_id", "channel_id", "from_at"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    channel_id: UUID
    kind: CoverageKind = Field(sa_type=cast(Any, string_enum(CoverageKind)))
    via: str = Field(sa_type=TEXT)  # webhook, poll or backfill
    from_at: datetime = Field(sa_type=TIME)
    to_at: datetime | None = Field(default=None, sa_type=TIME)
    reason: str | None = Field(default=None, sa_type=TEXT)


class App(SQLModel, table=True):
    """Our registration with a network, or with one server of it (`base_url`); its hook speaks for many channels.

    One without a hook was registered by us, with a server that takes registrations: it is told `redirect_uri` then.
    """

    __tablename__ = "app"
    __table_args__ = (
        Index(
            "uq_app_login",
            "network",
            "base_url",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("removed_at IS NULL AND (client_id IS NOT NULL OR registering_until IS NOT NULL)"),
        ),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    name: str = Field(sa_type=TEXT)
    external_id: str | None = Field(default=None, sa_type=TEXT)
    hook_id: UUID | None = None
    base_url: str | None = Field(default=None, sa_type=TEXT)
    client_id: str | None = Field(default=None, sa_type=TEXT)
    client_secret: bytes | None = Field(default=None, sa_type=BYTES)
    scopes: list[str] = Field(default_factory=list, sa_type=TEXTS)  # what is asked for; none: all that the network has
    redirect_uri: str | None = Field(default=None, sa_type=TEXT)
    registering_until: datetime | None = Field(default=None, sa_type=TIME)  # somebody is at it, by the database's clock
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    removed_at: datetime | None = Field(default=None, sa_type=TIME)


class Hook(SQLModel, table=True):
    """An address that a network posts to: a channel's, or (`app_id`) an app's that speaks for many channels.

    It names brand and channel without a foreign key: the door reads it before a brand is known.
    """

    __tablename__ = "hook"
    __table_args__ = (
        Index("ix_hook_brand", "brand_id"),
        Index("ix_hook_route", "network", "external_id", postgresql_where=text("removed_at IS NULL")),
        Index(
            "ix_hook_granted_by",
            "network",
            "granted_by",
            postgresql_where=text("removed_at IS NULL AND granted_by IS NOT NULL"),
        ),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    brand_id: UUID | None = None
    channel_id: UUID | None = None
    app_id: UUID | None = None
    external_id: str | None = Field(default=None, sa_type=TEXT)  # the channel's, for routing an app hook's deliveries
    # Digests of the signing keys: a channel gets its part of an app's delivery by knowing the key that signed it.
    key_digests: list[str] = Field(sa_type=TEXTS)
    secret: bytes = Field(sa_type=BYTES)  # sealed JSON {"keys": […], "verify_token": …}
    # Of a channel that was connected by consent: the app that was consented to, whose deliveries it gets its part of,
    # and the person who consented, by the network's id, and when.
    through_app_id: UUID | None = None
    granted_by: str | None = Field(default=None, sa_type=TEXT)
    granted_at: datetime | None = Field(default=None, sa_type=TIME)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    removed_at: datetime | None = Field(default=None, sa_type=TIME)
