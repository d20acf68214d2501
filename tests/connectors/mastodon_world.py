"""A brand's account on a Mastodon instance of ours, and the connector's way to it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.connectors.mastodon import Mastodon
from shared.contract import Heard, Login, OutgoingEffect, Page, RawArrival, RawPart, Said, Target
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.conformance.specimen import effect
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.mastodon import Instance

mastodon = Mastodon()


@dataclass
class World:
    """The instance, people on it, and our login for the account `cafe`."""

    instance: Instance
    http: httpx.AsyncClient
    login: Login
    cafe: str
    lea: str

    @property
    def channel_id(self) -> str:
        """How a channel of the account `cafe` is named."""
        assert self.login.base_url is not None
        return f"{self.cafe}@{urlsplit(self.login.base_url).netloc}"

    def following(self, *terms: str) -> "World":
        return replace(self, login=replace(self.login, terms=terms))

    async def poll(self, cursor: str | None) -> tuple[list[RawArrival], str | None]:
        """Every page until there is no more, as the worker asks for them; its arrivals once each, as the inbox does."""
        arrivals: dict[str, RawArrival] = {}
        for _ in range(60):
            page = await mastodon.poll(self.http, self.login, cursor)
            cursor = page.cursor
            arrivals |= {one.key: one for one in page.arrivals}
            if not page.more:
                return list(arrivals.values()), cursor
        raise AssertionError("the poll never ends")

    async def pages(self, cursor: str | None) -> list[Page]:
        found = []
        while True:
            found.append(await mastodon.poll(self.http, self.login, cursor))
            cursor = found[-1].cursor
            if not found[-1].more:
                return found

    def hear(self, arrivals: Sequence[RawArrival]) -> list[Heard]:
        parsed = [mastodon.parse(part(self.login, arrival)) for arrival in arrivals]
        assert all(not one.problems for one in parsed)
        return [fact for one in parsed for fact in one.heard]

    def texts(self, arrivals: Sequence[RawArrival]) -> list[str]:
        """What was said, once each, in the order of its ids."""
        said = {fact.external_id: fact.text or "" for fact in self.hear(arrivals) if isinstance(fact, Said)}
        return [said[external_id] for external_id in sorted(said)]


def part(login: Login, arrival: RawArrival) -> RawPart:
    return RawPart(login.channel_external_id, arrival.body, arrival.stamp, arrival.headers)


@asynccontextmanager
async def world(**settings: Any) -> AsyncIterator[World]:
    instance = Instance()
    cafe, lea = instance.join("cafe"), instance.join("lea", "elsewhere.example")
    async with serving(instance.app) as port, guarded(**settings) as http:
        url = f"http://127.0.0.1:{port}"
        yield World(
            instance,
            http,
            Login(f"{cafe}@{urlsplit(url).netloc}", url, {"access_token": instance.login(cafe)}),
            cafe,
            lea,
        )


def answering(status: str, text: str, *, outgoing_id: str = "out_1", **more: Any) -> OutgoingEffect:
    """An answer to a status."""
    target = Target(status, MentionKind.REPLY)
    return effect(outgoing_id, kind=OutgoingKind.REPLY, text=text, target=target, **more)


def acting(kind: OutgoingKind, on: str, **more: Any) -> OutgoingEffect:
    """An effect on a status that is there."""
    return effect(kind=kind, text="", target=Target(on, MentionKind.POST, **more))


def said(here: World) -> list[str]:
    """What the account has said, as it was written."""
    return [text for one, text in here.instance.sources.items() if one in here.instance.statuses]
