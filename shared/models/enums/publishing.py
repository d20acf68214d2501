"""What goes out, when, and who agrees to it."""

from enum import StrEnum


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
