"""Spans by OpenTelemetry; the only module that imports it.

A trace that starts with a delivery gets its id from the arrival's uuid, and the door's span the lower half of that. So
door and worker agree on both, and on whether the trace is sampled, without telling each other anything.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import orjson
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.db import Database
from shared.domain.listening import origins
from shared.domain.listening.origins import Origin
from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid, typeid
from shared.log import logger

_log = logger("traces")
_HALF = (1 << 64) - 1
_WEBHOOKS = "/webhooks/"
_PLAIN = ("/healthz", "/readyz", "/metrics")


def trace_id(arrival: UUID) -> int:
    """The id of the trace that starts with this arrival.

    Samplers take the lower half for evenly spread, and a uuid's has two fixed bits on top: they are shifted out.
    """
    return (arrival.int >> 64) << 64 | (arrival.int << 2) & _HALF


class _Ids(RandomIdGenerator):
    """Random ids, but for the span that is started with an arrival's."""

    def __init__(self) -> None:
        self.of: UUID | None = None

    def generate_trace_id(self) -> int:
        return trace_id(self.of) if self.of is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return trace_id(self.of) & _HALF if self.of is not None else super().generate_span_id()


class Spans:
    """One process's spans. `processor` takes them; without one they go to the collector that the environment names."""

    def __init__(self, service: str, processor: SpanProcessor | None = None) -> None:
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": f"parvis-{service}", "service.namespace": "parvis"}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("parvis")

    def hearing(self, app: ASGIApp) -> ASGIApp:
        """See Traces."""

        async def heard(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not scope["path"].startswith(_WEBHOOKS):
                await app(scope, receive, send)
                return
            began, first, status = time.time_ns(), None, 0

            async def watched(message: Message) -> None:
                nonlocal first, status
                if message["type"] == "http.response.start":
                    first, status = message, message["status"]
                    return
                if first is not None:
                    span = self._delivered(began, status, message.get("body", b""))
                    more = [(b"traceresponse", _told(span.get_span_context()))]
                    await send({**first, "headers": [*first.get("headers", ()), *more]})
                    first = None
                await send(message)

            await app(scope, receive, watched)

        return heard

    def answering(self, app: ASGIApp) -> ASGIApp:
        """See Traces."""

        async def answered(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"] in _PLAIN:
                await app(scope, receive, send)
                return
            status = 500

            async def watched(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            span = self._tracer.start_span(scope["method"], _asked(scope), SpanKind.SERVER)
            try:
                await app(scope, receive, watched)
            finally:
                route = getattr(scope.get("route"), "path", None)
                if route is not None:
                    span.update_name(f"{scope['method']} {route}")
                    span.set_attribute("http.route", route)
                _end(span, scope["method"], status)

        return answered

    async def settled(self, db: Database, arrival_ids: Sequence[UUID], *, began: int, ended: int) -> None:
        """See Traces. Each arrival gets its wait and its settling in its own trace, linked to the batch's."""
        try:
            async with db.reading() as session:
                found = await origins.of(session, arrival_ids)
            traced = [origin for origin in found if self._takes(origin.delivery_id)]
            if not traced:
                return
            batch = self._tracer.start_span("settle arrivals", contexts.Context(), SpanKind.CONSUMER, start_time=began)
            batch.set_attribute("messaging.batch.message_count", len(arrival_ids))
            for origin in traced:
                self._one_settled(origin, batch, began, ended)
            batch.end(ended)
        except Exception as error:  # what is not told of is done all the same
            _log.warning("traces.lost", arrivals=len(arrival_ids), error=type(error).__name__)

    async def close(self) -> None:
        """Hand over what is left."""
        await asyncio.to_thread(self._provider.shutdown)

    def _delivered(self, began: int, status: int, body: bytes) -> Span:
        """The door's span: the root of the arrival's trace, or one within it where the delivery came again."""
        arrival, duplicate = _arrival(status, body)
        if arrival is not None and duplicate:
            span = self._tracer.start_span("hear again", _inside(arrival), SpanKind.SERVER, start_time=began)
        else:
            self._ids.of = arrival
            try:
                span = self._tracer.start_span("hear", contexts.Context(), SpanKind.SERVER, start_time=began)
            finally:
                self._ids.of = None
        if arrival is not None:
            span.set_attribute("parvis.arrival", typeid(Prefix.ARRIVAL, arrival))
        span.set_attribute("http.route", "/webhooks/{hook_id}")
        _end(span, "POST", status)
        return span

    def _takes(self, delivery_id: UUID) -> bool:
        """Whether the trace of this delivery is sampled: the door asked the same, of the same id."""
        return (
            self._provider.sampler.should_sample(None, trace_id(delivery_id), "hear").decision
            is Decision.RECORD_AND_SAMPLE
        )

    def _one_settled(self, origin: Origin, batch: Span, began: int, ended: int) -> None:
        inside = _inside(origin.delivery_id) if origin.came_by_door else contexts.Context()
        told = {"parvis.arrival": typeid(Prefix.ARRIVAL, origin.id), "parvis.network": origin.network}
        received = min(int(origin.received_at.timestamp() * 1e9), began)
        waited = self._tracer.start_span("wait", inside, attributes=told, start_time=received)
        waited.end(began)
        if not origin.came_by_door:
            inside = trace.set_span_in_context(waited, inside)
        links = [Link(batch.get_span_context())]
        span = self._tracer.start_span(
            "settle", inside, SpanKind.CONSUMER, {**told, "parvis.state": origin.state}, links, start_time=began
        )
        span.end(ended)


def _inside(arrival: UUID) -> contexts.Context:
    """Within the door's span of this delivery, wherever that was made."""
    whole = trace_id(arrival)
    door = SpanContext(whole, whole & _HALF, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(door), contexts.Context())


def _asked(scope: Scope) -> contexts.Context:
    """The caller's own trace, where it names one."""
    given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    carrier = {name: given[name] for name in ("traceparent", "tracestate") if name in given}
    return TraceContextTextMapPropagator().extract(carrier, contexts.Context())


def _told(span: SpanContext) -> bytes:
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{int(span.trace_flags):02x}".encode()


def _arrival(status: int, body: bytes) -> tuple[UUID | None, bool]:
    """The arrival that the door's answer names, and whether it was there before."""
    if status != 200:
        return None, False
    try:
        answer = orjson.loads(body)
        return parse_typeid(Prefix.ARRIVAL, answer["arrival_id"]), bool(answer["duplicate"])
    except (ValueError, TypeError, KeyError, NotFound):  # a handshake's answer
        return None, False


def _end(span: Span, method: str, status: int) -> None:
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
