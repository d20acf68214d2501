"""What a document may ask for: refused before validation with HTTP 200, `data: null` and a code."""

from typing import Any

import orjson
import pytest
from graphql import get_introspection_query

from tests.conftest import HouseBrand
from tests.services.api.graphql.asking import Api


def deep(depth: int) -> str:
    return "{ a" * (depth - 1) + "{ b }" + " }" * (depth - 1)


def parents(depth: int) -> str:
    """A valid document whose leaf stands `depth` deep."""
    inner = "{ id }"
    for _ in range(depth - 4):
        inner = f"{{ parent {inner} }}"
    return f'{{ brand(id: "x") {{ mentions {{ nodes {inner} }} }} }}'


@pytest.mark.parametrize(
    ("code", "query", "variables"),
    [
        ("DEPTH_LIMIT", parents(13), {}),
        ("DEPTH_LIMIT", deep(13), {}),
        ("DEPTH_LIMIT", deep(600), {}),
        ("DEPTH_LIMIT", f"{{ a ...F }} fragment F on Query {deep(13)}", {}),
        ("ALIAS_LIMIT", "{" + " ".join(f"a{n}: viewer {{ scopes }}" for n in range(31)) + "}", {}),
        ("ALIAS_LIMIT", "{ ...F ...G } fragment F on Query { ...G ...G } fragment G on Query {"
         + " ".join(f"a{n}: viewer {{ scopes }}" for n in range(11)) + "}", {}),
        ("TOKEN_LIMIT", "{" + " a" * 1999 + "}", {}),
        ("TOKEN_LIMIT", "{" * 3000, {}),
        ("DOCUMENT_LIMIT", "{ a }" + "#" * 100_000, {}),
        ("DOCUMENT_LIMIT", "# é" + "é" * 50_000 + "\n{ a }", {}),
        ("LIMIT_OUT_OF_RANGE", '{ brand(id: "x") { mentions(first: 0) { nodes { id } } } }', {}),
        ("LIMIT_OUT_OF_RANGE", '{ brand(id: "x") { mentions(first: 101) { nodes { id } } } }', {}),
        ("LIMIT_OUT_OF_RANGE", '{ brand(id: "x") { mentions(first: -1) { nodes { id } } } }', {}),
        ("LIMIT_OUT_OF_RANGE", "query ($n: Int) { brands(first: $n) { nodes { id } } }", {"n": 101}),
        ("LIMIT_OUT_OF_RANGE", "query ($n: Int = 101) { brands(first: $n) { nodes { id } } }", {}),
        ("LIMIT_OUT_OF_RANGE", "{ ...F } fragment F on Query { brands(first: 500) { nodes { id } } }", {}),
        ("COST_LIMIT",
         '{ brand(id: "x") { threads(first: 100) { nodes { mentions(first: 100) { nodes { id } } } } } }', {}),
        ("COST_LIMIT",
         "query ($n: Int) { brands(first: $n) { nodes { mentions(first: $n) { nodes { id } } } } }", {"n": 100}),
    ],
)  # fmt: skip
async def test_too_much_is_refused(
    api: Api, brand: HouseBrand, code: str, query: str, variables: dict[str, Any]
) -> None:
    answer = await api.ask(query, brand.api_key, **variables)
    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert isinstance(answer["extensions"]["cost"], int)


@pytest.mark.parametrize(
    "query",
    [
        parents(12),
        "{" + " ".join(f"a{n}: viewer {{ scopes }}" for n in range(30)) + "}",
        '{ brand(id: "x") { mentions(first: 100) { nodes { id } } } }',
        '{ brand(id: "x") { mentions(first: 1) { nodes { id } } } }',
        "{ viewer { scopes } }" + "#" * 99_900,
        '{ brand(id: "x") { mentions(where: {languages: [' + '"nl" ' * 1970 + "]}) { nodes { id } } } }",
        get_introspection_query(),
    ],
)
async def test_what_is_just_within_is_answered(api: Api, brand: HouseBrand, query: str) -> None:
    assert "errors" not in await api.ask(query, brand.api_key)


async def test_limits_come_before_validation_but_after_the_key(api: Api, brand: HouseBrand) -> None:
    assert await api.code(deep(13), brand.api_key) == "DEPTH_LIMIT"
    assert (await api.post(deep(13), "pv_wrong")).status_code == 401


async def test_a_fragment_that_spreads_itself_is_an_error_of_validation(api: Api, brand: HouseBrand) -> None:
    query = "{ ...F } fragment F on Query { viewer { scopes } ...F }"
    assert await api.code(query, brand.api_key) == "GRAPHQL_VALIDATION_FAILED"


async def test_fragments_that_multiply_are_measured_quickly(api: Api, brand: HouseBrand) -> None:
    parts = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(100)]
    query = "{ ...F0 }" + " ".join(parts) + " fragment F100 on Query { a: viewer { scopes } }"
    assert await api.code(query, brand.api_key) in {"ALIAS_LIMIT", "DEPTH_LIMIT"}


async def test_introspection_can_not_be_nested_without_end(api: Api, brand: HouseBrand) -> None:
    inner = "{ name }"
    for _ in range(5):
        inner = f"{{ fields {{ type {inner} }} }}"
    answer = await api.ask(f"{{ __schema {{ types {inner} }} }}", brand.api_key)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b'[{"query": "{ viewer { scopes } }"}]', b"", b"{", b"null", b"3", b"{}", b'{"query": 3}',
        b'{"query": "{ viewer { scopes } }", "variables": []}', b'{"query": "{ a }", "operationName": 3}', b"\xff",
        b'{"a":' * 5000,
    ],
)  # fmt: skip
async def test_what_is_no_request_is_http_400(api: Api, brand: HouseBrand, body: bytes) -> None:
    headers = {"authorization": f"Bearer {brand.api_key}", "content-type": "application/json"}
    response = await api.client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/problem+json")


async def test_a_lone_surrogate_in_an_id_is_answered(api: Api, brand: HouseBrand) -> None:
    body = (
        b'{"query": "query ($id: ID!) { node(id: $id) { id } brand(id: $id) { id } }", "variables": {"id": "\\ud800"}}'
    )
    headers = {"authorization": f"Bearer {brand.api_key}", "content-type": "application/json"}
    response = await api.client.post("/graphql", content=body, headers=headers)
    assert orjson.loads(response.content)["data"] == {"node": None, "brand": None}


async def test_errors_say_what_is_wrong(api: Api, brand: HouseBrand) -> None:
    cases = {
        "{": "GRAPHQL_PARSE_FAILED",
        "{ nonsense }": "GRAPHQL_VALIDATION_FAILED",
        "query A { viewer { scopes } } query B { viewer { scopes } }": "BAD_USER_INPUT",
        "query ($n: Int!) { brands(first: $n) { nodes { id } } }": "BAD_USER_INPUT",
    }
    for query, code in cases.items():
        answer = await api.ask(query, brand.api_key)
        assert answer["data"] is None
        assert answer["errors"][0]["extensions"]["code"] == code, query
