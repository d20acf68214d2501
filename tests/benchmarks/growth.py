"""What a page and a new mention cost as mentions grow from one million to five."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from sqlmodel import select

from shared.db import Database
from shared.domain import scope as scopes
from shared.models import Channel
from shared.models.enums import Network
from shared.queues import Queues, SettleArrivals
from tests.benchmarks import deliveries
from tests.benchmarks.deliveries import Writers
from tests.benchmarks.filling import Filled, filled
from tests.benchmarks.hearts import beats
from tests.benchmarks.measuring import POSTGRES, PROCESSOR, Figure, Plan, Result, Samples, Side, Target, side, verify
from tests.benchmarks.page import CONNECTIONS, PAGES, SIZE, measured_round, parvis
from tests.benchmarks.rig import Rig
from tests.benchmarks.worker import settling
from tests.conftest import HouseChannel, TestDatabase

BOTH = Figure("both", "µs each")
PAGE, MENTION = "a page", "a new mention"
_NEW = "SELECT count(*) FROM event WHERE brand_id = $1 AND type = 'mention.recorded'"


async def measure(rig: Rig, plan: Plan) -> Result:
    """A page of 50 and a new mention at 1, 2 and 5 million: processor time of Parvis and of PostgreSQL for each."""
    amounts = plan.pick((1_000_000, 2_000_000, 5_000_000), (2_000, 4_000))
    sizes = [_Size(rig, plan, *(await filled(rig, plan, amount, search=True))) for amount in amounts]
    taken: dict[str, dict[str, list[Samples]]] = {
        what: {it.what.amount(): [] for it in sizes} for what in (PAGE, MENTION)
    }
    # In turns, a round of each after a round of the other; one process at a time, so that each has the core to itself.
    for number in range(plan.rounds + 1):
        for it in sizes:
            for name, samples in ((PAGE, await it.pages()), (MENTION, await it.mentions())):
                if number:
                    both = {BOTH: samples[PROCESSOR] + samples[POSTGRES]}
                    taken[name][it.what.amount()].append({**samples, **both})
    sides = {name: [side(f"{name} at {size}", rounds) for size, rounds in by.items()] for name, by in taken.items()}
    return Result(
        title="Growth",
        what=f"A page: one of the first {PAGES} of {SIZE} of the largest brand, over {CONNECTIONS} connections. A new"
        " mention: delivered to that brand, one each, through the whole worker. Out of "
        + "; ".join(it.what.told() for it in sizes),
        sides=[*sides[PAGE], *sides[MENTION]],
        targets=[target for name in sides for target in _growth(name, sides[name])],
        verified="every page was full and every answer 200 (`page` compares what is in them); after each round there"
        " was one event for each mention delivered.",
    )


def _growth(name: str, sides: Sequence[Side]) -> list[Target]:
    smallest, *larger = sides
    return [
        Target(f"processor of {grown.name}, of {smallest.name}", grown[BOTH].median / smallest[BOTH].median, "≤", 1.3)
        for grown in larger
    ]


@dataclass
class _Size:
    """One filled database, and a round of each kind on it."""

    rig: Rig
    plan: Plan
    database: TestDatabase
    what: Filled
    writers: Writers = field(default_factory=Writers)

    async def pages(self) -> Samples:
        """A round of pages, after one that warms up."""
        async with (
            self.rig.service("services.api", self.database.settings) as api,
            httpx.AsyncClient(timeout=60) as client,
        ):
            asked = parvis(api, self.what)
            pages, requests = await asked.pages(client, PAGES)
            verify(all(len(page) == SIZE for page in pages), "a page was not full")
            once = measured_round(self.rig, api, asked.url, requests, self.plan.pick(1_500, 100))
            await once()
            return dict(await once())

    async def mentions(self) -> Samples:
        """A round of deliveries, after one that warms up."""
        count = self.plan.pick(4_000, 100)
        async with AsyncExitStack() as stack:
            url = self.rig.urls.superuser.rpartition("/")[0] + f"/{self.database.name}"
            watching: asyncpg.Connection[Any] = await asyncpg.connect(url)
            stack.push_async_callback(watching.close)
            assert self.database.settings.redis_url is not None
            queues = Queues(self.database.settings.redis_url)
            stack.push_async_callback(queues.close)
            ready = beats(watching, "ingest-worker")
            service = self.rig.service("services.ingest.worker", self.database.settings, ready=ready)
            worker = await stack.enter_async_context(service)
            channel = await self._channel()

            async def once() -> Samples:
                before = await watching.fetchval(_NEW, self.what.brand.brand_id)
                await deliveries.keep(self.database, [channel], self.writers.bodies(count, 1))
                samples = await settling(self.rig, worker, watching, count, lambda: queues.send(SettleArrivals()))
                new = await watching.fetchval(_NEW, self.what.brand.brand_id) - before
                verify(new == count, f"of {count} mentions {new} were recorded")
                return samples

            await once()
            return dict(await once())

    async def _channel(self) -> HouseChannel:
        """A channel of the largest brand that takes generic deliveries."""
        db = Database(self.database.owner_url, name="growth", size=1)
        try:
            async with db.session() as session:
                await scopes.house(session, self.what.brand.brand_id)
                query = select(Channel).where(
                    Channel.brand_id == self.what.brand.brand_id, Channel.network == Network.GENERIC
                )
                found = (await session.execute(query.limit(1))).scalar_one()
        finally:
            await db.close()
        return HouseChannel(found, "", "", self.what.brand)
