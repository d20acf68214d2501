"""The one list of tables and their kinds. It drives row security, grants, and the tests that hold tables to both."""

from enum import StrEnum

from shared.models import (
    arrival,
    brand,
    channel,
    clock,
    consent,
    event,
    media,
    mention,
    operation,
    organization,
    post,
    turn,
)
from shared.models.base import metadata

__all__ = ["SIDE_TABLES", "TABLES", "TableKind", "content_tables", "metadata"]

_MODULES = (arrival, brand, channel, clock, consent, event, media, mention, operation, organization, post, turn)


class TableKind(StrEnum):
    """Content belongs to one brand; a queue holds ids and times of many; platform is known before any brand is."""

    CONTENT = "content"
    QUEUE = "queue"
    PLATFORM = "platform"


TABLES: dict[str, TableKind] = {
    "api_key": TableKind.PLATFORM,
    "app": TableKind.PLATFORM,
    "arrival": TableKind.QUEUE,
    "attempt": TableKind.CONTENT,
    "audit_entry": TableKind.PLATFORM,
    "brand": TableKind.CONTENT,
    "brand_clock": TableKind.QUEUE,
    "brand_sequence": TableKind.CONTENT,
    "budget": TableKind.QUEUE,
    "channel": TableKind.CONTENT,
    "consent": TableKind.PLATFORM,
    "coverage": TableKind.CONTENT,
    "due_fetch": TableKind.QUEUE,
    "due_operation": TableKind.QUEUE,
    "due_outgoing": TableKind.QUEUE,
    "due_poll": TableKind.QUEUE,
    "due_upkeep": TableKind.QUEUE,
    "edit": TableKind.CONTENT,
    "event": TableKind.CONTENT,
    "event_queue": TableKind.QUEUE,
    "figure": TableKind.CONTENT,
    "grant": TableKind.PLATFORM,
    "hook": TableKind.PLATFORM,
    "idempotency_key": TableKind.PLATFORM,
    "identity": TableKind.CONTENT,
    "lease": TableKind.PLATFORM,
    "media": TableKind.CONTENT,
    "media_use": TableKind.CONTENT,
    "membership": TableKind.PLATFORM,
    "mention": TableKind.CONTENT,
    "operation": TableKind.CONTENT,
    "organization": TableKind.PLATFORM,
    "outgoing": TableKind.CONTENT,
    "post": TableKind.CONTENT,
    "reaction": TableKind.CONTENT,
    "rollup_day": TableKind.CONTENT,
    "rollup_hour": TableKind.CONTENT,
    "team": TableKind.PLATFORM,
    "team_member": TableKind.PLATFORM,
    "thread": TableKind.CONTENT,
    "user": TableKind.PLATFORM,
    "variant": TableKind.CONTENT,
    "withdrawal": TableKind.QUEUE,
}

# Index tables without grants, reached only through functions that look at the transaction's brands.
SIDE_TABLES = ("mention_search",)


def content_tables() -> list[str]:
    return [name for name, kind in TABLES.items() if kind is TableKind.CONTENT]
