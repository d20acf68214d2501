"""What is said again: copies that are near, families that become one and fall apart, and all of it read."""

import json
import time
from itertools import count
from typing import Any
from uuid import UUID

from services.ingest import handlers
from shared.analysis import fingerprint
from shared.ids import Prefix
from tests.tenancy.tenants import Tenant, World

_FIRST = "the early train from ghent to brussels was late again today"
_SECOND = "and nobody at the station would tell anybody why that is"
_CLUSTERS = """query C($b: ID!) { brand(id: $b) { mentions(where: {duplicates: true}) { nodes {
  duplicateOf { id } copies { count spread { count } authors { author { id } } mentions { nodes { id } } } } } } }"""


def _texts() -> tuple[str, str, str]:
    """Two texts far from each other, and one near both that comes before them in the order of wordings."""
    for number in count():
        both = f"{_FIRST} {_SECOND} {number}"
        one = " ".join(both.split()[:15])
        other = " ".join(both.split()[7:])
        prints = [print_ for text in (one, other, both) if (print_ := fingerprint.of(text)) is not None]
        rows = fingerprint.signatures(prints)
        near = fingerprint.are_near(rows[2], rows[:2])
        if near.all() and not fingerprint.are_near(rows[0], rows[1:2])[0] and prints[2].digest < _least(prints[:2]):
            return one, other, both
    raise AssertionError


def _least(prints: list[fingerprint.Fingerprint]) -> UUID:
    return min(print_.digest for print_ in prints)


async def copy(world: World, tenant: Tenant) -> None:
    """Two families of two mentions become one, in which the first of them is deleted again."""
    one, other, both = _texts()
    said = [("one", one), ("one again", one), ("other", other), ("other again", other), ("both", both)]
    for minute, (id_, text) in enumerate(said):
        at = f"2026-11-20T08:{minute:02}:00Z"
        mention = {"id": id_, "kind": "post", "text": text, "published_at": at, "author": {"id": "u"}}
        await _hear(world, tenant, {"mentions": [mention]})
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}/mentions"
    for shown in ("true", "false"):
        answer = await world.api.get(place, params={"duplicates": shown, "q": "train"}, headers=tenant.headers)
        assert answer.status_code == 200, answer.text
    copies = await world.api.get(place, params={"duplicates": "true"}, headers=tenant.headers)
    for found in copies.json()["data"]:
        answer = await world.api.get(f"{place}/{found['id']}/copies", params={"limit": 1}, headers=tenant.headers)
        assert answer.status_code == 200, answer.text
    body = {"query": _CLUSTERS, "variables": {"b": tenant.id(Prefix.BRAND)}}
    answer = await world.api.post("/graphql", json=body, headers=tenant.headers)
    assert answer.json()["data"]["brand"]["mentions"]["nodes"], answer.text
    await _hear(world, tenant, {"deleted": ["both"]})


async def _hear(world: World, tenant: Tenant, envelope: dict[str, Any]) -> None:
    answer = await world.door.knock(tenant.channels[0], json.dumps(envelope).encode(), at=time.time())
    assert answer.status_code == 200, answer.text
    await handlers.drain(world.worker)
