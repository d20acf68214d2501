"""Who works here: organizations, the users inside them, and what each may do on which brand."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, JSON_VALUE, NOW, TEXT, TEXTS, TIME, JsonObject
from shared.models.enums import GrantRole, MembershipRole, string_enum


class OrganizationDraft(SQLModel):
    name: str = Field(min_length=1, max_length=200, sa_type=TEXT)


class Organization(OrganizationDraft, table=True):
    """An agency or a company."""

    __tablename__ = "organization"
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class UserDraft(SQLModel):
    name: str = Field(min_length=1, max_length=200, sa_type=TEXT)
    email: str | None = Field(default=None, max_length=320, sa_type=TEXT)
    language: str | None = Field(default=None, max_length=35, sa_type=TEXT)  # None: the brand's first


class User(UserDraft, table=True):
    """A person inside. There is no login yet: a user acts by the API keys that belong to them."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("email"),)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class Membership(SQLModel, table=True):
    """A user's place in an organization."""

    __tablename__ = "membership"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        ForeignKeyConstraint(["user_id"], ["user.id"]),
    )
    organization_id: UUID = Field(primary_key=True)
    user_id: UUID = Field(primary_key=True)
    role: MembershipRole = Field(sa_type=cast(Any, string_enum(MembershipRole)))
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class Team(SQLModel, table=True):
    """Users of an organization who share work."""

    __tablename__ = "team"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        UniqueConstraint("organization_id", "name"),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    organization_id: UUID
    name: str = Field(sa_type=TEXT)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class TeamMember(SQLModel, table=True):
    """A user's place in a team."""

    __tablename__ = "team_member"
    __table_args__ = (
        ForeignKeyConstraint(["team_id"], ["team.id"]),
        ForeignKeyConstraint(["user_id"], ["user.id"]),
    )
    team_id: UUID = Field(primary_key=True)
    user_id: UUID = Field(primary_key=True)


class Grant(SQLModel, table=True):
    """What an organization may do on a brand. One grant of a brand is the owner's.

    It names the brand without a foreign key: grants are read before a brand is known.
    """

    __tablename__ = "grant"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id"], ["organization.id"]),
        UniqueConstraint("organization_id", "brand_id"),
        Index("uq_grant_owner", "brand_id", unique=True, postgresql_where=text("role = 'owner'")),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    organization_id: UUID
    brand_id: UUID
    role: GrantRole = Field(sa_type=cast(Any, string_enum(GrantRole)))
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class ApiKey(SQLModel, table=True):
    """A key by which a user acts for an organization. Only its hash is kept; the key itself is shown once."""

    __tablename__ = "api_key"
    __table_args__ = (
        ForeignKeyConstraint(["organization_id", "user_id"], ["membership.organization_id", "membership.user_id"]),
        UniqueConstraint("hash"),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    organization_id: UUID
    user_id: UUID
    name: str = Field(sa_type=TEXT)
    start: str = Field(sa_type=TEXT)  # the first letters, so that a person can tell keys apart
    hash: bytes = Field(sa_type=BYTES)
    scopes: list[str] = Field(sa_type=TEXTS)
    brand_id: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    expires_at: datetime | None = Field(default=None, sa_type=TIME)
    last_used_at: datetime | None = Field(default=None, sa_type=TIME)
    revoked_at: datetime | None = Field(default=None, sa_type=TIME)


class AuditEntry(SQLModel, table=True):
    """Who did what to which thing. Rows are only ever added."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_organization", "organization_id", "at"),
        Index("ix_audit_entry_brand", "brand_id", "at"),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    organization_id: UUID | None = None
    brand_id: UUID | None = None
    user_id: UUID | None = None
    api_key_id: UUID | None = None
    action: str = Field(sa_type=TEXT)
    target: str = Field(sa_type=TEXT)
    details: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class IdempotencyKey(SQLModel, table=True):
    """What a request with this key was answered, kept 24 hours in the effect's own transaction."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_created_at", "created_at"),)
    principal_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True, sa_type=TEXT)
    digest: bytes = Field(sa_type=BYTES)
    answer: JsonObject = Field(sa_type=JSON_VALUE)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)


class Lease(SQLModel, table=True):
    """Who alone does a thing, until when; `fence` grows with each holder. Its clock is the database's."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True, sa_type=TEXT)
    holder: UUID
    fence: int = Field(default=0)
    until: datetime = Field(sa_type=TIME)
