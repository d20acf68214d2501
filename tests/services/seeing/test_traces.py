"""One trace from a delivery at the door to a read that shows its mentions; nothing of it unless asked for."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from services import traces
from services.api.app import create_app
from services.ingest import handlers
from services.ingest.app import Ingest
from services.ingest.handlers import Worker
from shared.ids import Prefix, parse_typeid
from tests.conftest import HouseBrand, HouseChannel, TestDatabase
from tests.services.ingest.doorstep import DELIVERY, signed
from tests.services.sandbox.conftest import served

pytest.importorskip("opentelemetry.sdk", reason="the extra `traces` is not installed")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.spans import Spans, trace_id


@pytest.fixture
def told() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def spans_of(service: str, told: InMemorySpanExporter) -> Spans:
    return Spans(service, SimpleSpanProcessor(told))


@pytest.fixture
async def door(database: TestDatabase, told: InMemorySpanExporter) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        served(lambda _: spans_of("door", told).hearing(Ingest(database.settings))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


async def deliver(door: httpx.AsyncClient, channel: HouseChannel, id: str | None = None) -> httpx.Response:
    place = httpx.URL(channel.webhook_url).path
    answer = await door.post(place, content=DELIVERY, headers=signed(channel.secret, DELIVERY, id=id))
    assert answer.status_code == 200, answer.text
    return answer


def by_name(told: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in told.get_finished_spans()}


def trace_ids(told: InMemorySpanExporter, *names: str) -> set[int]:
    found = by_name(told)
    contexts = [found[name].context for name in names]
    return {context.trace_id for context in contexts if context is not None}


async def test_a_delivery_is_one_trace_from_the_door_to_the_read_that_shows_it(
    door: httpx.AsyncClient,
    channel: HouseChannel,
    brand: HouseBrand,
    worker: Worker,
    told: InMemorySpanExporter,
    database: TestDatabase,
) -> None:
    heard = await deliver(door, channel)
    await handlers.drain(dataclasses.replace(worker, traces=spans_of("ingest-worker", told)))
    api = spans_of("api", told).answering
    async with (
        served(lambda _: api(create_app(database.settings))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        key = {"authorization": f"Bearer {brand.api_key}", "traceparent": heard.headers["traceresponse"]}
        page = await client.get("/v1/brands", headers=key)
        brand_id = page.json()["data"][0]["id"]
        shown = await client.get(f"/v1/brands/{brand_id}/mentions", headers=key)

    read = "GET /v1/brands/{brand_id}/mentions"
    arrival = parse_typeid(Prefix.ARRIVAL, heard.json()["arrival_id"])
    assert [mention["text"] for mention in shown.json()["data"]] == ["Mooi!"]
    assert trace_ids(told, "hear", "wait", "settle", read) == {trace_id(arrival)}
    found = by_name(told)
    root = found["hear"].context
    parents = [span.parent for span in (found["wait"], found["settle"], found[read])]
    assert root is not None
    assert found["hear"].parent is None
    assert [parent.span_id for parent in parents if parent] == [root.span_id] * 3


async def test_the_trace_of_an_arrival_says_what_became_of_it_and_links_to_its_batch(
    door: httpx.AsyncClient, channel: HouseChannel, worker: Worker, told: InMemorySpanExporter
) -> None:
    heard = await deliver(door, channel)
    await deliver(door, channel)
    await handlers.drain(dataclasses.replace(worker, traces=spans_of("ingest-worker", told)))

    settled = [span for span in told.get_finished_spans() if span.name == "settle"]
    batch = by_name(told)["settle arrivals"]
    assert len(settled) == 2
    assert batch.context is not None
    assert {link.context.span_id for span in settled for link in span.links} == {batch.context.span_id}
    assert heard.json()["arrival_id"] in {(span.attributes or {})["parvis.arrival"] for span in settled}
    assert {(span.attributes or {})["parvis.state"] for span in settled} == {"settled"}
    assert (batch.attributes or {})["messaging.batch.message_count"] == 2


async def test_a_delivery_that_comes_again_is_in_the_trace_of_the_first(
    door: httpx.AsyncClient, channel: HouseChannel, told: InMemorySpanExporter
) -> None:
    await deliver(door, channel, id="msg_1")
    await deliver(door, channel, id="msg_1")

    first, again = by_name(told)["hear"].context, by_name(told)["hear again"]
    assert first is not None
    assert again.parent is not None
    assert (again.parent.trace_id, again.parent.span_id) == (first.trace_id, first.span_id)


async def test_what_is_refused_at_the_door_has_a_trace_of_its_own(
    door: httpx.AsyncClient, channel: HouseChannel, told: InMemorySpanExporter
) -> None:
    answer = await door.post(httpx.URL(channel.webhook_url).path, content=DELIVERY)

    assert answer.status_code == 401
    assert (by_name(told)["hear"].attributes or {})["http.response.status_code"] == 401


async def test_what_the_sampler_leaves_out_is_left_out_by_door_and_worker_alike(
    database: TestDatabase,
    channel: HouseChannel,
    worker: Worker,
    told: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    async with (
        served(lambda _: spans_of("door", told).hearing(Ingest(database.settings))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as door,
    ):
        for _ in range(20):
            await deliver(door, channel)
    await handlers.drain(dataclasses.replace(worker, traces=spans_of("ingest-worker", told)))

    def traced(name: str) -> set[int]:
        spans = [span for span in told.get_finished_spans() if span.name == name]
        return {span.context.trace_id for span in spans if span.context is not None}

    assert traced("hear") == traced("settle")
    assert 0 < len(traced("hear")) < 20


def test_nobody_who_did_not_ask_has_any_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert traces.open_traces("door") is None
    every = "services.ingest.__main__, services.ingest.worker, services.api.__main__, services.scheduler.__main__"
    code = f"import sys, {every}; sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_who_asks_without_the_extra_is_told_what_to_install() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from services import traces\n"
        "sys.exit(traces.open_traces('door') is not None)"
    )
    asked = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pip install 'parvis[traces]'" in done.stdout


async def test_who_asks_gets_spans_that_go_to_the_named_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    opened = traces.open_traces("door")
    assert isinstance(opened, Spans)
    await opened.close()
