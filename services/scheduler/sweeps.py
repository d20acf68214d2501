"""What is done on the hour and by night, once for all schedulers."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from prometheus_client import Counter

from services.scheduler import planning, reminding, tidying, withdrawing
from services.scheduler.house import House
from shared.db import Session
from shared.domain import leases, scope
from shared.domain.brands import consents
from shared.domain.insight import reads, rollups, voices
from shared.domain.listening import retention
from shared.domain.notifying import delivery_log, mails, notifications, quotes
from shared.domain.scope import Scope
from shared.log import logger
from shared.models.brand import Brand
from shared.store import open_store

_log = logger("scheduler.sweep")

BATCH = 1000
SAMPLE_BRANDS, SAMPLE_DAYS = 50, 7

FORGOTTEN = Counter("parvis_forgotten_total", "Rows whose time was over, by kind.", ["kind"])
WRONG_SUMS = Counter("parvis_rollup_wrong_total", "Sums that a nightly sample found to differ from the mentions.")


async def sweep(house: House) -> None:
    """Do what is due; cheap where another scheduler has done it."""
    if await _turn(house, "sweep:hourly", timedelta(hours=1)):
        await forget(house)
    if await _turn(house, "sweep:daily", timedelta(days=1)):
        await nightly(house)
    await planning.go_on(house)
    await withdrawing.work_off(house)
    await reminding.remind(house)


async def _turn(house: House, name: str, length: timedelta) -> bool:
    async with house.db.session() as session:
        # A little less than the time between two turns, so that turns do not wander.
        return await leases.take(session, name, house.holder, length - timedelta(minutes=1))


async def forget(house: House) -> None:
    """Let everything go whose time is over, in batches that hold nobody up."""
    while await _count(house, "arrival", _old_arrivals(house)) >= BATCH:
        pass
    await _count(house, "idempotency_key", retention.forget_idempotency_keys)
    await _count(house, "consent", consents.forget)
    async with house.db.session() as session:
        await leases.forget_dead(session)
        brands = await retention.brands_with_hooks(session)
    for brand_id in brands:
        await _count(house, "raw_body", _deleted(house, brand_id, retention.forget_deleted))
        await _count(house, "notice_text", _deleted(house, brand_id, quotes.forget_deleted))
        await _count(house, "rollup_hour", _hours(house, brand_id))
        for kind, forget in (("notification", notifications.forget), ("webhook_delivery", delivery_log.forget)):
            while await _count(house, kind, _told(house, brand_id, forget)) >= BATCH:
                pass
    before = house.clock() - timedelta(days=house.settings.notification_days)
    await _count(house, "mail", lambda session: mails.forget(session, before=before))


async def nightly(house: House) -> None:
    """Make the months that search needs, and compare a sample of the sums with the mentions themselves."""
    async with house.db.session() as session:
        made = await retention.ensure_partitions(session)
        brands = await retention.brands_with_hooks(session)
    if made:
        _log.info("partitions.made", count=made)
    FORGOTTEN.labels("media_file").inc(await tidying.tidy(house, open_store(house.settings)))
    for brand_id in random.sample(brands, min(SAMPLE_BRANDS, len(brands))):
        await recount(house, brand_id)


async def recount(house: House, brand_id: UUID) -> list[str]:
    """Compare one brand's last days; what differs, in words."""
    now = house.clock()
    async with house.db.reading() as session:
        await scope.house(session, brand_id)
        brand = await session.get(Brand, brand_id)
        if brand is None:
            return []
        since = now - timedelta(days=SAMPLE_DAYS)
        wrong = await rollups.recount(session, brand_id, brand.zone, since, now)
        wrong += await voices.recount(session, brand_id, brand.zone, since, now)
        wrong += await reads.recount(session, brand_id, brand.zone, since, now)
    for sentence in wrong:
        _log.error("rollup.wrong", brand=str(brand_id), what=sentence)
    WRONG_SUMS.inc(len(wrong))
    return wrong


Work = Callable[[Session], Awaitable[int]]


async def _count(house: House, kind: str, work: Work) -> int:
    async with house.db.session() as session:
        done = await work(session)
    FORGOTTEN.labels(kind).inc(done)
    if done:
        _log.info("forgotten", kind=kind, count=done)
    return done


def _old_arrivals(house: House) -> Work:
    async def work(session: Session) -> int:
        return await retention.forget_arrivals(
            session, now=house.clock(), days=house.settings.arrival_days, limit=BATCH
        )

    return work


class _ForgetDeleted(Protocol):
    def __call__(self, session: Session, scope: Scope, *, since: datetime) -> Awaitable[int]: ...


def _deleted(house: House, brand_id: UUID, forget: _ForgetDeleted) -> Work:
    async def work(session: Session) -> int:
        seen = await scope.house(session, brand_id)
        return await forget(session, seen, since=house.clock() - timedelta(days=2))

    return work


class _Forget(Protocol):
    def __call__(self, session: Session, scope: Scope, *, before: datetime, limit: int) -> Awaitable[int]: ...


def _told(house: House, brand_id: UUID, forget: _Forget) -> Work:
    async def work(session: Session) -> int:
        seen = await scope.house(session, brand_id)
        before = house.clock() - timedelta(days=house.settings.notification_days)
        return await forget(session, seen, before=before, limit=BATCH)

    return work


def _hours(house: House, brand_id: UUID) -> Work:
    async def work(session: Session) -> int:
        seen = await scope.house(session, brand_id)
        return await retention.forget_hours(session, seen, now=house.clock())

    return work
