"""A person takes their consent back on the network: told to the api, signed; worked off by the scheduler, once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.api.app import create_app
from services.sandbox.consents import signed_request
from services.scheduler import withdrawing
from services.scheduler.house import House as Shop
from shared import http
from shared.contract import Author, Said
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.listening import record
from shared.domain.listening.batches import HeardPart
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import MentionKind, Network
from shared.queues import Queues
from tests.conftest import House, HouseBrand, TestDatabase
from tests.connectors.loopback import serving
from tests.services.api import journey
from tests.services.api.journey import RETURN, come_back, query_of


@dataclass
class World:
    """The api on its own port, the practice network, and a scheduler's house."""

    api: httpx.AsyncClient
    network: journey.Network
    shop: Shop
    brand: HouseBrand
    owner: Database
    client_id: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.brand.api_key}"}

    @property
    def place(self) -> str:
        return f"/v1/brands/{typeid(Prefix.BRAND, self.brand.brand_id)}"

    async def connect(self, external_id: str = "cafe") -> dict[str, Any]:
        body = {"network": "sandbox", "base_url": self.network.url, "return_url": RETURN}
        asked = await self.api.post(f"{self.place}/channels/authorize", json=body, headers=self.headers)
        url = asked.json()["authorize_url"]
        self.client_id = query_of(url)["client_id"]
        said = query_of((await come_back(self.api, await self.network.allow(url))).headers["location"])
        given = {"consent_id": said["consent"], "external_id": external_id}
        answer = await self.api.post(f"{self.place}/channels", json=given, headers=self.headers)
        assert answer.status_code in {200, 201}, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def withdraw(self, *, forget: bool = False) -> dict[str, Any]:
        """What the network says came of telling us."""
        body = {"as": "lea", "client_id": self.client_id, "forget": forget}
        answer = await self.network.people.post("/api/oauth/withdraw", json=body)
        told: dict[str, Any] = answer.json()["told"]
        return told

    async def channel(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.get(f"{self.place}/channels/{id_}", headers=self.headers)).json()
        return found

    async def person(self) -> str:
        async with self.owner.session() as session:
            found = await session.execute(text("SELECT granted_by FROM hook WHERE granted_by IS NOT NULL LIMIT 1"))
            return str(found.scalar_one())


@pytest.fixture
async def world(
    database: TestDatabase, owner_db: Database, worker_db: Database, brand: HouseBrand, tmp_path: Path
) -> AsyncIterator[World]:
    async with _api(database) as api, journey.opened(tmp_path) as network, http.client(database.settings) as client:
        assert database.settings.redis_url is not None
        queues = Queues(database.settings.redis_url)
        shop = Shop(worker_db, queues, House(owner_db).vault, client, database.settings)
        yield World(api, network, shop, brand, owner_db)
        await queues.close()


@asynccontextmanager
async def _api(database: TestDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """An api that the practice network can reach: its address is known to it once its port is."""
    url: list[str] = []

    async def later(scope: Any, receive: Any, send: Any) -> None:
        await apps[0](scope, receive, send)

    apps: list[Any] = []
    async with serving(later) as port:
        url.append(f"http://127.0.0.1:{port}")
        settings = database.settings.model_copy(update={"cors_origins": (journey.FRONT,), "api_url": url[0]})
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            apps.append(app)
            async with httpx.AsyncClient(base_url=url[0], trust_env=False) as api:
                yield api


async def said(world: World, channel_id: str, person: str, *texts: str) -> None:
    """What a person wrote on the brand's page."""
    async with world.owner.session() as session:
        scope = await scopes.house(session, world.brand.brand_id)
        heard = [
            Said(f"{person}-{n}", MentionKind.COMMENT, datetime.now(UTC), text=words, author=Author(person, "h", "Léa"))
            for n, words in enumerate(texts)
        ]
        part = HeardPart(parse_typeid(Prefix.CHANNEL, channel_id), Network.SANDBOX, "", heard)
        await record.record(session, scope, [part], now=datetime.now(UTC))


async def test_who_takes_it_back_ends_the_logins_of_their_channels_with_the_reason(world: World) -> None:
    cafe, shop = await world.connect("cafe"), await world.connect("shop")
    told = await world.withdraw()
    assert told["status"] == 200
    assert await withdrawing.work_off(world.shop) == 1
    for one in (cafe, shop):
        found = await world.channel(one["id"])
        assert found["status"] == "login_dead"
        assert "taken their consent back" in found["status_reason"]
    async with world.owner.session() as session:
        row = (await session.execute(text("SELECT person, channels, done_at FROM withdrawal"))).one()
    assert (row.person, row.channels) == (None, 2)


async def test_it_is_said_once_however_often_the_network_says_it_and_we_work_on_it(world: World) -> None:
    made = await world.connect()
    await world.withdraw()
    await world.withdraw()
    assert await withdrawing.work_off(world.shop) == 2
    assert await withdrawing.work_off(world.shop) == 0
    async with world.owner.session() as session:
        query = text("SELECT count(*) FROM audit_entry WHERE action = 'channel.login_dead' AND target = :id")
        assert (await session.execute(query, {"id": made["id"]})).scalar_one() == 1


async def test_the_same_signed_word_again_is_known_and_changes_nothing(world: World) -> None:
    await world.connect()
    signed = await _signed(world)
    answers = [
        await world.api.post("/v1/oauth/sandbox/data-deletion", data={"signed_request": signed}) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    async with world.owner.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM withdrawal"))).scalar_one() == 1


async def test_a_person_who_connected_it_again_meanwhile_keeps_the_new_login(world: World) -> None:
    await world.connect()
    await world.withdraw()
    made = await world.connect()
    await withdrawing.work_off(world.shop)
    assert (await world.channel(made["id"]))["status"] == "active"


async def test_the_logins_of_others_live_on(world: World) -> None:
    mine = await world.connect("cafe")
    async with world.owner.session() as session:
        await session.execute(text("UPDATE hook SET granted_by = 'somebody else'"))
    await world.connect("shop")
    await world.withdraw()
    await withdrawing.work_off(world.shop)
    assert (await world.channel(mine["id"]))["status"] == "active"


async def test_who_wants_to_be_forgotten_is_with_all_that_they_wrote_and_gave(world: World) -> None:
    made = await world.connect()
    person = await world.person()
    await said(world, made["id"], person, *(f"words {n}" for n in range(450)))
    await said(world, made["id"], "somebody", "stays")

    told = await world.withdraw(forget=True)
    before = await world.api.get(json.loads(told["answer"])["url"])
    assert await withdrawing.work_off(world.shop) == 1
    after = await world.api.get(json.loads(told["answer"])["url"])

    assert ("Not done yet" in before.text, "Done on" in after.text) == (True, True)
    left = (await world.api.get(f"{world.place}/mentions", headers=world.headers)).json()["data"]
    assert [mention["text"] for mention in left] == ["stays"]
    async with world.owner.session() as session:
        scope = await scopes.house(session, world.brand.brand_id)
        identity = await session.execute(
            text("SELECT name, handle FROM identity WHERE external_id = :p"), {"p": person}
        )
        channel = await channels.get(session, scope, parse_typeid(Prefix.CHANNEL, made["id"]))
        hooks = await session.execute(text("SELECT count(*) FROM hook WHERE granted_by IS NOT NULL"))
        row = (await session.execute(text("SELECT person, channels, mentions FROM withdrawal"))).one()
        assert identity.one() == (None, None)
        assert channel.credentials is None
        assert hooks.scalar_one() == 0
    assert tuple(row) == (None, 1, 450)


async def test_what_another_scheduler_works_on_is_left_to_it_until_its_lease_ends(world: World) -> None:
    await world.connect()
    await world.withdraw()
    async with world.owner.session() as session:
        await session.execute(
            text("UPDATE withdrawal SET leased_until = clock_timestamp() + :length"), {"length": timedelta(minutes=1)}
        )
    assert await withdrawing.work_off(world.shop) == 0
    async with world.owner.session() as session:
        await session.execute(text("UPDATE withdrawal SET leased_until = clock_timestamp()"))
    assert await withdrawing.work_off(world.shop) == 1


async def test_one_that_cannot_be_worked_off_does_not_hold_up_the_others(world: World) -> None:
    made = await world.connect()
    await world.withdraw(forget=True)
    async with world.owner.session() as session:
        await session.execute(text("UPDATE withdrawal SET person = NULL"))
    await world.withdraw()
    assert await withdrawing.work_off(world.shop) == 1
    assert (await world.channel(made["id"]))["status"] == "login_dead"
    async with world.owner.session() as session:
        left = await session.execute(text("SELECT kind FROM withdrawal WHERE done_at IS NULL"))
        assert list(left.scalars()) == ["erase"]


async def _signed(world: World) -> str:
    async with world.owner.session() as session:
        row = (await session.execute(text("SELECT id, client_secret FROM app"))).one()
    secret = House(world.owner).vault.open(row.client_secret, f"app:{row.id}:client_secret")
    return signed_request(secret, await world.person())


@pytest.mark.parametrize("path", ["deauthorize", "data-deletion"])
@pytest.mark.parametrize("word", ["", "signed_request=", "signed_request=a.b", "signed_request=%00.%ff", "x" * 9000])
async def test_a_word_that_the_network_did_not_sign_is_refused_and_kept_nowhere(
    world: World, path: str, word: str
) -> None:
    await world.connect()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await world.api.post(f"/v1/oauth/sandbox/{path}", content=word, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
    async with world.owner.session() as session:
        assert (await session.execute(text("SELECT count(*) FROM withdrawal"))).scalar_one() == 0


async def test_a_word_signed_by_another_app_is_refused(world: World) -> None:
    await world.connect()
    forged = signed_request("another secret", await world.person())
    answer = await world.api.post("/v1/oauth/sandbox/deauthorize", data={"signed_request": forged})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/v1/oauth/generic/deauthorize", "/v1/oauth/nowhere/data-deletion"])
async def test_a_network_that_says_no_such_thing_has_no_such_address(world: World, path: str) -> None:
    assert (await world.api.post(path, data={"signed_request": "a.b"})).status_code == 404


@pytest.mark.parametrize("code", ["unknown", "%00", "x" * 500])
async def test_a_code_that_nobody_was_given_says_nothing(world: World, code: str) -> None:
    assert (await world.api.get(f"/v1/oauth/sandbox/data-deletion/{code}")).status_code == 404
