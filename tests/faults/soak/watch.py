"""What is looked at every few seconds: each process, the connections, Redis, the queues, and every table."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
from redis.asyncio import Redis

from shared.models.tables import SIDE_TABLES, TABLES
from tests.contract.house import Json

Sample = dict[str, float]
Eyes: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

MINE = "parvis soak"
# What the load adds to. Every other table, queues among them, has to stay as small as it is.
SENT = frozenset(
    {
        "arrival", "attempt", "audit_entry", "edit", "event", "idempotency_key", "mention", "mention_search",
        "outgoing", "post", "reaction", "thread", "variant",
    }
)  # fmt: skip
_PAGE = os.sysconf("SC_PAGE_SIZE")

_TABLES = """
SELECT coalesce(parent.relname, c.relname) AS name, sum(pg_total_relation_size(c.oid))::float8 AS size,
       sum(s.n_live_tup)::float8 AS rows, sum(s.n_dead_tup)::float8 AS dead
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent
 WHERE n.nspname = 'public' AND c.relkind = 'r' GROUP BY 1
"""
_CATALOG = """
SELECT sum(pg_total_relation_size(c.oid))::float8 FROM pg_class c
 WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'
"""
_QUEUES = """
SELECT (SELECT count(*) FROM arrival WHERE state = 'received')::float8 AS arrivals,
       (SELECT count(*) FROM event_queue)::float8 AS events,
       (SELECT count(*) FROM due_outgoing)::float8 AS outgoing,
       (SELECT count(*) FROM due_poll)::float8 AS polls
"""
_CONNECTIONS = """
SELECT application_name AS name, count(*)::float8 AS count FROM pg_stat_activity
 WHERE datname = current_database() AND application_name <> $1 AND backend_type = 'client backend' GROUP BY 1
"""


def processes(pids: Mapping[str, int]) -> Sample:
    """Memory, open files and threads of each process; PostgreSQL's with all of its children's."""
    found: Sample = {}
    for name, pid in pids.items():
        for kind, measure in (("memory", memory), ("files", _files), ("threads", _threads)):
            found[f"{kind} {name}"] = float(sum(measure(one) for one in _family(name, pid)))
    return found


def _family(name: str, pid: int) -> list[int]:
    """The process and, for PostgreSQL, the ones that it started and that still run."""
    if name != "postgres":
        return [pid]
    try:
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())]
    except OSError:
        return [pid]


def worked(pids: Mapping[str, int]) -> dict[str, float]:
    """The processor seconds that each process used so far, and those of its children that have ended."""
    return {name: sum(map(_worked, _family(name, pid))) for name, pid in pids.items()}


def memory(pid: int) -> int:
    """The bytes that are this process's own: what it shares is counted where it belongs, PostgreSQL's buffers nowhere.

    Those fill with the tables, up to their setting.
    """
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except OSError:
        return 0
    lines = dict(line.split(":", 1) for line in told.splitlines()[1:])
    return int(lines["Pss_Anon"].split()[0]) * 1024


def resident(pid: int) -> int:
    """The bytes that a person sees in `top`."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE
    except OSError:
        return 0


def _worked(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in told[11:15]) / os.sysconf("SC_CLK_TCK")


def _files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  # only their number
    except OSError:
        return 0


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208  # only their number
    except OSError:
        return 0


async def tables(eyes: Eyes) -> Sample:
    """Rows and bytes, indexes and dead rows among them, of every table of ours, and of the catalogue."""
    found: Sample = {}
    for row in await eyes.fetch(_TABLES):
        name = row["name"]
        if name not in TABLES and name not in SIDE_TABLES:
            continue
        sent = ", sent" if name in SENT else ""
        found[f"rows {name}{sent}"] = row["rows"]
        found[f"size {name}{sent}"] = row["size"]
    found["size pg_catalog"] = await eyes.fetchval(_CATALOG)
    return found


async def queues(eyes: Eyes) -> Sample:
    """What waits in PostgreSQL."""
    row = await eyes.fetchrow(_QUEUES)
    assert row is not None
    return {f"queue {name}": value for name, value in row.items()}


async def connections(eyes: Eyes) -> Sample:
    """Open connections to PostgreSQL by who holds them."""
    return {f"connections {row['name']}": row["count"] for row in await eyes.fetch(_CONNECTIONS, MINE)}


async def redis(client: Redis) -> Sample:
    """What Redis holds, and for how many."""
    told: Mapping[str, Any] = await client.info()
    keys = [key async for key in client.scan_iter(match="parvis:*", count=1000)]
    waiting = 0
    for key in keys:
        if await client.type(key) == b"zset":
            waiting += await client.zcard(key)
    return {
        "redis memory": float(told["used_memory"]),
        "clients redis": float(told["connected_clients"]),
        "keys redis": float(len(keys)),
        "queue letters": float(waiting),
    }


def logs(folder: Path) -> float:
    """Bytes of all logs of the house."""
    return float(sum(log.stat().st_size for log in (folder / "logs").iterdir()))


def pids_of(local: Json) -> dict[str, int]:
    return {name: pid for name, pid in local["pids"].items() if pid}


def aligned(samples: Iterable[Sample]) -> dict[str, list[float]]:
    """One list a series; a series that was not there at a moment was 0."""
    samples = list(samples)
    names = dict.fromkeys(name for sample in samples for name in sample)
    return {name: [sample.get(name, 0.0) for sample in samples] for name in names}
