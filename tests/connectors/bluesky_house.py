"""A fake Bluesky network on loopback, the guarded client, and a channel's login on it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from shared.connectors.bluesky import Bluesky
from shared.contract import Heard, Login, OutgoingEffect, Page, Parsed, RawArrival, RawPart, Said, Target
from shared.errors import BadPayload, Problem
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.conformance.specimen import effect
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.bluesky import BlueskyNetwork
from tests.networks.fakes.bluesky_people import POST, Account, Json, Record

bluesky = Bluesky()


@dataclass
class Place:
    """The network, its people, and what the channel of `brand` holds."""

    network: BlueskyNetwork
    http: httpx.AsyncClient
    brand: Account
    fan: Account
    login: Login

    def given(self, **more: str) -> Login:
        """A login as a person types it in."""
        return Login(
            "typed-in", self.network.url, {"identifier": "brand.test", "app_password": self.brand.password, **more}
        )

    async def poll(self, cursor: str | None = None, *, pages: int = 20) -> tuple[list[Parsed], Page]:
        """Poll as the house does, page after page while there is more; what was parsed, and the last page."""
        parsed: list[Parsed] = []
        for _ in range(pages):
            page = await bluesky.poll(self.http, self.login, cursor)
            parsed += [self.settle(arrival) for arrival in page.arrivals]
            cursor = page.cursor
            if not page.more:
                break
        return parsed, page

    def parse(self, arrival: RawArrival) -> Parsed:
        return bluesky.parse(RawPart(self.brand.did, arrival.body, arrival.stamp, arrival.headers))

    def settle(self, arrival: RawArrival) -> Parsed:
        """As `parse`; what is unreadable holds nothing but its problem."""
        try:
            return self.parse(arrival)
        except BadPayload as error:
            return Parsed(problems=(Problem(error.code, error.message),))

    def following(self, *terms: str) -> "Place":
        return replace(self, login=replace(self.login, terms=terms))


def heard(parsed: Iterable[Parsed]) -> list[Heard]:
    return [fact for one in parsed for fact in one.heard]


def texts(parsed: Iterable[Parsed]) -> list[str | None]:
    """What was said, oldest first, each once."""
    said = {fact.external_id: fact for fact in heard(parsed) if isinstance(fact, Said)}
    return [fact.text for fact in sorted(said.values(), key=lambda fact: str(fact.published_at))]


@asynccontextmanager
async def place(*terms: str, network: BlueskyNetwork | None = None, **settings: Any) -> AsyncIterator[Place]:
    """The place, for a channel that follows these terms."""
    network = network or BlueskyNetwork()
    async with serving(network.app) as port, guarded(**settings) as http:
        network.url = f"http://127.0.0.1:{port}"
        brand, fan = network.join("brand.test", name="Café Parvis"), network.join("fan.test", name="Fan Ny")
        found = Place(network, http, brand, fan, Login("", network.url, {}))
        choice = await bluesky.identify(http, found.given())
        found.login = Login(choice.external_id, choice.base_url, choice.credentials, terms, choice.expires_at)
        network.asked.clear()
        network.queries.clear()
        yield found


def crowd(here: Place, number: int, *, start: datetime) -> list[str]:
    """So many mentions, a second apart; their texts."""
    said = []
    for index in range(number):
        at = start + timedelta(seconds=index)
        here.network.post(here.fan, f"n{index:05d}", mentioning=here.brand, at=at)
        said.append(f"n{index:05d} @brand.test")
    return said


def on(kind: OutgoingKind, what: Record, outgoing_id: str = "out_1", **more: Any) -> OutgoingEffect:
    """An effect on something that is there."""
    target = Target(what.uri, MentionKind.REPLY, what.did)
    return effect(outgoing_id, kind=kind, text=more.pop("text", ""), target=target, **more)


def own(here: Place, collection: str = POST) -> list[Json]:
    """The records of this kind that the account has."""
    found = [one for one in here.network.records.values() if one.did == here.brand.did]
    return [one.value for one in found if one.collection == collection]
