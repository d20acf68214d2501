"""A brand's end state as plain lines: everything that deliveries decide, nothing that was drawn or is of the day."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from tests.faults.world import World

Line = tuple[Any, ...]

# Ids and times of observing are left out; parents, threads and authors stand by what the network calls them.
_QUERIES: dict[str, str] = {
    "mention": """
        SELECT m.network, m.external_id, m.heard, m.kind, m.visibility, m.text, m.language, m.rating, a.external_id,
               m.author_kind, CASE WHEN m.published_at_known THEN m.published_at END, m.edited_at,
               m.deleted_at IS NOT NULL, m.hidden_at IS NOT NULL, m.parent_external_id, p.external_id, r.external_id,
               m.likes, m.replies, m.shares, m.views, m.reactions, m.said_language, m.sentiment,
               m.intents, m.urgency, m.offence, m.topics, m.read_by, m.corrected, m.wording::text, m.is_copy,
               encode(m.version_digest, 'hex'), s.tsv::text
          FROM mention m
          LEFT JOIN identity a ON a.brand_id = m.brand_id AND a.id = m.author_id
          LEFT JOIN mention p ON p.brand_id = m.brand_id AND p.id = m.parent_id
          LEFT JOIN thread t ON t.brand_id = m.brand_id AND t.id = m.thread_id
          LEFT JOIN mention r ON r.brand_id = t.brand_id AND r.key = t.key
          LEFT JOIN mention_search s ON s.brand_id = m.brand_id AND s.mention_id = m.id
         WHERE m.brand_id = $1""",
    "history": """
        SELECT m.network, m.external_id, e.text, e.edited_at, encode(e.digest, 'hex')
          FROM edit e JOIN mention m ON m.brand_id = e.brand_id AND m.key = e.mention_key WHERE e.brand_id = $1""",
    "reaction": """
        SELECT m.network, m.external_id, x.actor_key::text, x.reaction, x."on", x.stamp
          FROM reaction x JOIN mention m ON m.brand_id = x.brand_id AND m.key = x.mention_key WHERE x.brand_id = $1""",
    "thread": """
        SELECT m.network, m.external_id, t.last_at, count(c.id)
          FROM thread t
          LEFT JOIN mention m ON m.brand_id = t.brand_id AND m.key = t.key
          LEFT JOIN mention c ON c.brand_id = t.brand_id AND c.thread_id = t.id
         WHERE t.brand_id = $1 GROUP BY t.id, 1, 2, 3""",
    "identity": "SELECT network, external_id, handle, name, url FROM identity WHERE brand_id = $1",
    "day": """
        SELECT c.network, d.kind, d.day, d.mentions, d.posts, d.positive, d.neutral, d.negative
          FROM rollup_day d JOIN channel c ON c.brand_id = d.brand_id AND c.id = d.channel_id
         WHERE d.brand_id = $1 AND (d.mentions <> 0 OR d.posts <> 0)""",
    "hour": """
        SELECT hour, mentions, posts, positive, neutral, negative
          FROM rollup_hour WHERE brand_id = $1 AND (mentions <> 0 OR posts <> 0)""",
}


@dataclass(frozen=True)
class State:
    """Lines by kind, sorted."""

    lines: Mapping[str, Sequence[str]]

    @property
    def digest(self) -> str:
        """A short name for exactly this state."""
        return hashlib.sha256(json.dumps(dict(self.lines)).encode()).hexdigest()[:16]

    def differences(self, other: "State") -> list[str]:
        """What differs from `other`, a few lines of each kind."""
        found = []
        for kind in self.lines:
            mine, theirs = set(self.lines[kind]), set(other.lines[kind])
            found += [f"{kind}: only with the fault: {line[:240]}" for line in sorted(mine - theirs)[:3]]
            found += [f"{kind}: only without the fault: {line[:240]}" for line in sorted(theirs - mine)[:3]]
            if len(self.lines[kind]) != len(other.lines[kind]):
                found.append(f"{kind}: {len(self.lines[kind])} with the fault, {len(other.lines[kind])} without")
        return found


async def read(connection: "asyncpg.Connection[Any]", brand_id: UUID) -> State:
    """The state as the superuser sees it."""
    lines = {}
    for kind, query in _QUERIES.items():
        rows = await connection.fetch(query, brand_id)
        lines[kind] = sorted(json.dumps(list(row.values()), default=str, ensure_ascii=False) for row in rows)
    return State(lines)


async def unexpected(connection: "asyncpg.Connection[Any]", brand_id: UUID, world: World) -> list[str]:
    """Where the mentions are not what the plain rules make of the deliveries, without any of Parvis' own code."""
    rows = await connection.fetch(
        "SELECT m.network, m.external_id, m.heard, m.text, m.deleted_at IS NOT NULL AS deleted,"
        " count(e.id) AS versions FROM mention m"
        " LEFT JOIN edit e ON e.brand_id = m.brand_id AND e.mention_key = m.key"
        " WHERE m.brand_id = $1 GROUP BY m.brand_id, m.id",
        brand_id,
    )
    found = {(row["network"], row["external_id"]): row for row in rows}
    wrong = []
    for place, expected in world.expected.items():
        if not expected.versions:
            continue
        row = found.get(place)
        if row is None or not row["heard"]:
            wrong.append(f"{place[1]} was never recorded")
            continue
        if row["deleted"] != expected.deleted:
            wrong.append(f"{place[1]} is {'' if row['deleted'] else 'not '}deleted")
        if not expected.deleted and expected.text is not None and row["text"] != expected.text:
            wrong.append(f"{place[1]} says {row['text']!r} instead of {expected.text!r}")
        versions = len(expected.versions) if len(expected.versions) > 1 else 0
        if row["versions"] != versions:
            wrong.append(f"{place[1]} has {row['versions']} versions in its history instead of {versions}")
    heard = {place for place, row in found.items() if row["heard"]}
    extra = heard - {place for place, expected in world.expected.items() if expected.versions}
    return wrong + [f"{place[1]} was recorded and never said" for place in sorted(extra)]
