"""SIGTERM of each service in turn: what it had accepted it answers, and it ends by itself, in order."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from shared.connectors import standard_webhooks
from tests.faults.scene import Scene
from tests.faults.senders import Address
from tests.faults.wire import Broken, Unreachable, Wire
from tests.faults.world import GENERIC

_SERVICES = ("ingest", "ingest_worker", "scheduler", "api")
_ON_THE_WAY = 0.1  # a request written this long before the signal has been read by the service
_OPEN = 8
_ASKERS = 4


async def terminated(scene: Scene) -> None:
    """SIGTERM in turn, under load, with requests that are half sent when it comes."""
    rounds = 1 if scene.short else 4
    async with _asking(scene) as broken_at_api:
        for name in _SERVICES * rounds:
            await scene.pause(0.2, 0.5 if scene.short else 2.0)
            since, before = scene.rig.watch.ends(name), len(scene.rig.watch.ended)
            half = await _half_sent(scene) if name == "ingest" else []
            at = time.monotonic()
            scene.rig.tell(name, signal.SIGTERM)
            scene.done(f"SIGTERM {name}")
            for one in half:
                await _second_half(scene, *one)
            await scene.rig.ends(name, since)
            code = next(code for ended, code in scene.rig.watch.ended[before:] if ended == name)
            if code != 0:
                scene.breaches.append(f"{name} ended with {code} after SIGTERM")
            await scene.recover()
            _cut_off(scene, name, at, [*scene.senders.heard.broken, *broken_at_api])


def _cut_off(scene: Scene, name: str, at: float, broken: list[Broken]) -> None:
    """What was on the way when the signal came had to be answered; later ones may be turned away."""
    lost = [one for one in broken if one.written_at < at - _ON_THE_WAY and one.broke_at > at]
    if lost:
        scene.breaches.append(f"SIGTERM {name} cut {len(lost)} accepted requests off ({lost[0].why})")


Half = tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]


async def _half_sent(scene: Scene) -> list[Half]:
    """Deliveries of which the door has the head and half the body."""
    to = Address.of(next(it for it in scene.rig.example["channels"] if it["network"] == GENERIC))
    now = datetime.now(UTC)
    found = []
    for number in range(_OPEN):
        key = f"half-{scene.random.getrandbits(64):x}-{number}"
        said = {"id": key, "kind": "comment", "text": "cut in two", "published_at": "2026-10-01T08:00:00Z"}
        body = json.dumps({"mentions": [said]}).encode()
        headers = standard_webhooks.sign(to.secret, key, body, now) | {"content-length": str(len(body)), "host": "door"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        reader, writer = await asyncio.open_connection("127.0.0.1", scene.rig.door)
        writer.write(f"POST {to.path} HTTP/1.1\r\n{head}\r\n".encode() + body[: len(body) // 2])
        await writer.drain()
        found.append((reader, writer, body[len(body) // 2 :]))
    await asyncio.sleep(_ON_THE_WAY)
    return found


async def _second_half(scene: Scene, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: bytes) -> None:
    await asyncio.sleep(0.05)
    try:
        writer.write(rest)
        answer = await asyncio.wait_for(reader.readline(), 15)
    except (OSError, TimeoutError) as error:
        answer = type(error).__name__.encode()
    finally:
        writer.transport.abort()
    if b" 200 " not in answer:
        scene.breaches.append(f"SIGTERM ingest: a delivery that was half sent got {answer!r} instead of its 200")


@contextlib.asynccontextmanager
async def _asking(scene: Scene) -> AsyncIterator[list[Broken]]:
    """Readers of the api for the length of a block; gives their requests that were written and never answered."""
    broken: list[Broken] = []
    path = f"/v1/brands/{scene.rig.example['brand_id']}/mentions"
    bearer = {"authorization": f"Bearer {scene.rig.example['api_key']}"}

    async def ask() -> None:
        with contextlib.closing(Wire(scene.rig.settings.api_port)) as wire:
            while True:
                try:
                    await wire.ask("GET", path, bearer)
                except Broken as error:
                    broken.append(error)
                except Unreachable:
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.02)

    askers = [asyncio.create_task(ask()) for _ in range(_ASKERS)]
    try:
        yield broken
    finally:
        for asker in askers:
            asker.cancel()
        await asyncio.gather(*askers, return_exceptions=True)
