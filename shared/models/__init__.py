"""The nouns: one file each, importable from here."""

from shared.models.arrival import Arrival
from shared.models.brand import Brand, BrandDraft, BrandSequence
from shared.models.channel import App, Channel, ChannelDraft, Coverage, Hook
from shared.models.consent import Consent, Withdrawal
from shared.models.event import Event, EventQueue
from shared.models.media import Media, MediaUse
from shared.models.mention import Edit, Identity, Mention, Reaction, RollupDay, RollupHour, Thread
from shared.models.operation import Operation
from shared.models.organization import (
    ApiKey,
    AuditEntry,
    Grant,
    IdempotencyKey,
    Lease,
    Membership,
    Organization,
    OrganizationDraft,
    Team,
    TeamMember,
    User,
    UserDraft,
)
from shared.models.post import Attempt, Budget, DueOutgoing, Figure, Outgoing, Post, Variant
from shared.models.turn import DueFetch, DueOperation, DuePoll, DueUpkeep

__all__ = [
    "ApiKey",
    "App",
    "Arrival",
    "Attempt",
    "AuditEntry",
    "Brand",
    "BrandDraft",
    "BrandSequence",
    "Budget",
    "Channel",
    "ChannelDraft",
    "Consent",
    "Coverage",
    "DueFetch",
    "DueOperation",
    "DueOutgoing",
    "DuePoll",
    "DueUpkeep",
    "Edit",
    "Event",
    "EventQueue",
    "Figure",
    "Grant",
    "Hook",
    "IdempotencyKey",
    "Identity",
    "Lease",
    "Media",
    "MediaUse",
    "Membership",
    "Mention",
    "Operation",
    "Organization",
    "OrganizationDraft",
    "Outgoing",
    "Post",
    "Reaction",
    "RollupDay",
    "RollupHour",
    "Team",
    "TeamMember",
    "Thread",
    "User",
    "UserDraft",
    "Variant",
    "Withdrawal",
]
