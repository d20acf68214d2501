"""What fails and why, over all brands: for the operator, by the worker's role."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db import Session, driver
from shared.domain import scope
from shared.ids import Prefix, typeid

_BRANDS = 200  # seen at once: the scope's cost grows with them


@dataclass(frozen=True, slots=True)
class Trouble:
    """`kind` is a word of ours; `what` names the thing, `why` is a sentence; `since` when, where that is known."""

    kind: str
    network: str | None
    what: str
    why: str
    since: datetime | None


# The words of an arrival's first problem; the newest of each state.
_SHELVED = """
SELECT id, network, state, settled_at, coalesce(problems -> 0 ->> 'message', '') AS why FROM arrival
 WHERE state IN ('dead', 'unreadable') ORDER BY settled_at DESC LIMIT $1
"""
_FAILING = (
    "SELECT brand_id, channel_id, failures, due_at FROM due_poll WHERE failures > 0 ORDER BY failures DESC LIMIT $1"
)
_POLLED = """
SELECT c.name, c.network, v.reason, v.from_at FROM channel c
  LEFT JOIN coverage v ON v.brand_id = c.brand_id AND v.channel_id = c.id AND v.kind = 'hole' AND v.to_at IS NULL
 WHERE c.brand_id = $1 AND c.id = $2 ORDER BY v.from_at DESC NULLS LAST LIMIT 1
"""
_BRANDS_HEARD = "SELECT DISTINCT brand_id FROM hook WHERE brand_id IS NOT NULL ORDER BY 1"
_LOGINS = """
SELECT c.name, c.network, coalesce(c.status_reason, '') AS why FROM channel c
 WHERE c.brand_id = ANY ($1) AND c.status = 'login_dead' ORDER BY c.name LIMIT $2
"""
_UNSENT = """
SELECT o.id, o.state, o.settled_at, c.network, c.name, coalesce(o.problem ->> 'message', '') AS why
  FROM outgoing o JOIN channel c ON c.brand_id = o.brand_id AND c.id = o.channel_id
 WHERE o.brand_id = ANY ($1) AND o.state IN ('refused', 'uncertain') AND o.settled_at > $3
 ORDER BY o.settled_at DESC LIMIT $2
"""


async def look(session: Session, *, since: datetime, most: int = 5) -> list[Trouble]:
    """At most `most` of each kind, the newest first; effects that were refused or got uncertain since then."""
    connection = await driver(session)
    shelved = await connection.fetch(_SHELVED, most)
    found = [
        Trouble(f"arrival_{row['state']}", row["network"], typeid(Prefix.ARRIVAL, row["id"]), row["why"],
                row["settled_at"])
        for row in shelved
    ]  # fmt: skip
    for row in await connection.fetch(_FAILING, most):
        await scope.see(session, [row["brand_id"]])
        channel = await connection.fetchrow(_POLLED, row["brand_id"], row["channel_id"])
        if channel is not None:
            why = f"{row['failures']} polls in a row failed: {channel['reason'] or 'no reason was kept'}"
            found.append(Trouble("poll_failing", channel["network"], channel["name"], why, channel["from_at"]))
    brand_ids = [row["brand_id"] for row in await connection.fetch(_BRANDS_HEARD)]
    return found + await _of_brands(session, connection, brand_ids, since, most)


async def _of_brands(
    session: Session, connection: Any, brand_ids: Sequence[UUID], since: datetime, most: int
) -> list[Trouble]:
    """Channels whose login is dead, and effects that did not go out."""
    logins: list[Trouble] = []
    unsent: list[Trouble] = []
    for start in range(0, len(brand_ids), _BRANDS):
        some = brand_ids[start : start + _BRANDS]
        await scope.see(session, some)
        logins += [
            Trouble("login_dead", row["network"], row["name"], row["why"], None)
            for row in await connection.fetch(_LOGINS, some, most)
        ]
        unsent += [
            Trouble(f"outgoing_{row['state']}", row["network"],
                    f"{typeid(Prefix.OUTGOING, row['id'])} on {row['name']}", row["why"], row["settled_at"])
            for row in await connection.fetch(_UNSENT, some, most, since)
        ]  # fmt: skip
    unsent.sort(key=lambda one: one.since or since, reverse=True)
    return logins[:most] + unsent[:most]
