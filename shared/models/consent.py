"""What a person is asked on a network, what they let us speak for, and that they take it back."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, NOW, TEXT, TIME
from shared.models.enums import Network, WithdrawalKind, string_enum


class Consent(SQLModel, table=True):
    """A question put to a person on a network, for a brand, by one user with one key.

    It names them without foreign keys: when the person comes back, nothing is known but the state.
    """

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("state"), Index("ix_consent_expires_at", "expires_at"))
    id: UUID = Field(primary_key=True)
    state: bytes = Field(sa_type=BYTES)  # a digest: the state itself is in the browser only
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    brand_id: UUID
    user_id: UUID
    api_key_id: UUID
    app_id: UUID
    verifier: bytes = Field(sa_type=BYTES)  # of PKCE, sealed
    return_url: str = Field(sa_type=TEXT)
    choices: bytes | None = Field(default=None, sa_type=BYTES)  # sealed JSON, with credentials
    error: str | None = Field(default=None, sa_type=TEXT)  # the code of what went wrong
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    expires_at: datetime = Field(sa_type=TIME)
    returned_at: datetime | None = Field(default=None, sa_type=TIME)  # the state is used up
    code: bytes | None = Field(default=None, sa_type=BYTES)  # a digest of what the browser brought: only it knew that


class Withdrawal(SQLModel, table=True):
    """A network's signed word that a person takes their consent back; worked off by the scheduler.

    The person is named until that is done. `digest` is the signed word's, so that its repeat is known.
    """

    __tablename__ = "withdrawal"
    __table_args__ = (
        UniqueConstraint("digest"),
        UniqueConstraint("code"),
        Index("ix_withdrawal_waiting", "received_at", postgresql_where=text("done_at IS NULL")),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    app_id: UUID
    kind: WithdrawalKind = Field(sa_type=cast(Any, string_enum(WithdrawalKind)))
    person: str | None = Field(default=None, sa_type=TEXT)
    digest: bytes = Field(sa_type=BYTES)
    code: str = Field(sa_type=TEXT)  # what the person may ask with how far it is
    received_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    done_at: datetime | None = Field(default=None, sa_type=TIME)
    channels: int = 0
    mentions: int = 0
