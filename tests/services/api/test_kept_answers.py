"""An answer under an idempotency key is kept for 24 hours and swept after."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from services.scheduler import sweeps
from services.scheduler.house import House as Shop
from shared import http
from shared.db import Database
from shared.ids import Prefix, typeid
from shared.queues import Queues
from shared.settings import Settings
from tests.conftest import NOW, House, HouseBrand, TestDatabase
from tests.services.api.graphql.asking import Api, running

HOUR = timedelta(hours=1)


@pytest.fixture
async def api(database: TestDatabase) -> AsyncIterator[Api]:
    async with running(database.settings) as found:
        yield found


async def _post(api: Api, brand: HouseBrand) -> httpx.Response:
    headers = {"authorization": f"Bearer {brand.api_key}", "idempotency-key": "opening-hours"}
    address = f"/v1/brands/{typeid(Prefix.BRAND, brand.brand_id)}/posts"
    return await api.client.post(address, json={"text": "Zondag open"}, headers=headers)


async def _age(db: Database, by: timedelta) -> None:
    """Let so much time have passed since the answers were kept."""
    async with db.session() as session:
        await session.execute(
            text("UPDATE idempotency_key SET created_at = created_at - CAST(:by AS interval)"), {"by": by}
        )


async def _sweep(db: Database, house: House) -> None:
    settings = Settings.model_validate({"REDIS_URL": "redis://127.0.0.1:1/0"})
    queues = Queues("redis://127.0.0.1:1/0")
    async with http.client(settings) as client:
        await sweeps.sweep(Shop(db, queues, house.vault, client, settings, clock=lambda: NOW))
    await queues.close()


@pytest.mark.parametrize(("age", "is_kept"), [(23 * HOUR, True), (25 * HOUR, False)])
async def test_a_repeat_is_a_repeat_for_a_day_and_a_new_request_after(
    api: Api, owner_db: Database, worker_db: Database, house: House, brand: HouseBrand, age: timedelta, is_kept: bool
) -> None:
    first = await _post(api, brand)
    await _age(owner_db, age)
    await _sweep(worker_db, house)
    again = await _post(api, brand)

    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json()["id"] == first.json()["id"]) is is_kept
    assert ("idempotency-replayed" in again.headers) is is_kept
