"""What the brand has to say: posts, their form for each channel, and the effects that must happen once."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BIGINT, JSON_VALUE, NOW, TEXT, TIME, JsonList, JsonObject
from shared.models.enums import OutgoingKind, OutgoingState, PostStatus, VariantStatus, string_enum


class Post(SQLModel, table=True):
    """Content we author. `scheduled_at` is the moment; `local_time` and `timezone` are what the person meant by it.

    `slot_id` and `slot_day`: the occurrence of a slot that is this post's alone. `recurrence_id` and `occurs_on`: which
    occurrence of a recurrence it is.
    """

    __tablename__ = "post"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        ForeignKeyConstraint(["brand_id", "slot_id"], ["slot.brand_id", "slot.id"]),
        ForeignKeyConstraint(["brand_id", "recurrence_id"], ["recurrence.brand_id", "recurrence.id"]),
        Index("ix_post_scheduled_at", "brand_id", "scheduled_at", postgresql_where=text("scheduled_at IS NOT NULL")),
        # Of two posts at once one gets an occurrence, whatever else goes wrong.
        Index(
            "uq_post_slot",
            "brand_id",
            "slot_id",
            "slot_day",
            unique=True,
            postgresql_where=text("slot_id IS NOT NULL"),
        ),
        Index(
            "uq_post_occurrence",
            "brand_id",
            "recurrence_id",
            "occurs_on",
            unique=True,
            postgresql_where=text("recurrence_id IS NOT NULL"),
        ),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        Index("ix_post_created_at", "brand_id", "created_at", "id"),
        Index("ix_post_campaign", "brand_id", "campaign_id", postgresql_where=text("campaign_id IS NOT NULL")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    text: str = Field(sa_type=TEXT)
    status: PostStatus = Field(default=PostStatus.DRAFT, sa_type=cast(Any, string_enum(PostStatus)))
    media: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)
    link: str | None = Field(default=None, sa_type=TEXT)
    campaign_id: UUID | None = None
    tagging: JsonObject | None = Field(default=None, sa_type=JSON_VALUE)  # what its links get, as its campaign says
    scheduled_at: datetime | None = Field(default=None, sa_type=TIME)
    local_time: str | None = Field(default=None, sa_type=TEXT)
    timezone: str | None = Field(default=None, sa_type=TEXT)
    slot_id: UUID | None = None
    slot_day: date | None = None
    recurrence_id: UUID | None = None
    occurs_on: date | None = None
    created_by: UUID | None = None
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    updated_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1


class Variant(SQLModel, table=True):
    """A post's form for one channel. `text`, `media`, `link` None: the post's own.

    `parts` follow in the same thread, each with text and media; `first_comment` stands beneath. An item of media names
    one of ours (`media_id`) or what stands on the web (`url`), its `kind` and perhaps an `alt`.
    """

    __tablename__ = "variant"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "post_id"], ["post.brand_id", "post.id"]),
        ForeignKeyConstraint(["brand_id", "channel_id"], ["channel.brand_id", "channel.id"]),
        UniqueConstraint("brand_id", "post_id", "channel_id"),
        Index("ix_variant_external_id", "brand_id", "external_id"),
        Index("ix_variant_said", "brand_id", "channel_id", "said", postgresql_where=text("said IS NOT NULL")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    post_id: UUID
    channel_id: UUID
    text: str | None = Field(default=None, sa_type=TEXT)
    media: JsonList | None = Field(default=None, sa_type=JSON_VALUE)
    link: str | None = Field(default=None, sa_type=TEXT)
    first_comment: str | None = Field(default=None, sa_type=TEXT)
    parts: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)
    audience: str | None = Field(default=None, sa_type=TEXT)
    said: UUID | None = None  # the digest of what it says, once it is to go out
    status: VariantStatus = Field(default=VariantStatus.DRAFT, sa_type=cast(Any, string_enum(VariantStatus)))
    external_id: str | None = Field(default=None, sa_type=TEXT)
    url: str | None = Field(default=None, sa_type=TEXT)
    published_at: datetime | None = Field(default=None, sa_type=TIME)
    problems: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)


class Figure(SQLModel, table=True):
    """What the network counted of a variant, by the last count of an hour; None: it did not say."""

    __tablename__ = "figure"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "variant_id"], ["variant.brand_id", "variant.id"]),)
    brand_id: UUID = Field(primary_key=True)
    variant_id: UUID = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=TIME)
    counted_at: datetime = Field(sa_type=TIME)
    likes: int | None = Field(default=None, sa_type=BIGINT)
    replies: int | None = Field(default=None, sa_type=BIGINT)
    shares: int | None = Field(default=None, sa_type=BIGINT)
    views: int | None = Field(default=None, sa_type=BIGINT)


class Outgoing(SQLModel, table=True):
    """One effect on a network that must happen once.

    It belongs to a variant (`publish`, `first_comment`, `thread_part`), or is about a mention or an identity.
    `after_id`: it hangs beneath that effect and waits until it is live. `undoes_id`: it takes that effect back.
    `marks` is what was laid ready on the network by `prepared_at`.
    """

    __tablename__ = "outgoing"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "channel_id"], ["channel.brand_id", "channel.id"]),
        ForeignKeyConstraint(["brand_id", "variant_id"], ["variant.brand_id", "variant.id"]),
        ForeignKeyConstraint(["brand_id", "mention_id"], ["mention.brand_id", "mention.id"]),
        ForeignKeyConstraint(["brand_id", "identity_id"], ["identity.brand_id", "identity.id"]),
        Index("ix_outgoing_variant", "brand_id", "variant_id"),
        Index("ix_outgoing_mention", "brand_id", "mention_id", postgresql_where=text("mention_id IS NOT NULL")),
        Index("ix_outgoing_identity", "brand_id", "identity_id", postgresql_where=text("identity_id IS NOT NULL")),
        Index("ix_outgoing_after", "brand_id", "after_id", postgresql_where=text("after_id IS NOT NULL")),
        Index(
            "ix_outgoing_unsent",
            "brand_id",
            "settled_at",
            postgresql_where=text("state IN ('refused', 'uncertain')"),
        ),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    kind: OutgoingKind = Field(sa_type=cast(Any, string_enum(OutgoingKind)))
    channel_id: UUID
    variant_id: UUID | None = None
    mention_id: UUID | None = None
    identity_id: UUID | None = None
    after_id: UUID | None = None
    undoes_id: UUID | None = None
    created_by: UUID | None = None
    payload: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    state: OutgoingState = Field(default=OutgoingState.WAITING, sa_type=cast(Any, string_enum(OutgoingState)))
    due_at: datetime = Field(sa_type=TIME)
    tries: int = 0
    first_attempt_at: datetime | None = Field(default=None, sa_type=TIME)
    prepared_at: datetime | None = Field(default=None, sa_type=TIME)
    marks: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    external_id: str | None = Field(default=None, sa_type=TEXT)
    url: str | None = Field(default=None, sa_type=TEXT)
    problem: JsonObject | None = Field(default=None, sa_type=JSON_VALUE)
    settled_at: datetime | None = Field(default=None, sa_type=TIME)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    version: int = 1


class Attempt(SQLModel, table=True):
    """One try at an outgoing effect, committed before the network is called. `outcome` None: never heard of again."""

    __tablename__ = "attempt"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "outgoing_id"], ["outgoing.brand_id", "outgoing.id"]),
        UniqueConstraint("brand_id", "outgoing_id", "number"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    outgoing_id: UUID
    number: int
    step: str = Field(sa_type=TEXT)  # prepare, send, find, or a person's word
    fence: int
    started_at: datetime = Field(sa_type=TIME)
    ended_at: datetime | None = Field(default=None, sa_type=TIME)
    outcome: str | None = Field(default=None, sa_type=TEXT)
    message: str | None = Field(default=None, sa_type=TEXT)


class DueOutgoing(SQLModel, table=True):
    """When an outgoing effect is tried next, and who holds it; ids and times only."""

    __tablename__ = "due_outgoing"
    __table_args__ = (
        Index("ix_due_outgoing_due_at", "due_at"),
        Index("ix_due_outgoing_brand", "brand_id", "due_at"),
    )
    outgoing_id: UUID = Field(primary_key=True)
    brand_id: UUID
    channel_id: UUID | None = None
    lane: str = Field(sa_type=TEXT)  # one a network host: a slow one delays nobody else
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    fence: int = 0


class Budget(SQLModel, table=True):
    """Until when a channel (by its id) or a lane (by its name) is left alone: its network has no room for more."""

    __tablename__ = "budget"
    key: str = Field(primary_key=True, sa_type=TEXT)
    until: datetime = Field(sa_type=TIME)
    left: int = 0
    told_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
