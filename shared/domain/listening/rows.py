"""Many rows in one statement: loading the state that a batch touches, and writing what it changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson

from shared.db import Session, driver
from shared.domain.listening.merge import MentionState
from shared.models.enums import AuthorKind, MentionKind, Network, Sentiment, Visibility

_MENTION = {
    "id": "uuid", "key": "uuid", "network": "text", "external_id": "text", "channel_id": "uuid", "heard": "bool",
    "kind": "text", "visibility": "text", "url": "text", "text": "text", "said_language": "text", "language": "text",
    "media": "jsonb", "rating": "float8", "author_id": "uuid", "author_kind": "text", "followers": "int4",
    "variant_id": "uuid",
    "published_at": "timestamptz", "published_at_known": "bool", "observed_at": "timestamptz",
    "edited_at": "timestamptz", "deleted_at": "timestamptz", "hidden_at": "timestamptz",
    "hidden_said_at": "timestamptz", "version_stamp": "timestamptz", "version_digest": "bytea", "facts_at": "jsonb",
    "version": "int4", "parent_external_id": "text", "parent_key": "uuid", "parent_id": "uuid", "thread_id": "uuid",
    "likes": "int4", "replies": "int4", "shares": "int4", "views": "int4", "counted": "jsonb",
    "counted_at": "timestamptz", "reactions": "int4",
    "sentiment": "text", "sentiment_score": "float8", "deep_by": "text", "fast_sentiment": "text",
    "fast_score": "float8", "intents": "text[]", "urgency": "float8", "offence": "float8", "topics": "text[]",
    "read_by": "text", "corrected": "text[]",
    "wording": "uuid", "cluster": "uuid", "is_copy": "bool",
}  # fmt: skip
_IDENTITY = {
    "id": "uuid", "key": "uuid", "network": "text", "external_id": "text", "handle": "text", "name": "text",
    "url": "text", "followers": "int4", "facts_at": "jsonb",
}  # fmt: skip
_SELECT = ", ".join(_MENTION)


def plain(value: object) -> object:
    """A value as PostgreSQL's JSON functions turn it back into a column."""
    if isinstance(value, bytes):
        return r"\x" + value.hex()
    if isinstance(value, UUID):  # the driver's own subclass
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def to_json(rows: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> str:
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
    for name in ("sentiment", "fast_sentiment"):
        values[name] = Sentiment(values[name]) if values[name] is not None else None
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
    await _put(session, brand_id, _PUT_MENTIONS, _MENTION, list(states))


def _array(values: Sequence[str] | None) -> str | None:
    """A list of texts as PostgreSQL writes it: an array of such lists would have to be a rectangle."""
    if values is None:
        return None
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in escaped) + "}"


_WRITTEN: dict[str, Callable[[Any], str | None]] = {"jsonb": to_json, "text[]": _array}  # what travels as text


def _put_by_key(table: str, columns: Mapping[str, str]) -> str:
    """The statement that writes whole rows by their key from one array a column.

    PostgreSQL reads arrays at a third of what JSON costs it.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    arrays = ", ".join(
        f"${place}::{'text' if kind in _WRITTEN else kind}[]" for place, kind in enumerate(columns.values(), 2)
    )
    values = ", ".join(f'r."{name}"::{kind}' if kind in _WRITTEN else f'r."{name}"' for name, kind in columns.items())
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in {"id", "key"})
    return (
        f'INSERT INTO "{table}" (brand_id, {names}) SELECT $1, {values} FROM unnest({arrays}) AS r ({names})'  # noqa: S608
        f" ON CONFLICT (brand_id, key) DO UPDATE SET {sets}"
    )


_PUT_MENTIONS = _put_by_key("mention", _MENTION)
_PUT_IDENTITIES = _put_by_key("identity", _IDENTITY)


async def _put(
    session: Session, brand_id: UUID, statement: str, columns: Mapping[str, str], states: Sequence[object]
) -> None:
    if not states:
        return
    arrays = []
    for name, kind in columns.items():
        values: list[Any] = list(map(attrgetter(name), states))
        arrays.append(list(map(_WRITTEN[kind], values)) if kind in _WRITTEN else values)
    await (await driver(session)).execute(statement, brand_id, *arrays)


@dataclass(slots=True)
class IdentityState:
    """An identity's row; each of its facts stands by the greatest (stamp, value) that named it. `was`: handle and name
    as they were read, None where it is new."""

    id: UUID
    key: UUID
    network: Network
    external_id: str
    handle: str | None
    name: str | None
    url: str | None
    followers: int | None
    facts_at: dict[str, str]
    dirty: bool = False
    was: tuple[str | None, str | None] | None = None

    @property
    def is_renamed(self) -> bool:
        """Whether it is known and called otherwise than before."""
        return self.was is not None and self.was != (self.handle, self.name)

    def fold(self, stamp: datetime, **facts: str | int | None) -> None:
        """Take the facts that are newer than what is known."""
        said_at = stamp.isoformat()
        for name, value in facts.items():
            if value is None:
                continue
            current, at = getattr(self, name), self.facts_at.get(name)
            if current is None or at is None or (stamp, value) > (datetime.fromisoformat(at), current):
                setattr(self, name, value)
                self.facts_at[name] = said_at
                self.dirty = True


async def load_identities(session: Session, brand_id: UUID, keys: Iterable[UUID]) -> dict[UUID, IdentityState]:
    found = await (await driver(session)).fetch(
        "SELECT id, key, network, external_id, handle, name, url, followers, facts_at FROM identity"
        " WHERE brand_id = $1 AND key = ANY ($2)",
        brand_id,
        list(keys),
    )
    return {
        row["key"]: IdentityState(
            row["id"], row["key"], Network(row["network"]), row["external_id"], row["handle"], row["name"],
            row["url"], row["followers"], row["facts_at"], was=(row["handle"], row["name"]),
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
    await _put(session, brand_id, _PUT_IDENTITIES, _IDENTITY, list(states))
