"""A subscription that ends by itself is asked for again in time, by a worker that sees no other hook's secret."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.contract import Subscription
from shared.domain import scope as scopes
from shared.domain.brands import channels, hooks, subscriptions
from tests.conftest import House, HouseChannel
from tests.services.ingest.practice import SANDBOX, Practice


async def keep(network: Practice, channel: HouseChannel, subscription: Subscription) -> None:
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await subscriptions.keep(
            session, scope, network.worker.vault, channel.id, subscription, card=SANDBOX.card, now=datetime.now(UTC)
        )


async def webhook(network: Practice, channel: HouseChannel) -> object:
    token = (await network.login(channel)).credentials["access_token"]
    answer = await network.people.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})
    return answer.json()["webhook"]


async def test_a_subscription_that_ends_is_asked_for_again_in_time(network: Practice) -> None:
    channel = await network.channel()
    await network.habits(hook_seconds=1000)
    await keep(network, channel, Subscription("", renew_after=timedelta(seconds=5)))
    assert await webhook(network, channel) is None
    before = await network.eyes.fetchval("SELECT due_at - now() FROM due_upkeep WHERE kind = 'subscription'")

    await network.turn()

    assert timedelta(seconds=3) < before < timedelta(seconds=5)
    assert await webhook(network, channel) is not None
    again = await network.eyes.fetchval("SELECT due_at - now() FROM due_upkeep WHERE kind = 'subscription'")
    assert timedelta(seconds=780) < again < timedelta(seconds=800)


async def test_a_subscription_that_lasts_is_not_asked_for_again(network: Practice) -> None:
    channel = await network.channel()
    await keep(network, channel, Subscription("", renew_after=timedelta(seconds=5)))

    await network.turn()

    assert await network.eyes.fetchval("SELECT count(*) FROM due_upkeep") == 0
    assert (await network.row(channel)).subscribe_at is None


async def test_a_subscription_that_can_not_be_had_now_is_asked_for_again(network: Practice) -> None:
    channel = await network.channel()
    await keep(network, channel, Subscription("", renew_after=timedelta(seconds=5)))
    await network.fault("/api/v1/webhook", "500", method="PUT")

    await network.turn()
    assert await network.eyes.fetchval("SELECT failures FROM due_upkeep") == 1
    await network.turn()

    assert await webhook(network, channel) is not None


async def test_what_the_network_brings_along_is_kept_in_front_of_what_was_there(network: Practice) -> None:
    channel = await network.channel()

    await keep(network, channel, Subscription("", secret="newer", verify_token="a topic"))

    async with network.house.owner_db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        row = await channels.get(session, scope, channel.id)
        hook = (await hooks.by_ids(session, scope, [row.hook_id]))[row.hook_id]
    secret = hooks.open_secret(network.house.vault, hook.id, hook.secret)
    assert (secret.keys, secret.verify_token) == (("newer", channel.secret), "a topic")
    assert hook.key_digests == hooks.digests(secret.keys)


@pytest.mark.parametrize(
    "statement", ["SELECT parvis.hook_secret(:hook)", "SELECT parvis.keep_hook_secret(:hook, ''::bytea, '{}')"]
)
async def test_a_worker_sees_no_hooks_secret_of_another_brand(network: Practice, house: House, statement: str) -> None:
    ours = await network.channel()
    theirs = await network.channel("theirs", brand=await house.brand("Other"))
    async with network.worker.db.session() as session:
        await scopes.house(session, ours.brand.brand_id)
        with pytest.raises(DBAPIError, match="outside this transaction's scope"):
            await session.execute(text(statement), {"hook": theirs.channel.hook_id})
        await session.rollback()
