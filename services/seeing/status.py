"""The command: one picture, or a page that is drawn anew each second."""

import asyncio
import signal
import sys
from dataclasses import asdict
from typing import Any

import orjson
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from services.seeing import picture, rates
from services.seeing.page import render
from services.seeing.picture import Eye, Picture, Place
from shared import log
from shared.settings import Settings

_EACH_SECONDS = 1.0


async def status(settings: Settings, *, once: bool = False, as_json: bool = False) -> bool:
    """Show the house; whether it runs and its servers answer. Live only on a terminal, until Ctrl-C."""
    log.set_up("status", "CRITICAL")  # what is wrong stands on the page
    if as_json:
        seen = await _one(picture.find(settings))
        sys.stdout.write(orjson.dumps(_plain(seen), option=orjson.OPT_INDENT_2).decode() + "\n")
        return not seen.wrong
    console = Console(highlight=False)
    if once or not console.is_terminal:
        seen = await _one(picture.find(settings))
        console.print(render(seen, width=console.width))
        return not seen.wrong
    await _live(console, settings)
    return True


async def _one(place: Place) -> Picture:
    eye = Eye(place)
    try:
        return await eye.look()
    finally:
        await eye.close()


async def _live(console: Console, settings: Settings) -> None:
    """A page until Ctrl-C. The house may come and go meanwhile: it is found anew where it changed."""
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    place = picture.find(settings)
    eye, last = Eye(place), None
    try:
        with Live(Text("Looking."), console=console, screen=True, auto_refresh=False) as page:
            while not asked.is_set():
                seen = await eye.look()
                page.update(_drawn(seen, last, console.width), refresh=True)
                last = seen
                await _rest(asked)
                found = picture.find(settings)
                if found != place:
                    await eye.close()
                    place, eye, last = found, Eye(found), None
    finally:
        await eye.close()


def _drawn(seen: Picture, last: Picture | None, width: int) -> RenderableType:
    return render(seen, rates.between(last, seen) if last is not None else None, width=width)


async def _rest(asked: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(asked.wait(), _EACH_SECONDS)
    except TimeoutError:
        return


def _plain(seen: Picture) -> dict[str, Any]:
    """The picture for programs: no addresses with passwords in them, and of the figures only what stands here."""
    place = {"name": seen.place.name, "runs": seen.place.runs, "metrics": dict(seen.place.metrics)}
    return {
        "at": seen.at,
        "place": place,
        "well": not seen.wrong,
        "wrong": seen.wrong,
        "processes": [asdict(one) for one in seen.processes],
        "heartbeats": None if seen.hearts is None else [asdict(one) for one in seen.hearts],
        "waiting": None if seen.waiting is None else asdict(seen.waiting),
        "letters": seen.letters,
        "troubles": None if seen.troubles is None else [asdict(one) for one in seen.troubles],
    }
