"""Deliveries that are not what they should be, and where whole ones are recorded."""

from collections.abc import Callable
from pathlib import Path

import httpx

from tests.contract.house import Channel, body

BIGGEST = 4 * 1024 * 1024
RECORDED = Path(__file__).parents[3] / "shared" / "fixtures" / "generic"


def forged(channel: Channel, change: Callable[[dict[str, str]], dict[str, str]]) -> httpx.Response:
    raw = body("forged")
    return channel.web.post(channel.address, content=raw, headers=change(channel.headers(raw)))


def without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {key: value for key, value in headers.items() if key != name}


def replaced(name: str, value: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {**headers, name: value}
