"""Section 6, GraphQL: every name and type that exists is the contract's."""

from typing import Any

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    build_client_schema,
    get_introspection_query,
    parse,
    print_ast,
    print_type,
)

from tests.contract import sdl
from tests.contract.house import Tenant


@pytest.fixture(scope="module")
def schema(tenant: Tenant) -> GraphQLSchema:
    """The schema as introspection tells it."""
    found = tenant.call("POST", "/graphql", json={"query": get_introspection_query()})
    assert found.status_code == 200
    assert not found.json().get("errors"), found.json()["errors"]
    return build_client_schema(found.json()["data"])


def definitions(document: DocumentNode) -> dict[str, Any]:
    return {it.name.value: it for it in document.definitions}  # type: ignore[attr-defined]


TOLD = definitions(parse(sdl.CONTRACT))


def fields(node: Any, among: Any = None) -> dict[str, str]:
    """Every field of a type as SDL text, without descriptions. An optional argument that its namesake `among` others
    does not have is left out: the contract may be added to."""
    known = {it.name.value: {a.name.value for a in getattr(it, "arguments", None) or ()} for it in among.fields} if (
        among is not None
    ) else {}  # fmt: skip
    found = {}
    for field in node.fields:
        name = field.name.value
        if isinstance(field, FieldDefinitionNode):
            arguments = ", ".join(
                f"{it.name.value}: {print_ast(it.type)}"
                + (f" = {print_ast(it.default_value)}" if it.default_value else "")
                for it in field.arguments or ()
                if it.name.value in known.get(name, {it.name.value}) or _is_required(it)
            )
            found[name] = f"({arguments}) {print_ast(field.type)}"
        else:
            default = f" = {print_ast(field.default_value)}" if field.default_value else ""
            found[name] = print_ast(field.type) + default
    return found


def _is_required(argument: InputValueDefinitionNode) -> bool:
    return isinstance(argument.type, NonNullTypeNode) and argument.default_value is None


def here(schema: GraphQLSchema, name: str) -> Any:
    kind = schema.get_type(name)
    assert kind is not None, name
    return definitions(parse(print_type(kind)))[name]


@pytest.mark.parametrize(
    "name",
    [name for name, it in TOLD.items() if isinstance(it, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode)],
)
def test_every_field_has_the_contracts_name_and_type(schema: GraphQLSchema, name: str) -> None:
    told, found = fields(TOLD[name]), fields(here(schema, name), TOLD[name])

    assert {it: found[it] for it in told if it in found} == {it: told[it] for it in told if it in found}
    assert told.keys() - found.keys() <= sdl.LATER.get(name, set())


@pytest.mark.parametrize("name", [name for name, it in TOLD.items() if getattr(it, "interfaces", None)])
def test_nodes_are_nodes(schema: GraphQLSchema, name: str) -> None:
    assert "Node" in {it.name.value for it in here(schema, name).interfaces}


@pytest.mark.parametrize("name", sdl.ENUMS)
def test_enumerations_have_the_contracts_values(schema: GraphQLSchema, name: str) -> None:
    found = schema.get_type(name)

    assert isinstance(found, GraphQLEnumType)
    assert set(found.values) == sdl.ENUMS[name]


def test_orders_networks_and_dimensions_are_the_contracts(schema: GraphQLSchema) -> None:
    def values(name: str) -> set[str]:
        node = here(schema, name)
        assert isinstance(node, EnumTypeDefinitionNode)
        return {it.name.value for it in node.values or ()}

    assert {"NEWEST", "OLDEST"} <= values("MentionOrder") <= {"NEWEST", "OLDEST", "BEST"}
    assert {"GENERIC", "FACEBOOK", "SANDBOX"} <= values("Network")
    assert {"NETWORK", "LANGUAGE", "KIND", "CHANNEL"} <= values("Dimension")
    assert {"MENTIONS", "POSTS"} <= values("MetricKey")


@pytest.mark.parametrize("name", ["Brand", "Mention", "Post", "Thread", "Identity", "Arrival"])
def test_connections_are_relays(schema: GraphQLSchema, name: str) -> None:
    assert {"edges", "nodes", "pageInfo"} <= set(fields(here(schema, f"{name}Connection")))
    assert {"node", "cursor"} <= set(fields(here(schema, f"{name}Edge")))


@pytest.mark.parametrize("name", sdl.MUTATIONS)
def test_a_mutation_has_one_input_and_a_payload(schema: GraphQLSchema, name: str) -> None:
    kind = name[0].upper() + name[1:]
    told = fields(here(schema, "Mutation"))[name]

    assert told == f"(input: {kind}Input!) {kind}Payload!"
    payload = fields(here(schema, f"{kind}Payload"))
    assert {"code", "message", "path"} <= set(fields(here(schema, payload["errors"].split("[")[1].split("!")[0])))
    thing = sdl.MUTATIONS[name]
    assert thing is None or thing in payload


def test_settling_takes_as_and_an_external_id(schema: GraphQLSchema) -> None:
    assert {"id", "as", "externalId"} <= set(fields(here(schema, "SettleOutgoingInput")))


def test_metric_series_have_the_contracts_members(schema: GraphQLSchema) -> None:
    assert {"key", "unit", "dimensions", "points", "definition", "freshAt"} <= set(fields(here(schema, "MetricSeries")))


def test_the_printed_schema_is_the_introspected_one(tenant: Tenant, schema: GraphQLSchema) -> None:
    printed = definitions(parse(tenant.call("GET", "/graphql/schema.graphql").text))
    for name, kind in schema.type_map.items():
        if not name.startswith("__") and name in printed and hasattr(kind, "fields"):
            assert fields(printed[name]) == fields(here(schema, name)), name
