"""Figures, and what is told of them unasked."""

from enum import StrEnum


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
