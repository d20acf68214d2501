"""What was said, by whom, in which tree, in which versions."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, Column, Computed, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BYTES, JSON_VALUE, TEXT, TEXTS, TIME, JsonList, JsonObject
from shared.models.enums import (
    AuthorKind,
    CorrectedField,
    MentionKind,
    Network,
    Sentiment,
    Visibility,
    string_enum,
)

REACH = "COALESCE(views, followers)"


class Identity(SQLModel, table=True):
    """An account on a network. `key` is the digest of (network, id space, external id); `facts_at` says how new
    each of handle, name, url and followers is, so that a late delivery can't undo a newer one."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("brand_id", "key"),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    key: UUID
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    external_id: str = Field(sa_type=TEXT)
    handle: str | None = Field(default=None, sa_type=TEXT)
    name: str | None = Field(default=None, sa_type=TEXT)
    url: str | None = Field(default=None, sa_type=TEXT)
    followers: int | None = None
    facts_at: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)


class Thread(SQLModel, table=True):
    """The tree under one root. `key` is the root's, known or not yet; `last_at` the newest thing said in it."""

    __tablename__ = "thread"
    __table_args__ = (
        UniqueConstraint("brand_id", "key"),
        Index("ix_thread_last_at", "brand_id", "last_at", "id"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    key: UUID
    last_at: datetime = Field(sa_type=TIME)


class Mention(SQLModel, table=True):
    """Anything said to or about the brand, in its standing version.

    A row that was only spoken of (a deletion or a count came first) is not `heard`, and not listed.
    """

    __tablename__ = "mention"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "channel_id"], ["channel.brand_id", "channel.id"]),
        ForeignKeyConstraint(["brand_id", "thread_id"], ["thread.brand_id", "thread.id"]),
        ForeignKeyConstraint(["brand_id", "author_id"], ["identity.brand_id", "identity.id"]),
        UniqueConstraint("brand_id", "key"),
        Index("ix_mention_newest", "brand_id", "published_at", "id", postgresql_where=text("heard")),
        Index("ix_mention_thread", "brand_id", "thread_id", "published_at"),
        Index("ix_mention_parent_key", "brand_id", "parent_key", postgresql_where=text("parent_key IS NOT NULL")),
        Index("ix_mention_channel", "brand_id", "channel_id", "id"),
        Index("ix_mention_author", "brand_id", "author_id", "published_at"),
        Index(
            "ix_mention_cluster",
            "brand_id",
            "cluster",
            "is_copy",
            "published_at",
            "key",
            postgresql_where=text("cluster IS NOT NULL"),
        ),
        Index("ix_mention_variant", "brand_id", "variant_id", postgresql_where=text("variant_id IS NOT NULL")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    key: UUID  # the digest of (network, id space, external id)
    network: Network = Field(sa_type=cast(Any, string_enum(Network)))
    external_id: str = Field(sa_type=TEXT)
    channel_id: UUID
    heard: bool = False

    kind: MentionKind = Field(default=MentionKind.POST, sa_type=cast(Any, string_enum(MentionKind)))
    visibility: Visibility = Field(default=Visibility.PUBLIC, sa_type=cast(Any, string_enum(Visibility)))
    url: str | None = Field(default=None, sa_type=TEXT)
    text: str | None = Field(default=None, sa_type=TEXT)
    said_language: str | None = Field(default=None, sa_type=TEXT)  # by the network
    language: str | None = Field(default=None, sa_type=TEXT)  # a person's word, else the model's, else the network's
    media: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)
    rating: float | None = None
    author_id: UUID | None = None
    author_kind: AuthorKind = Field(default=AuthorKind.UNKNOWN, sa_type=cast(Any, string_enum(AuthorKind)))
    followers: int | None = None  # the author's, as the network last told them with this mention
    variant_id: UUID | None = None

    published_at: datetime = Field(sa_type=TIME)
    published_at_known: bool = False
    observed_at: datetime = Field(sa_type=TIME)
    edited_at: datetime | None = Field(default=None, sa_type=TIME)
    deleted_at: datetime | None = Field(default=None, sa_type=TIME)
    hidden_at: datetime | None = Field(default=None, sa_type=TIME)
    hidden_said_at: datetime | None = Field(default=None, sa_type=TIME)
    version_stamp: datetime | None = Field(default=None, sa_type=TIME)
    version_digest: bytes | None = Field(default=None, sa_type=BYTES)
    facts_at: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)  # where a fact is not of `version_stamp`
    version: int = 1

    parent_external_id: str | None = Field(default=None, sa_type=TEXT)
    parent_key: UUID | None = None
    parent_id: UUID | None = None
    thread_id: UUID | None = None

    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None
    counted: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)  # the network's own counters
    counted_at: datetime | None = Field(default=None, sa_type=TIME)
    reactions: int | None = None  # the ones we saw given and not taken back
    reach: int | None = Field(default=None, sa_column=Column(Integer, Computed(REACH, persisted=False)))

    # What was read of the text, null until it is; `corrected` names what a person's word stands in.
    sentiment: Sentiment | None = Field(default=None, sa_type=cast(Any, string_enum(Sentiment)))
    sentiment_score: float | None = None  # the model's chance of its label; a person's has none
    # Where the sentiment is the deep model's: its version, and what the fast one had said.
    deep_by: str | None = Field(default=None, sa_type=TEXT)
    fast_sentiment: Sentiment | None = Field(default=None, sa_type=cast(Any, string_enum(Sentiment)))
    fast_score: float | None = None
    intents: list[str] | None = Field(default=None, sa_type=TEXTS)
    urgency: float | None = None  # 0 to 1, as offence
    offence: float | None = None
    topics: list[str] | None = Field(default=None, sa_type=TEXTS)
    read_by: str | None = Field(default=None, sa_type=TEXT)  # the version of the fast model
    corrected: list[str] = Field(default_factory=list, sa_type=TEXTS, sa_column_kwargs={"server_default": "{}"})

    # What is said in the same words, or nearly: null where nobody is a copy of it, nor it of anybody.
    wording: UUID | None = None  # the digest of the text's normal form
    cluster: UUID | None = None  # that it shares with its exact and near copies
    is_copy: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class Correction(SQLModel, table=True):
    """A person's word against a reading. All are kept, and the latest of a field stands. `replaced` is what it was said
    of, null where nothing stood; `read_by` the version of the fast model whose word that was, null where it was
    nobody's, a person's or the deep model's."""

    __tablename__ = "correction"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "mention_id"], ["mention.brand_id", "mention.id"]),
        Index("ix_correction_mention", "brand_id", "mention_id", "id"),
        Index("ix_correction_field", "brand_id", "field", "id"),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    mention_id: UUID
    field: CorrectedField = Field(sa_type=cast(Any, string_enum(CorrectedField)))
    value: list[str] = Field(sa_type=TEXTS)
    replaced: list[str] | None = Field(default=None, sa_type=TEXTS)
    read_by: str | None = Field(default=None, sa_type=TEXT)
    user_id: UUID | None = None
    made_at: datetime = Field(sa_type=TIME)


class Calibration(SQLModel, table=True):
    """What a brand's corrections add up to: shifts of moods and intents, in the steps and the order of
    `analysis.calibration.Shift`; how many mentions' corrections they come from; since when they are as they are, null
    while they are nothing."""

    __tablename__ = "calibration"
    brand_id: UUID = Field(primary_key=True)
    moods: list[int] = Field(sa_type=cast(Any, ARRAY(Integer)))
    intents: list[int] = Field(sa_type=cast(Any, ARRAY(Integer)))
    sentiment_corrections: int
    intent_corrections: int
    since: datetime | None = Field(default=None, sa_type=TIME)


class Edit(SQLModel, table=True):
    """One version of a mention that has had several. A mention of one version has no rows here."""

    __tablename__ = "edit"
    __table_args__ = (
        UniqueConstraint(
            "brand_id",
            "mention_key",
            "edited_at",
            "digest",
            postgresql_nulls_not_distinct=True,
            name="uq_edit_version",
        ),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    mention_key: UUID
    text: str | None = Field(default=None, sa_type=TEXT)
    edited_at: datetime | None = Field(default=None, sa_type=TIME)
    stamp: datetime = Field(sa_type=TIME)
    digest: bytes = Field(sa_type=BYTES)
    observed_at: datetime = Field(sa_type=TIME)


class Reaction(SQLModel, table=True):
    """Somebody's last reaction to a mention, given or taken back."""

    __tablename__ = "reaction"
    __table_args__ = (UniqueConstraint("brand_id", "mention_key", "actor_key"),)
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    mention_key: UUID
    actor_key: UUID
    reaction: str = Field(sa_type=TEXT)
    on: bool
    stamp: datetime = Field(sa_type=TIME)


class RollupDay(SQLModel, table=True):
    """A channel's sums of one day in the brand's zone, kept for ever. `posts` are our own, outside `mentions`."""

    __tablename__ = "rollup_day"
    brand_id: UUID = Field(primary_key=True)
    channel_id: UUID = Field(primary_key=True)
    kind: MentionKind = Field(primary_key=True, sa_type=cast(Any, string_enum(MentionKind)))
    day: datetime = Field(primary_key=True, sa_type=TIME)  # the instant at which the local day begins
    mentions: int = 0
    posts: int = 0
    positive: int = 0  # of the mentions, as neutral and negative; the others are not read
    neutral: int = 0
    negative: int = 0


class RollupReadingDay(SQLModel, table=True):
    """By which version of the model a day's mentions stand read, kept for ever; the brand's own posts are left out.
    Of `mentions` a person has corrected `corrected`."""

    __tablename__ = "rollup_reading_day"
    brand_id: UUID = Field(primary_key=True)
    channel_id: UUID = Field(primary_key=True)
    kind: MentionKind = Field(primary_key=True, sa_type=cast(Any, string_enum(MentionKind)))
    day: datetime = Field(primary_key=True, sa_type=TIME)
    read_by: str = Field(primary_key=True, sa_type=TEXT)  # empty where nobody has
    mentions: int = 0
    corrected: int = 0


class RollupHour(SQLModel, table=True):
    """The brand's sums of one hour, kept 90 days."""

    __tablename__ = "rollup_hour"
    brand_id: UUID = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=TIME)
    mentions: int = 0
    posts: int = 0
    positive: int = 0
    neutral: int = 0
    negative: int = 0
