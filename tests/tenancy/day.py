"""A day in the house: everything that it says to PostgreSQL is said once."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from services.api.schema import SCHEMA
from services.ingest import handlers
from services.ingest.deepening import Budget, Deepening
from services.scheduler import reminding, sweeps, withdrawing
from services.scheduler.delivering import Delivering
from services.scheduler.house import House as SchedulersHouse
from services.scheduler.mailing import Mailing
from services.scheduler.noticing import Noticing
from services.scheduler.sending import Sending
from shared.analysis.deep import Mood
from shared.analysis.reading import Text
from shared.connectors.registry import CARDS
from shared.contract import Counted, Page
from shared.domain import scope as scopes
from shared.domain import troubles, waiting
from shared.domain.brands import withdrawals
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.listening import counters, recalls, record, rereadings, searches
from shared.domain.listening.doubts import Cascade
from shared.domain.publishing.sending import clocks
from shared.ids import Prefix, new_uuid, parse_typeid
from shared.models.enums import EventType, Network, WithdrawalKind
from tests.connectors.loopback import Receiver, Reply
from tests.services.ingest.turning import take_all
from tests.tenancy import copying
from tests.tenancy import graphql_operations as graphql
from tests.tenancy import rest_operations as rest
from tests.tenancy.searching import search
from tests.tenancy.socket import connected
from tests.tenancy.tenants import Tenant, World, furnish, number
from tests.tenancy.watching import watch

_PAGE = (
    "query P($b: ID!) { brand(id: $b) { name mentions { nodes { id author { id } thread { id } channel { id } } } } }"
)


async def live(world: World, network: Receiver) -> None:
    """Everything that the house does, once."""
    first, second = await furnish(world, "dunes", network.url), await furnish(world, "zeehond", network.url)
    await _grow(world, first)
    await _read(world, first)
    await _mutate(world, second)
    await _subscribe(world, first)
    await _send(world, network)
    await _move_clocks(world, second)
    await _search(world, first)
    await _poll(world, network)
    await copying.copy(world, first)
    await _read_anew(world, first)
    await _read_deep(world, first)
    await _tell(world, network)
    await watch(world, first, _scheduler(world))
    await _measure(world, first)
    await search(world, first)
    await _use_rest(world, first)
    await handlers.drain(world.worker)
    await number(world)
    await _sweep(world)


async def _use_rest(world: World, tenant: Tenant) -> None:
    operations = rest.operations(world.app.openapi())
    last = ("cancel_post", "delete_post", "delete_media", "remove_channel")
    for operation in sorted(operations, key=lambda one: last.index(one.id) if one.id in last else -1):
        if operation.id == "delete_post":
            continue  # below, another one
        ask = operation.ask(lambda _: tenant)
        for headers in ({}, {"idempotency-key": f"{operation.id} again"}):
            answer = await world.api.request(
                ask.method,
                ask.url,
                params=ask.params,
                json=ask.json,
                content=ask.content,
                headers={**tenant.headers, **ask.headers, **headers},
            )
            assert answer.status_code < 500, (ask, answer.text)
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}"
    answer = await world.api.patch(place, json={"timezone": "America/New_York"}, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    answer = await world.api.delete(f"{place}/posts/{tenant.ids[Prefix.POST][1]}", headers=tenant.headers)
    assert answer.status_code == 204, answer.text


async def _measure(world: World, tenant: Tenant) -> None:
    """Sums by hour and by day, whole and by each dimension; then counted from the mentions themselves."""
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}/metrics"
    wanted = {
        "key": ["mentions", "authors", "posts", "engagement", "net_sentiment", "reach"],
        "from": "2026-11-19T00:00:00Z",
        "to": "2026-11-21T00:00:00Z",
    }
    for more in (
        {"interval": "hour"},
        {"interval": "day"},
        {"interval": "hour", "group_by": ["channel", "kind", "network"]},
        {"interval": "day", "group_by": ["channel", "kind", "network"]},
        {"interval": "hour", "group_by": ["language"], "language": "nl"},
        {"interval": "day", "group_by": ["sentiment", "intent"], "sentiment": "positive", "intent": "question"},
        {"interval": "day", "group_by": ["query"], "key": ["mentions", "share_of_voice"]},
        {"interval": "hour", "group_by": ["query"], "key": ["mentions", "share_of_voice"]},
        {"interval": "week", "group_by": ["query", "channel"], "key": ["mentions"]},
        {"interval": "day", "group_by": ["sentiment"], "key": ["mentions"]},
    ):
        answer = await world.api.get(place, params={**wanted, **more}, headers=tenant.headers)
        assert answer.status_code == 200, answer.text

    for what in ("authors", "sources", "topics", "intents", "phrases"):
        for more in ({}, {"q": "said", "query_id": tenant.id(Prefix.QUERY)}):
            span = {"from": wanted["from"], "to": wanted["to"], **more}
            answer = await world.api.get(
                place.replace("/metrics", f"/top/{what}"), params=span, headers=tenant.headers
            )  # fmt: skip
            assert answer.status_code == 200, answer.text


async def _grow(world: World, tenant: Tenant) -> None:
    """Trees whose parts come in an odd order: children first, a circle, a branch that moves to another tree."""

    def said(id_: str, parent: str | None, **more: str) -> dict[str, Any]:
        known = {"kind": "comment", "text": id_, "published_at": "2026-11-20T08:00:00Z", "author": {"id": "u"}}
        return {"id": id_, "parent_id": parent, **known, **more}

    for mention in (
        said("leaf", "branch"), said("branch", "trunk"), said("trunk", None), said("bush", None),
        said("branch", "bush", edited_at="2026-11-20T09:00:00Z", published_at="2026-11-20T08:01:00Z"),
        said("snake", "tail"), said("tail", "snake"), said("alone", "alone"),
        # An edit that does not say whose it is.
        {**said("alone", "alone", edited_at="2026-11-20T10:00:00Z", text=f"{tenant.name} alone"), "author": None},
    ):  # fmt: skip
        later = time.time() + 5 * ("edited_at" in mention)
        answer = await world.door.knock(tenant.channels[0], json.dumps({"mentions": [mention]}).encode(), at=later)
        assert answer.status_code == 200, answer.text
        await handlers.drain(world.worker)


async def _read(world: World, tenant: Tenant) -> None:
    schema = SCHEMA._schema
    asked = [graphql.node(schema, prefix, tenant.id(prefix)) for prefix in graphql.NODES.values()]
    for place in graphql.places(schema):
        asked += [place.ask(schema, tenant, arguments) for arguments in ({}, *place.foreign(tenant))]
    # A document that is known is answered by another way.
    asked += [graphql.Asked(_PAGE, {"b": tenant.id(Prefix.BRAND)})] * 2
    for one in asked:
        await _ask(world, tenant, one)


async def _mutate(world: World, tenant: Tenant) -> None:
    schema = SCHEMA._schema
    for name in sorted(
        graphql.mutations(schema), key=lambda one: (one.startswith(("remove", "delete")), one == "cancelPost")
    ):
        await _ask(world, tenant, graphql.mutation(schema, name, lambda _: tenant))


async def _ask(world: World, tenant: Tenant, asked: graphql.Asked) -> None:
    body = {"query": asked.query, "variables": asked.variables}
    answer = await world.api.post("/graphql", json=body, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json(), answer.text


async def _subscribe(world: World, tenant: Tenant) -> None:
    async with connected(world.app, tenant.brand.api_key) as socket:
        query = "subscription S($b: ID!, $a: Int) { mentions(brandId: $b, after: $a) { seq mention { id } } }"
        message = await socket.subscribe(query, {"b": tenant.id(Prefix.BRAND), "a": 0})
        assert message["type"] == "next"
        await socket.subscribe(query, {"b": tenant.id(Prefix.BRAND), "a": None})
        told = query.replace("mentions", "notifications").replace("mention {", "notification {")
        for after in (0, None):
            await socket.subscribe(told, {"b": tenant.id(Prefix.BRAND), "a": after})
        await asyncio.sleep(0.5)


def _scheduler(world: World) -> SchedulersHouse:
    worker = world.worker
    return SchedulersHouse(worker.db, worker.queues, worker.vault, worker.http, worker.settings)


async def _send(world: World, network: Receiver) -> None:
    """What is due goes out: here it is taken, there refused, there nothing is known of it."""
    for table in ("outgoing", "due_outgoing"):
        await world.eye.execute(f"UPDATE {table} SET due_at = now()")
    network.replies[("POST", "/dunes")] = Reply(200, json.dumps({"id": "outside-1"}).encode())
    network.replies[("POST", "/zeehond")] = Reply(500)
    network.replies[("POST", "/api/v1/posts")] = Reply(201, json.dumps({"id": "p1"}).encode())
    sending = Sending(_scheduler(world))
    for _ in range(3):
        await sending.round()
        await sending.finish(10)
    assert await world.eye.fetchval("SELECT count(*) FROM attempt WHERE outcome = 'live'")


async def _tell(world: World, network: Receiver) -> None:
    """People are told: in the app, by a mail server that is away, by webhooks that are taken or refused."""
    await world.eye.execute("""UPDATE "user" SET email = id || '@example.org'""")
    for post_id in await world.eye.fetch("SELECT brand_id, id FROM post"):
        facts = [
            NewEvent(EventType.POST_CHANGED, post_id["id"], 200 + n, {"status": status})
            for n, status in enumerate(("scheduled", "uncertain"))
        ]
        async with world.worker.db.session() as session:
            await scopes.house(session, post_id["brand_id"])
            await events.add(session, post_id["brand_id"], facts, now=datetime.now(UTC))
    await _say_what_happened(world)
    await number(world)
    changed = {"smtp_url": SecretStr("smtp://127.0.0.1:9"), "webhook_retry_seconds": (0.0,), "lease_seconds": 30.0}
    scheduler = _scheduler(world)
    house = replace(scheduler, settings=scheduler.settings.model_copy(update=changed))
    await Noticing(house).round()
    mailing, delivering = Mailing(house), Delivering(house)
    for path in ("", "/nobody"):
        await world.eye.execute("UPDATE webhook_endpoint SET url = $1", f"{network.url}/hear{path}")
        await world.eye.execute("UPDATE due_webhook SET leased_until = NULL, due_at = now()")
        network.replies["POST", "/hear"] = Reply(204)
        await mailing.round()
        await mailing.finish(10)
        await delivering.round()
        await delivering.finish(10)
    assert await world.eye.fetchval("SELECT count(*) FROM mail WHERE tries > 0")
    assert await world.eye.fetchval("SELECT count(*) FROM webhook_delivery WHERE state = 'delivered'")


async def _say_what_happened(world: World) -> None:
    """An event of each kind that people are told of, about things that are there."""
    row = await world.eye.fetchrow("SELECT brand_id, id FROM channel WHERE status = 'active' LIMIT 1")
    assert row is not None
    own = await world.eye.fetchval(
        "UPDATE mention SET variant_id = (SELECT id FROM variant v WHERE v.brand_id = mention.brand_id LIMIT 1)"
        " WHERE brand_id = $1 AND id = (SELECT id FROM mention m WHERE m.brand_id = $1 AND variant_id IS NULL LIMIT 1)"
        " RETURNING id", row["brand_id"]
    )  # fmt: skip
    effect = await world.eye.fetchval("SELECT id FROM outgoing WHERE brand_id = $1 LIMIT 1", row["brand_id"])
    seen = Counted("of a post of ours", datetime.now(UTC), likes=7)
    facts = [
        NewEvent(EventType.CHANNEL_CHANGED, row["id"], 300, {"status": "login_dead"}),
        NewEvent(EventType.MENTION_DELETED, own, 300),
        NewEvent(EventType.OUTGOING_CHANGED, effect, 300, {"state": "uncertain", "kind": "reply"}),
        NewEvent(EventType.HOLD_CHANGED, new_uuid(), 1, {"state": "on"}),
    ]
    async with world.worker.db.session() as session:
        scope, now = await scopes.house(session, row["brand_id"]), datetime.now(UTC)
        await events.add(session, row["brand_id"], facts, now=now)
        # What the network counts of a post of ours is kept as a figure.
        (key,) = await session.execute(text("SELECT key FROM mention WHERE brand_id = :b AND id = :i"),
                                       {"b": row["brand_id"], "i": own})  # fmt: skip
        await record.rewrite(session, scope, list(key), lambda state: counters.apply_counted(state, seen), now=now)


async def _poll(world: World, network: Receiver) -> None:
    """The practice network is read: a page, what was said looked at again, an error, a login that it does not take."""
    post = {"id": "p1", "kind": "post", "text": "seen", "author": {"id": "u1"}, "published_at": "2026-11-20T08:00:00Z"}
    reacted = {"post_id": "p1", "by": {"id": "u2"}, "reaction": "like", "counters": {"likes": 3}}
    changes = [{"verb": "created", "post": post}, {"verb": "reacted", "reaction": reacted}]
    page = {"changes": changes, "cursor": "1", "more": False}
    again = {"changes": [], "cursor": "1", "more": False, "posts": [post]}
    pages = [Reply(200, json.dumps(body).encode()) for body in (page, again)]
    for reply in (*pages, Reply(500), Reply(401)):
        network.replies["GET", "/api/v1/posts"] = reply
        await world.eye.execute("UPDATE due_poll SET due_at = now(), leased_until = NULL")
        await take_all(world.worker)
        await handlers.drain(world.worker)
        await _look_after(world)


async def _read_anew(world: World, tenant: Tenant) -> None:
    """What was said on a channel is read by another model."""
    async with world.worker.db.session() as session:
        scope = await scopes.house(session, tenant.brand.brand_id)
        channel_id = parse_typeid(Prefix.CHANNEL, tenant.id(Prefix.CHANNEL))
        await rereadings.start(session, scope, channel_id, since=rereadings.EVER, now=datetime.now(UTC))
    await take_all(world.worker)


async def _read_deep(world: World, tenant: Tenant) -> None:
    """What the fast reader doubts is read by a deeper one; after that nobody reads deep any more."""

    def gloomy(batch: Sequence[Text]) -> list[Mood | None]:
        return [Mood("negative", 0.9, (0.9, 0.1, 0.0)) for _ in batch]

    worker = replace(world.worker, cascade=Cascade(gloomy, "deeper", lambda language, score: True))
    for reads, name in ((worker, "doubtful"), (world.worker, "too late")):
        said = {"id": name, "kind": "comment", "text": name, "author": {"id": "u"}}
        body = {"mentions": [{**said, "published_at": "2026-11-20T08:00:00Z"}]}
        answer = await world.door.knock(tenant.channels[0], json.dumps(body).encode())
        assert answer.status_code == 200, answer.text
        await handlers.drain(worker)
        assert await Deepening(reads, Budget(600)).round() == 0.0
    assert await world.eye.fetchval("SELECT count(*) FROM mention WHERE deep_by = 'deeper'") == 1


async def _search(world: World, tenant: Tenant) -> None:
    """A query is recalled over networks: they are asked, one page comes, and it is called off."""
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}/queries"
    made = await world.api.post(
        place, json={"name": "over networks", "expression": "lanternes"}, headers=tenant.headers
    )
    recall = await world.api.post(
        f"{place}/{made.json()['id']}/recall", json={"over": ["stored", "networks"]}, headers=tenant.headers
    )
    assert recall.status_code == 202, recall.text
    async with world.worker.db.session() as session:
        scope = await scopes.house(session, tenant.brand.brand_id)
        id_ = parse_typeid(Prefix.OPERATION, recall.json()["id"])
        (search, *_) = (await searches.of(session, scope, [id_]))[id_]
        own = search.operation
        page = Page((), "1", more=True)
        await searches.advance(session, scope, own.id, page, asked=own.cursor, brought=0, now=datetime.now(UTC))
        await recalls.go_on(session, scope, id_, now=datetime.now(UTC))
    await world.api.post(f"/v1/operations/{recall.json()['id']}/cancel", headers=tenant.headers)
    await world.api.delete(f"{place}/{made.json()['id']}", headers={**tenant.headers, "if-match": "*"})


async def _look_after(world: World) -> None:
    """The operator looks at what waits and what fails."""
    async with world.worker.db.reading() as session:
        await waiting.look(session)
        await troubles.look(session, since=datetime.now(UTC) - timedelta(days=1))


async def _move_clocks(world: World, tenant: Tenant) -> None:
    """A brand's time goes ahead, past what waits for it there, and back again."""
    now = datetime.now(UTC)
    async with world.worker.db.session() as session:
        await clocks.visiting(session, [Network.SANDBOX])
        await clocks.moved(session)
        scope = await scopes.house_at(session, tenant.brand.brand_id)
        await clocks.place(session, scope, world.worker.vault, CARDS)
        for target in (timedelta(days=400), timedelta(0)):
            kept = list(Network)
            await clocks.step(session, scope, kept, target=target, now=now, patient=True)
            await clocks.step(session, scope, kept, target=target, now=now)


async def _sweep(world: World) -> None:
    house = _scheduler(world)
    async with world.services.db.session() as session:
        await withdrawals.receive(
            session, network=Network.GENERIC, app_id=new_uuid(), kind=WithdrawalKind.ERASE, person="u", signed=b"word"
        )
    assert await withdrawing.work_off(house) == 1
    late = replace(house, clock=lambda: datetime.now(UTC) + timedelta(days=120))
    await sweeps.forget(house)
    await sweeps.nightly(house)
    await sweeps.forget(late)
    await sweeps.nightly(late)
    assert await reminding.remind(late)
