"""Webhooks arrive signed, are tried again on a schedule, and disturb nobody where they do not arrive."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from services.scheduler.delivering import Delivering
from services.scheduler.house import House
from shared import http
from shared.db import Database
from shared.domain.notifying import endpoints
from shared.domain.notifying.endpoints import Opened
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import NotificationKind, WebhookState
from shared.queues import Queues
from tests.conftest import TestDatabase
from tests.connectors.loopback import Receiver, Reply, receiver
from tests.domain.notifying.conftest import NOW, Desk, enter, post

K = NotificationKind
WAITS = (5.0, 300.0, 1800.0)


class Office:
    """Turns the delivering loop by hand, over endpoints of the desk's brand."""

    def __init__(self, house: House, desk: Desk) -> None:
        self.house, self.desk = house, desk

    async def open(self, url: str, *, is_brands: bool = False, kinds: tuple[K, ...] = (K.POST_FAILED,)) -> Opened:
        async with self.desk.app.session() as session:
            await enter(session, self.desk.owner)
            brand_id = self.desk.brand.brand_id if is_brands else None
            return await endpoints.create(
                session, self.desk.owner, self.house.vault, url=url, kinds=kinds, brand_id=brand_id, now=NOW
            )

    async def fail(self, *, count: int = 1) -> None:
        """Posts fail, and that is told."""
        await self.desk.happens(*(post("failed", new_uuid()) for _ in range(count)))
        await self.desk.tell()

    async def turn(self, *, at: datetime = NOW, is_due: bool = True) -> None:
        """One round, and all that it began; with `is_due` nothing waits for its time."""
        if is_due:
            await self.desk.eye.execute("UPDATE due_webhook SET due_at = now(), leased_until = NULL")
        loop = Delivering(replace(self.house, clock=lambda: at))
        await loop.round()
        await loop.finish(20)

    async def states(self) -> list[WebhookState]:
        rows = await self.desk.eye.fetch("SELECT state FROM webhook_delivery ORDER BY id")
        return [WebhookState(row["state"]) for row in rows]

    async def tries(self) -> list[tuple[int | None, str | None]]:
        rows = await self.desk.eye.fetch("SELECT status, answer FROM webhook_attempt ORDER BY delivery_id, number")
        return [(row["status"], row["answer"]) for row in rows]


@pytest.fixture
async def network() -> AsyncIterator[Receiver]:
    async with receiver() as found:
        found.otherwise = Reply(204)
        yield found


@pytest.fixture
async def office(database: TestDatabase, worker_db: Database, desk: Desk) -> AsyncIterator[Office]:
    settings = database.settings.model_copy(update={"webhook_retry_seconds": WAITS, "webhook_timeout_seconds": 1.0})
    assert settings.redis_url is not None
    queues = Queues(settings.redis_url)
    async with http.client(settings) as client:
        yield Office(House(worker_db, queues, desk.house.vault, client, settings), desk)
    await queues.close()


async def test_a_webhook_is_verified_by_the_standards_own_library(office: Office, network: Receiver) -> None:
    opened = await office.open(f"{network.url}/hear")
    await office.fail()
    await office.turn(at=datetime.now(UTC))
    (got,) = network.got
    body = Webhook(opened.secret).verify(got.body, got.headers)
    assert body["type"] == "notification.post_failed"
    assert body["data"]["brand_id"] == typeid(Prefix.BRAND, office.desk.brand.brand_id)
    assert await office.states() == [WebhookState.DELIVERED]


async def test_a_users_endpoint_hears_what_the_user_is_told_and_a_brands_each_fact_once(
    office: Office, network: Receiver
) -> None:
    await office.open(f"{network.url}/mine", kinds=(K.POST_FAILED, K.POST_PUBLISHED))
    await office.open(f"{network.url}/brands", is_brands=True, kinds=(K.POST_FAILED, K.POST_PUBLISHED))
    await office.desk.happens(post("failed", new_uuid()), post("published", new_uuid()))
    await office.desk.tell()
    await office.turn()
    heard = sorted((one.path, json.loads(one.body)["data"]["kind"]) for one in network.got)
    # That something is out is told to nobody who has not asked for it; a brand's endpoint has asked by its kinds.
    assert heard == [("/brands", "post_failed"), ("/brands", "post_published"), ("/mine", "post_failed")]


async def test_a_failed_delivery_is_tried_again_after_each_wait_and_then_is_over(
    office: Office, network: Receiver
) -> None:
    network.otherwise = Reply(500, b"out of order")
    await office.open(f"{network.url}/hear")
    await office.fail()
    for wait in WAITS:
        await office.turn()
        assert await office.states() == [WebhookState.RETRYING]
        left = await office.desk.eye.fetchval("SELECT extract(epoch FROM due_at - now())::float FROM due_webhook")
        assert wait - 5 < left <= wait
    await office.turn()
    assert await office.states() == [WebhookState.FAILED]
    assert await office.tries() == [(500, "out of order")] * 4
    assert len({one.headers["webhook-id"] for one in network.got}) == 1
    assert await office.desk.eye.fetchval("SELECT count(*) FROM due_webhook") == 0


async def test_what_has_arrived_is_not_sent_again(office: Office, network: Receiver) -> None:
    await office.open(f"{network.url}/hear")
    await office.fail()
    for _ in range(3):
        await office.turn()
    assert len(network.got) == 1


async def test_two_workers_send_each_delivery_once(office: Office, network: Receiver) -> None:
    await office.open(f"{network.url}/hear")
    await office.fail(count=10)
    await asyncio.gather(*(office.turn(is_due=False) for _ in range(3)))
    for _ in range(3):
        await office.turn(is_due=False)
    ids = [one.headers["webhook-id"] for one in network.got]
    assert len(ids) == len(set(ids)) == 10


async def test_a_receiver_that_asks_for_patience_is_left_alone_for_as_long(office: Office, network: Receiver) -> None:
    network.otherwise = Reply(429, headers={"retry-after": "3600"})
    await office.open(f"{network.url}/hear")
    await office.fail()
    await office.turn()
    left = await office.desk.eye.fetchval("SELECT extract(epoch FROM due_at - now())::float FROM due_webhook")
    assert 3590 < left <= 3600


async def test_a_worker_that_died_in_the_middle_is_followed_by_one_that_tries_again_under_the_same_id(
    office: Office, network: Receiver
) -> None:
    network.otherwise = Reply(204, after_seconds=5)
    await office.open(f"{network.url}/hear")
    await office.fail()
    loop = Delivering(office.house)
    await loop.round()
    while not network.got:
        await asyncio.sleep(0.01)
    await loop.finish(0)
    assert await office.states() == [WebhookState.SENDING]
    network.otherwise = Reply(204)
    await office.turn()
    assert await office.states() == [WebhookState.DELIVERED]
    assert len({one.headers["webhook-id"] for one in network.got}) == 1
    ended = await office.desk.eye.fetch("SELECT number, ended_at IS NULL AS lost FROM webhook_attempt ORDER BY number")
    assert [tuple(row) for row in ended] == [(1, True), (2, False)]


async def test_an_answer_that_comes_after_another_try_has_begun_changes_its_own_try_alone(
    office: Office, network: Receiver
) -> None:
    await office.open(f"{network.url}/hear")
    await office.fail()
    network.otherwise = Reply(500, after_seconds=0.6)
    slow = Delivering(office.house)
    await slow.round()
    while not network.got:
        await asyncio.sleep(0.01)
    network.otherwise = Reply(204)
    await office.turn()
    await slow.finish(20)
    assert await office.states() == [WebhookState.DELIVERED]
    assert await office.tries() == [(500, ""), (204, "")]


async def test_a_slow_receiver_delays_no_other_host(office: Office, network: Receiver) -> None:
    async with receiver() as slow:
        slow.otherwise = Reply(204, after_seconds=0.9)
        await office.open(slow.url.replace("127.0.0.1", "localhost") + "/slow")
        await office.open(f"{network.url}/quick")
        await office.fail(count=12)
        loop = Delivering(office.house)
        began = asyncio.get_running_loop().time()
        while len(network.got) < 12:
            await loop.round()
            await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() - began < 0.9 * 3
        assert len(slow.got) <= 8
        await loop.finish(20)


async def test_an_address_that_became_private_is_not_called_and_the_log_says_why(
    office: Office, network: Receiver
) -> None:
    await office.open(f"{network.url}/hear")
    await office.fail()
    closed = office.house.settings.model_copy(update={"private_networks": ()})
    async with http.client(closed) as client:
        await Office(replace(office.house, http=client), office.desk).turn()
    assert network.got == []
    ((status, answer),) = await office.tries()
    assert status is None
    assert answer is not None
    assert "is not a public address" in answer


async def test_an_endpoint_that_says_that_it_is_gone_is_switched_off_and_its_people_are_told(
    office: Office, network: Receiver
) -> None:
    network.otherwise = Reply(410)
    opened = await office.open(f"{network.url}/hear")
    await office.fail(count=2)
    await office.turn()
    assert await state(office, opened.endpoint.id) == "it said that it is gone"
    assert await office.states() == [WebhookState.FAILED] * 2
    await office.desk.happens()
    await office.desk.tell()
    assert K.WEBHOOK_DISABLED in await office.desk.told()


async def test_an_endpoint_that_fails_for_days_is_switched_off_once_and_hears_nothing_more(
    office: Office, network: Receiver
) -> None:
    network.otherwise = Reply(500)
    opened = await office.open(f"{network.url}/hear")
    await office.fail()
    await office.turn(at=NOW)
    await office.turn(at=NOW + timedelta(days=4))
    assert await state(office, opened.endpoint.id) is None
    await office.turn(at=NOW + timedelta(days=5))
    assert "it has failed since" in (await state(office, opened.endpoint.id) or "")
    count = len(network.got)
    await office.fail()
    await office.turn(at=NOW + timedelta(days=5))
    assert len(network.got) == count


async def test_one_success_ends_the_row_of_failures(office: Office, network: Receiver) -> None:
    opened = await office.open(f"{network.url}/hear")
    await office.fail()
    network.otherwise = Reply(500)
    await office.turn(at=NOW)
    network.otherwise = Reply(204)
    await office.turn(at=NOW + timedelta(days=4))
    network.otherwise = Reply(500)
    await office.fail()
    await office.turn(at=NOW + timedelta(days=6))
    assert await state(office, opened.endpoint.id) is None


async def test_for_a_day_after_a_rotation_both_secrets_verify(office: Office, network: Receiver) -> None:
    opened = await office.open(f"{network.url}/hear")
    now = datetime.now(UTC)
    async with office.desk.app.session() as session:
        await enter(session, office.desk.owner)
        renewed = await endpoints.rotate(
            session, office.desk.owner, office.house.vault, opened.endpoint.id, now=now - timedelta(hours=23)
        )
    await office.fail(count=2)
    await office.turn(at=now)
    for got in network.got:
        for secret in (opened.secret, renewed.secret):
            Webhook(secret).verify(got.body, got.headers)
    await office.fail()
    await office.turn(at=now + timedelta(hours=2))
    assert len(network.got[-1].headers["webhook-signature"].split(" ")) == 1


async def state(office: Office, endpoint_id: UUID) -> Any:
    return await office.desk.eye.fetchval("SELECT disabled_reason FROM webhook_endpoint WHERE id = $1", endpoint_id)
