"""Many rows in one statement: loading the state that a batch touches, and writing what it changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from shared.db import Session, driver
from shared.domain.listening.merge import MentionState
from shared.models.enums import AuthorKind, MentionKind, Network, Visibility

_WRITTEN = (
    "id", "key", "network", "external_id", "channel_id", "heard", "kind", "visibility", "url", "text", "language",
    "media", "rating", "author_id", "author_kind", "variant_id", "published_at", "published_at_known", "observed_at",
    "edited_at", "deleted_at", "hidden_at", "hidden_said_at", "version_stamp", "version_digest", "facts_at", "version",
    "parent_external_id", "parent_key", "parent_id", "thread_id", "likes", "replies", "shares", "views", "counted",
    "counted_at", "reactions",
)  # fmt: skip
_SELECT = ", ".join(_WRITTEN)


def plain(value: object) -> object:
    """A value as PostgreSQL's JSON functions turn it back into a column."""
    if isinstance(value, bytes):
        return r"\x" + value.hex()
    if isinstance(value, UUID):  # the driver's own subclass
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def to_json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows, default=plain).decode()


async def load_mentions(session: Session, brand_id: UUID, keys: Iterable[UUID]) -> dict[UUID, MentionState]:
    """The stored states of these keys, heard or only spoken of."""
    connection = await driver(session)
    found = await connection.fetch(
        f"SELECT {_SELECT} FROM mention WHERE brand_id = $1 AND key = ANY ($2)",  # noqa: S608  a constant's columns
        brand_id,
        list(keys),
    )
    return {row["key"]: _state(row) for row in found}


def _state(row: Any) -> MentionState:
    values = dict(row)
    values["network"] = Network(values["network"])
    values["kind"] = MentionKind(values["kind"])
    values["visibility"] = Visibility(values["visibility"])
    values["author_kind"] = AuthorKind(values["author_kind"])
    return MentionState(**values)


async def upsert(
    session: Session,
    brand_id: UUID,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    conflict: str,
    merge: Mapping[str, str] | None = None,
) -> None:
    """Insert `rows` (all of the same columns) or, where `conflict` stands already, set every other column.

    `merge` gives an expression for columns that are not simply replaced; `old` is the table's own name in it.
    """
    if not rows:
        return
    columns = [*rows[0], "brand_id"]
    quoted = [f'"{c}"' for c in columns]
    merge = merge or {}
    fixed = {"brand_id", "id", *(c.strip() for c in conflict.split(","))}
    sets = ", ".join(f'"{c}" = {merge.get(c, f"excluded.{chr(34)}{c}{chr(34)}")}' for c in columns if c not in fixed)
    names = ", ".join(quoted)
    action = f"UPDATE SET {sets}" if sets else "NOTHING"
    # Every name here is a constant of this package; the values travel as one parameter.
    statement = (
        f'INSERT INTO "{table}" ({names}) SELECT {", ".join(quoted[:-1])}, $1'  # noqa: S608
        f' FROM jsonb_populate_recordset(NULL::"{table}", $2::jsonb) ON CONFLICT (brand_id, {conflict}) DO {action}'
    )
    await (await driver(session)).execute(statement, brand_id, to_json(rows))


async def write_mentions(session: Session, brand_id: UUID, states: Iterable[MentionState]) -> None:
    """Write the changed states."""
    rows = [{name: getattr(state, name) for name in _WRITTEN} for state in states]
    await upsert(session, brand_id, "mention", rows, conflict="key")


@dataclass(slots=True)
class IdentityState:
    """An identity's row; each of its facts stands by the greatest (stamp, value) that named it."""

    id: UUID
    key: UUID
    network: Network
    external_id: str
    handle: str | None
    name: str | None
    url: str | None
    facts_at: dict[str, str]
    dirty: bool = False

    def fold(self, stamp: datetime, **facts: str | None) -> None:
        """Take the facts that are newer than what is known."""
        for name, value in facts.items():
            if value is None:
                continue
            current, at = getattr(self, name), self.facts_at.get(name)
            if current is None or at is None or (stamp, value) > (datetime.fromisoformat(at), current):
                setattr(self, name, value)
                self.facts_at[name] = stamp.isoformat()
                self.dirty = True


async def load_identities(session: Session, brand_id: UUID, keys: Iterable[UUID]) -> dict[UUID, IdentityState]:
    found = await (await driver(session)).fetch(
        "SELECT id, key, network, external_id, handle, name, url, facts_at FROM identity"
        " WHERE brand_id = $1 AND key = ANY ($2)",
        brand_id,
        list(keys),
    )
    return {
        row["key"]: IdentityState(
            row["id"], row["key"], Network(row["network"]), row["external_id"], row["handle"], row["name"],
            row["url"], row["facts_at"],
        )
        for row in found
    }  # fmt: skip


async def identity_keys(session: Session, brand_id: UUID, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The keys of these identities, by id."""
    found = await (await driver(session)).fetch(
        "SELECT id, key FROM identity WHERE brand_id = $1 AND id = ANY ($2)", brand_id, list(ids)
    )
    return {row["id"]: row["key"] for row in found}


async def write_identities(session: Session, brand_id: UUID, states: Iterable[IdentityState]) -> None:
    rows = [
        {"id": s.id, "key": s.key, "network": s.network, "external_id": s.external_id, "handle": s.handle,
         "name": s.name, "url": s.url, "facts_at": s.facts_at}
        for s in states
    ]  # fmt: skip
    await upsert(session, brand_id, "identity", rows, conflict="key")
