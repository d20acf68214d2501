"""The send loop: claims what is due, a lane a network host, and makes the attempts side by side."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Coroutine, Sequence
from uuid import UUID

from prometheus_client import Counter as Total
from prometheus_client import Histogram

from services.logins import Logins
from services.rounds import passes
from services.scheduler import handlers
from services.scheduler.files import Brought
from services.scheduler.house import House, pace_of, persist
from shared.connectors.registry import connector
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.publishing.library.media_addresses import Addresses
from shared.domain.publishing.sending import due, outgoing
from shared.domain.publishing.sending.outcomes import Outcome
from shared.domain.publishing.sending.outgoing import Claim, Try
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.store import open_store

_log = logger("scheduler.send")

BATCH = 100
LANE = 16  # calls at once to one network host
ALL = 256  # calls at once in all
LOOK_SECONDS = 0.25

SENT = Total("parvis_sends_total", "Attempts at a network, by what they came to.", ["network", "step", "outcome"])
LATE = Histogram(
    "parvis_send_late_seconds",
    "From an effect's due time to its claim.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)


class Sending:
    """The effects that this process has in hand."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._pace = pace_of(house.settings)
        self._files = Brought(house.http, open_store(house.settings))
        self._addresses = Addresses(house.vault, house.settings.api_base_url)
        self._logins = Logins(house.db, house.vault, house.http, house.settings)
        # An attempt ends well within its lease, so that nobody else takes it up while its call is still on the way.
        self._patience = min(house.settings.send_timeout_seconds + 1, house.settings.lease_seconds * 0.75)
        self._lanes: Counter[str] = Counter()
        self._after = due.BEFORE_ALL  # the brand that had its turn last
        self._tasks: set[asyncio.Task[None]] = set()
        self.wake = asyncio.Event()

    @property
    def in_hand(self) -> int:
        return self._lanes.total()

    async def round(self) -> float:
        """Claim what is due and begin it; how many seconds to wait before the next look, unless woken."""
        self.wake.clear()
        free = ALL - self.in_hand
        if free <= 0:
            return LOOK_SECONDS
        rooms = {lane: LANE - taken for lane, taken in self._lanes.items()}
        now = self._house.clock()
        async with self._house.db.session() as session:
            claims = await outgoing.claim_due(
                session,
                now=now,
                limit=min(BATCH, free),
                lease=self._house.settings.lease,
                rooms=rooms,
                room=LANE,
                after=self._after,
            )
            full = [lane for lane, room in rooms.items() if room <= 0]
            # After the last of many brands the first has its turn again, before anything is waited for.
            begins_again = not claims and self._after != due.BEFORE_ALL
            self._after = due.turn_after(claims)
            upcoming = None if claims or begins_again else await due.next_at(session, full=full)
        by_brand: dict[UUID, list[Claim]] = defaultdict(list)
        for claim in claims:
            LATE.observe(max((now - claim.due_at).total_seconds(), 0.0))
            self._lanes[claim.lane] += 1
            by_brand[claim.brand_id].append(claim)
        for brand_id, group in by_brand.items():
            self._start(self._begin(brand_id, group))
        if claims or begins_again:
            return 0.0
        if upcoming is None:
            return LOOK_SECONDS
        return min(max((upcoming - self._house.clock()).total_seconds(), 0.005), LOOK_SECONDS)

    async def finish(self, seconds: float) -> None:
        """Wait for what is in hand; what takes longer is broken off, and looked up by whoever comes next."""
        if self._tasks:
            _log.info("send.finishing", in_hand=self.in_hand)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._logins.finish(seconds * 0.4)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _let_go(self, lane: str) -> None:
        self._lanes[lane] -= 1
        if self._lanes[lane] <= 0:
            del self._lanes[lane]
        self.wake.set()

    async def _begin(self, brand_id: UUID, claims: Sequence[Claim]) -> None:
        """Begin a brand's claims in one transaction; where one of them breaks it, each by itself."""
        loop = asyncio.get_running_loop()
        begun_at = loop.time()

        async def work(session: Session) -> list[Try]:
            scope, now = await scopes.house_at(session, brand_id), self._house.clock()
            return await outgoing.begin(
                session,
                scope,
                self._house.vault,
                claims,
                cards=self._house.cards,
                pace=self._pace,
                address=self._addresses.at(now),
                now=now,
            )

        tries: list[Try] = []
        alone = False
        try:
            tries = await persist(self._house.db, work, until=begun_at + self._patience / 3)
        except Exception as error:
            alone = len(claims) > 1 and not passes(error)
            _log.exception("begin.failed", brand=str(brand_id), claims=len(claims), alone=alone)
        begun = {made.claim.outgoing_id for made in tries}
        for made in tries:
            self._start(self._attempt(made, begun_at + self._patience))
        for claim in claims:
            if alone:
                self._start(self._begin(brand_id, [claim]))
            elif claim.outgoing_id not in begun:
                self._let_go(claim.lane)

    async def _attempt(self, made: Try, deadline: float) -> None:
        try:
            known = connector(made.network)
            outcome = await handlers.call(known, self._house.http, made, self._logins, self._files, deadline=deadline)
            SENT.labels(made.network.value, made.step.value, type(outcome).__name__).inc()
            _log.info(
                "outgoing.tried",
                network=made.network.value,
                outgoing=typeid(Prefix.OUTGOING, made.claim.outgoing_id),
                step=made.step.value,
                outcome=type(outcome).__name__,
            )
            await self._settle(made, outcome)
        except Exception:
            # The attempt has no outcome: once its lease is over it is looked up.
            _log.exception("settle.failed", outgoing=str(made.claim.outgoing_id))
        finally:
            self._let_go(made.claim.lane)

    async def _settle(self, made: Try, outcome: Outcome) -> None:
        async def work(session: Session) -> bool:
            scope = await scopes.house_at(session, made.claim.brand_id)
            card = self._house.cards[made.network]
            return await outgoing.settle(
                session, scope, made, outcome, card=card, pace=self._pace, now=self._house.clock()
            )

        until = asyncio.get_running_loop().time() + max(self._house.settings.lease_seconds, 5)
        if not await persist(self._house.db, work, until=until):
            _log.warning("settle.superseded", outgoing=str(made.claim.outgoing_id), outcome=type(outcome).__name__)
