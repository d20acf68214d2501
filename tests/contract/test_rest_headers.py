"""Section 6, REST under `/v1`: request ids, rate limits and CORS."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.conftest import FRONTEND, ROOT, Up, free_ports, problem
from tests.contract.house import Tenant, eventually


def test_every_answer_has_its_own_request_id(tenant: Tenant, web: httpx.Client) -> None:
    api = tenant.local["api"]
    answers = [tenant.rest("GET"), tenant.rest("GET", "/nothing"), web.get(f"{api}/v1/brands"), web.get(f"{api}/"),
               web.get(f"{api}/healthz"), web.put(f"{api}/v1/brands"), web.get(f"{api}/openapi.json")]  # fmt: skip

    ids = [it.headers["request-id"] for it in answers]
    assert all(ids)
    assert len(set(ids)) == len(ids)


def test_the_rate_limit_is_told_on_every_answer(tenant: Tenant) -> None:
    first, second = tenant.rest("GET"), tenant.rest("GET")
    pattern = r'"default";r=(\d+);t=(\d+)'
    left = []
    for answer in (first, second):
        assert re.fullmatch(r'"default";q=6000;w=60', answer.headers["ratelimit-policy"])
        found = re.fullmatch(pattern, answer.headers["ratelimit"])
        assert found
        assert int(found.group(2)) <= 60
        left.append(int(found.group(1)))

    assert left[1] < left[0] or left[1] >= 5990


@pytest.fixture
def narrow_api(up: Up, web: httpx.Client, tmp_path: Path) -> Iterator[str]:
    """Another `parvis api` on the same servers, with three requests a minute."""
    local, port = up.local, free_ports(1)[0]
    told = up.environment | {
        "DATABASE_URL": local["database_url"],
        "PARVIS_WORKER_DATABASE_URL": local["worker_database_url"],
        "PARVIS_DOOR_DATABASE_URL": local["door_database_url"],
        "PARVIS_OWNER_DATABASE_URL": local["owner_database_url"],
        "REDIS_URL": local["redis_url"],
        "PARVIS_SECRET_KEYS": "another installation's",
        "PARVIS_API_PORT": str(port),
        "PARVIS_RATE_LIMIT": "3",
        "PARVIS_DATA_DIR": str(tmp_path / "another folder"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "api"],
        cwd=ROOT, env=told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def answers() -> bool:
        assert process.poll() is None
        try:
            return web.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        eventually(answers, "the second api")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_past_the_limit_is_429_with_retry_after(narrow_api: str, other: Tenant, web: httpx.Client) -> None:
    for _ in range(2):  # a minute may turn over between the first and the last
        answers = [web.get(f"{narrow_api}/v1/brands", headers=other.authorization) for _ in range(4)]
        if answers[-1].status_code == 429:
            break

    found = problem(answers[-1], 429)
    assert found["retryable"] is True
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["ratelimit-policy"] == '"default";q=3;w=60'
    assert re.fullmatch(r'"default";r=0;t=\d+', answers[-1].headers["ratelimit"])


def test_a_frontend_of_a_named_origin_may_call(tenant: Tenant, web: httpx.Client) -> None:
    asked = {
        "origin": FRONTEND,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization, content-type, if-match, idempotency-key",
    }
    for path in (f"/v1/brands/{tenant.brand_id}/mentions", "/graphql"):
        answer = web.options(tenant.local["api"] + path, headers=asked)
        assert answer.status_code in {200, 204}
        assert answer.headers["access-control-allow-origin"] == FRONTEND
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "if-match", "idempotency-key"))
        assert "PATCH" in answer.headers["access-control-allow-methods"]


def test_the_headers_are_exposed_to_a_frontend(tenant: Tenant, web: httpx.Client) -> None:
    for answer in (tenant.rest("GET", headers={"origin": FRONTEND}),
                   web.get(f"{tenant.local['api']}/v1/brands", headers={"origin": FRONTEND})):  # fmt: skip
        assert answer.headers["access-control-allow-origin"] == FRONTEND
        exposed = {it.strip().lower() for it in answer.headers["access-control-expose-headers"].split(",")}
        assert {"ratelimit-policy", "ratelimit", "retry-after", "request-id", "etag", "location",
                "idempotency-replayed"} <= exposed  # fmt: skip


def test_another_origin_gets_no_permission(tenant: Tenant) -> None:
    answer = tenant.rest("GET", headers={"origin": "https://elsewhere.example"})

    assert "access-control-allow-origin" not in answer.headers
