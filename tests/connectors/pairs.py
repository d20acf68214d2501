"""Paired payloads: `<case>.payload.json` is what a network sends, `<case>.mentions.json` what is to be heard in it.

What is no JSON has its own ending (`<case>.payload.xml`). `<case>.headers.json`, where there is one, are the arrival's.
`python -m tests.connectors.pairs <case>.payload.json` prints what is heard now, to read and to keep.
"""

import json
import sys
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from shared.connectors.registry import connector
from shared.contract import Parsed, RawPart
from shared.errors import BadPayload, Problem
from shared.models.enums import Network

NETWORKS = Path(__file__).parents[1] / "networks"
STAMP = datetime(2026, 11, 22, 9, tzinfo=UTC)
CHANNEL = "1001"  # the page or account that every case's channel stands for


def cases() -> list[Path]:
    """Every payload that has a network's folder."""
    return sorted(NETWORKS.glob("*/*.payload.*"))


def beside(payload: Path, what: str) -> Path:
    """The file of the same case that tells `what`."""
    return payload.with_name(f"{payload.name.partition('.')[0]}.{what}.json")


def hear(payload: Path) -> dict[str, Any]:
    """What is heard in a payload, as plain values: only what differs from a field's default."""
    told = beside(payload, "headers")
    headers = json.loads(told.read_bytes()) if told.exists() else {}
    part = RawPart(CHANNEL, payload.read_bytes(), STAMP, headers)
    try:
        return tell(connector(Network(payload.parent.name)).parse(part))
    except BadPayload as error:
        return {"unreadable": error.message, "problems": [_plain(problem) for problem in error.problems]}


def tell(parsed: Parsed) -> dict[str, Any]:
    heard = [{"heard": type(fact).__name__.lower(), **_plain(fact)} for fact in parsed.heard]
    told = {
        "heard": heard,
        "pointers": [_plain(pointer) for pointer in parsed.pointers],
        "ignored": list(parsed.ignored),
        "problems": [_plain(problem) for problem in parsed.problems],
    }
    return {name: value for name, value in told.items() if value}


def _plain(value: object) -> Any:
    if isinstance(value, Problem):
        return {"code": value.code, "path": list(value.path)}
    if is_dataclass(value) and not isinstance(value, type):
        shown = {part.name: (getattr(value, part.name), part.default) for part in fields(value)}
        return {name: _plain(now) for name, (now, default) in shown.items() if now != default}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        found = hear(Path(argument).resolve())
        sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
