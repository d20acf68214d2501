"""The closed sets of words, in GraphQL's upper case: the members' own names."""

import strawberry

from shared.models import enums

for _kind in (
    enums.ArrivalState,
    enums.AuthorKind,
    enums.ChannelStatus,
    enums.CoverageKind,
    enums.Dimension,
    enums.Interval,
    enums.MentionKind,
    enums.MentionOrder,
    enums.MetricKey,
    enums.Network,
    enums.OutgoingState,
    enums.PostStatus,
    enums.VariantStatus,
    enums.Visibility,
):
    strawberry.enum(_kind)


@strawberry.enum(description="How a person settles what is uncertain.")
class SettleAs(enums.StrEnum):
    ADOPT = "adopt"
    SEND = "send"
    DROP = "drop"
