"""The nouns: one file each, importable from here."""

from shared.models.alert import Alert, AlertRule, DueAlert
from shared.models.approval import Approval, ApprovalLink, DueReminder, Hold, Review
from shared.models.arrival import Arrival
from shared.models.brand import Brand, BrandDraft, BrandSequence
from shared.models.campaign import Campaign
from shared.models.channel import App, Channel, ChannelDraft, Coverage, Hook
from shared.models.consent import Consent, Withdrawal
from shared.models.event import Event, EventQueue
from shared.models.media import Media, MediaUse
from shared.models.mention import (
    Calibration,
    Correction,
    Edit,
    Identity,
    Mention,
    Reaction,
    RollupDay,
    RollupHour,
    RollupReadingDay,
    Thread,
)
from shared.models.notification import (
    DueMail,
    DueNotice,
    Mail,
    NoticeCursor,
    Notification,
    NotificationPreference,
    NotificationSettings,
    Told,
)
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
from shared.models.planning import Blackout, CalendarFeed, DueRecurrence, Recurrence, Slot
from shared.models.post import Attempt, Budget, DueOutgoing, Figure, Outgoing, Post, Variant
from shared.models.query import Match, RollupQueryDay, SavedQuery, SavedQueryVersion
from shared.models.turn import Deepening, DueDeepening, DueFetch, DueOperation, DuePoll, DueUpkeep
from shared.models.view import View
from shared.models.webhook import DueWebhook, WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Alert",
    "AlertRule",
    "ApiKey",
    "App",
    "Approval",
    "ApprovalLink",
    "Arrival",
    "Attempt",
    "AuditEntry",
    "Blackout",
    "Brand",
    "BrandDraft",
    "BrandSequence",
    "Budget",
    "CalendarFeed",
    "Calibration",
    "Campaign",
    "Channel",
    "ChannelDraft",
    "Consent",
    "Correction",
    "Coverage",
    "Deepening",
    "DueAlert",
    "DueDeepening",
    "DueFetch",
    "DueMail",
    "DueNotice",
    "DueOperation",
    "DueOutgoing",
    "DuePoll",
    "DueRecurrence",
    "DueReminder",
    "DueUpkeep",
    "DueWebhook",
    "Edit",
    "Event",
    "EventQueue",
    "Figure",
    "Grant",
    "Hold",
    "Hook",
    "IdempotencyKey",
    "Identity",
    "Lease",
    "Mail",
    "Match",
    "Media",
    "MediaUse",
    "Membership",
    "Mention",
    "NoticeCursor",
    "Notification",
    "NotificationPreference",
    "NotificationSettings",
    "Operation",
    "Organization",
    "OrganizationDraft",
    "Outgoing",
    "Post",
    "Reaction",
    "Recurrence",
    "Review",
    "RollupDay",
    "RollupHour",
    "RollupQueryDay",
    "RollupReadingDay",
    "SavedQuery",
    "SavedQueryVersion",
    "Slot",
    "Team",
    "TeamMember",
    "Thread",
    "Told",
    "User",
    "UserDraft",
    "Variant",
    "View",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Withdrawal",
]
