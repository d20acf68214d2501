"""The loop that delivers webhooks: claimed in rounds over brands, a lane a host, each try committed before its call."""

import asyncio
import contextlib
from collections import Counter
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

import httpx
import orjson
from prometheus_client import Counter as Total

from services import pauses
from services.rounds import passes
from services.scheduler.house import House, persist
from shared.connectors import standard_webhooks
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain import turns
from shared.domain.notifying import tries
from shared.domain.notifying.tries import Answer, Pace, Shot
from shared.domain.turns import Queue, Taken, Turn
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.enums import WebhookState
from shared.queues import DeliverWebhooks

_log = logger("scheduler.webhook")

ALL = 64  # calls at once in all
LANE = 4  # calls at once to one host
LOOK_SECONDS = 0.5

DELIVERED = Total("parvis_webhooks_total", "Tries at delivering a webhook, by how its delivery stood then.", ["state"])


class Delivering:
    """The deliveries that this process has in hand."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._pace = Pace(house.settings.webhook_waits, timedelta(hours=house.settings.webhook_disable_hours))
        # A call ends well within its lease, so that nobody else begins another meanwhile.
        self._patience = min(house.settings.webhook_timeout_seconds, house.settings.lease_seconds * 0.6)
        self._lanes: Counter[str] = Counter()
        self._brands: Counter[UUID] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self.wake = asyncio.Event()

    async def woken(self, _: DeliverWebhooks) -> None:
        """Somebody says that webhooks wait."""
        self.wake.set()

    async def round(self) -> float:
        """Claim what is due and begin it; seconds until the next look, unless woken."""
        free = ALL - len(self._tasks)
        if free <= 0:
            return LOOK_SECONDS
        rooms = {lane: LANE - taken for lane, taken in self._lanes.items()}
        async with self._house.db.session() as session:
            taken = Taken(LANE, dict(self._brands), rooms)
            claimed = await turns.claim(
                session, Queue.WEBHOOK, limit=free, lease=self._house.settings.lease, taken=taken
            )  # fmt: skip
        for turn in claimed:
            self._lanes[turn.lane] += 1
            self._brands[turn.brand_id] += 1
            task = asyncio.create_task(self._deliver(turn))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return 0.0 if claimed else LOOK_SECONDS

    async def finish(self, seconds: float) -> None:
        """Wait for the calls in hand; what takes longer is broken off, and tried again after its lease."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _deliver(self, turn: Turn) -> None:
        try:
            await self._try(turn)
        except Exception as error:
            # Its lease holds it back; then it is tried again.
            if passes(error):
                _log.warning("webhook.waits", error=type(error).__name__)
            else:
                _log.exception("webhook.broke", delivery=typeid(Prefix.WEBHOOK_DELIVERY, turn.id))
        finally:
            self._lanes -= Counter([turn.lane])  # what comes to nothing is let go
            self._brands -= Counter([turn.brand_id])
            self.wake.set()

    async def _try(self, turn: Turn) -> None:
        async with self._house.db.session() as session:
            scope = await scopes.house(session, turn.brand_id)
            shot = await tries.begin(session, scope, self._house.vault, turn, now=self._house.clock())
        if shot is None:
            return
        answer = await self._call(shot)

        async def work(session: Session) -> WebhookState:
            scope = await scopes.house(session, turn.brand_id)
            return await tries.settle(session, scope, shot, answer, pace=self._pace, now=self._house.clock())

        until = asyncio.get_running_loop().time() + self._house.settings.lease_seconds
        state = await persist(self._house.db, work, until=until)
        DELIVERED.labels(state.value).inc()
        _log.info(
            "webhook.tried", delivery=typeid(Prefix.WEBHOOK_DELIVERY, turn.id), status=answer.status,
            number=shot.number, state=state.value,
        )  # fmt: skip

    async def _call(self, shot: Shot) -> Answer:
        """The receiver's answer, whatever it is; outside of any transaction."""
        body, now = orjson.dumps(shot.payload), self._house.clock()
        headers = signed(shot, body, now)
        try:
            async with asyncio.timeout(self._patience):
                response = await self._house.http.post(shot.url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer(None, str(error) or type(error).__name__)
        except TimeoutError:
            return Answer(None, f"no answer came within {self._patience:g} seconds")
        return Answer(response.status_code, response.text, _asked(response, now))


def signed(shot: Shot, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks, signed by each secret that holds; the id is the same at every try."""
    id_ = typeid(Prefix.WEBHOOK_DELIVERY, shot.turn.id)
    made = [standard_webhooks.sign(secret, id_, body, now) for secret in shot.secrets]
    return {**made[0], "webhook-signature": " ".join(one["webhook-signature"] for one in made)}


def _asked(response: httpx.Response, now: datetime) -> timedelta | None:
    """How long the receiver asks us to wait (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "")
    if response.status_code not in {429, 503} or not value:
        return None
    if value.isascii() and value.isdigit():
        return pauses.asked(timedelta(seconds=min(int(value), 10**6)))
    with contextlib.suppress(ValueError):
        until = parsedate_to_datetime(value)
        if until.tzinfo is not None:
            return pauses.asked(until - now)
    return None
