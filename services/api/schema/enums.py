"""The closed sets of words, in GraphQL's upper case: the members' own names."""

import strawberry

from shared.domain.insight.charting.look import ChartLanguage, ChartMark, ChartName, ChartTheme
from shared.domain.insight.watching.findings import DriverKind
from shared.domain.listening.searches import SearchEnd
from shared.domain.publishing.many import Manner
from shared.domain.publishing.sending.settling import Settlement
from shared.models import enums

for _kind in (
    enums.AlertKind,
    enums.AlertSensitivity,
    enums.AlertState,
    enums.ApprovalKind,
    enums.ApprovalPolicy,
    enums.ArrivalState,
    enums.AuthorKind,
    enums.BlackoutPolicy,
    enums.ChannelStatus,
    enums.ConsentStatus,
    enums.CoverageKind,
    enums.CorrectedField,
    enums.Digest,
    enums.Dimension,
    enums.EventType,
    enums.ExplainedKind,
    enums.HoldSource,
    enums.Intent,
    enums.Interval,
    enums.MediaKind,
    enums.MentionKind,
    enums.MentionOrder,
    enums.MetricKey,
    enums.MissedPolicy,
    enums.Missed,
    enums.Network,
    enums.NotificationKind,
    enums.NotificationWay,
    enums.OperationKind,
    enums.OperationStatus,
    enums.OutgoingKind,
    enums.OutgoingState,
    enums.PostStatus,
    enums.QueryGroup,
    enums.RecallOver,
    enums.RecurrenceStatus,
    enums.Reviewer,
    enums.SentimentSource,
    enums.TopKind,
    enums.VariantStatus,
    enums.Visibility,
    enums.Weekday,
    enums.WebhookState,
    ChartLanguage,
    ChartMark,
    ChartName,
    ChartTheme,
    DriverKind,
    Manner,
    SearchEnd,
    Settlement,
):
    strawberry.enum(_kind)
strawberry.enum(enums.Sentiment, name="SentimentLabel")  # the type `Sentiment` says who says so
