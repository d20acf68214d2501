"""The worker searches networks for a query: what comes is recorded and matched as whatever else arrives."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.ingest.asking import Asking
from shared.connectors.registry import CARDS
from shared.domain import scope as scopes
from shared.domain.listening import backfills, recalls, searches
from shared.domain.listening.searches import Search
from shared.models.enums import ArrivalSource, OperationStatus, RecallOver
from shared.models.operation import Operation
from tests.conftest import HouseChannel
from tests.services.ingest.practice import Practice
from tests.services.ingest.test_asking_crashes import ask_and_die
from tests.services.ingest.test_looking_back import operation
from tests.services.ingest.test_recalling import _MATCHED, save

SEARCH = "/api/v1/search"


async def quiet(network: Practice) -> HouseChannel:
    """A channel of the page cafe, which is not polled."""
    channel = await network.channel()
    await network.eyes.execute("DELETE FROM due_poll")
    return channel


async def start(network: Practice, id_: UUID, *over: RecallOver) -> Operation:
    now = datetime.now(UTC)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        return await recalls.start(
            session,
            scope,
            id_,
            since=now - timedelta(days=30),
            over=over or (RecallOver.NETWORKS,),
            cards=CARDS,
            now=now,
        )


async def search_of(network: Practice, recall: Operation) -> Search:
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        (found,) = (await searches.of(session, scope, [recall.id]))[recall.id]
        return found


async def matched(network: Practice) -> list[str]:
    return [row["text"] for row in await network.eyes.fetch(_MATCHED)]


async def test_what_others_said_elsewhere_is_brought_and_the_query_itself_decides(network: Practice) -> None:
    channel = await quiet(network)
    for text in ("lekker bier", "bier en wijn", "koffie"):
        await network.say(text, account="velo")
    recall = await start(network, await save(network, "bier -wijn"))
    for _ in range(2):
        await network.turn()

    assert await network.texts() == ["bier en wijn", "lekker bier"]
    assert await matched(network) == ["lekker bier"]
    search, done = await search_of(network, recall), await operation(network, recall.id)
    assert (done.status, done.reached_at) == (OperationStatus.SUCCEEDED, recall.since)
    assert search.requests == [
        {"words": ["bier"], "pages": 1, "brought": 2, "reached_at": recall.since, "ended": "through"}
    ]
    kept = await network.eyes.fetch("SELECT channel_id, source FROM arrival")
    assert [tuple(row) for row in kept] == [(channel.id, ArrivalSource.POLL.value)]
    assert await network.eyes.fetchval("SELECT count(*) FROM due_operation") == 0


async def test_what_is_stored_is_asked_as_well(network: Practice) -> None:
    await network.channel()
    await network.say("bier hier")
    await network.turn()
    await network.say("bier daar", account="velo")
    recall = await start(network, await save(network, "bier"), RecallOver.STORED, RecallOver.NETWORKS)
    for _ in range(2):
        await network.turn()
    assert await matched(network) == ["bier daar", "bier hier"]
    assert (await operation(network, recall.id)).status is OperationStatus.SUCCEEDED


async def test_a_search_goes_on_page_by_page_behind_what_is_committed(network: Practice) -> None:
    await quiet(network)
    for number in range(130):
        await network.say(f"bier {number:03}", account="velo")
    recall = await start(network, await save(network, "bier"))
    asking = Asking(network.worker)
    await asking.round()
    await asking.finish(20)
    half = await search_of(network, recall)
    assert (half.operation.pages, half.operation.is_over, half.requests[0]["brought"]) == (1, False, 100)
    for _ in range(2):
        await network.turn()
    assert len(await network.texts()) == 130
    assert (await search_of(network, recall)).operation.status is OperationStatus.SUCCEEDED


async def test_a_worker_that_dies_before_it_has_kept_a_page_leaves_it_to_the_next(network: Practice) -> None:
    await quiet(network)
    await network.say("bier", account="velo")
    recall = await start(network, await save(network, "bier"))
    url = network.worker.settings.worker_database_url
    assert url is not None
    for dies_in in range(1, 9):
        await network.all_due()
        await ask_and_die(network, url, dies_in)
    for _ in range(2):
        await network.turn()
    assert await matched(network) == ["bier"]
    assert (await search_of(network, recall)).operation.pages == 1


async def test_a_network_that_asks_to_slow_down_is_left_alone_and_asked_again(network: Practice) -> None:
    await quiet(network)
    await network.say("bier", account="velo")
    recall = await start(network, await save(network, "bier"))
    await network.fault(SEARCH, {"type": "status", "status": 429, "retry_after": 30})
    await network.turn()
    waiting: Any = await network.eyes.fetchval(
        "SELECT extract(epoch FROM due_at - now())::float FROM due_operation WHERE channel_id <> $1", recall.query_id
    )
    assert waiting > 10
    for _ in range(2):
        await network.turn()
    assert await matched(network) == ["bier"]


async def test_what_is_called_off_brings_nothing_more(network: Practice) -> None:
    await quiet(network)
    for number in range(130):
        await network.say(f"bier {number:03}", account="velo")
    recall = await start(network, await save(network, "bier"))
    asking = Asking(network.worker)
    await asking.round()
    await asking.finish(20)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        await backfills.cancel(session, scope, recall.id, now=datetime.now(UTC))
    for _ in range(2):
        await network.turn()
    assert len(await network.texts()) == 100
    assert await network.eyes.fetchval("SELECT count(*) FROM due_operation") == 0
