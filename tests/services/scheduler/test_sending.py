"""What is due goes out once: with two schedulers, with networks that lie, after kill -9."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process

import asyncpg

from services.local.plan import environment
from services.local.servers import ServerUrls
from shared.domain import scope as scopes
from shared.domain.events import feed
from shared.models.enums import PostStatus
from tests.services.scheduler.conftest import Yard, receiver, until


async def test_a_post_goes_out_and_is_published(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler():
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.PUBLISHED)
        assert [one["text"] for one in network.taken] == ["Bonjour"]


async def test_two_schedulers_send_each_effect_once(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler(), yard.scheduler():
        channels = [await yard.channel(network), await yard.channel(network)]
        made = [await yard.publish(*channels, text=str(n)) for n in range(15)]
        for post in made:
            await yard.becomes(post, PostStatus.PUBLISHED)
        assert len(network.ids) == len(set(network.ids)) == 30


async def test_what_was_taken_and_answered_with_an_error_is_found_and_not_repeated(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler():
        network.faults = [(True, 500, 0)]
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.PUBLISHED)
        assert len(network.taken) == 1
        assert network.looks == network.ids


async def test_what_was_taken_without_an_answer_in_time_is_found_and_not_repeated(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler():
        network.faults = [(True, 200, 4)]
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.PUBLISHED)
        assert len(network.taken) == 1


async def test_what_was_not_taken_is_sent_again_once_that_is_certain(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler():
        network.faults = [(False, 500, 0)]
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.PUBLISHED)
        assert len(network.taken) == 1
        assert len(network.looks) >= 2


async def test_a_refusal_fails_the_post(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler():
        network.faults = [(False, 422, 0)]
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.FAILED)


async def test_a_dead_login_holds_the_post(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler():
        network.faults = [(False, 401, 0)]
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.HELD)


async def test_a_slow_network_delays_nobody_else_and_is_called_several_times_at_once(yard: Yard) -> None:
    async with (
        receiver() as slow,
        receiver() as quick,
        yard.scheduler(send_timeout_seconds=100, lease_seconds=200, shutdown_seconds=1),
    ):
        slow.faults = [(True, 200, 90)] * 20
        crawling = await yard.channel(slow)
        for n in range(18):
            await yard.publish(crawling, text=str(n))
        post = await yard.publish(await yard.channel(quick))
        await yard.becomes(post, PostStatus.PUBLISHED)

        async def are_called() -> bool:
            return slow.at_once >= 4

        await until(are_called)


async def start(yard: Yard, **changes: object) -> Process:
    settings = yard.settings(**changes)
    env = {
        **environment(settings),
        "PARVIS_LEASE_SECONDS": str(settings.lease_seconds),
        "PARVIS_SEND_TIMEOUT_SECONDS": str(settings.send_timeout_seconds),
        "PARVIS_RETRY_FIRST_SECONDS": str(settings.retry_first_seconds),
    }
    env["PARVIS_SECRET_KEYS"] = "a key of the tests"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.scheduler", env=env, stderr=asyncio.subprocess.DEVNULL
    )


async def test_killed_between_the_call_and_its_settling_it_is_found_and_not_repeated(yard: Yard) -> None:
    async with receiver() as network:
        network.faults = [(True, 200, 30)]
        victim = await start(yard, lease_seconds=4, send_timeout_seconds=30)
        try:
            post = await yard.publish(await yard.channel(network))
            await until(network.has_taken)
        finally:
            victim.send_signal(signal.SIGKILL)
            await victim.wait()
        assert await yard.status(post) is PostStatus.PUBLISHING
        async with yard.scheduler():
            await yard.becomes(post, PostStatus.PUBLISHED)
        assert len(network.taken) == 1
        assert network.looks == network.ids


async def test_sigterm_lets_what_is_in_flight_arrive(yard: Yard) -> None:
    async with receiver() as network:
        network.faults = [(True, 200, 1.5)]
        served = await start(yard, lease_seconds=60, send_timeout_seconds=30)
        try:
            post = await yard.publish(await yard.channel(network))
            await until(network.has_taken)
            served.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(served.wait(), 30) == 0
        finally:
            if served.returncode is None:
                served.kill()
                await served.wait()
        assert await yard.status(post) is PostStatus.PUBLISHED


async def test_postgres_ending_every_connection_loses_and_repeats_nothing(yard: Yard, servers: ServerUrls) -> None:
    superuser = await asyncpg.connect(servers.superuser)
    async with receiver() as network, yard.scheduler():
        channel = await yard.channel(network)
        made = []
        for n in range(6):
            made.append(await yard.publish(channel, text=str(n)))
            ended = 0
            async with asyncio.timeout(60):
                while not ended:
                    ended = await superuser.fetchval(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE datname = $1 AND usename = $2",
                        yard.database.name,
                        "parvis_worker",
                    )
        for post in made:
            await yard.becomes(post, PostStatus.PUBLISHED)
        assert len(network.ids) == len(set(network.ids)) == 6
    await superuser.close()


async def test_without_redis_everything_still_goes_out(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler(redis_url="redis://127.0.0.1:1/0"):
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.PUBLISHED)


async def test_the_facts_of_sending_are_numbered(yard: Yard) -> None:
    async with receiver() as network, yard.scheduler():
        post = await yard.publish(await yard.channel(network))
        await yard.becomes(post, PostStatus.PUBLISHED)

        async def is_numbered() -> bool:
            async with yard.app.reading() as session:
                scope = await scopes.house(session, yard.brand.brand_id)
                found = [e for e in await feed.after(session, scope, after=0) if e.thing_id == post.id]
            return [e.payload["status"] for e in found][-1:] == ["published"]

        await until(is_numbered)


async def check(yard: Yard) -> int:
    asked = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.scheduler",
        "--check",
        env={**os.environ, "PARVIS_WORKER_DATABASE_URL": yard.database.worker_url},
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await asked.wait()


async def test_the_health_check_tells_whether_a_scheduler_is_alive(yard: Yard) -> None:
    assert await check(yard) == 1
    async with yard.scheduler():

        async def is_alive() -> bool:
            return await check(yard) == 0

        await until(is_alive)
