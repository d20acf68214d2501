"""What a page costs as mentions grow from one million to five."""

import httpx

from tests.benchmarks.filling import filled
from tests.benchmarks.measuring import POSTGRES, PROCESSOR, Figure, Plan, Result, Samples, Side, Target, side, verify
from tests.benchmarks.page import CONNECTIONS, PAGES, SIZE, measured_round, parvis
from tests.benchmarks.rig import Rig

BOTH = Figure("both", "µs each")


async def measure(rig: Rig, plan: Plan) -> Result:
    """A page of 50 at 1, 2 and 5 million mentions: processor time of the api and of PostgreSQL for each."""
    amounts = plan.pick((1_000_000, 2_000_000, 5_000_000), (2_000, 4_000))
    databases = [(await filled(rig, plan, amount)) for amount in amounts]
    taken: dict[str, list[Samples]] = {what.amount(): [] for _, what in databases}
    # In turns, a round of each after a round of the other; one api at a time, so that each has the core to itself.
    for number in range(plan.rounds + 1):
        for database, what in databases:
            async with rig.service("services.api", database.settings) as api, httpx.AsyncClient(timeout=60) as client:
                asked = parvis(api, what)
                pages, requests = await asked.pages(client, PAGES)
                verify(all(len(page) == SIZE for page in pages), "a page was not full")
                once = measured_round(rig, api, asked.url, requests, plan.pick(1_500, 100))
                await once()
                samples = dict(await once())
                if number:
                    taken[what.amount()].append(samples | {BOTH: samples[PROCESSOR] + samples[POSTGRES]})
    sides = [side(name, samples) for name, samples in taken.items()]
    return Result(
        title="Growth",
        what=f"the first {PAGES} pages of {SIZE} of the largest brand, over {CONNECTIONS} connections, out of "
        + "; ".join(what.told() for _, what in databases),
        sides=sides,
        targets=[_growth(sides, grown) for grown in sides[1:]],
        verified="every page was full and every answer 200; `page` compares what is in them.",
    )


def _growth(sides: list[Side], grown: Side) -> Target:
    value = grown[BOTH].median / sides[0][BOTH].median
    return Target(f"processor of a page at {grown.name}, of {sides[0].name}", value, "≤", 1.3)
