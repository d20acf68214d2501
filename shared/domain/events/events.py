"""Facts that happened, written in their own transaction. They carry ids, never text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from shared.db import Session, driver
from shared.ids import new_uuid
from shared.models.enums import EventType


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact about `thing_id` as of its `version`; `payload` holds ids and words of ours, no text of people."""

    type: EventType
    thing_id: UUID
    version: int
    payload: Mapping[str, object] = field(default_factory=dict)


# A content table takes INSERT … SELECT only with ON CONFLICT or RETURNING, so that a cluster plans it as one machine.
_EVENTS = """
INSERT INTO event (brand_id, id, type, thing_id, version, payload, at)
SELECT $1, e.id, e.type, e.thing_id, e.version, e.payload::jsonb, $7
  FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::int[], $6::text[]) AS e (id, type, thing_id, version, payload)
ON CONFLICT DO NOTHING
"""
_QUEUE = """
INSERT INTO event_queue (brand_id, event_id)
SELECT $1, e.id FROM unnest($2::uuid[]) WITH ORDINALITY AS e (id, place) ORDER BY e.place
"""


async def add(session: Session, brand_id: UUID, events: Sequence[NewEvent], *, now: datetime) -> None:
    """Write `events` of a brand that this transaction sees, in order; they get their number after its commit."""
    if not events:
        return
    ids = [new_uuid() for _ in events]
    connection = await driver(session)
    await connection.execute(
        _EVENTS,
        brand_id,
        ids,
        [event.type.value for event in events],
        [event.thing_id for event in events],
        [event.version for event in events],
        [orjson.dumps(event.payload).decode() for event in events],
        now,
    )
    await connection.execute(_QUEUE, brand_id, ids)
