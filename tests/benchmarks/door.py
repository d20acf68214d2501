"""The door: durable deliveries beside a server that does nothing, and beside the door of a project template."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

from tests.benchmarks import loader
from tests.benchmarks.measuring import (
    P50,
    P99,
    POSTGRES,
    PROCESSOR,
    RATE,
    Plan,
    Result,
    Round,
    Samples,
    Side,
    Target,
    in_turns,
    ratio,
    verify,
)
from tests.benchmarks.rig import Rig, Running
from tests.conftest import TestDatabase

CONNECTIONS = 64
BODY = 600
PARVIS, BARE, TEMPLATE = "Parvis", "bare ASGI app", "template"
# Deliveries in a round, in the long form and in the short one: a few seconds each.
COUNTS = {PARVIS: (40_000, 4_000), BARE: (80_000, 8_000), TEMPLATE: (2_000, 400)}

# The door's own parts without kernel and servers, the least of 80 runs; the statement by itself; the rest is the rest.
_WHERE = """Where the door's processor time goes, in µs a delivery, measured on busy cores where the bare app took 20
and the door 42: reading the head, the signature, the row and the group 14; being told, answering and counting 5; the
statement 120 a commit and 3 a row, which is 7 where a commit holds 32 rows; kernel and event loop, which read, write
and wait, 16.

What was done: plain deliveries are heard by their connection, below ASGI (70 µs went to 50), and read without the
parser (3 less); the group calls back instead of waking tasks; counts take no locks, and one timer serves many
answers; a second commit runs beside the first only where many wait or the first takes long (32 rows a commit for 24,
and 21 µs of PostgreSQL's a delivery for 27); columns of the hook are joined in PostgreSQL and not sent, moments go as
numbers, ids in the driver's own type, the INSERT returns nothing. Measured and left: rows as an array of a composite
type instead of seven arrays would save 1 µs, and need a type in the schema."""

_TEMPLATE_TABLE = """
CREATE TABLE template_delivery (
    id uuid PRIMARY KEY, hook_id text NOT NULL, message_id text NOT NULL, payload json NOT NULL,
    received_at timestamptz NOT NULL, UNIQUE (hook_id, message_id)
);
GRANT SELECT, INSERT ON template_delivery TO parvis_door;
"""


async def measure(rig: Rig, plan: Plan) -> Result:
    """64 senders of signed 600-byte webhooks: a durable answer beside one that does nothing and beside a template's."""
    async with rig.database() as database, rig.house(database) as house:
        channel = await house.channel(await house.brand())
        signer = loader.Signer(urlsplit(channel.webhook_url).path, channel.secret)
        await _on_owner(database, _TEMPLATE_TABLE)
        template = {"TEMPLATE_DATABASE_URL": _sqlalchemy(database.door_url), "TEMPLATE_SECRET": channel.secret}
        async with (
            rig.service("services.ingest", database.settings) as ours,
            rig.reference("bare_asgi") as bare,
            rig.reference("template_door", **template) as templated,
        ):
            turn = Turn(rig, database, signer)
            rounds: dict[str, Round] = {
                PARVIS: turn.of(ours, plan.pick(*COUNTS[PARVIS]), "SELECT key FROM arrival"),
                BARE: turn.of(bare, plan.pick(*COUNTS[BARE]), None),
                TEMPLATE: turn.of(templated, plan.pick(*COUNTS[TEMPLATE]), "SELECT message_id FROM template_delivery"),
            }
            sides = await in_turns(rounds, rounds=plan.rounds)
    targets = _targets(sides)
    return Result(
        title="Durable webhooks",
        what=f"{CONNECTIONS} connections, each waiting for its answer; {BODY}-byte bodies under Standard Webhooks"
        " signatures, each with its own webhook-id; one process on one core. The bare app answers 202 and does nothing;"
        " the template is FastAPI with a pydantic body and a SQLModel session. Parvis and the template check the"
        " signature, refuse repeats by a unique key and answer after the commit, under the same role.",
        sides=sides,
        targets=targets,
        verified="after each round PostgreSQL held exactly the deliveries that were answered 2xx, each once.",
        notes=() if targets[0].is_met else (_WHERE,),
    )


def _targets(sides: list[Side]) -> list[Target]:
    return [
        Target("requests/s, of the bare ASGI app's", ratio(sides, RATE, PARVIS, BARE), "≥", 0.45),
        Target("requests/s, of the template's", ratio(sides, RATE, PARVIS, TEMPLATE), "≥", 15),
        Target("p99, of the template's", ratio(sides, P99, PARVIS, TEMPLATE), "≤", 0.2),
    ]


@dataclass(frozen=True)
class Turn:
    """Makes the rounds of each side."""

    rig: Rig
    database: TestDatabase
    signer: loader.Signer

    def of(self, server: Running, count: int, kept: str | None) -> Round:
        """A round of `count` deliveries; `kept` reads the ids that the server kept, None where it keeps none."""

        async def turn() -> Samples:
            run = uuid.uuid4().hex[:12]
            ids = [f"msg_{run}_{number}" for number in range(count)]
            requests = [self.signer.request(it, loader.delivery(it, BODY)) for it in ids]
            clocks: tuple[Callable[[], float], ...] = (server.processor, self.rig.postgres_processor)
            before = [clock() for clock in clocks]
            load = await loader.send(server.url, requests, connections=CONNECTIONS)
            used = [(clock() - at) / count * 1e6 for clock, at in zip(clocks, before, strict=True)]
            await self.prove(load, ids, kept, run)
            samples = {RATE: load.rate, P50: load.percentile(0.5), P99: load.percentile(0.99), PROCESSOR: used[0]}
            return samples | ({POSTGRES: used[1]} if kept else {})

        return turn

    async def prove(self, load: loader.Load, ids: list[str], kept: str | None, run: str) -> None:
        """Raise Unverified unless all were acknowledged and the rows of this run are those, each once."""
        verify(not load.broken, f"{load.broken} connections broke")
        verify(len(load.acknowledged) == len(ids), f"not all were acknowledged: {dict(load.statuses)}")
        verify(not load.duplicates, f"{load.duplicates} deliveries were taken for repeats")
        if kept is None:
            return
        key = kept.split()[1]
        found = await _on_owner(self.database, f"{kept} WHERE {key} LIKE 'msg_{run}_%'")
        verify(sorted(found) == sorted(ids[it] for it in load.acknowledged), "the rows are not those acknowledged")


async def _on_owner(database: TestDatabase, statement: str) -> list[str]:
    connection = await asyncpg.connect(database.owner_url)
    try:
        if not statement.startswith("SELECT"):
            await connection.execute(statement)
            return []
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def _sqlalchemy(url: str) -> str:
    return "postgresql+asyncpg://" + url.split("://", 1)[1]
