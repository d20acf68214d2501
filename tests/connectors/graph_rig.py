"""A Graph API on loopback with a page and an account on it, and a login for each."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import orjson

from shared.contract import Connector, Deleted, Heard, Login, Page, Parsed, RawArrival, RawPart, Said
from tests.connectors.loopback import guarded, serving
from tests.networks.fakes.graph import FakeGraph, Token

PAGE, ACCOUNT, USER = "1001", "17841001", "5005"
PAGE_TOKEN, ACCOUNT_TOKEN, USER_TOKEN = "EAAB-page", "IGQV-account", "EAAB-user"
SECRET = "app-secret"


@dataclass
class Rig:
    """The network, the client, and logins that speak for its page and its account, each by its own host."""

    graph: FakeGraph
    http: httpx.AsyncClient

    @property
    def page(self) -> Login:
        return Login(PAGE, self.base("graph.facebook.com"), {"access_token": PAGE_TOKEN, "app_secret": SECRET})

    @property
    def account(self) -> Login:
        return Login(ACCOUNT, self.base("graph.instagram.com"), {"access_token": ACCOUNT_TOKEN, "app_secret": SECRET})

    @property
    def account_by_page(self) -> Login:
        return replace(self.page, channel_external_id=ACCOUNT)

    def base(self, host: str) -> str:
        return f"{self.graph.url}/{host}/v26.0"

    def paths(self) -> list[str]:
        """What was asked since the last time, without host and version."""
        found = [path.partition("/v26.0/")[2] for _, path, _ in self.graph.got]
        self.graph.got.clear()
        return found


@asynccontextmanager
async def rig(**settings: Any) -> AsyncIterator[Rig]:
    graph = FakeGraph()
    graph.world.account(ACCOUNT, "cafe.parvis", name="Café Parvis")
    graph.world.page(PAGE, "Café Parvis", instagram_business_account={"id": ACCOUNT, "username": "cafe.parvis"})
    graph.world.put("user", USER, name="Ada")
    graph.tokens = {PAGE_TOKEN: Token(PAGE), ACCOUNT_TOKEN: Token(ACCOUNT), USER_TOKEN: Token(USER)}
    async with serving(graph) as port, guarded(**settings) as http:
        graph.url = f"http://127.0.0.1:{port}"
        yield Rig(graph, http)


def heard(connector: Connector, login: Login, arrivals: Iterable[RawArrival]) -> list[Heard]:
    """The facts in these arrivals, which have no problems."""
    found: list[Heard] = []
    for one in arrivals:
        parsed = parse(connector, login, one)
        assert parsed.problems == ()
        found += parsed.heard
    return found


def parse(connector: Connector, login: Login, one: RawArrival) -> Parsed:
    return connector.parse(RawPart(login.channel_external_id, one.body, one.stamp, one.headers))


def said(facts: Iterable[Heard]) -> list[Said]:
    return [fact for fact in facts if isinstance(fact, Said)]


def texts(facts: Iterable[Heard]) -> set[str | None]:
    return {fact.text for fact in said(facts)}


def deleted(facts: Iterable[Heard]) -> set[str]:
    return {fact.external_id for fact in facts if isinstance(fact, Deleted)}


async def whole_round(
    connector: Connector, rig: Rig, login: Login, cursor: str | None = None, *, polls: int = 50
) -> tuple[list[Heard], Page]:
    """Poll until the connector is done for now, as the house does; at most so often."""
    facts: list[Heard] = []
    for _ in range(polls):
        page = await connector.poll(rig.http, login, cursor)
        facts += heard(connector, login, page.arrivals)
        cursor = page.cursor
        if not page.more:
            return facts, page
    return facts, page


def aged(cursor: str | None) -> str:
    """The cursor as it would be ten minutes later: another round may begin."""
    assert cursor is not None
    value = orjson.loads(cursor)
    value["began"] -= 600
    return orjson.dumps(value).decode()
