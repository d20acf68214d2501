"""Reminding those for whom posts wait, a batch at a time, a brand at a time."""

from prometheus_client import Counter

from services.rounds import passes
from services.scheduler.house import House
from shared.domain import scope as scopes
from shared.domain.publishing.agreeing import reminders
from shared.log import logger

_log = logger("scheduler.remind")
BATCH = 200
REMINDED = Counter("parvis_approval_reminders_total", "Reminders that a post waits for somebody.")


async def remind(house: House) -> int:
    """Everything that is due; how many reminders that were. A batch that dies halfway is due again, and told once."""
    told = 0
    while True:
        async with house.db.session() as session:
            due = await reminders.claim(session, now=house.clock(), limit=BATCH, lease=house.settings.lease)
        for brand_id, post_ids in due.items():
            try:
                async with house.db.session() as session:
                    scope = await scopes.house_at(session, brand_id)
                    told += await reminders.remind(session, scope, post_ids, now=house.clock())
            except Exception as error:
                if passes(error):
                    raise
                # Its lease holds it back for a while, so that the others come to their turn.
                _log.exception("remind.failed", brand=str(brand_id), posts=len(post_ids))
        if sum(map(len, due.values())) < BATCH:
            REMINDED.inc(told)
            return told
