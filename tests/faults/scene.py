"""What a fault is given to work with, and what it leaves to say."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import httpx

from shared.connectors import standard_webhooks
from tests.faults.rig import Rig
from tests.faults.senders import Address, Letter, Senders, deliver
from tests.faults.world import GENERIC

RECOVER_SECONDS = 120.0


@dataclass
class Scene:
    """One fault's run. `seconds`: how long the fault may take; `short`: in the suite, not in `make faults`."""

    rig: Rig
    senders: Senders
    random: Random
    seconds: float
    short: bool
    did: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)  # more that was acknowledged, in the example's brand
    said: Callable[[str], None] = lambda _: None

    def done(self, deed: str) -> None:
        """Note, for the table, what was done."""
        self.did[deed] += 1
        self.said(deed)

    def kill(self, *names: str) -> None:
        """`kill -9` of these, in one breath."""
        for name in names:
            self.rig.kill(name)
        self.done(f"kill -9 {' + '.join(names)}")

    async def pause(self, least: float, most: float) -> None:
        await asyncio.sleep(self.random.uniform(least, most))

    async def recover(self) -> None:
        """Measure from now until a delivery goes in by the door and is seen by the api, and all processes are up."""
        began = time.monotonic()
        if await visible(self.rig, seconds=RECOVER_SECONDS):
            self.recoveries.append(time.monotonic() - began)
        else:
            self.breaches.append(f"a delivery was not visible {RECOVER_SECONDS:.0f} s after the fault was over")
        await self.rig.ready()

    async def recover_without(self, name: str) -> None:
        """A delivery is seen by the api although `name` is away."""
        if not await visible(self.rig, seconds=RECOVER_SECONDS):
            self.breaches.append(f"without {name} a delivery was not visible after {RECOVER_SECONDS:.0f} s")


async def visible(rig: Rig, *, seconds: float) -> bool:
    """Whether a new delivery becomes visible in that time; it is sent and looked for again and again."""
    to = Address.of(next(it for it in rig.example["channels"] if it["network"] == GENERIC))
    until, key = time.monotonic() + seconds, f"probe-{uuid.uuid4().hex}"
    now = datetime.now(UTC)
    body = (
        f'{{"mentions": [{{"id": "{key}", "kind": "comment", "text": "is anybody there",'
        f' "published_at": "{now.isoformat()}", "author": {{"id": "probe"}}}}]}}'
    ).encode()
    letter = Letter(key, GENERIC, to.path, standard_webhooks.sign(to.secret, key, body, now), body)
    if not await deliver(rig.door, letter, seconds=seconds):
        return False
    address = f"{rig.api}/v1/brands/{rig.example['brand_id']}/mentions"
    bearer = {"authorization": f"Bearer {rig.example['api_key']}"}
    async with httpx.AsyncClient(trust_env=False, timeout=5, headers=bearer) as http:
        while time.monotonic() < until:
            try:
                answer = await http.get(address, params={"limit": 10, "network": GENERIC})
                if answer.status_code == 200 and key in answer.text:
                    return True
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.03)
    return False


Inflict = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table. `missing`: a sentence where this machine lacks what it needs, else None."""

    promise: str
    how: str
    inflict: Inflict
    seconds: float = 40.0
    short_seconds: float = 4.0
    missing: Callable[[], str | None] = lambda: None
    small_disk: bool = False
