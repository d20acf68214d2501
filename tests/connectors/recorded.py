"""Recorded traffic of Meta's networks, read in place: what each file said, or why it was passed over."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson

from shared.connectors import graph_errors
from shared.contract import Connector, Counted, Deleted, Heard, Hidden, Parsed, RawPart, Reacted, Said
from shared.errors import BadPayload

FIXTURES = Path(__file__).parents[2].parent / "shared" / "fixtures"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """One file: how it ended (understood, ignored, unreadable) and in which words."""

    name: str
    state: str
    words: str


def words(fact: Heard) -> str:
    match fact:
        case Said():
            edited = ", edited" if fact.edited_at else ""
            return f"said: {fact.visibility.value} {fact.kind.value} by {fact.author_kind.value}{edited}"
        case Reacted():
            return f"reacted: {fact.reaction} {'given' if fact.on else 'taken back'}"
        case Hidden():
            return "hidden" if fact.hidden else "shown again"
        case Counted():
            return "counted"
        case Deleted():
            return "deleted"


def read(
    connector: Connector, path: Path, headers: dict[str, str] | None = None, channel: str = "1234567890321"
) -> Told:
    """What the connector's parser makes of a file."""
    try:
        parsed = connector.parse(RawPart(channel, path.read_bytes(), NOW, headers or {}))
    except BadPayload as error:
        return Told(path.name, "unreadable", error.message)
    return Told(path.name, "understood" if parsed.heard or parsed.pointers else "ignored", summed(parsed))


def summed(parsed: Parsed) -> str:
    told = [words(fact) for fact in parsed.heard]
    told += [f"named: {pointer.kind}" for pointer in parsed.pointers]
    told += [f"ignored: {reason}" for reason in parsed.ignored]
    told += [f"PROBLEM: {problem.message}" for problem in parsed.problems]
    return "; ".join(f"{count} x {line}" if count > 1 else line for line, count in Counter(told).items())


def classified(network: str, path: Path) -> Told:
    """What the error in a file means; of a batch, each part's."""
    value = orjson.loads(path.read_bytes())
    bodies = [one["body"].encode() for one in value] if isinstance(value, list) else [path.read_bytes()]
    found = []
    for body in bodies:
        error = graph_errors.failure(network, httpx.Response(400 if b'"error"' in body else 200, content=body))
        found.append("no error" if error is None else f"{type(error).__name__}: {error.message}")
    return Told(path.name, "understood", "; ".join(found))
