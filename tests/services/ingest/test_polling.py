"""Polling, whatever the network says: obeyed, bounded, said, nothing lost, and other channels untouched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.ingest import handlers
from services.sandbox.app import create_app
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.models.enums import ChannelStatus
from tests.conftest import NOW
from tests.services.ingest.practice import SANDBOX, Practice
from tests.services.ingest.turning import take_all
from tests.services.sandbox.conftest import served

LOG = "/api/v1/posts"


async def test_what_was_said_comes_page_after_page(network: Practice) -> None:
    channel = await network.channel()
    for number in range(230):
        await network.say(f"number {number}")

    await network.turn()

    assert len(await network.texts()) == 230
    assert (await network.row(channel)).poll_cursor == "230"
    assert 50 < await network.polled_in(channel) < 70


async def test_a_wait_that_the_network_asks_for_is_kept(network: Practice) -> None:
    channel = await network.channel()
    await network.habits(wait=500)

    await network.turn()

    assert 490 < await network.polled_in(channel) < 510


async def test_a_network_that_says_too_fast_is_left_alone_for_as_long_as_it_says(network: Practice) -> None:
    channel = await network.channel()
    await network.fault(LOG, {"type": "status", "status": 429, "retry_after": 300})

    await network.turn()

    assert 295 < await network.polled_in(channel) < 365
    assert (await network.row(channel)).status is ChannelStatus.ACTIVE


async def test_what_fails_comes_back_later_each_time_and_is_a_hole_until_it_succeeds(network: Practice) -> None:
    channel = await network.channel()
    await network.turn()
    await network.fault(LOG, "500", count=2)
    await network.say("heard later")

    await network.turn()
    first = await network.polled_in(channel)
    await network.turn()
    second = await network.polled_in(channel)

    assert (95 < first < 145, 190 < second < 290) == (True, True)
    assert await network.holes(channel) == ["the network answered with status 500"]
    assert await network.eyes.fetchval("SELECT to_at FROM coverage WHERE kind = 'hole'") is None
    await network.turn()
    assert await network.texts() == ["heard later"]
    assert await network.eyes.fetchval("SELECT to_at IS NOT NULL FROM coverage WHERE kind = 'hole'")
    assert await network.eyes.fetchval("SELECT failures FROM due_poll") == 0


async def test_the_same_page_for_ever_ends_the_turn(network: Practice) -> None:
    channel = await network.channel()
    await network.say("once")
    await network.habits(stuck=True)

    await network.turn()

    assert await network.texts() == ["once"]
    assert await network.eyes.fetchval("SELECT count(*) FROM arrival") <= 2
    assert await network.polled_in(channel) > 50


async def test_a_place_that_the_network_no_longer_knows_is_said_and_left(network: Practice) -> None:
    channel = await network.channel()
    await network.turn()
    await network.say("bonjour")
    await network.eyes.execute("UPDATE channel SET poll_cursor = 'a place of long ago'")

    await network.turn()

    assert await network.texts() == ["bonjour"]
    assert await network.holes(channel) == ["the network no longer knows the place that the last poll had reached"]
    assert (await network.row(channel)).poll_cursor == "1"
    # What was said in the hole is looked for, since this network can look back.
    assert await network.eyes.fetchval("SELECT status FROM operation") == "succeeded"


async def test_a_refusal_without_a_place_is_a_failure_and_the_place_is_kept(network: Practice) -> None:
    channel = await network.channel()
    await network.say("bonjour")
    await network.turn()
    await network.fault(LOG, "403", count=2)

    await network.turn()

    assert (await network.row(channel)).poll_cursor == "1"
    assert await network.eyes.fetchval("SELECT failures FROM due_poll") == 1


async def test_a_page_that_was_deleted_pauses_its_channel_and_says_so_once(network: Practice) -> None:
    channel = await network.channel()
    await network.turn()
    await network.habits(gone=True)

    await network.turn()
    await network.turn()

    row = await network.row(channel)
    assert (row.status, row.status_reason) == (ChannelStatus.PAUSED, "the network says that this page was deleted")
    assert [(finding["ok"], finding["code"]) for finding in row.findings] == [(False, "gone")]
    assert await network.told(channel, "channel.gone") == 1
    assert await network.eyes.fetchval("SELECT count(*) FROM due_poll") == 0


async def test_a_page_that_has_come_back_is_polled_again_once_a_person_resumes_it(network: Practice) -> None:
    channel = await network.channel()
    await network.habits(gone=True)
    await network.turn()
    await network.habits()
    await network.say("back")

    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        await channels.resume(session, scope, channel.id, card=SANDBOX.card, now=datetime.now(UTC))
    await network.turn()

    assert await network.texts() == ["back"]


async def test_an_address_that_has_moved_is_the_channels_from_then_on(network: Practice, tmp_path: Path) -> None:
    channel = await network.channel()
    async with served(lambda url: create_app(tmp_path / "elsewhere" / "sandbox.db", url)) as elsewhere:
        await network.habits(moved=elsewhere)
        await network.turn()

    row = await network.row(channel)
    assert (row.base_url, await network.told(channel, "channel.moved")) == (elsewhere, 1)


@pytest.mark.parametrize("address", ["http://10.0.0.1/", "https://169.254.169.254/", "ftp://127.0.0.1/"])
async def test_an_address_that_may_not_be_called_is_not_moved_to(network: Practice, address: str) -> None:
    channel = await network.channel()
    await network.habits(moved=address)

    await network.turn()

    assert (await network.row(channel)).base_url == network.url


async def test_a_time_in_which_nobody_polled_is_a_hole_and_looked_back_upon(network: Practice) -> None:
    channel = await network.channel()
    await network.turn()
    await network.eyes.execute("UPDATE channel SET last_polled_at = now() - interval '2 hours'")
    await network.eyes.execute("UPDATE due_poll SET due_at = now() - interval '119 minutes'")
    await network.eyes.execute("UPDATE coverage SET from_at = now() - interval '3 hours'")
    await network.say("while nobody looked")

    await take_all(network.worker)
    await handlers.drain(network.worker)

    assert await network.holes(channel) == ["nobody polled it"]
    hole = await network.eyes.fetchrow("SELECT from_at, to_at FROM coverage WHERE kind = 'hole'")
    assert hole is not None
    assert timedelta(minutes=119) < hole["to_at"] - hole["from_at"] < timedelta(minutes=121)
    back = await network.eyes.fetchrow("SELECT status, since, reached_at FROM operation")
    assert back is not None
    assert (back["status"], back["since"]) == ("succeeded", hole["from_at"])
    assert await network.texts() == ["while nobody looked"]


async def test_a_long_wait_that_the_network_asked_for_is_no_hole(network: Practice) -> None:
    channel = await network.channel()
    await network.turn()
    await network.eyes.execute("UPDATE channel SET last_polled_at = now() - interval '6 hours'")

    await network.turn()

    assert await network.holes(channel) == []


async def test_a_channel_follows_its_terms(network: Practice) -> None:
    await network.channel(terms=("lanterne",))
    await network.say("La LANTERNE du parvis", account="elsewhere")
    await network.say("something else", account="elsewhere")
    await network.say("chez nous")

    await network.turn()

    assert await network.texts() == ["La LANTERNE du parvis", "chez nous"]


async def test_the_channels_of_a_removed_channels_brand_are_left_alone(network: Practice) -> None:
    channel = await network.channel()
    async with network.house.owner_db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        await channels.remove(session, scope, channel.id, now=NOW)
    await network.say("too late")

    await network.turn()

    assert await network.texts() == []
    for table in ("due_poll", "due_upkeep", "due_fetch", "due_operation"):
        assert await network.eyes.fetchval(f"SELECT count(*) FROM {table}") == 0
