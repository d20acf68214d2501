"""What a delivery only named is fetched; what is not there, or can't be had, is said beside the delivery."""

import json
import uuid
from typing import Any

from services.ingest import handlers
from shared.contract import Pointer
from shared.domain import scope as scopes
from shared.domain.listening import pointers
from shared.ids import new_uuid
from shared.models.enums import ChannelStatus, Network
from tests.conftest import NOW, HouseChannel
from tests.services.ingest.practice import Practice

POST = "/api/v1/posts/"


_ARRIVE = """
INSERT INTO arrival (id, hook_id, key, network, source, brand_id, channel_id, unattributed, headers, body, stamp,
  received_at, state, claims, problems, ignored, mention_keys)
VALUES ($1, $2, $3, 'sandbox', $4, $5, $6, false, $7, $8, $9, $9, 'received', 0, '[]', '[]', '{}')
"""


async def arrive(
    network: Practice, channel: HouseChannel, *ids: str, source: str = "webhook", headers: str = "{}", key: str = ""
) -> uuid.UUID:
    """A delivery that only names these posts."""
    arrival = new_uuid()
    changes = [{"verb": "named", "at": "2026-11-20T08:00:00Z", "post_id": id_} for id_ in ids]
    body = json.dumps({"object": "sandbox", "account": "cafe", "changes": changes}).encode()
    await network.eyes.execute(
        _ARRIVE, arrival, channel.channel.hook_id, key or uuid.uuid4().hex, source, channel.brand.brand_id, channel.id,
        headers, body, NOW,
    )  # fmt: skip
    return arrival


async def named(network: Practice, channel: HouseChannel, *ids: str) -> uuid.UUID:
    """A delivery that only names these posts, settled."""
    arrival = await arrive(network, channel, *ids)
    await handlers.drain(network.worker)
    return arrival


async def problems(network: Practice, arrival: uuid.UUID) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        await network.eyes.fetchval("SELECT problems FROM arrival WHERE id = $1", arrival)
    )
    return found


async def quiet(network: Practice) -> HouseChannel:
    """A channel that is not polled, so that only what is fetched is heard."""
    channel = await network.channel()
    await network.eyes.execute("DELETE FROM due_poll")
    return channel


async def test_what_was_only_named_is_fetched_and_heard(network: Practice) -> None:
    channel = await quiet(network)
    said = await network.say("bonjour", kind="comment")

    arrival = await named(network, channel, said, said)
    assert await network.texts() == []
    await network.turn()

    assert await network.texts() == ["bonjour"]
    rows = await network.eyes.fetch("SELECT source, state FROM arrival ORDER BY received_at")
    assert [(row["source"], row["state"]) for row in rows] == [("webhook", "settled"), ("fetch", "settled")]
    assert await problems(network, arrival) == []
    assert await network.eyes.fetchval("SELECT count(*) FROM due_fetch") == 0


async def test_what_is_not_there_is_said_beside_the_delivery_that_named_it(network: Practice) -> None:
    channel = await quiet(network)
    said = await network.say("bonjour")

    arrival = await named(network, channel, "p_nowhere", said)
    await network.turn()

    assert await network.texts() == ["bonjour"]
    [problem] = await problems(network, arrival)
    assert problem["code"] == "not_there"
    assert problem["message"].startswith("post p_nowhere: it is not there")
    assert await network.eyes.fetchval("SELECT count(*) FROM due_fetch") == 0


async def test_what_fails_for_now_comes_again_and_ends_after_some_tries(network: Practice) -> None:
    channel = await quiet(network)
    said = await network.say("bonjour")
    await network.fault(POST + said, "500", count=1000)
    arrival = await named(network, channel, said)

    for _ in range(network.worker.settings.retry_times):
        await network.turn()
        assert await problems(network, arrival) == []
    await network.turn()

    [problem] = await problems(network, arrival)
    assert problem["code"] == "not_fetched"
    assert "given up after 9 tries" in problem["message"]
    assert await network.eyes.fetchval("SELECT count(*) FROM due_fetch") == 0


async def test_what_is_named_again_while_it_is_fetched_is_fetched_again(network: Practice) -> None:
    channel = await quiet(network)
    said = await network.say("first")
    await named(network, channel, said)
    await network.eyes.execute("UPDATE due_fetch SET leased_until = now() + interval '1 minute'")

    await named(network, channel, said)

    due = await network.eyes.fetchrow("SELECT leased_until, due_at <= now() AS is_due FROM due_fetch")
    assert due is not None
    assert (due["leased_until"], due["is_due"]) == (None, True)


async def test_what_only_names_further_things_is_not_followed_for_ever(network: Practice) -> None:
    channel = await quiet(network)
    await network.say("bonjour")
    for depth in ("2", "3"):
        headers = json.dumps({"parvis-depth": depth})
        await arrive(network, channel, "p_further", source="fetch", headers=headers, key=depth)
    await handlers.drain(network.worker)

    rows = await network.eyes.fetch("SELECT key, state, ignored FROM arrival ORDER BY key")
    assert [(row["key"], row["state"]) for row in rows] == [("2", "settled"), ("3", "ignored")]
    assert json.loads(rows[1]["ignored"]) == [{"reason": "only named, not told: post p_further"}]
    assert await network.eyes.fetchval("SELECT depth FROM due_fetch") == 3


async def test_a_paused_channel_fetches_nothing_until_it_goes_on(network: Practice) -> None:
    channel = await quiet(network)
    await network.eyes.execute("UPDATE channel SET status = 'paused'")
    await named(network, channel, await network.say("bonjour"))

    await network.turn()
    assert await network.texts() == []
    await network.eyes.execute("UPDATE channel SET status = 'active'")
    await network.turn()

    assert await network.texts() == ["bonjour"]


async def test_a_login_that_is_dead_is_found_out_by_a_fetch_too(network: Practice) -> None:
    channel = await quiet(network)
    await network.fault(POST, "401")
    await named(network, channel, await network.say("bonjour"))

    await network.turn()

    assert (await network.row(channel)).status is ChannelStatus.LOGIN_DEAD
    assert await network.eyes.fetchval("SELECT count(*) FROM due_fetch") == 1


# ---------------------------------------------------------------- what we brought about ourselves


async def brought_about(network: Practice, channel: HouseChannel, external_id: str) -> None:
    """Let a post of ours be asked for, as an effect that is live does where its network tells nobody."""
    pointer = Pointer(external_id, pointers.OWN)
    one = pointers.Named(channel.id, new_uuid(), Network.SANDBOX, pointer, 0)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await pointers.note(session, scope, [one], lanes={channel.id: "practice"})


async def test_what_we_brought_about_is_asked_for_and_heard_as_our_own(network: Practice) -> None:
    channel = await quiet(network)
    own = await network.say("nous sommes ouverts", kind="post")
    await brought_about(network, channel, own)
    await network.turn()
    assert await network.texts() == ["nous sommes ouverts"]


async def test_what_we_brought_about_and_is_not_shown_yet_is_not_taken_for_deleted(network: Practice) -> None:
    channel = await quiet(network)
    await brought_about(network, channel, "p_0000000000000000")
    await network.turn()
    assert await network.eyes.fetchval("SELECT count(*) FROM mention WHERE deleted_at IS NOT NULL") == 0
    assert await network.eyes.fetchval("SELECT failures FROM due_fetch") == 1
