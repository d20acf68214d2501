"""Backfills: page by page, watched, called off, and said to have reached what they have reached."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.ingest.asking import Asking
from shared.connectors.registry import connector
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.listening import backfills
from shared.errors import Conflict, Invalid
from shared.models.enums import ChannelStatus, Network, OperationStatus
from shared.models.operation import Operation
from tests.conftest import House, HouseChannel
from tests.services.ingest.practice import SANDBOX, Practice

HISTORY = "/api/v1/history"


async def start(network: Practice, channel: HouseChannel, since: datetime | None = None) -> UUID:
    now = datetime.now(UTC)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        made = await backfills.start(
            session, scope, channel.id, since=since or now - timedelta(days=30), card=SANDBOX.card, now=now
        )
    return made.id


async def operation(network: Practice, id_: UUID) -> Operation:
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        return await backfills.get(session, scope, id_)


async def quiet(network: Practice, posts: int) -> HouseChannel:
    """A channel that is not polled, of a page on which so much was said."""
    channel = await network.channel()
    await network.eyes.execute("DELETE FROM due_poll")
    for number in range(posts):
        await network.say(f"number {number:03}")
    return channel


async def test_everything_since_then_is_brought_and_said_to_be(network: Practice) -> None:
    channel = await quiet(network, 230)
    since = datetime.now(UTC) - timedelta(days=30)

    id_ = await start(network, channel, since)
    await network.turn()

    done = await operation(network, id_)
    assert len(await network.texts()) == 230
    assert (done.status, done.pages, done.arrivals) == (OperationStatus.SUCCEEDED, 3, 3)
    assert (done.reached_at, done.is_over) == (since, True)
    covered = await network.eyes.fetchrow("SELECT kind, via, from_at, to_at FROM coverage WHERE via = 'backfill'")
    assert covered is not None
    assert tuple(covered) == ("backfilled", "backfill", since, done.created_at)
    assert await network.eyes.fetchval("SELECT count(*) FROM due_operation") == 0


async def test_one_page_a_turn_with_progress_in_between(network: Practice) -> None:
    channel = await quiet(network, 150)
    id_ = await start(network, channel)
    asking = Asking(network.worker)

    await asking.round()
    await asking.finish(20)

    half = await operation(network, id_)
    oldest = await network.eyes.fetchval("SELECT min(received_at) FROM arrival")
    assert (half.status, half.pages, half.is_over) == (OperationStatus.RUNNING, 1, False)
    assert half.reached_at is not None
    assert half.since < half.reached_at < oldest
    assert backfills.progress(half)["message"].endswith("1 arrivals")


async def test_what_a_network_does_not_show_any_more_is_not_said_to_be_reached(network: Practice) -> None:
    channel = await quiet(network, 3)
    await network.habits(forgets=3600)

    id_ = await start(network, channel)
    await network.turn()

    done = await operation(network, id_)
    assert done.status is OperationStatus.SUCCEEDED
    assert done.reached_at is not None
    assert timedelta(minutes=59) < datetime.now(UTC) - done.reached_at < timedelta(minutes=61)


async def test_what_is_called_off_ends_and_what_it_brought_stays(network: Practice) -> None:
    channel = await quiet(network, 230)
    id_ = await start(network, channel)
    asking = Asking(network.worker)
    await asking.round()
    await asking.finish(20)

    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        await backfills.cancel(session, scope, id_, now=datetime.now(UTC))
    await network.turn()

    assert (await operation(network, id_)).status is OperationStatus.CANCELLED
    assert len(await network.texts()) == 100
    assert await network.eyes.fetchval("SELECT count(*) FROM due_operation") == 0


async def test_what_is_over_is_not_called_off(network: Practice) -> None:
    id_ = await start(network, await quiet(network, 1))
    await network.turn()
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        with pytest.raises(Conflict, match="succeeded already"):
            await backfills.cancel(session, scope, id_, now=datetime.now(UTC))


async def test_a_channel_is_looked_back_upon_by_one_at_a_time(network: Practice) -> None:
    channel = await quiet(network, 1)
    await start(network, channel)
    with pytest.raises(Conflict, match="already looked back upon"):
        await start(network, channel)


async def test_since_lies_before_now(network: Practice) -> None:
    channel = await quiet(network, 1)
    with pytest.raises(Invalid, match="before now"):
        await start(network, channel, datetime.now(UTC) + timedelta(hours=1))


async def test_a_network_that_cannot_look_back_says_so(network: Practice, house: House) -> None:
    generic = await house.channel(network.brand)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        now, card = datetime.now(UTC), connector(Network.GENERIC).card
        with pytest.raises(Invalid, match="shows nothing of before"):
            await backfills.start(session, scope, generic.id, since=now - timedelta(1), card=card, now=now)


async def test_what_fails_for_now_goes_on_where_it_was(network: Practice) -> None:
    channel = await quiet(network, 150)
    id_ = await start(network, channel)
    asking = Asking(network.worker)
    await asking.round()
    await asking.finish(20)
    await network.fault(HISTORY, "500")

    await network.turn()
    assert (await operation(network, id_)).status is OperationStatus.RUNNING
    await network.turn()

    done = await operation(network, id_)
    assert (done.status, done.pages) == (OperationStatus.SUCCEEDED, 2)


async def test_what_is_refused_fails_with_the_reason(network: Practice) -> None:
    id_ = await start(network, await quiet(network, 1))
    await network.fault(HISTORY, "403")

    await network.turn()

    failed = await operation(network, id_)
    assert (failed.status, (failed.problem or {})["code"]) == (OperationStatus.FAILED, "refused")


async def test_removing_a_channel_ends_what_looks_back_upon_it(network: Practice) -> None:
    channel = await quiet(network, 1)
    id_ = await start(network, channel)
    async with network.house.owner_db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        await channels.remove(session, scope, channel.id, now=datetime.now(UTC))

    assert (await operation(network, id_)).status is OperationStatus.CANCELLED


async def test_a_dead_login_lets_it_wait_for_a_new_one(network: Practice) -> None:
    channel = await quiet(network, 1)
    id_ = await start(network, channel)
    await network.fault(HISTORY, "401")

    await network.turn()
    assert (await network.row(channel)).status is ChannelStatus.LOGIN_DEAD
    assert (await operation(network, id_)).status is OperationStatus.RUNNING
    await network.eyes.execute("UPDATE channel SET status = 'active'")
    await network.turn()

    assert (await operation(network, id_)).status is OperationStatus.SUCCEEDED
