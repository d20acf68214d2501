"""The closed sets of words, in GraphQL's upper case: the members' own names."""

import strawberry

from shared.domain.publishing.many import Manner
from shared.domain.publishing.settling import Settlement
from shared.models import enums

for _kind in (
    enums.ArrivalState,
    enums.AuthorKind,
    enums.ChannelStatus,
    enums.ConsentStatus,
    enums.CoverageKind,
    enums.Dimension,
    enums.EventType,
    enums.Interval,
    enums.MediaKind,
    enums.MentionKind,
    enums.MentionOrder,
    enums.MetricKey,
    enums.Network,
    enums.OperationKind,
    enums.OperationStatus,
    enums.OutgoingKind,
    enums.OutgoingState,
    enums.PostStatus,
    enums.VariantStatus,
    enums.Visibility,
    Manner,
    Settlement,
):
    strawberry.enum(_kind)
