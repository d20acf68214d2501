"""Bad callers at the door: too slow, half gone, or far too many."""

import asyncio
import contextlib
import itertools
import json
import os
import socket
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from shared.connectors import standard_webhooks
from tests.faults.scene import Scene
from tests.faults.senders import Address, Heard
from tests.faults.wire import Broken, Unreachable, Wire
from tests.faults.world import GENERIC

_EACH = 40
_BUFFER, _TIMES = 32, 10
_MEMORY_BYTES = 64 * 1024 * 1024
_PATIENCE_SECONDS = 95.0  # within which the door has given up on each of them
_FILES = 8  # by which the count of open files may differ for reasons of the day


def files_of(pid: int) -> int:
    """How many files and connections a process holds open."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  # names are enough


def memory_of(pid: int) -> int:
    """Bytes that a process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def slow_and_half_open(scene: Scene) -> None:
    """Bodies that never end, answers that are never read, callers that are gone: nobody else may notice."""
    pid = scene.rig.pid("ingest")
    files, troubled = files_of(pid), scene.senders.heard.troubled
    stalled = [await _stalled(scene) for _ in range(_EACH)]
    unread = [_unread(scene) for _ in range(_EACH)]
    silent = [socket.create_connection(("127.0.0.1", scene.rig.door)) for _ in range(_EACH)]
    for _ in range(_EACH):
        await _reset(scene)
    scene.done(f"{_EACH} each: stalled bodies, unread answers, silent connections, resets in the body")
    try:
        await asyncio.sleep(scene.seconds)
        if not scene.short:
            await _given_up(scene, stalled)
            await _files_closed(scene, files)
    finally:
        for _, writer in stalled:
            writer.transport.abort()
        for one in (*unread, *silent):
            one.close()
    if scene.senders.heard.troubled > troubled:
        scene.breaches.append(f"{scene.senders.heard.troubled - troubled} good deliveries were not taken meanwhile")
    await scene.recover()
    await _files_closed(scene, files)


async def _files_closed(scene: Scene, before: int) -> None:
    """The door holds about as many files and connections as before."""
    pid, until = scene.rig.pid("ingest"), time.monotonic() + _PATIENCE_SECONDS
    while files_of(pid) > before + _FILES and time.monotonic() < until:
        await asyncio.sleep(0.1)
    if files_of(pid) > before + _FILES:
        scene.breaches.append(f"the door holds {files_of(pid)} files open, {before} before")


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _path(scene: Scene) -> str:
    return Address.of(next(it for it in scene.rig.example["channels"] if it["network"] == GENERIC)).path


async def _stalled(scene: Scene) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.rig.door)
    writer.write(f"POST {_path(scene)} HTTP/1.1\r\nhost: door\r\ncontent-length: 5000\r\n\r\nonly this".encode())
    await writer.drain()
    return reader, writer


async def _given_up(scene: Scene, stalled: list[Streams]) -> None:
    """The door has answered 408 to each body that did not come."""
    told: Counter[bytes] = Counter()
    for reader, _ in stalled:
        with contextlib.suppress(OSError, TimeoutError):
            told[(await asyncio.wait_for(reader.readline(), 5))[9:12]] += 1
    if told[b"408"] != len(stalled):
        scene.breaches.append(f"of {len(stalled)} stalled bodies {told[b'408']} were answered 408: {dict(told)}")


def _unread(scene: Scene) -> socket.socket:
    """Asks on and on and never reads: its answers fill all buffers."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    one.connect(("127.0.0.1", scene.rig.door))
    one.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(2000):
            one.send(b"GET /webhooks/nothing HTTP/1.1\r\nhost: door\r\n\r\n")
    return one


async def _reset(scene: Scene) -> None:
    _, writer = await _stalled(scene)
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# ---------------------------------------------------------------- far too many


async def overloaded(scene: Scene) -> None:
    """Ten times more deliveries at once than may wait: the rest hears 503, memory stays, and it passes."""
    async with scene.rig.instead("ingest", environment={"PARVIS_DOOR_BUFFER": str(_BUFFER)}):
        await scene.recover()
        heard = Heard()
        pid = scene.rig.pid("ingest")
        async with _flood(scene, heard):
            await asyncio.sleep(1.0)
            before = peak = memory_of(pid)
            until = time.monotonic() + scene.seconds
            while time.monotonic() < until:
                await asyncio.sleep(0.25)
                peak = max(peak, memory_of(pid))
        scene.done(f"{_BUFFER * _TIMES} callers without a pause for {scene.seconds:.0f} s, room for {_BUFFER}")
        scene.said(f"{heard.answers[200]} taken, {heard.answers[503]} sent away")
        await scene.recover()
        if scene.rig.pid("ingest") != pid:
            scene.breaches.append("the door ended under the load")
        if not heard.answers[503]:
            scene.breaches.append("the door never said 503: it was not asked for more than it can take")
        if heard.without_retry_after:
            scene.breaches.append(f"{heard.without_retry_after} answers 503 came without Retry-After")
        if others := {s: n for s, n in heard.answers.items() if s not in {200, 503}}:
            scene.breaches.append(f"answers other than 200 and 503: {others}")
        if peak - before > _MEMORY_BYTES:
            scene.breaches.append(f"the door's memory grew by {(peak - before) >> 20} MB under the load")
        scene.extra |= heard.acknowledged


@contextlib.asynccontextmanager
async def _flood(scene: Scene, heard: Heard) -> AsyncIterator[None]:
    """Callers that deliver without any pause, whatever they are told."""
    to = Address.of(next(it for it in scene.rig.example["channels"] if it["network"] == GENERIC))
    name = f"flood-{scene.random.getrandbits(64):x}"

    async def call(number: int) -> None:
        with contextlib.closing(Wire(scene.rig.door)) as wire:
            for count in itertools.count(1):
                key = f"{name}-{number}-{count}"
                said = {"id": key, "kind": "comment", "text": "hurry", "published_at": "2026-10-01T08:00:00Z"}
                body = json.dumps({"mentions": [said]}).encode()
                headers = standard_webhooks.sign(to.secret, key, body, datetime.now(UTC))
                try:
                    heard.note(key, await wire.ask("POST", to.path, headers, body))
                except Broken as broken:
                    heard.broken.append(broken)
                except Unreachable:
                    heard.unreachable += 1

    callers = [asyncio.create_task(call(number)) for number in range(_BUFFER * _TIMES)]
    try:
        yield
    finally:
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
