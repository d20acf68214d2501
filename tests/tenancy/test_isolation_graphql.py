"""Every operation of the GraphQL schema, asked by one tenant about another's things."""

import asyncio
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, print_schema

from services.api.schema import SCHEMA
from shared.ids import Prefix, typeid
from tests.tenancy import witness
from tests.tenancy.graphql_operations import (
    NODES,
    Asked,
    Place,
    check_roots,
    foreign_fields,
    mutation,
    mutations,
    node,
    places,
    selection,
)
from tests.tenancy.rest_operations import Unfilled
from tests.tenancy.socket import Closed, Socket, connected
from tests.tenancy.tenants import Neighbours, Tenant, number

GRAPH: GraphQLSchema = SCHEMA._schema
PLACES = places(GRAPH)
MUTATIONS = sorted(mutations(GRAPH), key=lambda name: (name.startswith(("remove", "delete")), name == "cancelPost"))
UNKNOWN = {
    "NOT_FOUND", "UNKNOWN_CHANNEL", "UNKNOWN_POST", "UNKNOWN_CAMPAIGN", "UNKNOWN_MEDIA", "UNKNOWN_VARIANT",
    "UNKNOWN_QUERY", "UNKNOWN_IDENTITY", "UNKNOWN_THREAD", "NOT_IN_QUEUE", "CANNOT",
}  # fmt: skip
SUBSCRIPTIONS = sorted(GRAPH.subscription_type.fields) if GRAPH.subscription_type else []
EACH_PLACE = pytest.mark.parametrize("place", PLACES, ids=[place.id for place in PLACES])
EACH_MUTATION = pytest.mark.parametrize("name", MUTATIONS)

BRAND = f"query B($id: ID!) {{ brand(id: $id) {selection(GRAPH, GRAPH.type_map['Brand'], 2)} }}"
OWN = f"{{ viewer {selection(GRAPH, GRAPH.type_map['Viewer'], 2)} }}"
BRANDS = f"{{ brands(first: 5) {selection(GRAPH, GRAPH.type_map['BrandConnection'], 1)} }}"


def test_the_queries_and_subscriptions_are_those_that_are_tested_here() -> None:
    check_roots(GRAPH)


async def ask(neighbours: Neighbours, tenant: Tenant, asked: Asked, **headers: str) -> tuple[dict[str, Any], str]:
    """The answer, and all that it says."""
    body = {"query": asked.query, "variables": asked.variables}
    answer = await neighbours.world.api.post("/graphql", json=body, headers={**tenant.headers, **headers})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    refused = {error["extensions"].get("code") for error in found.get("errors", []) if "extensions" in error}
    assert not refused & {"GRAPHQL_VALIDATION_FAILED", "TOKEN_LIMIT", "COST_LIMIT", "DEPTH_LIMIT", "INTERNAL"}, found
    told = [answer.text, *witness.leaves(found), *(f"{name}: {value}" for name, value in answer.headers.items())]
    return found, "\n".join(told)


def leaks(neighbours: Neighbours, told: str, asked: Asked) -> list[str]:
    return witness.leaked(neighbours.secrets, told, said=f"{asked.query} {asked.variables}")


def is_empty(value: Any) -> bool:
    """Whether a field answered nothing: an empty connection or list, or series or a chart that add up to nothing."""
    if isinstance(value, dict):
        if "days" in value:
            return not any(day.get(what) for day in value["days"] for what in ("posts", "slots", "previews"))
        if "specification" in value:
            return witness.drawn(value["specification"]) == 0
        things = next((value[name] for name in ("hours", "items") if name in value), value.get("nodes"))
        return things == []
    if value and "matched" in value[0]:
        return not any(share["mentions"] for share in value)
    return not value or not any(point["value"] for series in value for point in series.get("points", [{"value": 1}]))


@pytest.mark.parametrize("prefix", list(Prefix), ids=[prefix.value for prefix in Prefix])
async def test_another_tenants_node_is_null(prefix: Prefix, neighbours: Neighbours) -> None:
    own, other = neighbours.own, neighbours.other
    # Also ids of things that are no nodes, and of things of another kind.
    ids = [*other.ids.get(prefix, []), typeid(prefix, other.brand.brand_id)]
    hints: list[dict[str, str]] = [{}, {"parvis-brand": other.id(Prefix.BRAND)}, {"parvis-brand": own.id(Prefix.BRAND)}]
    for id_ in ids:
        for headers in hints:
            asked = node(GRAPH, prefix, id_)
            found, told = await ask(neighbours, own, asked, **headers)
            assert found["data"] == {"node": None}
            assert leaks(neighbours, told, asked) == []
    if prefix in NODES.values():
        _, told = await ask(neighbours, other, node(GRAPH, prefix, other.id(prefix)))
        assert leaks(neighbours, told, Asked("", {}))


async def test_another_tenants_brand_is_null(neighbours: Neighbours) -> None:
    asked = Asked(BRAND, {"id": neighbours.other.id(Prefix.BRAND)})
    found, told = await ask(neighbours, neighbours.own, asked)
    assert found["data"] == {"brand": None}
    assert leaks(neighbours, told, asked) == []
    found, told = await ask(neighbours, neighbours.other, asked)
    assert leaks(neighbours, told, Asked("", {}))


@pytest.mark.parametrize("query", [OWN, BRANDS], ids=["viewer", "brands"])
async def test_what_a_tenant_reads_of_itself_has_nothing_of_anothers(query: str, neighbours: Neighbours) -> None:
    asked = Asked(query, {})
    found, told = await ask(neighbours, neighbours.own, asked)
    assert "errors" not in found
    assert leaks(neighbours, told, asked) == []
    _, told = await ask(neighbours, neighbours.other, asked)
    assert leaks(neighbours, told, asked)


@pytest.mark.parametrize("prefix", NODES.values(), ids=NODES.keys())
async def test_a_tenants_own_node_has_nothing_of_anothers(prefix: Prefix, neighbours: Neighbours) -> None:
    for id_ in neighbours.own.ids[prefix]:
        asked = node(GRAPH, prefix, id_)
        found, told = await ask(neighbours, neighbours.own, asked)
        assert found["data"]["node"] is not None, found
        assert leaks(neighbours, told, asked) == []


@EACH_PLACE
async def test_a_filter_on_another_tenants_things_finds_nothing(place: Place, neighbours: Neighbours) -> None:
    own, other = neighbours.own, neighbours.other
    found, told = await ask(neighbours, own, place.ask(GRAPH, own, {}))
    assert "errors" not in found
    assert leaks(neighbours, told, Asked("", {})) == []
    for arguments in place.foreign(other):
        asked = place.ask(GRAPH, own, arguments)
        found, told = await ask(neighbours, own, asked)
        assert "errors" not in found, found
        root = found["data"].get("node") or found["data"]["viewer"]
        assert is_empty(root[place.name]), found
        assert leaks(neighbours, told, asked) == []


@pytest.mark.parametrize(
    "place", [place for place in PLACES if "after" in place.field.args], ids=lambda place: place.id
)
async def test_another_tenants_cursor_is_refused(place: Place, neighbours: Neighbours) -> None:
    own, other = neighbours.own, neighbours.other
    theirs, _ = await ask(neighbours, other, place.ask(GRAPH, other, {"first": 1}))
    cursor = next(iter(_cursors(theirs["data"])))
    asked = place.ask(GRAPH, own, {"first": 1, "after": cursor})
    found, told = await ask(neighbours, own, asked)
    assert [error["extensions"]["code"] for error in found["errors"]] == ["BAD_CURSOR"]
    assert leaks(neighbours, told, asked) == []


def _cursors(value: Any) -> list[str]:
    if isinstance(value, list):
        return [cursor for item in value for cursor in _cursors(item)]
    if not isinstance(value, dict):
        return []
    own = [edge["cursor"] for edge in value.get("edges", [])]
    return own + [cursor for name, item in value.items() if name != "edges" for cursor in _cursors(item)]


@EACH_MUTATION
async def test_a_mutation_of_another_tenants_things_changes_and_shows_nothing(
    name: str, neighbours: Neighbours
) -> None:
    own, other, eye = neighbours.own, neighbours.other, neighbours.world.eye
    before = await witness.digest(eye, other)
    # A verb of what is the caller's own names nobody's things, unless it does so by one of its fields.
    whole = mutation(GRAPH, name, lambda _: other)
    tries = [whole] if witness.named(other, whole.variables) else []
    tries += [mutation(GRAPH, name, lambda _: own, foreign=place, other=other) for place in foreign_fields(GRAPH, name)]
    for asked in tries:
        for headers in ({}, {"parvis-brand": other.id(Prefix.BRAND)}):
            found, told = await ask(neighbours, own, asked, **headers)
            payload = found["data"][name]
            assert payload["errors"], found
            assert not any(value for key, value in payload.items() if key not in {"errors", "__typename"})
            assert {error["code"] for error in payload["errors"]} <= UNKNOWN, found
            assert leaks(neighbours, told, asked) == []
    assert await witness.digest(eye, other) == before


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_a_subscription_to_another_tenants_brand_is_refused(name: str, neighbours: Neighbours) -> None:
    own, other = neighbours.own, neighbours.other
    async with connected(neighbours.world.app, own.brand.api_key) as socket:
        for after in (None, 0):
            asked = _subscription(name, other, after)
            message = await socket.subscribe(asked.query, asked.variables)
            assert message["type"] == "error", message
            assert [error["extensions"]["code"] for error in message["payload"]] == ["NOT_FOUND"]
            assert leaks(neighbours, str(message), asked) == []


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_a_subscription_hears_its_own_brand_and_no_other(name: str, neighbours: Neighbours) -> None:
    own, other, world = neighbours.own, neighbours.other, neighbours.world
    await number(world)
    async with connected(world.app, own.brand.api_key) as socket, connected(world.app, other.brand.api_key) as theirs:
        asked = _subscription(name, other, 0)
        heard = await theirs.subscribe(asked.query, asked.variables)
        assert heard["type"] == "next"
        assert leaks(neighbours, str(heard), Asked("", {}))

        asked = _subscription(name, own, 0)
        heard = await socket.subscribe(asked.query, asked.variables)
        told = [heard, *await _rest(socket, quiet=3)]
        assert {message["type"] for message in told} == {"next"}
        assert leaks(neighbours, str(told), asked) == []
        await number(world)
        await world.services.queues.publish([own.brand.brand_id, other.brand.brand_id])
        assert await _rest(socket) == []


@pytest.mark.parametrize("hint", ["brand_0", "x"])
async def test_a_socket_with_a_hint_that_is_no_brand_closes_and_keeps_no_connection(
    hint: str, neighbours: Neighbours
) -> None:
    world = neighbours.world
    for _ in range(world.database.settings.pool_size + 1):
        with pytest.raises(Closed) as closed:
            async with connected(world.app, neighbours.own.brand.api_key, parvis_brand=hint):
                pass
        assert closed.value.code == 4400
    found, _ = await ask(neighbours, neighbours.own, Asked(OWN, {}))
    assert "errors" not in found


async def _rest(socket: Socket, *, quiet: float = 0.5) -> list[dict[str, Any]]:
    """What comes until nothing comes for `quiet` seconds."""
    found = []
    while True:
        try:
            async with asyncio.timeout(quiet):
                found.append(await socket.receive())
        except TimeoutError:
            return found


def _subscription(name: str, tenant: Tenant, after: int | None) -> Asked:
    assert GRAPH.subscription_type is not None
    inner = selection(GRAPH, GRAPH.subscription_type.fields[name].type, 2)
    query = f"subscription S($brand: ID!, $after: Int) {{ {name}(brandId: $brand, after: $after) {inner} }}"
    return Asked(query, {"brand": tenant.id(Prefix.BRAND), "after": after})


@EACH_MUTATION
async def test_its_own_tenant_may_do_what_the_other_was_refused(name: str, neighbours: Neighbours) -> None:
    """Else the mutations above would be refused for being bad ones."""
    other = neighbours.other
    asked = mutation(GRAPH, name, lambda _: other)
    found, _ = await ask(neighbours, other, asked)
    assert found["data"][name]["errors"] == [], found


@pytest.mark.parametrize(
    "grown",
    [
        "extend type Query { things: String }",
        "extend type Mention { thing(thingId: ID!): String }",
        "extend type Mention { thing(word: String): String }",
        "extend type Engagement { thing(first: Int): String }",
        "type Thing implements Node { id: ID! }",
        "extend type Mutation { makeThing(input: ThingInput!): String } input ThingInput { id: ID! }",
        "extend input VariantInput { thingId: ID }",
        "extend input MentionFilter { thing: String }",
        "extend type Subscription { things(brandId: ID!): String }",
    ],
)
def test_what_nobody_filled_fails(grown: str) -> None:
    schema = build_schema(f"{print_schema(GRAPH)}\n{grown}")
    with pytest.raises(Unfilled):
        _check(schema)


def _check(schema: GraphQLSchema) -> None:
    check_roots(schema)
    places(schema)
    mutations(schema)
