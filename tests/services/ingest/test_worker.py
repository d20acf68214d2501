"""The worker: what came in becomes mentions once, whatever it is and whatever happens to it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.ingest import handlers
from services.ingest.handlers import Worker
from shared import http
from shared.analysis import model
from shared.analysis.reading import Reading, Text, read
from shared.connectors.registry import connector
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import connecting, hooks
from shared.domain.brands.connecting import Through
from shared.domain.listening import inbox
from shared.ids import new_uuid
from shared.models import ChannelDraft
from shared.models.enums import Network
from shared.queues import Queues
from shared.vault import Vault
from tests.conftest import NOW, House, HouseBrand, HouseChannel, TestDatabase

PAGE = "1234567890321"


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def worker(database: TestDatabase, worker_db: Database) -> AsyncIterator[Worker]:
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    async with http.client(database.settings) as client:
        yield Worker(worker_db, queues, Vault(["a key of the tests"]), client, database.settings)
    await queues.close()


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


def generic(*ids: str, **more: Any) -> dict[str, Any]:
    mentions = [
        {"id": i, "kind": "comment", "text": f"text of {i}", "published_at": "2026-11-20T08:00:00Z",
         "author": {"id": "u1", "name": "Léa"}, **more}
        for i in ids
    ]  # fmt: skip
    return {"mentions": mentions}


async def arrive(owner: asyncpg.Connection, channel: HouseChannel, body: object, **more: Any) -> uuid.UUID:
    row = {
        "id": new_uuid(), "hook_id": channel.channel.hook_id, "key": uuid.uuid4().hex,
        "network": channel.channel.network.value, "source": "webhook", "brand_id": channel.brand.brand_id,
        "channel_id": channel.id, "unattributed": False, "headers": "{}",
        "body": body if isinstance(body, bytes) else json.dumps(body).encode(), "stamp": NOW, "received_at": NOW,
        "state": "received", "claims": 0, "problems": "[]", "ignored": "[]", "mention_keys": [], **more,
    }  # fmt: skip
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await owner.execute(f"INSERT INTO arrival ({', '.join(row)}) VALUES ({places})", *row.values())
    made = row["id"]
    assert isinstance(made, uuid.UUID)
    return made


async def app_hook(owner: asyncpg.Connection, key: str) -> uuid.UUID:
    """The hook of an app whose deliveries are signed with `key`."""
    made = new_uuid()
    await owner.execute(
        "INSERT INTO hook (id, network, app_id, key_digests, secret, created_at)"
        " VALUES ($1, 'facebook', $1, $2, '', $3)",
        made,
        hooks.digests([key]),
        NOW,
    )
    return made


async def state(owner: asyncpg.Connection, arrival: uuid.UUID) -> Any:
    return await owner.fetchrow("SELECT * FROM arrival WHERE id = $1", arrival)


async def test_an_arrival_becomes_a_mention(worker: Worker, owner: asyncpg.Connection, channel: HouseChannel) -> None:
    arrival = await arrive(owner, channel, generic("a"))

    assert await handlers.drain(worker) == 1

    assert (await state(owner, arrival))["state"] == "settled"
    assert await owner.fetchval("SELECT text FROM mention") == "text of a"
    assert await owner.fetchval("SELECT last_heard_at FROM channel") == NOW


async def test_what_arrives_is_read(worker: Worker, owner: asyncpg.Connection, channel: HouseChannel) -> None:
    """By the reader and the weights that the worker comes with."""
    texts = {
        "cross": "Third time my parcel is lost and nobody answers. This is the worst service ever, I am furious!",
        "glad": "Merci beaucoup, votre équipe est vraiment formidable, je suis très contente !",
    }
    mentions = [
        {"id": id_, "kind": "comment", "text": said, "published_at": "2026-11-20T08:00:00Z", "author": {"id": "u"}}
        for id_, said in texts.items()
    ]
    await arrive(owner, channel, {"mentions": mentions})

    await handlers.drain(worker)

    rows = await owner.fetch("SELECT external_id, language, sentiment, intents, read_by FROM mention ORDER BY 1")
    assert [(row["external_id"], row["language"], row["sentiment"]) for row in rows] == [
        ("cross", "en", "negative"),
        ("glad", "fr", "positive"),
    ]
    assert "criticism" in rows[0]["intents"]
    assert "thanks" in rows[1]["intents"]
    assert {row["read_by"] for row in rows} == {model.weights().version}


async def test_a_text_that_nobody_can_store_as_it_came_is_read_as_it_is_stored(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    asked: list[Text] = []

    def listening(batch: Sequence[Text]) -> list[Reading]:
        asked.extend(batch)
        return read(batch)

    body = generic("a")
    body["mentions"][0]["text"] = "good\x00 service"
    await arrive(owner, channel, body)

    await handlers.drain(replace(worker, reader=listening))

    assert [text.text for text in asked] == [await owner.fetchval("SELECT text FROM mention")]


async def test_a_bad_mention_leaves_its_neighbours(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    body = generic("a", "b", "c")
    body["mentions"][1]["kind"] = "shout"
    arrival = await arrive(owner, channel, body)

    await handlers.drain(worker)

    found = await state(owner, arrival)
    assert (found["state"], await owner.fetchval("SELECT count(*) FROM mention")) == ("settled", 2)
    assert [(p["index"], bool(p["message"])) for p in json.loads(found["problems"])] == [(1, True)]


@pytest.mark.parametrize("body", [b"not json", b"\xff\xfe", b"[]", b"{}", b'{"mentions": [' + b"[" * 5000])
async def test_what_cannot_be_read_is_kept_as_unreadable(
    body: bytes, worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    arrival = await arrive(owner, channel, body)

    await handlers.drain(worker)

    found = await state(owner, arrival)
    assert (found["state"], found["body"]) == ("unreadable", body)
    assert json.loads(found["problems"])


async def test_a_shared_delivery_is_cut_into_one_part_a_channel(
    worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    ours = await house.channel(brand, Network.FACEBOOK, external_id=PAGE, credentials={"app_secret": "s"})
    theirs = await house.channel(
        await house.brand("Other"), Network.FACEBOOK, external_id="222", credentials={"app_secret": "s"}
    )

    def entry(page: str) -> dict[str, Any]:
        value = {
            "item": "comment", "verb": "add", "comment_id": f"{page}_c", "post_id": f"{page}_p", "message": page,
            "parent_id": f"{page}_p", "from": {"id": "9", "name": "Lea"}, "created_time": 1_790_000_000,
        }  # fmt: skip
        return {"id": page, "time": 1_790_000_000, "changes": [{"field": "feed", "value": value}]}

    stranger = await house.channel(
        await house.brand("Rival"), Network.FACEBOOK, external_id=PAGE, credentials={"app_secret": "a guess"}
    )
    whole = await arrive(
        owner, ours, {"object": "page", "entry": [entry(PAGE), entry("222"), entry("333")]},
        hook_id=await app_hook(owner, "s"), brand_id=None, channel_id=None,
    )  # fmt: skip
    await handlers.drain(worker)
    await handlers.drain(worker)

    seen = await owner.fetch("SELECT brand_id, text FROM mention ORDER BY text")
    assert [(r["brand_id"], r["text"]) for r in seen] == [(brand.brand_id, PAGE), (theirs.brand.brand_id, "222")]
    assert stranger.brand.brand_id not in {r["brand_id"] for r in seen}
    found = await state(owner, whole)
    assert (found["state"], found["unattributed"]) == ("settled", True)
    parts = await owner.fetch("SELECT body, state FROM arrival WHERE part_of = $1", whole)
    assert [p["state"] for p in parts] == ["settled", "settled"]
    assert all((PAGE.encode() in p["body"]) != (b'"222"' in p["body"]) for p in parts)


async def consented(house: House, brand: HouseBrand, app_id: uuid.UUID) -> uuid.UUID:
    """A channel of the page that a person gave to an app of ours: nobody of the brand knows the app's secret."""
    known = connector(Network.FACEBOOK)
    async with house.owner_db.session() as session:
        made = await connecting.connect(
            session, await scopes.house(session, brand.brand_id), house.vault,
            draft=ChannelDraft(network=Network.FACEBOOK, external_id=PAGE), credentials={"access_token": "t"},
            card=known.card, new_secret=known.new_secret(), hook_base_url="http://127.0.0.1:8001", now=NOW,
            through=Through(app_id, "lea"),
        )  # fmt: skip
    return made.channel.id


async def test_what_was_connected_through_an_app_gets_its_part_of_what_that_app_is_told(
    worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    told, other = await app_hook(owner, "s"), await app_hook(owner, "another")
    ours = await consented(house, brand, told)
    await consented(house, await house.brand("Rival"), other)
    value = {
        "item": "comment", "verb": "add", "comment_id": "c", "post_id": "p", "message": "hello", "parent_id": "p",
        "from": {"id": "9", "name": "Lea"}, "created_time": 1_790_000_000,
    }  # fmt: skip
    delivery = {"object": "page", "entry": [{"id": PAGE, "time": 1, "changes": [{"field": "feed", "value": value}]}]}
    await arrive(
        owner, await house.channel(brand), delivery, network="facebook", hook_id=told, brand_id=None, channel_id=None
    )

    await handlers.drain(worker)
    await handlers.drain(worker)

    seen = await owner.fetch("SELECT channel_id, text FROM mention")
    assert [tuple(row) for row in seen] == [(ours, "hello")]


async def test_a_delivery_for_nobody_is_kept_unattributed(
    worker: Worker, owner: asyncpg.Connection, house: House, brand: HouseBrand
) -> None:
    ours = await house.channel(brand, Network.FACEBOOK, external_id="1", credentials={"app_secret": "s"})
    arrival = await arrive(
        owner, ours, {"object": "page", "entry": [{"id": "404", "time": 1, "changes": []}]},
        hook_id=await app_hook(owner, "s"), brand_id=None, channel_id=None,
    )  # fmt: skip

    await handlers.drain(worker)

    found = await state(owner, arrival)
    assert (found["state"], found["unattributed"]) == ("ignored", True)


async def test_three_deaths_put_an_arrival_aside(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    poison = await arrive(owner, channel, generic("poison"), claims=3, claimed_until=past)
    good = await arrive(owner, channel, generic("good"))

    await handlers.drain(worker)

    assert (await state(owner, poison))["state"] == "dead"
    assert (await state(owner, good))["state"] == "settled"


async def test_what_a_dead_worker_left_is_taken_up_when_its_lease_ends(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    arrival = await arrive(owner, channel, generic("a"), claims=1, claimed_until=later)
    await handlers.drain(worker)
    assert (await state(owner, arrival))["state"] == "received"

    await owner.execute("UPDATE arrival SET claimed_until = now() - interval '1 second'")
    await handlers.drain(worker)

    assert (await state(owner, arrival))["state"] == "settled"


async def test_a_worker_gives_back_only_what_it_still_holds(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    lost, held = await arrive(owner, channel, generic("a")), await arrive(owner, channel, generic("b"))
    async with worker.db.session() as session:
        ours = await inbox.claim(session, limit=2, lease=timedelta(minutes=1))
    await owner.execute("UPDATE arrival SET claimed_until = now() - interval '1 second' WHERE id = $1", lost)
    async with worker.db.session() as session:
        theirs = await inbox.claim_again(session, lease=timedelta(minutes=1))
    assert theirs is not None
    assert [one.id for one in theirs] == [lost]

    async with worker.db.session() as session:
        await inbox.release(session, ours, after=timedelta(0), died=False, why="PostgreSQL was away")

    assert ((await state(owner, held))["claims"], (await state(owner, held))["claimed_until"]) == (0, None)
    still = await state(owner, lost)
    assert (still["claims"], still["claimed_until"]) == (2, theirs[0].claimed_until)
    assert still["problems"] == "[]"


async def test_two_workers_settle_each_arrival_once(
    worker: Worker, owner: asyncpg.Connection, channel: HouseChannel
) -> None:
    for n in range(40):
        await arrive(owner, channel, generic(f"m{n}"))

    done = await asyncio.gather(handlers.drain(worker), handlers.drain(worker))

    assert sum(done) == 40
    assert await owner.fetchval("SELECT sum(mentions) FROM rollup_day") == 40
    assert await owner.fetchval("SELECT count(*) FROM event WHERE type = 'mention.recorded'") == 40


async def test_a_paused_channel_still_hears(worker: Worker, owner: asyncpg.Connection, channel: HouseChannel) -> None:
    await owner.execute("UPDATE channel SET status = 'paused'")
    arrival = await arrive(owner, channel, generic("a"))

    await handlers.drain(worker)

    assert (await state(owner, arrival))["state"] == "settled"
