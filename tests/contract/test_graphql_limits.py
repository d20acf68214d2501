"""Section 6, GraphQL: limits with their codes, and what the transport refuses."""
# ruff: noqa: E501  # a document reads best in one line

from typing import Any

import httpx
import pytest

from tests.contract.asking import MENTIONS, connection
from tests.contract.house import Tenant


def refused(tenant: Tenant, document: str, code: str, **variables: Any) -> None:
    found = tenant.graphql(document, **variables)

    assert found["data"] is None
    assert {it["extensions"]["code"] for it in found["errors"]} == {code}
    assert "cost" in found["extensions"]


def deep(levels: int) -> str:
    """A document of exactly this many levels of fields, the leaf included."""
    return (
        "query ($id: ID!) { node(id: $id) { ... on Mention { "
        + "parent { " * (levels - 2)
        + "id"
        + " }" * (levels - 2)
        + " } } }"
    )


def test_twelve_levels_are_taken_and_thirteen_are_not(said: Tenant) -> None:
    mention_id = said.by_external_id("child")["id"]

    assert not said.graphql(deep(12), id=mention_id).get("errors")
    refused(said, deep(13), "DEPTH_LIMIT", id=mention_id)


def test_depth_follows_fragments(said: Tenant) -> None:
    half = "parent { " * 6
    document = (
        "query ($id: ID!) { node(id: $id) { ...A } } fragment A on Mention { " + half + "...B" + " }" * 6 + " } "
        "fragment B on Mention { " + half + "id" + " }" * 6 + " }"
    )

    refused(said, document, "DEPTH_LIMIT", id=said.brand_id)


def test_fragments_in_a_circle_are_refused(said: Tenant) -> None:
    found = said.graphql("{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }")

    assert found["errors"]
    assert found.get("data") is None


def test_thirty_aliases_are_taken_and_more_are_not(said: Tenant) -> None:
    def document(count: int) -> str:
        return "{ " + " ".join(f"a{n}: __typename" for n in range(count)) + " }"

    assert not said.graphql(document(30)).get("errors")
    refused(said, document(31), "ALIAS_LIMIT")


def test_two_thousand_tokens_are_the_most(said: Tenant) -> None:
    refused(said, "{ " + "__typename " * 2_100 + "}", "TOKEN_LIMIT")
    words = '"fr" ' * 1_950
    assert not said.graphql(
        f'{{ brand(id: "x") {{ mentions(where: {{languages: [{words}]}}) {{ nodes {{ id }} }} }} }}'
    ).get("errors")


def test_cost_is_objects_times_page_sizes(said: Tenant) -> None:
    document = """query ($id: ID!, $n: Int) { brand(id: $id) { threads(first: $n) { nodes { mentions(first: $n) { nodes {
      thread { mentions(first: $n) { nodes { id } } } } } } } } }"""

    refused(said, document, "COST_LIMIT", id=said.brand_id, n=100)
    refused(said, document.replace("$n: Int", "$m: Int").replace("$n", "100"), "COST_LIMIT", id=said.brand_id)
    assert not said.graphql(document, id=said.brand_id, n=2).get("errors")


@pytest.mark.parametrize("first", [0, -1, 101, 2_147_483_647])
def test_a_page_size_out_of_range_is_an_error(said: Tenant, first: int) -> None:
    refused(said, MENTIONS, "LIMIT_OUT_OF_RANGE", id=said.brand_id, first=first)
    refused(
        said,
        f'{{ brand(id: "{said.brand_id}") {{ mentions(first: {first}) {{ nodes {{ id }} }} }} }}',
        "LIMIT_OUT_OF_RANGE",
    )


def test_a_document_of_100_kilobytes_is_the_largest(said: Tenant) -> None:
    refused(said, "{ __typename } # " + "x" * 100_000, "DOCUMENT_LIMIT")
    assert not said.graphql("{ __typename } # " + "x" * 90_000).get("errors")


def test_limits_come_before_validation(said: Tenant) -> None:
    refused(said, "{ " + " ".join(f"a{n}: nothing" for n in range(31)) + " }", "ALIAS_LIMIT")


def test_every_answer_carries_its_cost(said: Tenant) -> None:
    for document in ("{ __typename }", "{ nothing }", "{", "{ brands { nodes { id } } }"):
        assert isinstance(said.graphql(document)["extensions"]["cost"], int), document
    assert connection_cost(said, 100) > connection_cost(said, 1)


def connection_cost(tenant: Tenant, first: int) -> int:
    cost = tenant.graphql(MENTIONS, id=tenant.brand_id, first=first)["extensions"]["cost"]
    assert isinstance(cost, int)
    return cost


def test_a_bad_cursor_is_an_error(said: Tenant, other: Tenant) -> None:
    page = connection(said, first=1)
    for after in ("nonsense", "", page["pageInfo"]["endCursor"][:-3] + "AAA"):
        assert said.graphql(MENTIONS, id=said.brand_id, after=after).get("errors"), after
    assert other.graphql(MENTIONS, id=other.brand_id, after=page["pageInfo"]["endCursor"])["errors"]
    assert said.graphql(MENTIONS, id=said.brand_id, after=page["pageInfo"]["endCursor"], where={"kinds": ["REVIEW"]})[
        "errors"
    ]


@pytest.mark.parametrize("authorization", [None, "Bearer pv_wrong", "Basic eA=="])
def test_without_a_valid_key_it_is_401(web: httpx.Client, said: Tenant, authorization: str | None) -> None:
    headers = {"authorization": authorization} if authorization else {}

    assert (
        web.post(f"{said.local['api']}/graphql", json={"query": "{ __typename }"}, headers=headers).status_code == 401
    )


def test_a_batch_is_400(said: Tenant) -> None:
    assert said.call("POST", "/graphql", json=[{"query": "{ __typename }"}] * 2).status_code == 400
    assert said.call("POST", "/graphql", json=[]).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"null", b"7", b"{}", b'{"query": null}', b'{"query": 7}', b'{"query": ""}', b'{"query": "{"}',
     b'{"query": "{ __typename }", "variables": 7}', b'{"query": "{ __typename }", "operationName": 7}',
     b'{"query": "{ __typename }", "operationName": "nothing"}', b'{"query": "query A { __typename } query B { __typename }"}',
     '{"query": "é"}'.encode("latin-1"), b'{"query": "' + b"{a" * 20_000 + b'"}', b'{"query": "\\u0000"}',
     b'{"query": "{ __typename }", "variables": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
     b'{"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": "\\ud800"}}',
     b'{"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": {"a": 1}}}'],
)  # fmt: skip
def test_a_bad_request_is_answered_plainly(said: Tenant, body: bytes) -> None:
    answer = said.call("POST", "/graphql", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in {200, 400}, answer.text
    assert "Traceback" not in answer.text
    assert "asyncpg" not in answer.text
    if answer.headers["content-type"].startswith("application/json") and answer.status_code == 200:
        assert answer.json().get("errors") or answer.json()["data"] == {"node": None}


@pytest.mark.parametrize("since", ['"yesterday"', "7", "true", "[]", '"0000-00-00T00:00:00Z"'])
def test_a_literal_that_cannot_be_read_says_so(said: Tenant, since: str) -> None:
    document = f'{{ brand(id: "{said.brand_id}") {{ mentions(where: {{since: {since}}}) {{ nodes {{ id }} }} }} }}'
    [error] = said.graphql(document)["errors"]

    assert error["extensions"]["code"] not in {"INTERNAL", "INTERNAL_SERVER_ERROR"}
    assert "our side" not in error["message"]


def test_a_variable_that_cannot_be_read_says_so(said: Tenant) -> None:
    [error] = said.graphql(MENTIONS, id=said.brand_id, where={"since": "yesterday"})["errors"]

    assert error["extensions"]["code"] not in {"INTERNAL", "INTERNAL_SERVER_ERROR"}


def test_the_request_id_and_the_rate_limit_are_there_too(said: Tenant) -> None:
    answer = said.call("POST", "/graphql", json={"query": "{ __typename }"})

    assert answer.headers["request-id"]
    assert answer.headers["ratelimit"].startswith('"default";r=')
