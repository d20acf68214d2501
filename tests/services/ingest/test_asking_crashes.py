"""A worker dies before any of its commits while it asks, and what was said ends as if none had died."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from services.ingest import handlers
from services.ingest.asking import Asking
from shared.domain import scope as scopes
from shared.domain.listening import backfills
from shared.models.enums import ChannelStatus
from tests.conftest import HouseChannel, TestDatabase
from tests.services.ingest.practice import SANDBOX, Died, Dying, Practice
from tests.services.ingest.test_fetching import named

_MOST = 40  # commits that such a worker makes at most


async def ask_and_die(network: Practice, url: str, dies_in: int) -> bool:
    """Let a worker ask for whatever is due until it dies; whether it did."""
    db = Dying(url, dies_in)
    asking = Asking(network.with_db(db))
    with contextlib.suppress(Died):
        while not await asking.round():
            await asking.finish(30)
    await asking.finish(30)
    await db.close()
    return db.is_dead


async def look_back(network: Practice, channel: HouseChannel) -> None:
    now = datetime.now(UTC)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await backfills.start(session, scope, channel.id, since=now - timedelta(days=1), card=SANDBOX.card, now=now)


async def test_nothing_is_lost_or_heard_twice(network: Practice, database: TestDatabase) -> None:
    channel = await network.channel()
    said = [await network.say(f"before {number:03}") for number in range(60)]
    texts = [f"before {number:03}" for number in range(60)]
    for dies_in in range(1, _MOST):
        texts.append(f"while the worker dies, {dies_in:02}")
        said.append(await network.say(texts[-1]))
        await look_back(network, channel)
        await named(network, channel, said[-1])
        await network.all_due()

        died = await ask_and_die(network, database.worker_url, dies_in)
        await handlers.drain(network.worker)
        await network.turn()

        assert await network.texts() == texts
        assert await network.eyes.fetchval("SELECT sum(mentions) FROM rollup_day") == len(texts)
        assert await network.eyes.fetchval("SELECT count(*) FROM operation WHERE status <> 'succeeded'") == 0
        for queue in ("due_fetch", "due_operation"):
            assert await network.eyes.fetchval(f"SELECT count(*) FROM {queue}") == 0
        if not died:
            break
    assert dies_in > 10
    assert not died
    assert (await network.row(channel)).status is ChannelStatus.ACTIVE


@pytest.mark.parametrize("dies_in", [1, 2, 3, 4])
async def test_a_login_is_renewed_by_whoever_comes_after_one_that_died_before_it_asked(
    network: Practice, database: TestDatabase, dies_in: int
) -> None:
    channel = await network.channel(seconds=3600)
    before = await network.login(channel)
    await network.eyes.execute("DELETE FROM due_poll")
    await network.all_due()

    # None of the first commits of such a worker comes after the network's answer.
    assert await ask_and_die(network, database.worker_url, dies_in)
    assert await network.login(channel) == before
    await network.turn()

    assert (await network.login(channel)).credentials != before.credentials
    assert (await network.row(channel)).status is ChannelStatus.ACTIVE
