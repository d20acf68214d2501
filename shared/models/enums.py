"""The closed sets of words, as CONTRACT spells them: lower case here and in REST, upper case in GraphQL."""

from enum import StrEnum

from sqlalchemy import Enum as SqlEnum


def string_enum(kind: type[StrEnum]) -> SqlEnum:
    """A text column that holds the enumeration's values, checked in Python and not by a native type."""
    return SqlEnum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=32,
        values_callable=lambda k: [m.value for m in k],
    )


class Network(StrEnum):
    GENERIC = "generic"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    FEED = "feed"
    SANDBOX = "sandbox"
    MASTODON = "mastodon"
    BLUESKY = "bluesky"


class MentionKind(StrEnum):
    POST = "post"
    COMMENT = "comment"
    REPLY = "reply"
    MESSAGE = "message"
    REVIEW = "review"
    STORY = "story"
    ARTICLE = "article"


class AuthorKind(StrEnum):
    CONSUMER = "consumer"
    BRAND = "brand"
    BOT = "bot"
    UNKNOWN = "unknown"


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class Sentiment(StrEnum):
    """The mood of what was said."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class SentimentSource(StrEnum):
    """Who says so: the model, or a person who corrected it."""

    MODEL = "model"
    PERSON = "person"


class Intent(StrEnum):
    """What a writer wants; a text may have several, or none."""

    CRITICISM = "criticism"
    QUESTION = "question"
    PRAISE = "praise"
    REQUEST = "request"
    THANKS = "thanks"


class CorrectedField(StrEnum):
    """What of a reading a person may correct."""

    SENTIMENT = "sentiment"
    INTENTS = "intents"
    LANGUAGE = "language"


class ArrivalState(StrEnum):
    RECEIVED = "received"
    SETTLED = "settled"
    IGNORED = "ignored"
    UNREADABLE = "unreadable"
    DEAD = "dead"


class ArrivalSource(StrEnum):
    WEBHOOK = "webhook"
    POLL = "poll"
    FETCH = "fetch"
    PART = "part"


class ChannelStatus(StrEnum):
    """`paused` is a person's wish; `login_dead` is the network's word. Both stop polling and sending, never hearing."""

    ACTIVE = "active"
    PAUSED = "paused"
    LOGIN_DEAD = "login_dead"
    REMOVED = "removed"


class ConsentStatus(StrEnum):
    """`asked`: the person is on the network's pages. `returned`: what they gave is being fetched."""

    ASKED = "asked"
    RETURNED = "returned"
    GIVEN = "given"
    FAILED = "failed"


class WithdrawalKind(StrEnum):
    """`deauthorize`: our logins end. `erase`: what we keep of the person goes, too."""

    DEAUTHORIZE = "deauthorize"
    ERASE = "erase"


class CoverageKind(StrEnum):
    """`backfilled`: looked back upon, which is not the same as watched: what was deleted before is not seen."""

    OBSERVED = "observed"
    HOLE = "hole"
    BACKFILLED = "backfilled"


class UpkeepKind(StrEnum):
    """What is looked after so that a channel goes on."""

    LOGIN = "login"
    SUBSCRIPTION = "subscription"


class OperationKind(StrEnum):
    """`backfill`: of a channel. `recall`: of a query, over what is stored and networks. `reading`: anew, of a channel.
    `search`: of a channel's network, for a recall."""

    BACKFILL = "backfill"
    RECALL = "recall"
    READING = "reading"
    SEARCH = "search"


class RecallOver(StrEnum):
    """What a query is recalled over: what is `stored`, and the `networks` that can search."""

    STORED = "stored"
    NETWORKS = "networks"


class OperationStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class GrantRole(StrEnum):
    """What an organization may do on a brand; each role may all that the ones after it may."""

    OWNER = "owner"
    MANAGER = "manager"
    EDITOR = "editor"
    RESPONDER = "responder"
    VIEWER = "viewer"


class MembershipRole(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


class KeyScope(StrEnum):
    """What an API key may do. `*` is all of them."""

    ALL = "*"
    READ = "read"
    PUBLISH = "publish"
    RESPOND = "respond"
    CHANNELS = "channels"
    ADMIN = "admin"


class PostStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    PARTLY_PUBLISHED = "partly_published"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    HELD = "held"
    CANCELLED = "cancelled"


class VariantStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    HELD = "held"
    CANCELLED = "cancelled"


class MediaKind(StrEnum):
    """A GIF is a picture that moves, whatever its format."""

    IMAGE = "image"
    VIDEO = "video"
    GIF = "gif"
    AUDIO = "audio"


class Weekday(StrEnum):
    """In the order of ISO 8601: the week begins on Monday."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class MissedPolicy(StrEnum):
    """What becomes of an effect that was not begun within the brand's grace: send it late, let it be, ask a person."""

    FIRE = "fire"
    SKIP = "skip"
    ASK = "ask"


class BlackoutPolicy(StrEnum):
    """What becomes of an occurrence on a day of silence: it is left out, or comes on the next day that is none."""

    SKIP = "skip"
    MOVE = "move"


class RecurrenceStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class ApprovalPolicy(StrEnum):
    """How many people besides the author look at a post before it goes out."""

    NONE = "none"
    ONE = "one"
    TWO = "two"


class ApprovalKind(StrEnum):
    """What was said of a version of a post."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENT = "comment"


class Reviewer(StrEnum):
    """Whose turn it is: people first, then the client."""

    PEOPLE = "people"
    CLIENT = "client"


class HoldSource(StrEnum):
    PERSON = "person"
    ALERT = "alert"


class Missed(StrEnum):
    """What becomes of posts whose moment passed under a hold: out at once, called off, or put before a person."""

    PUBLISH = "publish"
    CANCEL = "cancel"
    ASK = "ask"


class AlertKind(StrEnum):
    """What a rule watches for."""

    VOLUME_SPIKE = "volume_spike"
    NEGATIVE_SPIKE = "negative_spike"
    SILENCE = "silence"
    RISING_PHRASE = "rising_phrase"
    URGENT_MENTION = "urgent_mention"
    FAR_REACHING_AUTHOR = "far_reaching_author"
    COPIES = "copies"


class AlertSensitivity(StrEnum):
    """How easily a rule speaks; docs/alerts.md has the false alarms a week that each makes."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class AlertState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class OutgoingKind(StrEnum):
    """What an effect brings about. `first_comment` and `thread_part` hang beneath a post of ours, `reply` beneath what
    somebody said; the others act on what is there already."""

    PUBLISH = "publish"
    FIRST_COMMENT = "first_comment"
    THREAD_PART = "thread_part"
    REPLY = "reply"
    HIDE = "hide"
    UNHIDE = "unhide"
    DELETE = "delete"
    LIKE = "like"
    UNLIKE = "unlike"
    BLOCK = "block"
    UNBLOCK = "unblock"


class OutgoingState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    LIVE = "live"
    REFUSED = "refused"
    RETRYING = "retrying"
    UNCERTAIN = "uncertain"
    DROPPED = "dropped"


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


class Interval(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class MetricKey(StrEnum):
    MENTIONS = "mentions"
    POSTS = "posts"
    AUTHORS = "authors"
    ENGAGEMENT = "engagement"
    NET_SENTIMENT = "net_sentiment"
    SHARE_OF_VOICE = "share_of_voice"
    REACH = "reach"


class QueryGroup(StrEnum):
    """Whom a query listens to."""

    BRAND = "brand"
    PRODUCT = "product"
    COMPETITOR = "competitor"


class Dimension(StrEnum):
    NETWORK = "network"
    LANGUAGE = "language"
    KIND = "kind"
    CHANNEL = "channel"
    SENTIMENT = "sentiment"
    INTENT = "intent"
    QUERY = "query"


class TopKind(StrEnum):
    """Of what the most are asked."""

    AUTHORS = "authors"
    SOURCES = "sources"
    TOPICS = "topics"
    INTENTS = "intents"
    PHRASES = "phrases"


class MentionOrder(StrEnum):
    """`best`: of a search, what matches best, newer ones before older ones."""

    NEWEST = "newest"
    OLDEST = "oldest"
    BEST = "best"
