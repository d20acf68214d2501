"""The process that draws: what it is given, what it refuses, and how it comes and goes."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.charting.drawing import Drawer, NotDrawn, Picture, picture
from shared.domain.insight.charting.charts import Chart
from shared.domain.insight.charting.look import Look

PLAIN: dict[str, Any] = {
    "background": "#ffffff",
    "data": {"values": [{"at": 1, "value": 2}]},
    "mark": "bar",
    "encoding": {"y": {"field": "value", "type": "quantitative"}},
}


def asked(title: str = "A chart", **more: Any) -> Picture:
    return picture(Chart({**PLAIN, **more}, title, "What is seen", Look()))


@pytest.fixture
async def drawer() -> AsyncIterator[Drawer]:
    made = Drawer()
    yield made
    await made.close()


def lives(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_nothing_is_started_before_a_chart_is_asked_for(drawer: Drawer) -> None:
    assert drawer.pid is None


async def test_charts_are_drawn_by_one_process(drawer: Drawer) -> None:
    await asyncio.gather(*(drawer.draw(asked(str(n))) for n in range(4)))
    first = drawer.pid
    await drawer.draw(asked("another"))
    assert drawer.pid == first


async def test_a_chart_that_was_drawn_is_kept(drawer: Drawer) -> None:
    first = await drawer.draw(asked())
    await drawer.close()
    assert await drawer.draw(asked()) == first
    assert drawer.pid is None


async def test_the_process_ends_when_nothing_has_been_asked_for_a_while() -> None:
    drawer = Drawer(idle=0.05)
    await drawer.draw(asked())
    pid = drawer.pid
    async with asyncio.timeout(30):
        while lives(pid):  # it ends by itself, and tells nobody
            await asyncio.sleep(0.02)
    assert drawer.pid is None
    await drawer.draw(asked("again"))
    await drawer.close()


async def test_a_process_that_was_killed_is_replaced(drawer: Drawer) -> None:
    await drawer.draw(asked())
    killed = drawer.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert (await drawer.draw(asked("another"))).startswith(b"<svg")
    assert drawer.pid != killed


async def test_the_process_ends_with_its_parent(drawer: Drawer) -> None:
    await drawer.draw(asked())
    process = drawer._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_what_takes_too_long_is_given_up_and_the_next_is_drawn() -> None:
    drawer = Drawer(patience=0.001)
    with pytest.raises(NotDrawn):
        await drawer.draw(asked())
    assert drawer.pid is None
    drawer._patience = 60
    assert (await drawer.draw(asked())).startswith(b"<svg")
    await drawer.close()


async def test_too_many_at_once_are_sent_away(drawer: Drawer) -> None:
    answers = await asyncio.gather(*(drawer.draw(asked(str(n))) for n in range(20)), return_exceptions=True)
    assert sum(isinstance(one, bytes) for one in answers) == 16
    assert sum(isinstance(one, NotDrawn) for one in answers) == 4


async def test_who_gives_up_waiting_leaves_no_half_answer_for_the_next(drawer: Drawer) -> None:
    await drawer.draw(asked())
    first = asyncio.create_task(drawer.draw(asked("given up")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert b"<title>the next</title>" in await drawer.draw(asked("the next"))


@pytest.mark.parametrize(
    "more",
    [
        {"data": {"url": "http://127.0.0.1:9/figures.json"}},
        {"data": {"url": "file:///etc/hostname"}},
        {"mark": {"type": "image", "url": "http://127.0.0.1:9/picture.png"}},
        {"encoding": {"href": {"value": "http://127.0.0.1:9/"}}},
    ],
    ids=["figures", "file", "picture", "link"],
)
async def test_a_chart_that_names_an_address_is_not_drawn(drawer: Drawer, more: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="names no address"):
        await drawer.draw(asked(**more))


async def test_what_cant_be_drawn_says_why_and_the_next_is_drawn(drawer: Drawer) -> None:
    with pytest.raises(RuntimeError, match="could not be drawn"):
        await drawer.draw(asked(mark="no such mark"))
    assert (await drawer.draw(asked())).startswith(b"<svg")


async def test_the_process_is_told_no_setting_and_no_secret(drawer: Drawer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARVIS_SECRET_KEYS", "a-secret")
    await drawer.draw(asked())
    assert b"a-secret" not in Path(f"/proc/{drawer.pid}/environ").read_bytes()


def test_a_tag_stands_for_all_that_is_seen() -> None:
    chart = Chart(PLAIN, "A chart", "What is seen", Look())
    tags = {
        picture(chart).tag,
        picture(chart, 1).tag,
        picture(chart, 2).tag,
        asked("Another").tag,
        asked(mark="line").tag,
        picture(Chart(PLAIN, "A chart", "What is seen", Look(width=500))).tag,
    }
    assert len(tags) == 6
    assert json.loads(picture(chart).message)["specification"] == PLAIN
