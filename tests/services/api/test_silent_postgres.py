"""A PostgreSQL that takes what it is told and never answers: requests end in time, and no worker's read is cut."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.db import Database, is_passing
from shared.ids import Prefix, typeid
from tests.conftest import HouseBrand, TestDatabase
from tests.services.api.graphql.asking import Api, running
from tests.services.ingest.doorstep import Wire, wire_to

PATIENCE = 1.0
SOON = PATIENCE * 3 + 2  # a statement, its end, and a machine that is busy


@pytest.fixture
async def wire(database: TestDatabase) -> AsyncIterator[Wire]:
    async with wire_to(database.app_url) as found:
        yield found


@pytest.fixture
async def api(database: TestDatabase, wire: Wire) -> AsyncIterator[Api]:
    update = {
        "database_url": wire.url(database.app_url), "statement_timeout_seconds": PATIENCE, "pool_size": 2,
        "rate_limit": 0,
    }  # fmt: skip
    async with running(database.settings.model_copy(update=update)) as found:
        yield found


async def _asked(api: Api, brand: HouseBrand, method: str, path: str, **more: object) -> tuple[int, str, float]:
    """Status, what was answered, and after how many seconds."""
    began = time.monotonic()
    headers = {"authorization": f"Bearer {brand.api_key}"}
    async with asyncio.timeout(40):
        answer = await api.client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]
    return answer.status_code, answer.text, time.monotonic() - began


@pytest.mark.parametrize("kind", ["list", "post", "quick", "query", "mutation"])
async def test_a_request_ends_in_time_as_503_and_goes_through_once_it_answers_again(
    api: Api, wire: Wire, brand: HouseBrand, kind: str
) -> None:
    brand_id = typeid(Prefix.BRAND, brand.brand_id)
    create = "mutation ($i: CreatePostInput!) { createPost(input: $i) { post { id } errors { code } } }"
    read = "query ($b: ID!) { brand(id: $b) { mentions { nodes { id } } } }"
    method, path, body = {
        "list": ("GET", f"/v1/brands/{brand_id}/mentions", None),
        "post": ("POST", f"/v1/brands/{brand_id}/posts", {"text": "x"}),
        "quick": ("POST", "/graphql", {"query": read, "variables": {"b": brand_id}}),
        "query": ("POST", "/graphql", {"query": "{ viewer { user { name } } }"}),
        "mutation": (
            "POST", "/graphql", {"query": create, "variables": {"i": {"brandId": brand_id, "text": "x"}}},
        ),
    }[kind]  # fmt: skip
    before = await _asked(api, brand, method, path, json=body)
    wire.frozen.clear()
    silent = [await _asked(api, brand, method, path, json=body) for _ in range(3)]  # more than the pool holds
    wire.frozen.set()
    after = await _asked(api, brand, method, path, json=body)

    assert before[0] in {200, 201}
    for status, said, seconds in silent:
        assert (status, "database_away" in said) == (503, True), said
        assert seconds < SOON
    assert after[0] in {200, 201}


async def test_many_requests_at_once_end_in_time(api: Api, wire: Wire, brand: HouseBrand) -> None:
    path = f"/v1/brands/{typeid(Prefix.BRAND, brand.brand_id)}/mentions"
    await _asked(api, brand, "GET", path)
    wire.frozen.clear()
    answers = await asyncio.gather(*(_asked(api, brand, "GET", path) for _ in range(6)))
    wire.frozen.set()

    assert {status for status, _, _ in answers} == {503}
    assert max(seconds for _, _, seconds in answers) < 20


async def test_a_probe_says_that_postgres_is_down(api: Api, wire: Wire, brand: HouseBrand) -> None:
    wire.frozen.clear()
    status, said, _ = await _asked(api, brand, "GET", "/readyz")
    wire.frozen.set()

    assert (status, '"postgres":"down"' in said.replace(" ", "")) == (503, True)


async def test_a_statement_that_is_given_up_is_passing_and_leaves_the_pool_as_good(database: TestDatabase) -> None:
    db = Database(database.app_url, name="hasty", size=1, patience=timedelta(seconds=0.3))
    with pytest.raises(TimeoutError) as caught:
        async with db.session() as session:
            await session.execute(text("SELECT pg_sleep(20)"))
    async with db.session() as session:
        answered = (await session.execute(text("SELECT 1"))).scalar_one()
    await db.close()

    assert is_passing(caught.value)
    assert answered == 1


async def test_without_patience_named_a_long_read_is_not_cut(database: TestDatabase) -> None:
    db = Database(database.worker_url, name="patient", size=1)
    async with db.session() as session:
        done = (await session.execute(text("SELECT true FROM pg_sleep(2)"))).scalar_one()
    await db.close()

    assert done is True
