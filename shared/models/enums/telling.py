"""Facts, and how people and programs are told of them."""

from enum import StrEnum


class EventType(StrEnum):
    MENTION_RECORDED = "mention.recorded"
    MENTION_EDITED = "mention.edited"
    MENTION_DELETED = "mention.deleted"
    MENTION_CHANGED = "mention.changed"
    POST_CHANGED = "post.changed"
    CHANNEL_CHANGED = "channel.changed"
    OUTGOING_CHANGED = "outgoing.changed"
    RECURRENCE_CHANGED = "recurrence.changed"
    APPROVAL_CHANGED = "approval.changed"
    APPROVAL_WAITING = "approval.waiting"
    HOLD_CHANGED = "hold.changed"
    ENDPOINT_DISABLED = "webhook_endpoint.disabled"
    ALERT_OPENED = "alert.opened"
    ALERT_FOLLOWED = "alert.followed"
    ALERT_CLOSED = "alert.closed"


class NotificationKind(StrEnum):
    """What people are told of. `effect_…` is about replies, hides and the like; a post has kinds of its own."""

    POST_FAILED = "post_failed"
    POST_UNCERTAIN = "post_uncertain"
    POST_PUBLISHED = "post_published"
    POST_REMOVED_ON_NETWORK = "post_removed_on_network"
    EFFECT_UNCERTAIN = "effect_uncertain"
    EFFECT_REFUSED = "effect_refused"
    CHANNEL_DIED = "channel_died"
    APPROVAL_WAITING = "approval_waiting"
    APPROVAL_DECIDED = "approval_decided"
    HOLD_CHANGED = "hold_changed"
    WEBHOOK_DISABLED = "webhook_disabled"
    ALERT_OPENED = "alert_opened"
    ALERT_FOLLOWED = "alert_followed"
    ALERT_CLOSED = "alert_closed"


class NotificationWay(StrEnum):
    """How a person is told."""

    APP = "app"
    MAIL = "mail"
    WEBHOOK = "webhook"


class Digest(StrEnum):
    """How mails are bundled."""

    NONE = "none"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


class MailState(StrEnum):
    """`unknown`: twice the server took all of it and said nothing, so it is not sent a third time."""

    WAITING = "waiting"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    GIVEN_UP = "given_up"


class WebhookState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"
