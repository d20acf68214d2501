"""Mentions are looked at again, a few with every turn, going round."""

import asyncio

from services.ingest import handlers, rechecking
from services.logins import Logins
from tests.conftest import HouseChannel
from tests.services.ingest.practice import SANDBOX, Practice


async def look_again(network: Practice, channel: HouseChannel) -> None:
    """One turn's look, without the poll before it, which would tell of edits and deletions by itself."""
    worker, row = network.worker, await network.row(channel)
    caller = await Logins(worker.db, worker.vault, worker.http, worker.settings).of(row)
    deadline = asyncio.get_running_loop().time() + 10
    await rechecking.recheck(worker, caller, row, SANDBOX.card, deadline=deadline)
    await handlers.drain(worker)


async def test_what_was_edited_and_deleted_is_found_by_looking_again(network: Practice) -> None:
    channel = await network.channel()
    kept, edited, deleted = [await network.say(text) for text in ("kept", "before", "deleted")]
    await network.turn()
    await network.people.patch(f"/api/posts/{edited}", json={"text": "after"})
    await network.people.delete(f"/api/posts/{deleted}")
    await network.people.post(f"/api/posts/{kept}/reactions", json={"as": "jo"})

    await look_again(network, channel)

    assert await network.texts() == ["after", "kept"]
    assert await network.eyes.fetchval("SELECT likes FROM mention WHERE text = 'kept'") == 1


async def test_looking_again_changes_nothing_where_nothing_has_changed(network: Practice) -> None:
    await network.channel()
    await network.say("kept")
    await network.turn()
    before = await network.eyes.fetchrow("SELECT version, edited_at, version_stamp FROM mention")

    await network.turn()
    await network.turn()

    assert await network.eyes.fetchrow("SELECT version, edited_at, version_stamp FROM mention") == before
    assert await network.eyes.fetchval("SELECT count(*) FROM edit") == 0


async def test_the_looks_go_round(network: Practice) -> None:
    channel = await network.channel()
    for number in range(30):
        await network.say(f"number {number}")
    await network.turn()  # hears them
    await network.turn()
    first = (await network.row(channel)).recheck_cursor

    await network.turn()
    second = (await network.row(channel)).recheck_cursor
    await network.turn()

    assert first is not None
    assert (second, (await network.row(channel)).recheck_cursor) == (None, first)


async def test_what_is_older_than_the_networks_card_says_is_not_looked_at_again(network: Practice) -> None:
    channel = await network.channel()
    await network.say("old")
    await network.turn()
    await network.eyes.execute("UPDATE mention SET published_at = now() - interval '8 days'")
    arrivals = await network.eyes.fetchval("SELECT count(*) FROM arrival")

    await look_again(network, channel)

    assert await network.eyes.fetchval("SELECT count(*) FROM arrival") == arrivals


async def test_a_look_that_fails_is_made_again_and_fails_nothing_else(network: Practice) -> None:
    channel = await network.channel()
    edited = await network.say("before")
    await network.turn()
    await network.people.patch(f"/api/posts/{edited}", json={"text": "after"})
    await network.fault("/api/v1/posts", "500")

    await look_again(network, channel)
    assert await network.texts() == ["before"]
    await look_again(network, channel)

    assert await network.texts() == ["after"]
    assert await network.holes(channel) == []
