"""Workers break at any message, any number at a time, and what was heard ends as if none had."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import orjson
import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st

from services.ingest import handlers
from services.ingest.handlers import Worker
from services.local.servers import ServerUrls
from services.rounds import passes
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.insight import rollups
from shared.ids import new_uuid
from shared.models.enums import Network
from shared.queues import Queues
from shared.vault import Vault
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase, on_database
from tests.domain.listening.test_record import state_on
from tests.services.ingest.breaking import WORKER, Break, Kind, Line, Mistake, Mistaken

Eyes: TypeAlias = "asyncpg.Connection[Any]"
Change: TypeAlias = dict[str, Any]

T0 = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
_ROUNDS = 6  # a worker comes again after an outage; one break and its two connections take no more than these
_TABLES = (
    "mention", "identity", "thread", "edit", "reaction", "rollup_day", "rollup_hour", "mention_search",
    "mention_bands", "event",
    "event_queue", "arrival",
)  # fmt: skip


# ---------------------------------------------------------------- what is told


def _at(minutes: float) -> str:
    return (T0 + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


_IDS = st.sampled_from("abcd")
_MOMENTS = st.sampled_from([_at(0), _at(1), _at(2)])  # few, so that many facts meet at one moment
_AUTHORS = st.fixed_dictionaries(
    {"id": st.sampled_from(["lea", "tom"]), "handle": st.sampled_from([None, "@x", "dunes"]), "name": st.none()}
)
_COUNTERS = st.none() | st.fixed_dictionaries({"likes": st.integers(0, 2), "replies": st.integers(0, 2)})
_SAID = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["created", "edited"]),
        "at": _MOMENTS,
        "post": st.fixed_dictionaries(
            {
                "id": _IDS,
                "kind": st.sampled_from(["post", "comment"]),
                "account": st.just("dunes"),
                "text": st.sampled_from(["", "one", "two"]),
                "author": _AUTHORS,
                "published_at": st.sampled_from([None, _at(-60), _at(-600)]),
                "edited_at": st.sampled_from([None, None, _at(1), _at(2)]),
                "parent_id": st.none() | st.sampled_from([*"abcd", "never heard"]),
                "counters": _COUNTERS,
            }
        ),
    }
)
_DELETED = st.fixed_dictionaries(
    {"verb": st.just("deleted"), "at": _MOMENTS, "post": st.fixed_dictionaries({"id": _IDS})}
)
_REACTED = st.fixed_dictionaries(
    {
        "verb": st.sampled_from(["reacted", "unreacted"]),
        "at": _MOMENTS,
        "reaction": st.fixed_dictionaries(
            {"post_id": _IDS, "by": st.sampled_from([{"id": "tom"}, {"id": "eva"}]), "reaction": st.just("like")}
        ),
    }
)
_HISTORY: st.SearchStrategy[list[Change]] = st.lists(
    st.one_of(_SAID, _SAID, _SAID, _DELETED, _REACTED), min_size=2, max_size=10
)
_BREAKS = st.builds(Break, st.sampled_from(Kind), st.integers(0, 99))
# At most two break in a wave: what three workers died of is put aside.
_WORKERS = [(_BREAKS,), (_BREAKS,), (_BREAKS, _BREAKS), (_BREAKS, st.none())]


@dataclass(frozen=True)
class Wave:
    """Arrivals that wait together, and for each worker that comes for them what goes wrong, if anything."""

    arrivals: list[list[Change]]
    workers: tuple[Break | None, ...]


@dataclass(frozen=True)
class Story:
    """A history, and the same in another order, repeated, cut, and settled by workers that break."""

    heard: list[Change]
    waves: list[Wave]


@st.composite
def _stories(draw: st.DrawFn) -> Story:
    heard = draw(_HISTORY)
    again = iter(draw(st.permutations([*heard, *draw(st.lists(st.sampled_from(heard), max_size=3))])))
    arrivals = []
    while arrival := list(itertools.islice(again, draw(st.integers(1, 3)))):
        arrivals.append(arrival)
    waves = []
    while arrivals:
        many = draw(st.integers(1, 4))
        waves.append(Wave(arrivals[:many], draw(st.sampled_from(_WORKERS).flatmap(lambda some: st.tuples(*some)))))
        arrivals = arrivals[many:]
    return Story(heard, waves)


# ---------------------------------------------------------------- who hears it


@dataclass
class Crashing:
    """A brand's inbox, and workers that come to it over lines of their own."""

    servers: ServerUrls
    database: TestDatabase
    channel: HouseChannel
    eyes: Eyes
    queues: Queues
    http: httpx.AsyncClient
    broken: Counter[str] = field(default_factory=Counter)
    messages: int = 0  # of a worker that met no break

    async def empty(self) -> None:
        await self.eyes.execute(";".join(f'DELETE FROM "{table}"' for table in _TABLES))

    async def arrive(self, arrivals: Sequence[Sequence[Change]]) -> None:
        bodies = [orjson.dumps({"object": "sandbox", "account": "dunes", "changes": one}) for one in arrivals]
        await self.eyes.execute(
            "INSERT INTO arrival (id, hook_id, key, network, source, brand_id, channel_id, unattributed, headers, body,"
            " stamp, received_at, state, claims, problems, ignored, mention_keys)"
            " SELECT t.id, $1, t.id::text, 'sandbox', 'webhook', $2, $3, false, '{}', t.body, $4, $4, 'received', 0,"
            " '[]', '[]', '{}' FROM unnest($5::uuid[], $6::bytea[]) AS t (id, body)",
            self.channel.channel.hook_id,
            self.channel.brand.brand_id,
            self.channel.id,
            T0,
            [new_uuid() for _ in bodies],
            bodies,
        )

    def worker(self, db: Database) -> Worker:
        return Worker(db, self.queues, Vault(["a key of the tests"]), self.http, self.database.settings)

    async def settle(self, breaks: Sequence[Break | None]) -> None:
        """Let one worker for each of these come at once; while one stands still, another does its work."""
        superuser = on_database(self.servers.superuser, self.database.name)
        lines = [Line(superuser, break_, self.messages) for break_ in breaks]
        others = [asyncio.create_task(self._instead_of(line)) for line in lines]
        await asyncio.gather(*map(self._work, lines))
        for line, other in zip(lines, others, strict=True):
            if not line.stopped.is_set():
                other.cancel()
            elif line.break_ is not None and line.broke:
                await other
        await asyncio.gather(*others, return_exceptions=True)
        self.broken.update(line.break_.kind.name for line in lines if line.break_ is not None and line.broke)

    async def _instead_of(self, line: Line) -> None:
        """Once this line's worker stands still its claims end, and another comes for them; then it goes on."""
        await line.stopped.wait()
        await self.end_claims()
        other = asyncio.create_task(self._work(Line("")))
        await asyncio.wait({other}, timeout=0.1)  # it waits for ever where the first one is the brand's writer
        line.goes_on.set()
        await other

    async def _work(self, line: Line) -> None:
        """A worker's rounds over its line until one went well, or until it is gone."""
        db = Mistaken(await line.lay(self.database.worker_url), line)
        worker = self.worker(db)
        try:
            for _ in range(_ROUNDS):
                line.task = asyncio.create_task(handlers.drain(worker))
                (ended,) = await asyncio.gather(line.task, return_exceptions=True)
                if line.is_dead or not isinstance(ended, BaseException):
                    return
                assert passes(ended) or isinstance(ended, Mistake), ended
            raise AssertionError(f"never came through after {line.break_}")
        finally:
            await db.close()
            await line.cut()

    async def count(self) -> int:
        """Settle what waits; how many messages that took."""
        line = Line("")
        await self._work(line)
        return line.messages

    async def end_claims(self) -> None:
        """The leases of all claims end now."""
        await self.eyes.execute(
            "UPDATE arrival SET claimed_until = clock_timestamp() - interval '1 s' WHERE id IN"
            " (SELECT id FROM arrival WHERE claimed_until IS NOT NULL FOR UPDATE SKIP LOCKED)"
        )

    async def told(self, story: Story) -> None:
        await self.empty()
        for wave in story.waves:
            await self.arrive(wave.arrivals)
            await self.settle(wave.workers)
            await self.gone()
            await self.end_claims()
            if await self.eyes.fetchval("SELECT count(*) FROM arrival WHERE state = 'received'"):
                await self.settle([None])
                await self.gone()

    async def gone(self) -> None:
        """Wait until the server has seen the last of every worker: then its locks and transactions are gone too."""
        waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
        for _ in range(500):
            if not await self.eyes.fetchval(waits, f"parvis {WORKER}"):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("a dead worker's transaction does not end")


@pytest.fixture
async def crashing(
    servers: ServerUrls, database: TestDatabase, house: House, brand: HouseBrand
) -> AsyncIterator[Crashing]:
    assert database.settings.redis_url is not None
    channel = await house.channel(
        brand, Network.SANDBOX, external_id="dunes", base_url="http://127.0.0.1:1",
        credentials={"access_token": "t"},
    )  # fmt: skip
    eyes = await asyncpg.connect(on_database(servers.superuser, database.name))
    queues = Queues(database.settings.redis_url)
    async with httpx.AsyncClient(trust_env=False) as client:
        yield Crashing(servers, database, channel, eyes, queues, client)
    await queues.close()
    await eyes.close()


# ---------------------------------------------------------------- what is seen


_MORE = (
    "SELECT external_id, handle, name, url FROM identity ORDER BY 1",
    'SELECT mention_key, actor_key, reaction, "on", stamp FROM reaction ORDER BY 1, 2',
)
_WRONG = {
    "an arrival is not settled": "SELECT id, state, problems FROM arrival WHERE state <> 'settled'",
    "a claim is left": "SELECT id FROM arrival WHERE claimed_until IS NOT NULL",
    "an arrival names a mention that is not there": (
        "SELECT k FROM arrival, unnest(mention_keys) AS k WHERE k NOT IN (SELECT key FROM mention)"
    ),
    "an event does not wait for its number, or twice": (
        "SELECT e.id FROM event e LEFT JOIN event_queue q ON q.event_id = e.id GROUP BY 1 HAVING count(q.id) <> 1"
    ),
    "a number waits for no event": "SELECT id FROM event_queue WHERE event_id NOT IN (SELECT id FROM event)",
    "two events of one version": "SELECT thing_id, version FROM event GROUP BY 1, 2 HAVING count(*) > 1",
    "recorded twice": (
        "SELECT thing_id FROM event WHERE type = 'mention.recorded' GROUP BY 1 HAVING count(*) > 1"
    ),
    "a mention without an event": (
        "SELECT id FROM mention WHERE heard AND id NOT IN (SELECT thing_id FROM event)"
    ),
    "a thread of nobody": (
        "SELECT id FROM thread WHERE id NOT IN (SELECT thread_id FROM mention WHERE thread_id IS NOT NULL)"
    ),
    "a version of nobody": "SELECT id FROM edit WHERE mention_key NOT IN (SELECT key FROM mention)",
    "a wording that is counted wrong": (
        "SELECT b.wording FROM mention_bands b"
        " WHERE b.uses <> (SELECT count(*) FROM mention m WHERE m.wording = b.wording)"
    ),
    "a search row of nobody": "SELECT mention_id FROM mention_search WHERE mention_id NOT IN (SELECT id FROM mention)",
}  # fmt: skip


async def _seen(crashing: Crashing, db: Database) -> list[Any]:
    """Everything that depends on what was heard and on nothing else; and nothing is half written or left behind."""
    for what, query in _WRONG.items():
        found = [tuple(row) for row in await crashing.eyes.fetch(query)]
        assert found == [], what
    async with db.session() as session:
        await scopes.house(session, crashing.channel.brand.brand_id)
        wrong = await rollups.recount(
            session, crashing.channel.brand.brand_id, ZoneInfo("Europe/Brussels"),
            T0 - timedelta(days=2), T0 + timedelta(days=2),
        )  # fmt: skip
    assert wrong == []
    more = [[tuple(row) for row in await crashing.eyes.fetch(query)] for query in _MORE]
    return [*await state_on(crashing.eyes), *more]


async def _ends_the_same(story: Story, crashing: Crashing, db: Database) -> None:
    await crashing.empty()
    await crashing.arrive([story.heard])
    crashing.messages = await crashing.count()
    expected = await _seen(crashing, db)

    note(repr(story))
    await crashing.told(story)

    for now, then in zip(await _seen(crashing, db), expected, strict=True):
        assert now == then
    for name, times in crashing.broken.items():
        event(f"{name} met {times}")
    crashing.broken.clear()


def _examples(count: int, *, shrink: bool) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        # Making a story smaller takes minutes: the suite shows it as it is, the long form does that.
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@_examples(30, shrink=False)
@given(story=_stories())
async def test_any_history_survives_workers_that_break(story: Story, crashing: Crashing, worker_db: Database) -> None:
    await _ends_the_same(story, crashing, worker_db)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@_examples(600, shrink=True)
@given(story=_stories())
async def test_many_histories_survive_workers_that_break(story: Story, crashing: Crashing, worker_db: Database) -> None:
    await _ends_the_same(story, crashing, worker_db)
