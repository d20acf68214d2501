"""The loop that tells people: brands with news are claimed, and their events become notifications."""

import asyncio

from prometheus_client import Counter

from services.rounds import passes
from services.scheduler.house import House
from shared.domain import scope as scopes
from shared.domain.notifying import making
from shared.domain.notifying.making import Made, Ready
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.queues import DeliverWebhooks

_log = logger("scheduler.notice")

BRANDS = 50
LOOK_SECONDS = 0.5

TOLD = Counter("parvis_notifications_total", "Notifications made, one a person, by kind.", ["kind"])


class Noticing:
    """Tells of one brand after another; whoever listens to a brand is rung, and webhooks are let out at once."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._knows = making.House(house.settings.smtp_url is not None, house.settings.frontend_url)
        self.wake = asyncio.Event()

    async def round(self) -> float:
        """Tell of everything that waits; seconds until the next look."""
        async with self._house.db.session() as session:
            ready = await making.claim(session, limit=BRANDS, lease=self._house.settings.lease)
        made = [done for one in ready if (done := await self._tell(one)) is not None]
        if any(done.deliveries for done in made):
            self._house.queues.ring(DeliverWebhooks())
        await self._house.queues.publish([one.brand_id for one in ready])
        return 0.0 if ready else LOOK_SECONDS

    async def _tell(self, ready: Ready) -> Made | None:
        try:
            async with self._house.db.session() as session:
                scope = await scopes.house(session, ready.brand_id)
                made = await making.make(session, scope, ready, house=self._knows, now=self._house.clock())
        except Exception as error:
            if passes(error):
                raise
            # Its lease holds this brand back for a while, so that the others come to their turn.
            _log.exception("notice.failed", brand=typeid(Prefix.BRAND, ready.brand_id))
            return None
        for kind, people in made.told:
            TOLD.labels(kind.value).inc(people)
        return made
