"""What is said, how it came in, and what is read of it."""

from enum import StrEnum


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


class ExplainedKind(StrEnum):
    """What a part of a score is: a word of the text; a signal, counted over all of it; what every text has; what makes
    chances right; what the brand's corrections add."""

    WORD = "word"
    SIGNAL = "signal"
    CONSTANT = "constant"
    CALIBRATION = "calibration"
    CORRECTIONS = "corrections"


class Unexplained(StrEnum):
    """Why there is nothing to explain: the mention is deleted, or nothing was read of it."""

    DELETED = "deleted"
    UNREAD = "unread"


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


class QueryGroup(StrEnum):
    """Whom a query listens to."""

    BRAND = "brand"
    PRODUCT = "product"
    COMPETITOR = "competitor"


class MentionOrder(StrEnum):
    """`best`: of a search, what matches best, newer ones before older ones."""

    NEWEST = "newest"
    OLDEST = "oldest"
    BEST = "best"
