"""The scheduler's sweep reminds those for whom posts wait, brand by brand."""

from dataclasses import replace
from datetime import timedelta

from services.scheduler import reminding, sweeps
from services.scheduler.house import House as Shop
from shared import http
from shared.db import Database
from shared.models.enums import EventType
from shared.queues import Queues
from tests.conftest import NOW, House, TestDatabase
from tests.domain.publishing.agreeing import Table
from tests.domain.publishing.conftest import Desk


async def _waiting(house: House, app: Database, worker: Database, name: str) -> Table:
    """A brand with a post that waits for somebody."""
    desk = Desk(app, worker, house, await house.brand(name), house.vault)
    table = Table(desk)
    await table.wants("one")
    await table.write(await desk.channel(), at=NOW + timedelta(days=9))
    return table


async def test_each_brand_is_told_once_however_often_it_is_swept(
    house: House, app_db: Database, worker_db: Database, database: TestDatabase
) -> None:
    tables = [await _waiting(house, app_db, worker_db, name) for name in ("Dunes", "Zee", "Parvis")]
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    async with http.client(database.settings) as client:
        shop = Shop(worker_db, queues, house.vault, client, database.settings)
        early = replace(shop, clock=lambda: NOW + timedelta(hours=23))
        late = replace(shop, clock=lambda: NOW + timedelta(hours=25))
        assert await reminding.remind(early) == 0
        assert await reminding.remind(late) == 3
        await sweeps.sweep(late)
    await queues.close()
    for table in tables:
        assert len(await table.facts(EventType.APPROVAL_WAITING)) == 1
