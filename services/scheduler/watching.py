"""The loop that watches: brands with rules are claimed a minute apart, and each rule is looked at by itself."""

from datetime import timedelta
from uuid import UUID

from prometheus_client import Counter, Histogram

from services.rounds import passes
from services.scheduler.house import House
from shared.domain import scope as scopes
from shared.domain.insight.alerting import due, watch
from shared.domain.insight.alerting.due import Look
from shared.domain.insight.alerting.memory import Memory
from shared.ids import Prefix, typeid
from shared.log import logger

_log = logger("scheduler.watch")

BRANDS = 20
LOOK_SECONDS = 2.0
_LEASE = timedelta(minutes=2)  # for all rules of all brands of a claim

TURNS = Counter("parvis_alert_turns_total", "Alerts that opened, were followed up or closed.", ["kind", "turn"])
LOOKS = Histogram(
    "parvis_alert_look_seconds",
    "What looking at one rule took.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
BROKEN = Counter("parvis_alert_looks_broken_total", "Looks at a rule that failed; the next minute tries again.")


class Watching:
    """Looks at the rules of one brand after another, and remembers what it learnt of them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._memory = Memory()

    async def round(self) -> float:
        """Look at every brand that is due; seconds until the next round."""
        async with self._house.db.session() as session:
            found = await due.claim(
                session, now=self._house.clock(), limit=BRANDS, lease=max(_LEASE, self._house.settings.lease)
            )
        for one in found:
            await self._look(one)
        return 0.0 if len(found) == BRANDS else LOOK_SECONDS

    async def _look(self, one: Look) -> None:
        async with self._house.db.session() as session:
            rules = await due.rules(session, await scopes.house_at(session, one.brand_id))
        for rule_id in rules:
            await self._look_at(one.brand_id, rule_id)
        async with self._house.db.session() as session:
            scope = await scopes.house_at(session, one.brand_id)
            await due.rest(session, scope, one, now=self._house.clock())

    async def _look_at(self, brand_id: UUID, rule_id: UUID) -> None:
        try:
            with LOOKS.time():
                async with self._house.db.session() as session:
                    scope = await scopes.house_at(session, brand_id)
                    looked = await watch.look(session, scope, rule_id, memory=self._memory, now=self._house.clock())
        except Exception as error:
            if passes(error):
                raise
            BROKEN.inc()
            _log.exception("watch.failed", rule=typeid(Prefix.ALERT_RULE, rule_id))
            return
        if looked is not None and looked.turn is not None:
            TURNS.labels(looked.kind.value, looked.turn.value).inc()
            _log.info("alert.turned", rule=typeid(Prefix.ALERT_RULE, rule_id), turn=looked.turn.value)
