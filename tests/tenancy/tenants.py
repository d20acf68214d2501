"""Two whole tenants, made through the real doors: whatever kind of thing there is, each has some of its own."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
from fastapi import FastAPI

from services.api.app import create_app
from services.api.context import Services
from services.ingest import handlers
from services.ingest.handlers import Worker
from shared import http as guarded
from shared.contract import Choice
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import apps, consents
from shared.domain.brands.apps import AppDraft
from shared.domain.events import events, sequencer
from shared.domain.events.events import NewEvent
from shared.domain.notifying import making
from shared.domain.scope import Principal, Scope
from shared.ids import Prefix, new_uuid, parse_typeid, typeid
from shared.models.enums import EventType, GrantRole, KeyScope, Network
from shared.queues import Queues
from shared.vault import Vault
from tests.conftest import House, HouseBrand, HouseChannel, TestDatabase
from tests.services.ingest.doorstep import Doorstep, open_door
from tests.services.media.making import png
from tests.tenancy.planned import plan
from tests.tenancy.voices import deliveries

# A server of the practice network that this installation has an app for; nobody listens there.
PRACTICE = "http://127.0.0.1:9"
# The table where a thing of each kind is found.
TABLE_OF = {
    Prefix.BRAND: "brand",
    Prefix.CHANNEL: "channel",
    Prefix.MENTION: "mention",
    Prefix.THREAD: "thread",
    Prefix.IDENTITY: "identity",
    Prefix.ARRIVAL: "arrival",
    Prefix.POST: "post",
    Prefix.MEDIA: "media",
    Prefix.CAMPAIGN: "campaign",
    Prefix.ALERT_RULE: "alert_rule",
    Prefix.ALERT: "alert",
    Prefix.QUERY: "saved_query",
    Prefix.VIEW: "view",
    Prefix.VARIANT: "variant",
    Prefix.OUTGOING: "outgoing",
    Prefix.OPERATION: "operation",
    Prefix.APPROVAL: "approval",
    Prefix.APPROVAL_LINK: "approval_link",
    Prefix.HOLD: "hold",
    Prefix.NOTIFICATION: "notification",
    Prefix.WEBHOOK_ENDPOINT: "webhook_endpoint",
    Prefix.WEBHOOK_DELIVERY: "webhook_delivery",
    Prefix.HOOK: "hook",
    Prefix.EVENT: "event",
    Prefix.ATTEMPT: "attempt",
    Prefix.CONSENT: "consent",
    Prefix.SLOT: "slot",
    Prefix.RECURRENCE: "recurrence",
    Prefix.BLACKOUT: "blackout",
    Prefix.CALENDAR_FEED: "calendar_feed",
    Prefix.API_KEY: "api_key",
    Prefix.GRANT: "grant",
    Prefix.USER: "user",
    Prefix.ORGANIZATION: "organization",
}


@dataclass(frozen=True)
class Tenant:
    """A brand with things of every kind; `ids` has public ids by prefix, the most telling first."""

    name: str
    brand: HouseBrand
    second: HouseBrand  # granted to the same organization, and empty
    channels: list[HouseChannel]
    ids: dict[Prefix, list[str]] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.brand.api_key}"}

    def id(self, prefix: Prefix) -> str:
        return self.ids[prefix][0]


@dataclass(frozen=True)
class World:
    """The running house, seen from the doors, and `eye`: a superuser's connection that sees every row."""

    database: TestDatabase
    app: FastAPI
    api: httpx.AsyncClient
    worker: Worker
    house: House
    door: Doorstep
    eye: asyncpg.Connection

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services


@asynccontextmanager
async def open_world(database: TestDatabase, superuser_url: str) -> AsyncIterator[World]:
    """All services on one database, under their own roles."""
    settings = database.settings
    assert settings.redis_url is not None
    eye = await asyncpg.connect(superuser_url)
    owner, worker = Database(database.owner_url, name="house", size=2), Database(database.worker_url, name="w", size=5)
    queues = Queues(settings.redis_url)
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app)
    try:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as api,
            open_door(settings) as door,
            guarded.client(settings) as client,
        ):
            vault = Vault([key.get_secret_value() for key in settings.secret_keys])
            yield World(
                database, app, api, Worker(worker, queues, vault, client, settings), House(owner, vault), door, eye
            )
    finally:
        await queues.close()
        await worker.close()
        await owner.close()
        await eye.close()


async def furnish(world: World, name: str, network_url: str) -> Tenant:
    """A tenant whose words all carry its name: heard, edited, deleted, answered, written, scheduled and sent."""
    brand = await world.house.brand(f"{name} brand")
    secret = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZW5hbnQ="
    generic = await world.house.channel(
        brand, external_id=f"{name}-outside", name=f"{name} channel",
        credentials={"url": f"{network_url}/{name}", "secret": secret},
    )  # fmt: skip
    sandbox = await world.house.channel(
        brand, Network.SANDBOX, external_id=f"{name}-account", base_url=network_url, name=f"{name} practice",
        credentials={"access_token": f"token of {name}"},
    )  # fmt: skip
    second = await world.house.brand(f"{name} second")
    await world.eye.execute(
        'INSERT INTO "grant" (id, organization_id, brand_id, role) VALUES ($1, $2, $3, $4)',
        new_uuid(), brand.organization_id, second.brand_id, "viewer",
    )  # fmt: skip
    tenant = Tenant(name, brand, second, [generic, sandbox])
    await _listen(world, tenant, name)
    await _look(world, tenant)
    for body in deliveries(name):
        answer = await world.door.knock(generic, json.dumps(body).encode())
        assert answer.status_code == 200, answer.text
        await handlers.drain(world.worker)
    answer = await world.api.post(
        f"/v1/brands/{typeid(Prefix.BRAND, brand.brand_id)}/channels/{typeid(Prefix.CHANNEL, sandbox.id)}/backfill",
        json={"since": "2026-01-01T00:00:00Z"}, headers=tenant.headers,
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    answer = await world.api.post(f"{answer.headers['location']}/cancel", headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    await world.door.knock(generic, f"no JSON from {name}".encode())
    await handlers.drain(world.worker)
    await _consent(world, tenant, name)
    await _write(world, tenant, name)
    await _alarm(world, tenant, name)
    await number(world)
    await _tell(world, tenant)
    await _find(world, tenant)
    await _act(world, tenant)
    await _correct(world, tenant)
    return tenant


async def _alarm(world: World, tenant: Tenant, name: str) -> None:
    """Three rules, and of two of them an alert that is open."""
    brand = tenant.brand.brand_id
    place, made = f"/v1/brands/{typeid(Prefix.BRAND, brand)}/alert-rules", []
    where = {"channel_ids": [typeid(Prefix.CHANNEL, tenant.channels[0].id)]}
    for kind in ("volume_spike", "silence", "copies"):
        body = {"name": f"{name} watches {kind}", "kind": kind, "where": where}
        answer = await world.api.post(place, json=body, headers=tenant.headers)
        assert answer.status_code == 201, answer.text
        made.append((parse_typeid(Prefix.ALERT_RULE, answer.json()["id"]), kind))
    mention = await world.eye.fetchrow("SELECT id, author_id FROM mention WHERE brand_id = $1 AND heard", brand)
    assert mention is not None
    drivers = [("phrase", f"{name} lantern"), ("mention", str(mention["id"])), ("author", str(mention["author_id"]))]
    evidence = {
        "window": {"start": "2026-11-20T07:00:00+00:00", "end": "2026-11-20T08:00:00+00:00"},
        "drivers": [{"what": what, "key": key, "seen": 3, "expected": None} for what, key in drivers],
    }
    course = {"length": 1.0, "told_at": "2026-11-20T08:00:00+00:00", "told_weight": 9.0, "told_drivers": []}
    for rule_id, kind in made[1:]:
        await world.eye.execute(
            "INSERT INTO alert (brand_id, id, rule_id, kind, since, opened_at, seen, evidence, course, version)"
            " VALUES ($1, $2, $3, $4, now(), now(), 9, $5, $6, 1)",
            brand, new_uuid(), rule_id, kind, json.dumps(evidence), json.dumps(course),
        )  # fmt: skip


async def _listen(world: World, tenant: Tenant, name: str) -> None:
    """Queries that some of what is said matches, one of them in its second version."""
    place = f"/v1/brands/{typeid(Prefix.BRAND, tenant.brand.brand_id)}/queries"
    for number in range(3):
        body = {"name": f"{name} query {number}", "expression": f"{name}* OR {name} -nothing{number}"}
        answer = await world.api.post(place, json=body, headers=tenant.headers)
        assert answer.status_code == 201, answer.text
    headers = {**tenant.headers, "if-match": "*"}
    answer = await world.api.patch(
        f"{place}/{answer.json()['id']}", json={"expression": f"{name} OR {name}*"}, headers=headers
    )
    assert answer.status_code == 200, answer.text


async def _look(world: World, tenant: Tenant) -> None:
    """Views, one of them by what only this tenant has."""
    place = f"/v1/brands/{typeid(Prefix.BRAND, tenant.brand.brand_id)}/views"
    wheres: list[dict[str, Any]] = [
        {"networks": ["generic"], "deleted": None},
        {"search": tenant.name, "channel_ids": [typeid(Prefix.CHANNEL, one.id) for one in tenant.channels]},
    ]
    for number, where in enumerate(wheres):
        body = {"name": f"{tenant.name} view {number}", "where": where}
        answer = await world.api.post(place, json=body, headers=tenant.headers)
        assert answer.status_code == 201, answer.text


async def _tell(world: World, tenant: Tenant) -> None:
    """Two things are told: to the user, and to endpoints of the user's and of the brand's."""
    body = {"url": f"{PRACTICE}/{tenant.name}", "kinds": ["post_failed", "post_uncertain"]}
    for more in ({}, {"brand_id": typeid(Prefix.BRAND, tenant.brand.brand_id)}):
        answer = await world.api.post("/v1/webhook-endpoints", json={**body, **more}, headers=tenant.headers)
        assert answer.status_code == 201, answer.text
    choice = {
        "kind": "post_failed",
        "way": "app",
        "is_on": True,
        "brand_id": typeid(Prefix.BRAND, tenant.brand.brand_id),
    }
    answer = await world.api.put("/v1/notifications/preferences", json={"choices": [choice]}, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    posts = [parse_typeid(Prefix.POST, id_) for id_ in tenant.ids[Prefix.POST][:2]]
    facts = [NewEvent(EventType.POST_CHANGED, id_, 100, {"status": "failed"}) for id_ in posts]
    async with world.worker.db.session() as session:
        scope = await scopes.house(session, tenant.brand.brand_id)
        await events.add(session, scope.brand_id, facts, now=datetime.now(UTC))
    await number(world)
    await tell(world)


async def tell(world: World) -> None:
    """Make notifications of all that is numbered."""
    async with world.worker.db.session() as session:
        ready = await making.claim(session, limit=100, lease=timedelta(minutes=1))
    for one in ready:
        async with world.worker.db.session() as session:
            scope = await scopes.house(session, one.brand_id)
            await making.make(session, scope, one, house=making.House(has_mail=True), now=datetime.now(UTC))


async def _act(world: World, tenant: Tenant) -> None:
    """A like and a block that are live, so that they can be taken back."""
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}"
    liked, blocked = tenant.ids[Prefix.MENTION][3], tenant.ids[Prefix.IDENTITY][1]
    for where, body in (
        (f"mentions/{liked}/like", None),
        (f"identities/{blocked}/block", {"channel_id": tenant.id(Prefix.CHANNEL)}),
    ):
        answer = await world.api.post(f"{place}/{where}", json=body, headers=tenant.headers)
        assert answer.status_code == 201, answer.text
        made = parse_typeid(Prefix.OUTGOING, answer.json()["id"])
        await world.eye.execute("UPDATE outgoing SET state = 'live', external_id = 'done' WHERE id = $1", made)
        await world.eye.execute("DELETE FROM due_outgoing WHERE outgoing_id = $1", made)


async def _correct(world: World, tenant: Tenant) -> None:
    """A mention that was read wrongly twice."""
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}/mentions/{tenant.id(Prefix.MENTION)}/corrections"
    for sentiment in ("negative", "neutral"):
        answer = await world.api.post(place, json={"sentiment": sentiment}, headers=tenant.headers)
        assert answer.status_code == 201, answer.text


async def _consent(world: World, tenant: Tenant, name: str) -> None:
    """A person on the practice network has given two pages."""
    who = Principal(new_uuid(), tenant.brand.user_id, tenant.brand.organization_id, frozenset({KeyScope.ALL}), {})
    scope = Scope(tenant.brand.brand_id, who, GrantRole.OWNER)
    draft = AppDraft(network=Network.SANDBOX, name="Practice", base_url=PRACTICE, client_id="1", client_secret="s")
    given = [Choice(f"{name}-{page}", f"{name} page {page}", {"access_token": name}, PRACTICE) for page in "ab"]
    now, vault = datetime.now(UTC), world.house.vault
    async with world.house.owner_db.session() as session:
        app, _ = await apps.keep(session, vault, draft=draft, hears=False, now=now)
        asked = await consents.ask(
            session, scope, vault, network=Network.SANDBOX, app_id=app.id, now=now,
            return_url=f"https://{name}.example/",
        )  # fmt: skip
        await consents.keep(session, scope, vault, asked.consent, given=given, now=now)


async def _write(world: World, tenant: Tenant, name: str) -> None:
    brand = f"/v1/brands/{typeid(Prefix.BRAND, tenant.brand.brand_id)}"
    place = f"{brand}/posts"

    async def media(**size: int) -> str:
        files = {"file": (f"{name} lantern.png", png(**size))}
        fields = {"alt_nl": f"{name} sees a lantern"}
        answer = await world.api.post(f"{brand}/media", files=files, data=fields, headers=tenant.headers)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    # The first is named by no post; the second by all of them.
    named = [await media(width=30 + number) for number in range(2)][1]
    channels = [typeid(Prefix.CHANNEL, channel.id) for channel in tenant.channels]
    variants = [{"channel_id": channels[0], "text": f"{name} variant"}, {"channel_id": channels[1]}]

    async def post(**more: Any) -> str:
        body = {"text": f"{name} writes", "media_ids": [named], "channel_ids": channels, "variants": variants, **more}
        headers = {**tenant.headers, "idempotency-key": f"{name} {uuid4()}"}
        answer = await world.api.post(place, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    for number in range(3):
        body = {"name": f"{name} campaign {number}"}
        answer = await world.api.post(f"{place.removesuffix('posts')}campaigns", json=body, headers=tenant.headers)
        assert answer.status_code == 201, answer.text
    published, scheduled = await post(), await post(scheduled_at="2027-01-01T09:00:00Z")
    answer = await world.api.post(f"{place}/{published}/publish", headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    # What became of these two is not known: a person may say.
    await world.eye.execute(
        "UPDATE outgoing SET state = 'uncertain' WHERE brand_id = $1 AND due_at < '2027-01-01'", tenant.brand.brand_id
    )
    await world.eye.execute(
        "DELETE FROM due_outgoing WHERE brand_id = $1 AND due_at < '2027-01-01'", tenant.brand.brand_id
    )
    await plan(world.api, tenant.brand.brand_id, tenant.channels[0].id, tenant.headers, name)
    tenant.ids[Prefix.POST] = [await post(), await post(), scheduled, published]
    tenant.ids[Prefix.POST] += [await post(), await post(), await post()]
    tenant.ids[Prefix.POST] += [await post(slot="next"), await post(slot="next")]
    await _review(world, tenant, name)


async def _review(world: World, tenant: Tenant, name: str) -> None:
    """Two posts wait for somebody who did not write them, with a remark and two links; everything was held once."""
    brand = f"/v1/brands/{typeid(Prefix.BRAND, tenant.brand.brand_id)}"
    waiting = tenant.ids[Prefix.POST][4:6]
    ends = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    link = {"name": f"{name} client", "expires_at": ends, "post_ids": waiting, "language": "fr"}
    asked: list[tuple[str, Any]] = [(f"posts/{one}/submit", None) for one in waiting]
    asked += [(f"posts/{waiting[0]}/comments", {"text": f"{name} remarks", "place": "text"})]
    asked += [("approval-links", link), ("approval-links", link)]
    asked += [("hold", {"reason": f"{name} storm"}), ("hold/release", {"missed": "ask"})]
    for place, body in asked:
        answer = await world.api.post(f"{brand}/{place}", json=body, headers=tenant.headers)
        assert answer.status_code in {200, 201}, answer.text
        if place == "approval-links":
            page = await world.api.get(f"/approve/{answer.json()['url'].rpartition('/')[2]}")
            assert page.status_code == 200, page.text
    await world.eye.execute("UPDATE post SET created_by = $2 WHERE brand_id = $1", tenant.brand.brand_id, new_uuid())
    await world.eye.execute("UPDATE review SET author_id = NULL WHERE brand_id = $1", tenant.brand.brand_id)


async def number(world: World) -> None:
    """Give the events their numbers."""
    async with world.worker.db.session() as session:
        await sequencer.number(session, limit=1000)


async def _find(world: World, tenant: Tenant) -> None:
    """The ids of everything that the tenant has."""
    brand = tenant.brand
    named = {
        Prefix.BRAND: [brand.brand_id], Prefix.USER: [brand.user_id], Prefix.ORGANIZATION: [brand.organization_id],
    }  # fmt: skip
    order = {
        "mention": "external_id LIKE '%-child' DESC, id",
        "thread": "(SELECT count(*) FROM mention m WHERE m.brand_id = t.brand_id AND m.thread_id = t.id) DESC, id",
        "outgoing": "state = 'uncertain' DESC, id",
        "arrival": "state, id",
        "webhook_endpoint": "brand_id IS NULL DESC, id",
        "webhook_delivery": "(SELECT e.brand_id IS NULL FROM webhook_endpoint e WHERE e.id = t.endpoint_id) DESC, id",
    }
    for prefix, table in TABLE_OF.items():
        if prefix is Prefix.POST:
            continue
        by = "organization_id" if table in {"api_key", "webhook_endpoint"} else "brand_id"
        if prefix in named:
            found = named[prefix]
        else:
            of = brand.organization_id if by == "organization_id" else brand.brand_id
            query = f'SELECT id FROM "{table}" t WHERE {by} = $1 ORDER BY {order.get(table, "id")}'
            found = [row["id"] for row in await world.eye.fetch(query, of)]
        tenant.ids[prefix] = [typeid(prefix, value) for value in found]


@dataclass(frozen=True)
class Neighbours:
    """Two tenants of one world, and the words that are the other's alone."""

    world: World
    own: Tenant
    other: Tenant
    secrets: set[str]
