"""Several networks that deliver at a steady pace and repeat what was not taken, as networks do, until it is."""

import asyncio
import hashlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

from shared.connectors import meta_hooks, standard_webhooks
from tests.faults.wire import Answer, Broken, Unreachable, Wire
from tests.faults.world import FACEBOOK, GENERIC, World

LINES = 16
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0
_REPEATED, _TWICE_AT_ONCE = 0.04, 0.01  # of the deliveries: sent again after their 200, and sent by two lines at once


@dataclass(frozen=True, slots=True)
class Address:
    """Where a network delivers: the path at the door, the secret, and the page's id."""

    path: str
    secret: str
    page: str

    @classmethod
    def of(cls, channel: dict[str, Any]) -> "Address":
        return cls(urlsplit(channel["webhook_url"]).path, channel["secret"], channel["external_id"])


@dataclass(frozen=True, slots=True)
class Letter:
    """A signed delivery, the same bytes each time it is sent."""

    key: str
    network: str
    path: str
    headers: dict[str, str]
    body: bytes


def letters(world: World, brand: dict[str, Any]) -> list[Letter]:
    """The world's deliveries for one brand, signed. Times lie in the minute before now."""
    addresses = {it["network"]: Address.of(it) for it in brand["channels"] if it["network"] in {GENERIC, FACEBOOK}}
    first = datetime.now(UTC) - timedelta(seconds=world.stamp_second(world.count) + 1)
    found = []
    for delivery in world.deliveries:
        to = addresses[delivery.network]
        body = delivery.body(to.page)
        if delivery.network == FACEBOOK:
            key = hashlib.sha256(body).hexdigest()
            headers = {"content-type": "application/json", "x-hub-signature-256": meta_hooks.signature(to.secret, body)}
        else:
            key = f"{world.seed}-{delivery.number}"
            stamp = first + timedelta(seconds=world.stamp_second(delivery.number))
            headers = standard_webhooks.sign(to.secret, key, body, stamp)
        found.append(Letter(key, delivery.network, to.path, headers, body))
    return found


@dataclass
class Heard:
    """What the senders were told."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # key -> arrival id
    changed: list[str] = field(default_factory=list)  # keys that got a second, other arrival id
    answers: Counter[int] = field(default_factory=Counter)
    without_retry_after: int = 0
    unreachable: int = 0
    broken: list[Broken] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def troubled(self) -> int:
        """How many tries were not taken."""
        return self.unreachable + len(self.broken) + sum(n for status, n in self.answers.items() if status != 200)

    def note(self, key: str, answer: Answer) -> bool:
        """Whether the delivery was taken."""
        self.answers[answer.status] += 1
        if answer.status == 503 and not answer.headers.get("retry-after", "").isdigit():
            self.without_retry_after += 1
        if answer.status != 200:
            return False
        arrival = json.loads(answer.body)["arrival_id"]
        if self.acknowledged.setdefault(key, arrival) != arrival:
            self.changed.append(key)
        return True


class Senders:
    """Sends every letter at `rate` a second over several lines; done when each was taken."""

    def __init__(self, port: int, post: Sequence[Letter], *, rate: float, seed: int, lines: int = LINES) -> None:
        self._port, self.post, self._rate = port, post, rate
        self._random = Random(seed)
        self._waiting: asyncio.Queue[tuple[Letter, int]] = asyncio.Queue()
        self._tries: defaultdict[str, int] = defaultdict(int)
        self._lines = lines
        self.heard = Heard()
        self.sent = 0

    @property
    def done(self) -> int:
        return len(self.heard.acknowledged)

    async def run(self) -> Heard:
        """Send everything, and repeat until it was taken."""
        lines = [asyncio.create_task(self._line()) for _ in range(self._lines)]
        try:
            await self._pace()
            while self.done < len(self.post):
                await asyncio.sleep(0.05)
            await asyncio.wait_for(self._waiting.join(), 60)
        finally:
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)
        return self.heard

    async def _pace(self) -> None:
        began = time.monotonic()
        for number, letter in enumerate(self.post):
            ahead = began + number / self._rate - time.monotonic()
            if ahead > 0.01:
                await asyncio.sleep(ahead)
            self._waiting.put_nowait((letter, 0))
            if self._random.random() < _TWICE_AT_ONCE:
                self._waiting.put_nowait((letter, 0))
            self.sent = number + 1

    async def _line(self) -> None:
        wire = Wire(self._port)
        try:
            while True:
                letter, tries = await self._waiting.get()
                try:
                    await self._deliver(wire, letter, tries)
                finally:
                    self._waiting.task_done()
        finally:
            wire.close()

    async def _deliver(self, wire: Wire, letter: Letter, tries: int) -> None:
        began = time.monotonic()
        try:
            taken = self.heard.note(letter.key, await wire.ask("POST", letter.path, letter.headers, letter.body))
        except Unreachable:
            self.heard.unreachable += 1
            taken = False
        except Broken as broken:
            self.heard.broken.append(broken)
            taken = False
        if not taken:
            wait = min(_FIRST_WAIT * 2**tries, _LONGEST_WAIT) * self._random.uniform(0.7, 1.3)
            self._again(letter, tries + 1, wait)
            return
        self.heard.seconds.append(time.monotonic() - began)
        if tries == 0 and self._random.random() < _REPEATED:
            self._again(letter, 1, self._random.uniform(0.0, 2.0))

    def _again(self, letter: Letter, tries: int, wait: float) -> None:
        asyncio.get_running_loop().call_later(wait, self._waiting.put_nowait, (letter, tries))


async def deliver(port: int, letter: Letter, *, seconds: float) -> bool:
    """Deliver one letter, trying again ten times a second; whether it was taken in that time."""
    wire, heard, until = Wire(port, patience=5), Heard(), time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            try:
                if heard.note(letter.key, await wire.ask("POST", letter.path, letter.headers, letter.body)):
                    return True
            except (Unreachable, Broken):
                pass
            await asyncio.sleep(0.1)
    finally:
        wire.close()
    return False
