"""Over a Valkey of this file's own, which is killed, started again and emptied."""

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis

from services.local import valkey
from shared import queues
from shared.ids import new_uuid
from shared.queues import DeliverWebhooks, PollChannel, Queues, SendOutgoing, SettleArrivals, Task


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class OwnValkey:
    """A server that tests may kill."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        argv = [str(valkey.binary()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "."]
        self._process = subprocess.Popen(argv, cwd=self._folder, stdout=subprocess.DEVNULL)
        await until(lambda: valkey.is_ready(self.port, self._process.pid if self._process else 0))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


async def until(fact: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.01)


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[OwnValkey]:
    server = OwnValkey(tmp_path)
    await server.start()
    yield server
    server.kill()


@pytest.fixture
async def sender(redis: OwnValkey) -> AsyncIterator[Queues]:
    sender = Queues(redis.url)
    yield sender
    await sender.close()


@contextlib.asynccontextmanager
async def receiving(
    url: str, queue: str, handlers: Mapping[type[Task], Callable[[Task], Awaitable[None]]]
) -> AsyncIterator[None]:
    stop = asyncio.Event()
    worker = asyncio.create_task(queues.run_worker(url, queue, handlers, stop))
    try:
        yield
    finally:
        stop.set()
        await worker


class Letters:
    """A handler that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Task] = []

    async def __call__(self, task: Task) -> None:
        self.taken.append(task)


async def only_we_are_connected(client: Redis) -> None:
    """Wait until the server has seen everybody else leave."""
    async with asyncio.timeout(30):
        while len(await client.client_list()) > 1:
            await asyncio.sleep(0.01)


async def keys(redis: OwnValkey) -> list[str]:
    async with Redis.from_url(redis.url) as client:
        return [key.decode() for key in await client.keys("*")]


async def test_a_task_arrives_as_what_was_sent(redis: OwnValkey, sender: Queues) -> None:
    poll, letters = PollChannel(new_uuid(), new_uuid()), Letters()
    async with receiving(redis.url, queues.INGEST, {PollChannel: letters, SettleArrivals: letters}):
        await sender.send(poll)
        await sender.send(SettleArrivals())
        await until(lambda: len(letters.taken) == 2)
    assert set(letters.taken) == {poll, SettleArrivals()}


async def test_a_task_is_picked_up_within_a_tenth_of_a_second(redis: OwnValkey, sender: Queues) -> None:
    letters, waits = Letters(), []
    async with receiving(redis.url, queues.SCHEDULER, {SendOutgoing: letters}):
        await sender.send(SendOutgoing())
        await until(lambda: bool(letters.taken))
        for _ in range(10):
            letters.taken.clear()
            began = time.monotonic()
            await sender.send(SendOutgoing())
            await until(lambda: bool(letters.taken))
            waits.append(time.monotonic() - began)
    # Each is sent right after a look into the queue, so none is quicker than the pause between two looks.
    assert min(waits) < 0.1


async def test_every_key_stands_under_our_name(redis: OwnValkey, sender: Queues) -> None:
    held, began = asyncio.Event(), asyncio.Event()

    async def hold(_: Task) -> None:
        began.set()
        await held.wait()

    async with receiving(redis.url, queues.INGEST, {SettleArrivals: hold}):
        await sender.send(SettleArrivals())
        await began.wait()
        await sender.send(SettleArrivals())
        found = await keys(redis)
        held.set()
    assert found
    assert all(key.startswith("parvis:") for key in found)


async def test_letters_are_json_and_carry_their_version(redis: OwnValkey, sender: Queues) -> None:
    task = PollChannel(new_uuid(), new_uuid())
    await sender.send(task)
    async with Redis.from_url(redis.url) as client:
        letters = [await client.get(key) for key in await client.keys("parvis:arq:job:*")]
    assert len(letters) == 1
    assert b'"f":"PollChannel.v1"' in letters[0]
    assert str(task.channel_id).encode() in letters[0]


async def test_a_bell_that_hangs_is_not_hung_twice(redis: OwnValkey, sender: Queues) -> None:
    for _ in range(5):
        await sender.send(SettleArrivals())
    async with Redis.from_url(redis.url) as client:
        assert await client.zcard(queues.INGEST) == 1


async def test_a_bell_rung_while_it_is_answered_is_answered_again(redis: OwnValkey, sender: Queues) -> None:
    began, held, calls = asyncio.Event(), asyncio.Event(), Letters()

    async def answer(task: Task) -> None:
        await calls(task)
        if len(calls.taken) == 1:
            began.set()
            await held.wait()

    async with receiving(redis.url, queues.INGEST, {SettleArrivals: answer}):
        await sender.send(SettleArrivals())
        await began.wait()
        await sender.send(SettleArrivals())
        held.set()
        await until(lambda: len(calls.taken) == 2)


async def test_a_sent_task_may_be_sent_again_at_once(redis: OwnValkey, sender: Queues) -> None:
    task, letters = PollChannel(new_uuid(), new_uuid()), Letters()
    async with receiving(redis.url, queues.INGEST, {PollChannel: letters}):
        for number in range(1, 4):
            await sender.send(task)
            await until(lambda number=number: len(letters.taken) == number)  # type: ignore[misc]
    assert letters.taken == [task] * 3


async def test_many_rings_become_few_letters(redis: OwnValkey, sender: Queues) -> None:
    letters, last, bells = Letters(), Letters(), Queues(redis.url)
    async with receiving(redis.url, queues.INGEST, {SettleArrivals: letters, PollChannel: last}):
        for _ in range(200):
            bells.ring(SettleArrivals())
        await until(lambda: bool(letters.taken))
        await bells.close()
        await sender.send(PollChannel(new_uuid(), new_uuid()))
        await until(lambda: bool(last.taken))
    assert len(letters.taken) <= 3


async def test_the_last_ring_is_heard_before_the_sender_closes(redis: OwnValkey) -> None:
    sender = Queues(redis.url)
    sender.ring(DeliverWebhooks())
    await sender.close()
    async with Redis.from_url(redis.url) as client:
        assert await client.zcard(queues.SCHEDULER) == 1


async def test_a_failing_handler_does_not_stop_the_queue(redis: OwnValkey, sender: Queues) -> None:
    letters = Letters()

    async def fail(task: Task) -> None:
        await letters(task)
        raise ValueError("broken")

    async with receiving(redis.url, queues.INGEST, {PollChannel: fail}):
        for number in range(1, 3):
            await sender.send(PollChannel(new_uuid(), new_uuid()))
            await until(lambda number=number: len(letters.taken) == number)  # type: ignore[misc]


async def test_sending_neither_raises_nor_waits_while_redis_is_away(redis: OwnValkey, sender: Queues) -> None:
    redis.kill()
    began = time.monotonic()
    assert [await sender.send(SendOutgoing()) for _ in range(20)] == [False] * 20
    await sender.publish([new_uuid()])
    assert time.monotonic() - began < 20 * queues.SENDING_SECONDS / 2
    assert not await sender.is_up()


async def test_a_server_that_says_nothing_is_waited_for_once_and_then_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = Queues(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        assert [await sender.send(SendOutgoing()) for _ in range(5)] == [False] * 5
        assert time.monotonic() - began < 4 * queues.SENDING_SECONDS
        await sender.close()


async def test_both_sides_come_back_with_redis(redis: OwnValkey, sender: Queues) -> None:
    letters = Letters()
    async with receiving(redis.url, queues.INGEST, {PollChannel: letters}):
        await sender.send(PollChannel(new_uuid(), new_uuid()))
        await until(lambda: len(letters.taken) == 1)
        redis.kill()
        await asyncio.sleep(0.3)
        assert not await sender.send(PollChannel(new_uuid(), new_uuid()))
        await redis.start()
        async with asyncio.timeout(30):
            while not await sender.send(PollChannel(new_uuid(), new_uuid())):
                await asyncio.sleep(0.05)
        await until(lambda: len(letters.taken) == 2)
    assert await sender.is_up()


async def test_a_worker_may_start_before_redis(tmp_path: Path) -> None:
    server, letters = OwnValkey(tmp_path), Letters()
    async with receiving(server.url, queues.INGEST, {SettleArrivals: letters}):
        await asyncio.sleep(0.3)
        await server.start()
        sender = Queues(server.url)
        await sender.send(SettleArrivals())
        await until(lambda: bool(letters.taken))
        await sender.close()
    server.kill()


async def test_a_worker_goes_on_after_everything_was_flushed(redis: OwnValkey, sender: Queues) -> None:
    letters, began, held = Letters(), asyncio.Event(), asyncio.Event()

    async def hold(task: Task) -> None:
        await letters(task)
        began.set()
        await held.wait()

    async with receiving(redis.url, queues.INGEST, {SettleArrivals: hold}):
        await sender.send(SettleArrivals())
        await began.wait()
        async with Redis.from_url(redis.url) as client:
            await client.flushall()
        held.set()
        await sender.send(SettleArrivals())
        await until(lambda: len(letters.taken) == 2)


async def test_a_stopping_worker_finishes_what_it_has_in_hand(redis: OwnValkey, sender: Queues) -> None:
    began, finished = asyncio.Event(), asyncio.Event()

    async def slow(_: Task) -> None:
        began.set()
        await asyncio.sleep(0.3)
        finished.set()

    async with receiving(redis.url, queues.INGEST, {SettleArrivals: slow}):
        await sender.send(SettleArrivals())
        await began.wait()
    assert finished.is_set()


@pytest.mark.parametrize("moment", range(8))
async def test_a_worker_that_is_cancelled_while_it_stops_leaves_nothing_open(
    redis: OwnValkey, sender: Queues, moment: int
) -> None:
    began, stop, others = asyncio.Event(), asyncio.Event(), asyncio.all_tasks()

    async def hold(_: Task) -> None:
        began.set()
        await asyncio.sleep(60)

    run = queues.run_worker(redis.url, queues.INGEST, {SettleArrivals: hold}, stop, grace=0.1)
    worker = asyncio.create_task(run)
    await sender.send(SettleArrivals())
    await began.wait()
    stop.set()
    for _ in range(3):
        await asyncio.sleep(moment * 0.02)
        worker.cancel()
    await asyncio.wait({worker})
    assert not asyncio.all_tasks() - others
    await sender.close()
    async with Redis.from_url(redis.url) as client:
        await only_we_are_connected(client)


async def test_what_is_sent_after_closing_opens_nothing_again(redis: OwnValkey) -> None:
    sender = Queues(redis.url)
    await sender.send(SettleArrivals())
    await sender.close()
    sender.ring(DeliverWebhooks())
    assert not await sender.send(SendOutgoing())
    await anext(sender.subscription(new_uuid()))
    async with Redis.from_url(redis.url) as client:
        await only_we_are_connected(client)
        assert await client.zcard(queues.SCHEDULER) == 0


async def seconds_of(wait: Awaitable[None]) -> float:
    began = time.monotonic()
    await wait
    return time.monotonic() - began


async def hears(bells: AsyncIterator[None], sender: Queues, brand: UUID) -> None:
    """Wait until three bells in a row were heard at once, rather than found by the clock."""
    quick = 0
    async with asyncio.timeout(60):
        while quick < 3:
            await sender.publish([brand])
            quick = quick + 1 if await seconds_of(anext(bells)) < 0.5 else 0


async def test_a_subscription_hears_its_own_brand_only(redis: OwnValkey, sender: Queues) -> None:
    brand, other = new_uuid(), new_uuid()
    listener = Queues(redis.url)
    bells = listener.subscription(brand)
    await anext(bells)
    await hears(bells, sender, brand)
    while await seconds_of(anext(bells)) < 0.8:
        pass  # what still rings of its own
    await sender.publish([other])
    assert await seconds_of(anext(bells)) > 0.8  # by the clock, not by the other brand's bell
    await bells.aclose()  # type: ignore[attr-defined]
    await listener.close()


async def test_a_subscription_goes_on_by_the_clock_without_redis(redis: OwnValkey) -> None:
    redis.kill()
    listener = Queues(redis.url)
    bells = listener.subscription(new_uuid())
    async with asyncio.timeout(30):
        for _ in range(3):
            await anext(bells)
    await bells.aclose()  # type: ignore[attr-defined]
    await listener.close()


async def test_a_subscription_hears_again_after_redis_returned(redis: OwnValkey, sender: Queues) -> None:
    brand, listener = new_uuid(), Queues(redis.url)
    bells = listener.subscription(brand)
    await anext(bells)
    redis.kill()
    await asyncio.sleep(0.1)
    await redis.start()
    await hears(bells, sender, brand)
    await bells.aclose()  # type: ignore[attr-defined]
    await listener.close()
