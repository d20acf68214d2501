"""A repeat under an idempotency key is told by what it asks, not by how its JSON is laid out."""

import json
from typing import Any

import pytest

from tests.conftest import HouseBrand
from tests.services.api.graphql.asking import Api, brand_id

ONE = "mutation One($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code } } }"
DOCUMENT = ONE + ONE.replace("mutation One(", "mutation Two(")


def _body(brand: HouseBrand, *, turned: bool, name: str = "One", text: str) -> bytes:
    """The same request, its JSON written one way or the other."""
    given = {"brandId": brand_id(brand), "text": text}
    body: dict[str, Any] = {"query": DOCUMENT, "variables": {"input": given, "n": 2**70}, "operationName": name}
    if turned:
        body["variables"] = {"n": 2**70, "input": dict(reversed(given.items()))}
        body = dict(reversed(body.items()))
    return json.dumps(body, indent=2 if turned else None).encode()


@pytest.mark.parametrize("text", ["once", "once \ud800"])
async def test_the_same_request_in_other_json_is_the_same_request(api: Api, brand: HouseBrand, text: str) -> None:
    headers = {"authorization": f"Bearer {brand.api_key}", "idempotency-key": "abc"}
    first, second, other = [
        await api.client.post("/graphql", content=body, headers=headers)
        for body in (
            _body(brand, turned=False, text=text),
            _body(brand, turned=True, text=text),
            _body(brand, turned=True, text=text, name="Two"),
        )
    ]

    assert first.json()["data"]["createPost"]["post"]["id"] == second.json()["data"]["createPost"]["post"]["id"]
    assert second.headers["idempotency-replayed"] == "true"
    assert other.json()["data"]["createPost"]["errors"][0]["code"] == "IDEMPOTENCY_MISMATCH"
