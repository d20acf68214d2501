"""Has charts drawn, one after another, by a process that is there only while charts are asked for."""

import asyncio
import hashlib
import sys
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import orjson

from shared.domain.insight.charting.charts import Chart
from shared.errors import ParvisError
from shared.log import logger

_log = logger("charts")
_MODULE = "services.charting.child"
_PATIENCE = 30.0  # seconds for one chart, its process's beginning with it
_IDLE = 60.0  # seconds
_MOST_WAITING = 16
_A_LIFE = 500  # charts, after which a new process takes over: an engine's memory only grows
_KEPT, _KEPT_BYTES = 32, 256 * 1024  # pictures, and how large each of them may be
_DREW = b"\0"
# A child is told nothing: no setting, no secret, no address.
_ENVIRONMENT: Mapping[str, str] = {"LC_ALL": "C.UTF-8"}
SCALES = (0.5, 2.0)
# A tag stands for what is drawn by this code: count it up where the same chart is drawn otherwise.
_EDITION = "1"


class NotDrawn(ParvisError):
    """The chart can't be drawn now: too many wait, or what draws died of it."""

    code = "charts_busy"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be drawn: an SVG, or with a `scale` a PNG of so many dots to the pixel."""

    message: bytes
    tag: str


def picture(chart: Chart, scale: float | None = None) -> Picture:
    """The chart as it is handed over; `tag` stands for all that is seen of it."""
    message = orjson.dumps(
        {
            "specification": chart.specification,
            "title": chart.title,
            "description": chart.description,
            "width": chart.look.width,
            "height": chart.look.height,
            "scale": scale,
        }
    )
    return Picture(message, hashlib.sha256(_EDITION.encode() + message).hexdigest()[:32])


class Drawer:
    """Draws charts. Whoever comes next waits; more than sixteen are sent away."""

    def __init__(self, *, idle: float = _IDLE, patience: float = _PATIENCE) -> None:
        self._idle, self._patience = idle, patience
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: asyncio.subprocess.Process | None = None
        self._drawn = 0
        self._resting: asyncio.Task[None] | None = None
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    @property
    def pid(self) -> int | None:
        """The process that draws, while there is one."""
        return self._process.pid if self._process is not None else None

    async def draw(self, asked: Picture) -> bytes:
        """The picture's bytes. Raises NotDrawn."""
        kept = self._kept.get(asked.tag)
        if kept is not None:
            self._kept.move_to_end(asked.tag)
            return kept
        if self._waiting >= _MOST_WAITING:
            raise NotDrawn("many charts are being drawn now: try again in a moment")
        self._waiting += 1
        try:
            async with self._turn:
                return self._kept.get(asked.tag) or await self._drawing(asked)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End what draws."""
        if self._resting is not None:
            self._resting.cancel()
            with suppress(asyncio.CancelledError):
                await self._resting
            self._resting = None
        async with self._turn:
            await self._end()

    async def _drawing(self, asked: Picture) -> bytes:
        if self._resting is not None:
            self._resting.cancel()
        try:
            found = await self._answered(asked)
        except BaseException:
            await self._end()  # it may be in the midst of an answer
            raise
        if self._drawn >= _A_LIFE:
            await self._end()
        self._resting = asyncio.create_task(self._rest())
        if len(found) <= _KEPT_BYTES:
            self._kept[asked.tag] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    async def _answered(self, asked: Picture) -> bytes:
        """Asked once more where the process had died since the last chart."""
        for is_last in (False, True):
            try:
                async with asyncio.timeout(self._patience):
                    return await self._exchange(asked)
            except (asyncio.IncompleteReadError, ConnectionError):
                code = self._process.returncode if self._process is not None else None
                _log.warning("charts.died", code=code)
                await self._end()
                if is_last:
                    raise NotDrawn("what draws charts ended in the middle of it: try again in a moment") from None
            except TimeoutError:
                raise NotDrawn("this chart takes too long to draw: ask for less, or try again later") from None
        raise AssertionError

    async def _exchange(self, asked: Picture) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._drawn = 0
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-m", _MODULE,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )  # fmt: skip
        self._drawn += 1
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        to.write(len(asked.message).to_bytes(4) + asked.message)
        await to.drain()
        kind, size = await back.readexactly(1), int.from_bytes(await back.readexactly(4))
        body = await back.readexactly(size)
        if kind != _DREW:
            raise RuntimeError(f"a chart could not be drawn: {body.decode(errors='replace')}")
        return body

    async def _rest(self) -> None:
        await asyncio.sleep(self._idle)
        async with self._turn:
            await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.communicate()
