"""Traces, where somebody asked for them: one from a delivery at the door to its mentions being visible.

They are an optional extra (`parvis[traces]`) and follow OpenTelemetry's own variables: without
OTEL_EXPORTER_OTLP_ENDPOINT nothing of it is imported, wrapped or asked. `services/spans.py` alone imports it.

Nothing is carried from door to worker: a delivery's trace id is made from its arrival's id, which both know.
"""

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast
from uuid import UUID

from starlette.types import ASGIApp

from shared.db import Database
from shared.log import logger

_log = logger("traces")
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


class Traces(Protocol):
    """What a service tells of its work. None of it raises, or waits for a collector."""

    def hearing(self, app: ASGIApp) -> ASGIApp:
        """The door, telling of each delivery; its answer says `traceresponse`, for who wants to go on from there."""

    def answering(self, app: ASGIApp) -> ASGIApp:
        """The api, telling of each request, within the trace of the caller's `traceparent`."""

    async def settled(self, db: Database, arrival_ids: Sequence[UUID], *, began: int, ended: int) -> None:
        """These arrivals were settled by one transaction, which began and was committed then (Unix nanoseconds)."""

    async def close(self) -> None:
        """Hand over what is left."""


def open_traces(service: str) -> Traces | None:
    """The traces of this process; None where nobody asked for any, or the extra is not installed, which is said."""
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        _log.warning("traces.not_installed", mend="pip install 'parvis[traces]'")
        return None
    # By name, and only now: a process that nobody traces shall not carry it.
    return cast(Traces, import_module("services.spans").Spans(service))


async def close(traces: Traces | None) -> None:
    if traces is not None:
        await traces.close()
