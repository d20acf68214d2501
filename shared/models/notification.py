"""What people are told: notifications, how each person wants them, and the mails that carry them."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from shared.ids import new_uuid
from shared.models.base import BIGINT, JSON_VALUE, NOW, TEXT, TIME, UUIDS, JsonList, JsonObject
from shared.models.enums import Digest, MailState, NotificationKind, NotificationWay, string_enum

_KIND = cast(Any, string_enum(NotificationKind))


class Notification(SQLModel, table=True):
    """One fact told to one user, once. `facts` are what its sentence is made of, as they were when it was made.

    `in_app`: it is shown in the app. `mail_due_at` None: it goes by no mail; `mail_id`: the mail that carries it.
    """

    __tablename__ = "notification"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.brand_id"]),
        Index("uq_notification_once", "brand_id", "event_id", "user_id", "kind", unique=True),
        Index("ix_notification_user", "brand_id", "user_id", "id"),
        Index("ix_notification_seq", "brand_id", "user_id", "seq"),
        Index(
            "ix_notification_unread",
            "brand_id",
            "user_id",
            postgresql_where=text("in_app AND read_at IS NULL"),
        ),
        Index(
            "ix_notification_unmailed",
            "brand_id",
            "user_id",
            "mail_due_at",
            postgresql_where=text("mail_due_at IS NOT NULL AND mail_id IS NULL"),
        ),
        Index("ix_notification_mail", "brand_id", "mail_id", postgresql_where=text("mail_id IS NOT NULL")),
    )
    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    event_id: UUID
    seq: int = Field(sa_type=BIGINT)
    user_id: UUID
    kind: NotificationKind = Field(sa_type=_KIND)
    thing_prefix: str = Field(sa_type=TEXT)
    thing_id: UUID
    facts: JsonObject = Field(default_factory=dict, sa_type=JSON_VALUE)
    at: datetime = Field(sa_type=TIME)
    in_app: bool = True
    read_at: datetime | None = Field(default=None, sa_type=TIME)
    mail_due_at: datetime | None = Field(default=None, sa_type=TIME)
    mail_id: UUID | None = None


class NoticeCursor(SQLModel, table=True):
    """The number of the brand's last event of which people have been told."""

    __tablename__ = "notice_cursor"
    brand_id: UUID = Field(primary_key=True)
    seq: int = Field(default=0, sa_type=BIGINT)


class Told(SQLModel, table=True):
    """What was last told of a thing, for as long as it stays so: the same is not told again."""

    __tablename__ = "told"
    brand_id: UUID = Field(primary_key=True)
    thing_id: UUID = Field(primary_key=True)
    kind: NotificationKind = Field(sa_type=_KIND)
    at: datetime = Field(sa_type=TIME)


class DueNotice(SQLModel, table=True):
    """A brand with events that somebody may have to be told of; `seq` is the greatest of them."""

    __tablename__ = "due_notice"
    __table_args__ = (Index("ix_due_notice_due_at", "due_at"),)
    brand_id: UUID = Field(primary_key=True)
    seq: int = Field(sa_type=BIGINT)
    due_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)


class NotificationPreference(SQLModel, table=True):
    """A user's word on one kind and one way, for one brand or (None) for all."""

    __tablename__ = "notification_preference"
    __table_args__ = (
        ForeignKeyConstraint(["user_id"], ["user.id"]),
        Index(
            "uq_notification_preference",
            "user_id",
            "brand_id",
            "kind",
            "way",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    user_id: UUID
    brand_id: UUID | None = None
    kind: NotificationKind = Field(sa_type=_KIND)
    way: NotificationWay = Field(sa_type=cast(Any, string_enum(NotificationWay)))
    is_on: bool


class NotificationSettings(SQLModel, table=True):
    """When a user wants mails. `quiet` is a list of {"days": [1 to 7], "from": "22:00", "to": "07:00"}, in `timezone`.

    A window belongs to the day on which it begins. `timezone` None: the brand's.
    """

    __tablename__ = "notification_settings"
    __table_args__ = (ForeignKeyConstraint(["user_id"], ["user.id"]),)
    user_id: UUID = Field(primary_key=True)
    timezone: str | None = Field(default=None, sa_type=TEXT)
    quiet: JsonList = Field(default_factory=list, sa_type=JSON_VALUE)
    urgent_breaks_through: bool = False
    digest: Digest = Field(default=Digest.NONE, sa_type=cast(Any, string_enum(Digest)))
    digest_time: str = Field(default="08:00", sa_type=TEXT)
    digest_day: int = 1
    version: int = 1


class DueMail(SQLModel, table=True):
    """When a user's notifications of a brand are put into a mail."""

    __tablename__ = "due_mail"
    __table_args__ = (Index("ix_due_mail_due_at", "due_at"),)
    user_id: UUID = Field(primary_key=True)
    brand_id: UUID = Field(primary_key=True)
    due_at: datetime = Field(sa_type=TIME)


class Mail(SQLModel, table=True):
    """One mail to one user; what it says is in the notifications that name it. Its id makes its Message-ID.

    `doubts` counts the tries of which nobody knows whether the server took them.
    """

    __tablename__ = "mail"
    __table_args__ = (
        Index("ix_mail_due_at", "due_at", postgresql_where=text("state IN ('waiting', 'sending', 'retrying')")),
        Index("ix_mail_settled_at", "settled_at"),
    )
    id: UUID = Field(default_factory=new_uuid, primary_key=True)
    user_id: UUID
    brand_ids: list[UUID] = Field(sa_type=UUIDS)
    state: MailState = Field(default=MailState.WAITING, sa_type=cast(Any, string_enum(MailState)))
    due_at: datetime = Field(sa_type=TIME)
    leased_until: datetime | None = Field(default=None, sa_type=TIME)
    fence: int = 0
    tries: int = 0
    doubts: int = 0
    answer: str | None = Field(default=None, sa_type=TEXT)
    created_at: datetime = Field(sa_type=TIME, sa_column_kwargs=NOW)
    settled_at: datetime | None = Field(default=None, sa_type=TIME)
