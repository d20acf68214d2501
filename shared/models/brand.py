"""The tenant."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import field_validator
from sqlmodel import Field, SQLModel

from shared import zones
from shared.ids import new_uuid
from shared.models.base import BIGINT, NOW, TEXT, TEXTS, TIME
from shared.models.enums import ApprovalPolicy, MissedPolicy, string_enum

LONGEST_GRACE = 30 * 24 * 3600


class BrandDraft(SQLModel):
    """A brand's settings. `approval` people, then the client with `client_approval`, see a post before it goes out.

    They are reminded when it has waited `approval_reminder_hours`, and `approval_last_call_hours` before its moment; 0
    for never. `missed` says what becomes of a post that could not be begun within `grace_seconds` of its time. A brand
    that `learns` has its people's corrections move what is read for it later.
    """

    name: str = Field(min_length=1, max_length=200, sa_type=TEXT)
    languages: list[str] = Field(default_factory=lambda: ["fr", "nl", "de", "en"], max_length=20, sa_type=TEXTS)
    timezone: str = Field(default="Europe/Brussels", max_length=64, sa_type=TEXT)
    missed: MissedPolicy = Field(default=MissedPolicy.FIRE, sa_type=cast(Any, string_enum(MissedPolicy)))
    grace_seconds: int = Field(default=3600, ge=0, le=LONGEST_GRACE)
    approval: ApprovalPolicy = Field(
        default=ApprovalPolicy.NONE, sa_type=cast(Any, string_enum(ApprovalPolicy)), nullable=False
    )
    client_approval: bool = False
    approval_reminder_hours: int = Field(default=24, ge=0, le=24 * 30)
    approval_last_call_hours: int = Field(default=4, ge=0, le=24 * 30)
    learns: bool = True

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in zones.known():
            raise ValueError(f"{value!r} is not a time zone; write one such as Europe/Brussels")
        return value


class Brand(BrandDraft, table=True):
    """The marque, company or idea that a community stands around. Every content row belongs to exactly one."""

    __tablename__ = "brand"
    brand_id: UUID = Field(default_factory=new_uuid, primary_key=True)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.grace_seconds)


class BrandSequence(SQLModel, table=True):
    """The last number that the sequencer gave to an event of the brand."""

    __tablename__ = "brand_sequence"
    brand_id: UUID = Field(primary_key=True)
    last_seq: int = Field(default=0, sa_type=BIGINT)
