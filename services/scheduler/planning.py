"""What goes on by itself in calendars: recurrences become posts, and moments follow the rules of their zones."""

import asyncio
from uuid import UUID

from prometheus_client import Counter

from services.scheduler.house import House
from shared.domain import scope
from shared.domain.listening import retention
from shared.domain.publishing.planning import occurring, wallclock, zone_changes
from shared.ids import Prefix, typeid
from shared.log import logger

_log = logger("scheduler.planning")

BATCH = 100

OCCURRED = Counter("parvis_occurrences_made_total", "Occurrences of recurrences that became posts.")
MOVED = Counter("parvis_posts_moved_total", "Posts whose moment followed a change of their zone's rules.")


async def go_on(house: House) -> int:
    """Make the posts of every recurrence that is due; how many. Each in a transaction of its own."""
    made = 0
    while True:
        async with house.db.session() as session:
            due = await occurring.due(session, now=house.clock(), limit=BATCH)
        for brand_id, recurrence_id in due:
            made += await _go_on(house, brand_id, recurrence_id)
        if len(due) < BATCH:
            return made


async def _go_on(house: House, brand_id: UUID, recurrence_id: UUID) -> int:
    try:
        async with house.db.session() as session:
            seen = await scope.house_at(session, brand_id)
            made = await occurring.go_on(session, seen, recurrence_id, cards=house.cards, now=house.clock())
    except Exception:
        # One that breaks holds nobody else up; it is put off, and tried again with the others of later on.
        _log.exception("recurrence.broke", recurrence=typeid(Prefix.RECURRENCE, recurrence_id))
        async with house.db.session() as session:
            seen = await scope.house_at(session, brand_id)
            await occurring.put_off(session, seen, recurrence_id, now=house.clock())
        return 0
    OCCURRED.inc(made)
    return made


async def follow_zones(house: House) -> int:
    """Work out again what is planned, where the rules of zones are others than those it was worked out by; how many
    posts moved. Where this dies half-way, whoever comes next does all of it again: what has moved stays where it is.
    """
    digest = await asyncio.to_thread(wallclock.rules_digest)
    async with house.db.session() as session:
        if await zone_changes.is_settled(session, digest):
            return 0
        brands = {*await retention.brands_with_hooks(session), *await zone_changes.brands_with_plans(session)}
    wallclock.read_rules_again()
    moved = 0
    for brand_id in sorted(brands):
        moved += await _follow(house, brand_id)
    async with house.db.session() as session:
        await zone_changes.remember(session, digest, house.holder)
    if moved:
        _log.info("zones.changed", rules=digest, moved=moved)
    MOVED.inc(moved)
    return moved


async def _follow(house: House, brand_id: UUID) -> int:
    moved, after = 0, UUID(int=0)
    while True:
        async with house.db.session() as session:
            seen = await scope.house_at(session, brand_id)
            made, last = await zone_changes.work_out(session, seen, after=after, now=house.clock())
        moved += len(made)
        if last is None:
            return moved
        after = last
