"""How a service runs: one loop, one server, an orderly end, and probes that tell the truth."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, cast

import orjson
import uvicorn
import uvloop
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest, start_http_server
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.connections import Connection
from shared.db import Database, is_passing
from shared.errors import Invalid, ParvisError
from shared.log import logger
from shared.settings import Settings

_log = logger("serving")
_CHECK_SECONDS = 2.0
_SILENCE_SECONDS = 75  # that a caller may keep a connection open and say, or read, nothing

SERVER_VARIABLES = {
    "database_url": "DATABASE_URL",
    "worker_database_url": "PARVIS_WORKER_DATABASE_URL",
    "door_database_url": "PARVIS_DOOR_DATABASE_URL",
    "redis_url": "REDIS_URL",
}

Check = Callable[[], Awaitable[bool]]


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a service's main on the fast loop until it returns. What it refuses to do ends it with a sentence."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main)
    except ParvisError as error:
        raise SystemExit(error.message) from None


def settle_memory() -> None:
    """Call once when a process is ready: what start-up made is never looked at again by the collector.

    It is most of the heap, and walking it again and again is what makes slow requests slow. What is made later is
    looked at in small lots: circles of it that are garbage are 3 MB at most, and old ones go too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def metrics(settings: Settings) -> None:
    """Serve /metrics of a process that has no server of its own, where the settings name a port for it.

    A port that is taken is said and no more: whoever works unseen still works.
    """
    if not settings.metrics_port:
        return
    try:
        start_http_server(settings.metrics_port, settings.host)
    except OSError as error:
        _log.error("metrics.port_taken", host=settings.host, port=settings.metrics_port, error=error.strerror)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` at SIGTERM or SIGINT; for services without a server of their own."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


class _Server(uvicorn.Server):
    """uvicorn's server, which settles memory when it is ready and returns from a signal instead of dying of it."""

    _left = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        settle_memory()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        numbers = (signal.SIGTERM, signal.SIGINT)

        def leave(number: signal.Signals) -> None:
            if self.started:
                self.handle_exit(number, None)
            elif serving is not None:  # still waiting for what it starts with
                self._left = True
                serving.cancel()

        for number in numbers:
            loop.add_signal_handler(number, leave, number)
        try:
            yield
        except asyncio.CancelledError:
            if not self._left:
                raise
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


def configured(
    app: Any, *, proxy_headers: bool = True, connection: Callable[..., Connection] = Connection, seconds: int = 1
) -> uvicorn.Config:
    """How a service's server is set up; see `serve`. After a stop, requests have so many `seconds` to end."""
    return uvicorn.Config(
        app,
        loop="none",
        http=cast(type[Connection], connection),  # what makes one will do
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=proxy_headers,
        timeout_keep_alive=_SILENCE_SECONDS,
        timeout_graceful_shutdown=seconds,
        backlog=2048,
    )


async def serve(
    app: Any, settings: Settings, port: int, name: str, *,
    proxy_headers: bool = True, connection: Callable[..., Connection] = Connection,
) -> None:  # fmt: skip
    """Serve until SIGTERM or SIGINT, then take no more, finish what was begun and return.

    `proxy_headers`: whether the app asks for the caller's address or scheme, which a proxy on this machine may tell.
    `connection`: makes a caller's connection, from uvicorn's keywords.

    What is not finished after `shutdown_seconds` is cut off. Raises SystemExit with a sentence where the port is taken.
    """
    seconds = max(1, round(settings.shutdown_seconds * 0.8))
    config = configured(app, proxy_headers=proxy_headers, connection=connection, seconds=seconds)
    listening = _listen(settings.host, port, name)
    try:
        _log.info("service.listening", name=name, host=settings.host, port=port)
        await _Server(config).serve(sockets=[listening])
    finally:
        listening.close()
    _log.info("service.stopped", name=name)


def _listen(host: str, port: int, name: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that the loop turns Nagle's delay off on what it accepts.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _notice_the_gone(listening)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        setting = f"PARVIS_{name.upper()}_PORT"
        raise SystemExit(
            f"The {name} service can't listen on {host}:{port}: {error.strerror or error}."
            f" Stop what uses it, or set {setting} to another port."
        ) from None
    listening.setblocking(False)
    return listening


def _notice_the_gone(listening: socket.socket) -> None:
    """Let the kernel end accepted connections whose caller is gone without a word, or does not read."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _SILENCE_SECONDS),
        ("TCP_KEEPINTVL", 15),
        ("TCP_KEEPCNT", 4),
        ("TCP_USER_TIMEOUT", _SILENCE_SECONDS * 1000),
    ):
        if hasattr(socket, name):  # not on every system
            listening.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def until_open(db: Database, stop: asyncio.Event | None = None, *, warm: int = 1) -> None:
    """Open the pool, waiting for a server that is not there yet, or until `stop`. Raises WrongRole."""
    waited = False
    while not (stop is not None and stop.is_set()):
        try:
            await db.open(warm=warm)
        except Exception as error:
            if not is_passing(error):
                raise
            if not waited:
                _log.warning("postgres.awaited", error=type(error).__name__)
            waited = True
            await asyncio.sleep(0.5)
        else:
            return


async def check_role(url: str, name: str) -> None:
    """Wait for the server, and refuse a role that row security does not bind. Raises WrongRole."""
    db = Database(url, name=name, size=1)
    try:
        await until_open(db)
    finally:
        await db.close()


def required(settings: Settings, *names: str) -> list[str]:
    """The values of these server URLs. Raises Invalid that names what is unset."""
    values = [getattr(settings, name) for name in names]
    missing = [SERVER_VARIABLES[name] for name, value in zip(names, values, strict=True) if not value]
    if missing:
        raise Invalid(f"{' and '.join(missing)} must be set for this service; `parvis up` sets all of them by itself.")
    return values


async def readiness(checks: Mapping[str, Check]) -> dict[str, str]:
    """`up` or `down` for each server, asked now, all at once; one that does not answer in two seconds is down."""
    return dict(zip(checks, await asyncio.gather(*map(_is_up, checks.values())), strict=True))


async def _is_up(check: Check) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return "up" if await check() else "down"
    except Exception as error:  # whatever the reason: it can't be used now
        _log.debug("probe.failed", error=type(error).__name__)
        return "down"


def probe_routes(checks: Mapping[str, Check]) -> list[Route]:
    """/healthz (the process turns), /readyz (503 while postgres is down; without redis it still works), /metrics."""

    async def healthz(_: Request) -> Response:
        return _json({"status": "ok"}, 200)

    async def readyz(_: Request) -> Response:
        found = await readiness(checks)
        return _json(dict(found), 200 if found.get("postgres", "up") == "up" else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _json(value: Mapping[str, str], status: int) -> Response:
    return Response(orjson.dumps(value), status, {"cache-control": "no-store"}, "application/json")
