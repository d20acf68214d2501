"""The worker asks a saved query of what is stored, and a new one of what arrives."""

from datetime import UTC, datetime
from uuid import UUID

from shared.domain import scope as scopes
from shared.domain.listening import queries, recall_pages, recalls
from shared.domain.listening.queries import QueryDraft
from tests.services.ingest.practice import Practice
from tests.services.ingest.test_looking_back import operation

_MATCHED = (
    "SELECT m.text FROM match x JOIN mention m ON m.brand_id = x.brand_id AND m.id = x.mention_id ORDER BY m.text"
)


async def save(network: Practice, expression: str) -> UUID:
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        draft = QueryDraft(name="Bier", expression=expression)
        return (await queries.create(session, scope, draft=draft, now=datetime.now(UTC))).id


async def test_a_worker_takes_the_turns_of_a_recall_until_it_is_through(network: Practice) -> None:
    await network.channel()
    await network.say("lekker bier")
    await network.say("koffie")
    await network.turn()
    id_ = await save(network, "bier")
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, network.brand.brand_id)
        begun = await recalls.start(session, scope, id_, since=recall_pages.ALL_TIME, now=datetime.now(UTC))
    await network.turn()
    done = await operation(network, begun.id)
    assert (done.status.value, done.mentions, done.matches) == ("succeeded", 2, 1)
    assert await network.eyes.fetchval("SELECT count(*) FROM due_operation") == 0
    assert [row["text"] for row in await network.eyes.fetch(_MATCHED)] == ["lekker bier"]


async def test_what_the_worker_hears_is_matched_by_a_query_of_a_moment_ago(network: Practice) -> None:
    await network.channel()
    await network.say("bier een")
    await network.turn()
    await save(network, "bier")
    await network.say("bier twee")
    await network.eyes.execute("UPDATE due_poll SET due_at = now()")
    await network.turn()
    assert [row["text"] for row in await network.eyes.fetch(_MATCHED)] == ["bier twee"]
