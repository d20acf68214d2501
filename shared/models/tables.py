"""The one list of tables and their kinds. It drives row security, grants, and the tests that hold tables to both."""

from enum import StrEnum

from shared.models import (
    alert,
    approval,
    arrival,
    brand,
    campaign,
    channel,
    clock,
    consent,
    event,
    media,
    mention,
    notification,
    operation,
    organization,
    planning,
    post,
    query,
    turn,
    view,
    webhook,
)
from shared.models.base import metadata

__all__ = ["SIDE_TABLES", "TABLES", "TableKind", "content_tables", "metadata"]

_MODULES = (
    alert,
    approval,
    arrival,
    brand,
    campaign,
    channel,
    clock,
    consent,
    event,
    media,
    mention,
    notification,
    operation,
    organization,
    planning,
    post,
    query,
    turn,
    view,
    webhook,
)


class TableKind(StrEnum):
    """Content belongs to one brand; a queue holds ids and times of many; platform is known before any brand is."""

    CONTENT = "content"
    QUEUE = "queue"
    PLATFORM = "platform"


TABLES: dict[str, TableKind] = {
    "alert": TableKind.CONTENT,
    "alert_rule": TableKind.CONTENT,
    "api_key": TableKind.PLATFORM,
    "app": TableKind.PLATFORM,
    "approval": TableKind.CONTENT,
    "approval_link": TableKind.PLATFORM,
    "arrival": TableKind.QUEUE,
    "attempt": TableKind.CONTENT,
    "audit_entry": TableKind.PLATFORM,
    "blackout": TableKind.CONTENT,
    "brand": TableKind.CONTENT,
    "brand_clock": TableKind.QUEUE,
    "brand_sequence": TableKind.CONTENT,
    "budget": TableKind.QUEUE,
    "calendar_feed": TableKind.PLATFORM,
    "calibration": TableKind.CONTENT,
    "campaign": TableKind.CONTENT,
    "channel": TableKind.CONTENT,
    "consent": TableKind.PLATFORM,
    "correction": TableKind.CONTENT,
    "coverage": TableKind.CONTENT,
    "deepening": TableKind.QUEUE,
    "due_alert": TableKind.QUEUE,
    "due_deepening": TableKind.QUEUE,
    "due_fetch": TableKind.QUEUE,
    "due_mail": TableKind.QUEUE,
    "due_notice": TableKind.QUEUE,
    "due_operation": TableKind.QUEUE,
    "due_outgoing": TableKind.QUEUE,
    "due_poll": TableKind.QUEUE,
    "due_recurrence": TableKind.QUEUE,
    "due_reminder": TableKind.QUEUE,
    "due_upkeep": TableKind.QUEUE,
    "due_webhook": TableKind.QUEUE,
    "edit": TableKind.CONTENT,
    "event": TableKind.CONTENT,
    "event_queue": TableKind.QUEUE,
    "figure": TableKind.CONTENT,
    "grant": TableKind.PLATFORM,
    "hold": TableKind.CONTENT,
    "hook": TableKind.PLATFORM,
    "idempotency_key": TableKind.PLATFORM,
    "identity": TableKind.CONTENT,
    "lease": TableKind.PLATFORM,
    "mail": TableKind.QUEUE,
    "match": TableKind.CONTENT,
    "media": TableKind.CONTENT,
    "media_use": TableKind.CONTENT,
    "membership": TableKind.PLATFORM,
    "mention": TableKind.CONTENT,
    "notice_cursor": TableKind.CONTENT,
    "notification": TableKind.CONTENT,
    "notification_preference": TableKind.PLATFORM,
    "notification_settings": TableKind.PLATFORM,
    "operation": TableKind.CONTENT,
    "organization": TableKind.PLATFORM,
    "outgoing": TableKind.CONTENT,
    "post": TableKind.CONTENT,
    "reaction": TableKind.CONTENT,
    "recurrence": TableKind.CONTENT,
    "review": TableKind.CONTENT,
    "rollup_day": TableKind.CONTENT,
    "rollup_hour": TableKind.CONTENT,
    "rollup_query_day": TableKind.CONTENT,
    "rollup_reading_day": TableKind.CONTENT,
    "saved_query": TableKind.CONTENT,
    "saved_query_version": TableKind.CONTENT,
    "slot": TableKind.CONTENT,
    "team": TableKind.PLATFORM,
    "team_member": TableKind.PLATFORM,
    "thread": TableKind.CONTENT,
    "told": TableKind.CONTENT,
    "user": TableKind.PLATFORM,
    "variant": TableKind.CONTENT,
    "view": TableKind.CONTENT,
    "webhook_attempt": TableKind.CONTENT,
    "webhook_delivery": TableKind.CONTENT,
    "webhook_endpoint": TableKind.PLATFORM,
    "withdrawal": TableKind.QUEUE,
}

# Index tables without grants, reached only through functions that look at the transaction's brands.
SIDE_TABLES = ("mention_bands", "mention_search")


def content_tables() -> list[str]:
    return [name for name, kind in TABLES.items() if kind is TableKind.CONTENT]
