"""What came in, byte for byte, until its time is over."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, JSON_VALUE, TEXT, TIME, UUIDS, JsonList, JsonObject
from shared.models.enums import ArrivalSource, ArrivalState, Network, string_enum


class Arrival(SQLModel, table=True):
    """One raw thing received, polled or fetched; or a part, cut from a delivery that spoke for several channels.

    A channel hook's arrival knows its brand at once. An app hook's does not: settling it makes one part a channel,
    and what no channel of ours claims stays here, `unattributed`.
    """

    __tablename__ = "arrival"
    __table_args__ = (
        UniqueConstraint("hook_id", "key"),
        Index("ix_arrival_waiting", "received_at", postgresql_where=text("state = 'received'")),
        Index("ix_arrival_brand", "brand_id", "received_at", "id"),
        Index("ix_arrival_settled_at", "settled_at"),
        Index("ix_arrival_shelved", "settled_at", postgresql_where=text("state IN ('dead', 'unreadable')")),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    hook_id: UUID
    key: str = Field(sa_type=TEXT)
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    source: ArrivalSource = Field(default=ArrivalSource.WEBHOOK, sa_type=cast(Any, string_enum(ArrivalSource)))
    brand_id: UUID | None = None
    channel_id: UUID | None = None
    part_of: UUID | None = None
    unattributed: bool = False
    headers: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    body: bytes | None = Field(default=None, sa_type=BYTES)  # None once forgotten
    stamp: datetime = Field(sa_type=TIME)
    received_at: datetime = Field(sa_type=TIME)
    state: ArrivalState = Field(default=ArrivalState.RECEIVED, sa_type=cast(Any, string_enum(ArrivalState)))
    claimed_until: datetime | None = Field(default=None, sa_type=TIME)
    claims: int = Field(default=0)
    settled_at: datetime | None = Field(default=None, sa_type=TIME)
    problems: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)
    ignored: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)
    mention_keys: list[UUID] = Field(default_factory=list, sa_type=UUIDS)
