"""Schemathesis over REST and hypothesis-graphql over GraphQL, at the running house.

Seed 20261122, so that a run can be repeated. In the suite: 6 examples an operation for REST and 40 documents for
GraphQL, about a quarter of a minute together on two cores. The long form (`-m slow`): 150 an operation and 1,500
documents, about five minutes; PARVIS_TEST_EXAMPLES sets the first number.
Neither may see a 5xx, an undocumented status or media type, or an internal error's words.
"""

import json
import os
import re
from typing import Any

import hypothesis
import pytest
import schemathesis

# Imported here rather than on first use, deep in a test: compiling them there is what fails for a garbage collection.
import schemathesis.engine.recorder
import schemathesis.generation.hypothesis.examples
import schemathesis.generation.stateful.state_machine
import schemathesis.specs.openapi._hypothesis
from graphql import parse_value
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import strategies as st
from hypothesis_graphql import from_schema
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contract.house import Tenant, mention
from tests.services.media.making import png

SEED = 20261122
_ID = re.compile(r'\bid: ("(?:[^"\\]|\\.)*"|-?\d+)')
_BRAND = re.compile(r'\bbrandId: ("(?:[^"\\]|\\.)*"|-?\d+)')
INTERNAL = ("Traceback", "asyncpg", "sqlalchemy", "NoneType", "KeyError", "object has no attribute", "Internal")
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


def settings(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def known(tenant: Tenant) -> dict[str, str]:
    """Ids that exist, so that more than 404 is seen."""
    tenant.hear(mention("for schemathesis"))
    it = tenant.by_external_id("for schemathesis")
    body = {"text": "Bonjour", "channel_ids": [tenant.channel("sandbox").id]}
    return {
        "brand_id": tenant.brand_id,
        "mention_id": it["id"],
        "thread_id": it["thread_id"],
        "identity_id": it["author"]["id"],
        "channel_id": tenant.channel("facebook").id,
        "arrival_id": tenant.get("/arrivals")["data"][0]["id"],
        "post_id": tenant.rest("POST", "/posts", json=body).json()["id"],
        "media_id": tenant.rest("POST", "/media", files={"file": ("a.png", png())}).json()["id"],
    }


def exercise_rest(tenant: Tenant, known: dict[str, str], examples: int) -> int:
    """Call every operation; how many calls there were."""
    loaded = schemathesis.openapi.from_url(f"{tenant.local['api']}/openapi.json")
    calls = 0
    failures: list[str] = []
    for result in loaded.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # an invalid schema has no operation to call

        @seed(SEED)
        @settings(examples)
        @given(case=operation.as_strategy(), real=st.integers(0, 3))
        def call(case: Any, real: int) -> None:
            nonlocal calls
            calls += 1
            if real and case.path_parameters:
                case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
            if case.method.upper() == "DELETE" and "channel_id" in (case.path_parameters or {}):
                case.path_parameters["channel_id"] = "chan_01h455vb4pex5vsknk084sn02q"
            response = case.call(headers=tenant.authorization)
            case.validate_response(response, checks=list(CHECKS))
            assert not any(word in response.text for word in INTERNAL[:3]), response.text

        try:
            call()
        except Exception as failure:  # every operation is tried before any is reported
            failures.append(f"{operation.label}: {failure!s:.1500}")
    assert not failures, "\n\n".join(failures)
    return calls


def exercise_graphql(tenant: Tenant, known: dict[str, str], examples: int) -> int:
    """Send generated queries and mutations; how many there were."""
    sdl = tenant.call("GET", "/graphql/schema.graphql").text
    moments = ['"2026-11-20T10:00:00Z"', '"yesterday"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59Z"', "7"]
    days = ['"2026-11-20"', '"2026-02-30"', '"0001-01-01"', '"9999-12-31"', "7"]
    scalars = {
        "Date": st.sampled_from(days).map(parse_value),
        "DateTime": st.sampled_from(moments).map(parse_value),
        "JSON": st.sampled_from(["{}", '"text"', "[1]", "null"]).map(parse_value),
    }
    calls = 0

    @seed(SEED)
    @settings(examples)
    @given(document=from_schema(sdl, custom_scalars=scalars), chosen=st.sampled_from([*known.values(), "nonsense"]))
    def call(document: str, chosen: str) -> None:
        nonlocal calls
        calls += 1
        told = _ID.sub(lambda _: f"id: {json.dumps(chosen)}", document)
        told = _BRAND.sub(lambda _: f"brandId: {json.dumps(tenant.brand_id)}", told)
        answer = tenant.call("POST", "/graphql", json={"query": told})
        assert answer.status_code == 200, (answer.status_code, told)
        found = answer.json()
        assert "cost" in found["extensions"], told
        for error in found.get("errors", []):
            assert not any(word in error["message"] for word in INTERNAL), f"{error}\n{told}"
            assert error["extensions"].get("code") not in {None, "INTERNAL", "INTERNAL_SERVER_ERROR"}, (
                f"{error}\n{told}"
            )

    call()
    return calls


@pytest.mark.timeout(180)
def test_rest_answers_only_what_it_documents(tenant: Tenant, known: dict[str, str]) -> None:
    assert exercise_rest(tenant, known, 6) > 100


@pytest.mark.timeout(120)
def test_graphql_never_fails_inside(tenant: Tenant, known: dict[str, str]) -> None:
    assert exercise_graphql(tenant, known, 40) >= 20


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_rest_answers_only_what_it_documents_at_length(tenant: Tenant, known: dict[str, str]) -> None:
    exercise_rest(tenant, known, int(os.environ.get("PARVIS_TEST_EXAMPLES", "150")))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_graphql_never_fails_inside_at_length(tenant: Tenant, known: dict[str, str]) -> None:
    exercise_graphql(tenant, known, 1500)
