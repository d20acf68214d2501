"""Every operation of the REST API, asked by one tenant about another's things: nothing is shown, nothing changes."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.api.app import create_app
from shared.ids import Prefix
from shared.settings import Settings
from tests.tenancy import witness
from tests.tenancy.rest_operations import IDS, WORDS, Ask, Operation, Unfilled, operations
from tests.tenancy.tenants import Neighbours, Tenant

_NOWHERE = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
    "REDIS_URL": "redis://127.0.0.1:1",
    "secret_keys": ["k"],
}
DOCUMENT = create_app(Settings.model_validate(_NOWHERE)).openapi()
OPERATIONS = operations(DOCUMENT)
EVERY = pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.id for operation in OPERATIONS])
# What ends a thing comes after what else is done with it.
IN_TURN = sorted(
    OPERATIONS,
    key=lambda one: (
        one.method == "DELETE",
        one.id == "remove_channel",
        one.id == "cancel_post",
        one.id == "publish_post",
    ),
)
# Their answers have no words.
FIGURES_ONLY = {
    "get_best_times",
    "get_calibration",
    "get_channel_coverage",
    "get_chart_png",
    "get_metrics",
    "export_metrics_csv",
    "export_metrics_ndjson",
    "list_occurrences",
    "preview_recurrence",
    "get_media_content",
}

NOT_FOUND = {404}
NOTHING = {200}
NAMING = {"view"}  # parameters that name the one thing that is asked for, as an address does
REFUSED = {404, 422}


async def send(api: httpx.AsyncClient, tenant: Tenant, ask: Ask) -> httpx.Response:
    return await api.request(
        ask.method,
        ask.url,
        params=ask.params,
        headers={**tenant.headers, **ask.headers},
        json=ask.json,
        content=ask.content,
    )


def shown(answer: httpx.Response) -> str:
    """All that an answer says, as it is written and as it is meant."""
    meant = [leaf for body in bodies(answer) for leaf in witness.leaves(body)]
    return "\n".join([answer.text, *meant, *(f"{name}: {value}" for name, value in answer.headers.items())])


def bodies(answer: httpx.Response) -> list[Any]:
    """What an answer says in JSON: once, or line by line."""
    kind = answer.headers.get("content-type", "")
    if "ndjson" in kind:
        return [json.loads(line) for line in answer.text.splitlines()]
    return [answer.json()] if "json" in kind else []


async def cursor_of(api: httpx.AsyncClient, tenant: Tenant, operation: Operation) -> str:
    """The cursor of the second page of the tenant's own list."""
    answer = await send(api, tenant, operation.ask(lambda _: tenant, params={"limit": "1"}))
    found = answer.json()["next_cursor"]
    assert found, f"{tenant.name} needs two things for {operation.id}"
    return str(found)


async def trespasses(
    api: httpx.AsyncClient, operation: Operation, own: Tenant, other: Tenant
) -> list[tuple[Ask, set[int]]]:
    """Each way to name another's things in this operation, with the statuses that may answer it."""
    places, fields = [name for name in operation.names("path") if name in IDS], operation.foreign_fields()
    found: list[tuple[Ask, set[int]]] = []
    if places:
        found.append((operation.ask(lambda _: other), NOT_FOUND))
    if len(places) > 1:
        found += [(operation.ask(_but(one, own, other)), NOT_FOUND) for one in places]
    for name in operation.names("query"):
        if name in IDS:
            statuses = NOT_FOUND if name in NAMING else NOTHING
            found.append((operation.ask(lambda _: own, params={name: other.id(IDS[name])}), statuses))
        if name in WORDS:
            found.append((operation.ask(lambda _: own, params={name: f"{other.name}_child"}), NOTHING))
        if name == "cursor":
            page = {"limit": "1", "cursor": await cursor_of(api, other, operation)}
            found.append((operation.ask(lambda _: own, params=page), {422}))
    found += [(operation.ask(lambda _: own, foreign=place, other=other), REFUSED) for place in fields]
    return found


def _but(one: str, own: Tenant, other: Tenant) -> Callable[[str], Tenant]:
    """Everything the tenant's own, but for one parameter."""
    return lambda name: other if name == one else own


@EVERY
async def test_another_tenants_things_are_not_found_shown_or_changed(
    operation: Operation, neighbours: Neighbours
) -> None:
    own, other, api = neighbours.own, neighbours.other, neighbours.world.api
    before = await witness.digest(neighbours.world.eye, other)

    for ask, statuses in await trespasses(api, operation, own, other):
        answer = await send(api, own, ask)

        assert answer.status_code in statuses, (ask, answer.text)
        assert witness.leaked(neighbours.secrets, shown(answer), said=ask.said) == [], ask
        # A picture is drawn from the chart's specification, in which the figures can be counted.
        if answer.status_code == 200 and not answer.headers["content-type"].startswith("image/"):
            assert counted(answer) == 0, (ask, answer.text)

    assert await witness.digest(neighbours.world.eye, other) == before


def counted(answer: httpx.Response) -> float:
    """How many things a list, a table or a calendar has, or how much its figures or its drawings add up to."""
    if answer.headers["content-type"].startswith("text/csv"):
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        return sum(float(row["value"] or 0) if "value" in row else 1 for row in rows)
    if "ndjson" in answer.headers["content-type"]:
        return sum(float(row.get("value", 1) or 0) for row in bodies(answer)[:-1])
    return added(answer.json())


def added(body: Any) -> float:
    if "vconcat" in body:
        return witness.drawn(body)
    if "days" in body:
        return sum(len(day[what]) for day in body["days"] for what in ("posts", "slots", "previews"))
    if body["data"] and "matched" in body["data"][0]:
        return sum(int(one["mentions"]) for one in body["data"])
    if not body["data"] or "points" not in body["data"][0]:
        return len(body["data"])
    return sum(point["value"] or 0 for series in body["data"] for point in series["points"])


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.method == "GET"], ids=lambda operation: operation.id
)
async def test_what_a_tenant_reads_of_its_own_has_nothing_of_anothers(
    operation: Operation, neighbours: Neighbours
) -> None:
    answer = await send(neighbours.world.api, neighbours.own, operation.ask(lambda _: neighbours.own))
    assert answer.status_code == 200, answer.text
    assert witness.leaked(neighbours.secrets, shown(answer)) == []


async def test_the_same_idempotency_key_is_two_tenants_two_keys(neighbours: Neighbours) -> None:
    own, other, api = neighbours.own, neighbours.other, neighbours.world.api
    create = next(operation for operation in OPERATIONS if operation.id == "create_post")
    key = {"idempotency-key": uuid4().hex}

    async def write(tenant: Tenant) -> httpx.Response:
        ask = create.ask(lambda _: tenant)
        return await api.post(ask.url, json=ask.json, headers={**tenant.headers, **key})

    first, second = await write(other), await write(own)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    assert "idempotency-replayed" not in second.headers
    # Neither does another's address answer what its own tenant was answered.
    ask = create.ask(lambda _: other)
    answer = await api.post(ask.url, json=ask.json, headers={**own.headers, **key})
    assert answer.status_code in {404, 422}
    assert first.json()["id"] not in shown(answer)


async def test_a_delivery_that_another_tenant_signed_is_refused(neighbours: Neighbours) -> None:
    world, own, other = neighbours.world, neighbours.own.channels[0], neighbours.other.channels[0]
    before = await witness.digest(world.eye, neighbours.other)
    answer = await world.door.knock(replace(own, webhook_url=other.webhook_url))
    assert answer.status_code == 401
    assert witness.leaked(neighbours.secrets, shown(answer)) == []
    assert await witness.digest(world.eye, neighbours.other) == before


@pytest.mark.parametrize("address", ["/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics"])
async def test_what_needs_no_key_shows_nobodys_things(address: str, neighbours: Neighbours) -> None:
    answer = await neighbours.world.api.get(address)
    assert answer.status_code == 200
    assert witness.leaked(neighbours.secrets, shown(answer)) == []


@pytest.mark.parametrize("operation", IN_TURN, ids=[operation.id for operation in IN_TURN])
async def test_its_own_tenant_reaches_what_the_other_did_not(operation: Operation, neighbours: Neighbours) -> None:
    """Else the requests above would be refused for being bad ones, and the search for words would find nothing."""
    other = neighbours.other
    answer = await send(neighbours.world.api, other, operation.ask(lambda _: other))
    assert answer.status_code < 300, answer.text
    if operation.method == "GET" and operation.id not in FIGURES_ONLY:
        assert witness.leaked(neighbours.secrets, shown(answer))


def _changed(change: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with one more operation, which has `change`."""
    one = {"operationId": "make_thing", "parameters": [], **change}
    yield {**DOCUMENT, "paths": {**DOCUMENT["paths"], "/v1/things": {"post": one}}}


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": [{"in": "path", "name": "thing_id"}]},
        {"parameters": [{"in": "query", "name": "thing_id"}]},
        {"parameters": [{"in": "query", "name": "q", "schema": {"examples": ["men_01h2xcejqtf2nbrexx3vqjhp41"]}}]},
        {"parameters": [{"in": "header", "name": "X-Thing"}]},
        {"parameters": [{"in": "cookie", "name": "brand_id"}]},
        {"requestBody": {"content": {"application/json": {"schema": {"properties": {"thing_id": {}}}}}}},
        {
            "requestBody": {
                "content": {
                    "application/json": {
                        "schema": {
                            "properties": {
                                "variants": {"type": "array", "items": {"properties": {"thing_id": {"type": "string"}}}}
                            }
                        }
                    }
                }
            }
        },
    ],
)
def test_an_operation_that_nobody_filled_fails(change: dict[str, Any]) -> None:
    (document,) = _changed(change)
    with pytest.raises(Unfilled):
        operations(document)


def test_every_kind_of_thing_is_there_to_be_asked_for(neighbours: Neighbours) -> None:
    for tenant in (neighbours.own, neighbours.other):
        assert [prefix for prefix in set(IDS.values()) if not tenant.ids[prefix]] == []
        assert Prefix.ATTEMPT in tenant.ids
