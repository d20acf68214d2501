"""One statement makes many deliveries durable, or says of each what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from shared.ids import Prefix, typeid, typeids

CONNECT_SECONDS = 3.0
COMMIT_SECONDS = 4.0  # a commit that takes longer counts as lost: the network sends again, the key finds it

# What the hook's row says of an arrival is read there, not sent. Moments go as seconds: a double holds microseconds
# exactly for the next two centuries. Everybody inserts in the same order, so that two doors can't lock each other out.
# Nothing is returned: how many were new is told without.
_INSERT = """
INSERT INTO arrival (id, hook_id, key, network, brand_id, channel_id, headers, body, stamp, received_at,
                     source, state, unattributed, claims, problems, ignored, mention_keys)
SELECT new.id, h.id, new.key, h.network, h.brand_id, h.channel_id, new.headers::jsonb, new.body,
       to_timestamp(new.stamp), to_timestamp(new.received_at), 'webhook', 'received', false, 0, '[]', '[]', '{}'
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[], $6::float8[], $7::float8[])
    AS new (id, hook_id, key, headers, body, stamp, received_at)
  JOIN hook h ON h.id = new.hook_id AND h.removed_at IS NULL
 ORDER BY new.key, h.id
ON CONFLICT (hook_id, key) DO NOTHING
"""
_FIRST = """
SELECT old.id, new.hook_id, new.key, h.id IS NOT NULL AS open
  FROM unnest($1::uuid[], $2::text[]) AS new (hook_id, key)
  LEFT JOIN arrival old ON old.hook_id = new.hook_id AND old.key = new.key
  LEFT JOIN hook h ON h.id = new.hook_id AND h.removed_at IS NULL
"""


class NewArrival(NamedTuple):
    """A verified delivery on its way into the table, in the order of the statement's columns."""

    id: UUID
    hook_id: UUID
    key: str
    headers: str
    body: bytes
    stamp: datetime
    received_at: datetime


class Kept(NamedTuple):
    """The delivery is durable: under this public id, and whether an earlier one with its key already was."""

    arrival_id: str
    duplicate: bool


class Away(Exception):
    """It can't be made durable now: PostgreSQL is away or refuses, or the buffer is full. Send it again later."""


class Closed(Exception):
    """The hook was removed: the door remembers hooks for a moment, the table does not."""


async def connect(url: str) -> tuple[Any, Any]:
    """A connection and the prepared statement on it."""
    settings = {"application_name": "parvis door", "jit": "off"}
    connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, server_settings=settings)
    try:
        return connection, await connection.prepare(_INSERT, timeout=CONNECT_SECONDS)
    except BaseException:
        connection.terminate()
        raise


async def store(connection: Any, statement: Any, rows: Sequence[NewArrival]) -> Sequence[Kept | Away | Closed]:
    """What became of each row: kept, a duplicate of an earlier one, or neither, and why."""
    ids, hook_ids, keys, headers, bodies, stamps, received = zip(*rows, strict=True)
    moments = [at.timestamp() for at in stamps], [at.timestamp() for at in received]
    await statement.fetch(ids, hook_ids, keys, headers, bodies, *moments, timeout=COMMIT_SECONDS)
    if statement.get_statusmsg() == f"INSERT 0 {len(rows)}":
        return [Kept(name, False) for name in typeids(Prefix.ARRIVAL, ids)]
    found = await connection.fetch(_FIRST, hook_ids, keys, timeout=COMMIT_SECONDS)
    stored = {(hook_id, key): (first, is_open) for first, hook_id, key, is_open in found}
    return [_became(row, *stored[row.hook_id, row.key]) for row in rows]


def _became(row: NewArrival, first: UUID | None, is_open: bool) -> Kept | Away | Closed:
    if first is not None and (first == row.id or is_open):
        return Kept(typeid(Prefix.ARRIVAL, first), first != row.id)
    return Away("the first one was forgotten just now") if is_open else Closed("the hook was removed")
