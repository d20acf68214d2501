"""Rules that the schema keeps, whatever is added to it: names, nullability, shapes, and words where they are needed."""

import re
from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
)

from services.api.schema import sdl

SCHEMA = build_schema(sdl())
OURS = {name: type_ for name, type_ in SCHEMA.type_map.items() if not name.startswith("__")}
ROOTS = {"Query", "Mutation", "Subscription"}
SHAPES = ("Connection", "Edge", "Payload")  # their names say all there is to say

PASCAL, CAMEL, UPPER = (re.compile(p) for p in (r"[A-Z][A-Za-z0-9]*", r"[a-z][A-Za-z0-9]*", r"[A-Z][A-Z0-9_]*"))

# Null until analysed, as the contract has it; what a correction replaced may have been so, or no intent at all.
NULL_LISTS = {"Mention.intents", "Mention.topics", "Correction.replaced"}
# Null where nothing was searched for; and in a filter, where an empty list lets nothing through and null everything.
NULL_LISTS |= {"Mention.highlights"} | {
    f"ViewWhere.{name}"
    for name in ("networks", "channelIds", "kinds", "languages", "sentiments", "intents", "authorKinds", "queryIds")
}


def _fields(kinds: tuple[type, ...]) -> Iterator[tuple[str, object]]:
    """`Type.field` with its type, over all types of these kinds."""
    for name, type_ in OURS.items():
        if isinstance(type_, kinds):
            yield from ((f"{name}.{field}", one.type) for field, one in type_.fields.items())  # type: ignore[attr-defined]


def _arguments() -> Iterator[tuple[str, object]]:
    for name, type_ in OURS.items():
        if isinstance(type_, GraphQLObjectType):
            for field, one in type_.fields.items():
                yield from ((f"{name}.{field}({argument})", given.type) for argument, given in one.args.items())


OUTPUTS = dict(_fields((GraphQLObjectType, GraphQLInterfaceType)))
INPUTS = dict(_fields((GraphQLInputObjectType,))) | dict(_arguments())


def _bare(type_: object) -> object:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def test_types_are_pascal_case_fields_and_arguments_camel_case_and_members_upper_case() -> None:
    members = [
        (f"{name}.{member}", member)
        for name, type_ in OURS.items()
        if isinstance(type_, GraphQLEnumType)
        for member in type_.values
    ]
    names = [(place, re.split(r"[.(]", place.rstrip(")"))[-1]) for place in OUTPUTS | INPUTS]

    assert [name for name in OURS if not PASCAL.fullmatch(name)] == []
    assert [place for place, name in names if not CAMEL.fullmatch(name)] == []
    assert [place for place, name in members if not UPPER.fullmatch(name)] == []


def test_no_list_holds_null() -> None:
    lists = {place: _bare(type_) for place, type_ in (OUTPUTS | INPUTS).items()}

    assert [
        place
        for place, type_ in lists.items()
        if isinstance(type_, GraphQLList) and not isinstance(type_.of_type, GraphQLNonNull)
    ] == []


def test_a_list_that_is_answered_is_empty_rather_than_null() -> None:
    assert {place for place, type_ in OUTPUTS.items() if isinstance(type_, GraphQLList)} <= NULL_LISTS


@pytest.mark.parametrize("end", ["Id", "Ids"])
def test_what_is_named_an_id_is_one(end: str) -> None:
    foreign = {"externalId"}  # the network's own

    assert [
        place
        for place, type_ in (OUTPUTS | INPUTS).items()
        if place.rstrip(")").endswith(end)
        and re.split(r"[.(]", place.rstrip(")"))[-1] not in foreign
        and get_named_type(type_).name != "ID"  # type: ignore[call-overload]
    ] == []


def test_what_is_named_a_moment_is_one() -> None:
    assert [
        place
        for place, type_ in (OUTPUTS | INPUTS).items()
        if re.search(r"[a-z]At\)?$", place) and get_named_type(type_).name != "DateTime"  # type: ignore[call-overload]
    ] == []


def test_connections_and_edges_have_relays_shape() -> None:
    for name, type_ in OURS.items():
        if isinstance(type_, GraphQLObjectType) and name.endswith("Connection"):
            thing = name.removesuffix("Connection")
            assert {field: str(one.type) for field, one in type_.fields.items()} == {
                "nodes": f"[{thing}!]!", "edges": f"[{thing}Edge!]!", "pageInfo": "PageInfo!",
            }  # fmt: skip
            edge = OURS[f"{thing}Edge"]
            assert isinstance(edge, GraphQLObjectType)
            assert {field: str(one.type) for field, one in edge.fields.items()} == {
                "node": f"{thing}!", "cursor": "String!",
            }  # fmt: skip


def test_a_field_that_answers_a_connection_takes_a_page() -> None:
    for name, type_ in OURS.items():
        if not isinstance(type_, GraphQLObjectType):
            continue
        for field, one in type_.fields.items():
            if get_named_type(one.type).name.endswith("Connection"):
                assert {"first", "after"} <= set(one.args), f"{name}.{field}"


def test_what_is_given_is_an_input_or_a_filter() -> None:
    given = [name for name, type_ in OURS.items() if isinstance(type_, GraphQLInputObjectType)]

    assert [name for name in given if not name.endswith(("Input", "Filter"))] == []


def _says_what_it_is(name: str, type_: GraphQLNamedType) -> bool:
    return bool(type_.description) or name in ROOTS or name.endswith(SHAPES)


def test_a_thing_says_what_it_is() -> None:
    things = {
        name: type_ for name, type_ in OURS.items() if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    }

    assert [name for name, type_ in things.items() if not _says_what_it_is(name, type_)] == []


def test_a_description_is_a_sentence() -> None:
    said = {name: type_.description for name, type_ in OURS.items() if type_.description}
    said |= {
        f"{name}.{field}": one.description
        for name, type_ in OURS.items()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
        for field, one in type_.fields.items()
        if one.description
    }
    builtin = {"String", "Int", "Float", "Boolean", "ID"}

    assert [
        place for place, text in said.items() if place not in builtin and not text.strip().endswith((".", "?"))
    ] == []
