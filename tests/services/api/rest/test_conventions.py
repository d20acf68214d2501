"""What holds for every address: keys, problems, parameters, ids, headers."""

import httpx
import pytest
from fastapi import FastAPI

from services.api.app import create_app
from shared.models.enums import KeyScope
from tests.conftest import House, HouseBrand, TestDatabase
from tests.services.api.rest.conftest import Caller, problem


async def test_no_key_is_401_with_a_problem_before_anything_else_is_looked_at(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/v1/brands/nonsense/posts?unknown=1", content=b"{", headers={"content-type": "text/x"}
    )

    assert problem(response, 401)["code"] == "not_authenticated"
    assert response.headers["www-authenticate"] == "Bearer"


async def test_who_forgets_the_body_is_told_to_send_one(caller: Caller) -> None:
    found = problem(await caller.post("/hold"), 422)
    assert found["detail"] == "send a JSON body"
    assert found["errors"] == [{"pointer": "", "code": "required", "detail": "send a JSON body"}]


@pytest.mark.parametrize("header", ["pv_x", "Bearer", "Basic cHY6cHY=", "Bearer pv_" + "x" * 43, "Bearer " + "x" * 300])
async def test_a_bad_key_is_401(client: httpx.AsyncClient, header: str) -> None:
    problem(await client.get("/v1/viewer", headers={"authorization": header}), 401)


async def test_a_key_without_the_scope_is_403(caller: Caller, house: House, brand: HouseBrand) -> None:
    reader = caller.as_(await house.key(brand, KeyScope.READ))

    assert problem(await reader.post("/channels", {"network": "generic"}), 403)["code"] == "not_allowed"
    problem(await reader.patch("", {"name": "Other"}), 403)
    problem(await reader.get("/audit"), 403)
    problem(await reader.post("/posts", {"text": "Hello"}), 403)
    assert (await reader.get("/mentions")).status_code == 200


async def test_a_foreign_brand_is_404_like_a_missing_and_a_malformed_one(
    caller: Caller, house: House, client: httpx.AsyncClient
) -> None:
    other = await house.brand("Other")
    foreign = Caller(client, caller.brand_id, other.api_key)

    found = problem(await foreign.get(""), 404)
    missing = problem(await foreign.get("/v1/brands/brand_01h2xcejqtf2nbrexx3vqjhp41"), 404)
    malformed = problem(await foreign.get("/v1/brands/brand_%00"), 404)

    assert found["code"] == missing["code"] == malformed["code"] == "not_found"


@pytest.mark.parametrize("path", ["mentions", "threads", "identities", "arrivals", "channels", "posts"])
@pytest.mark.parametrize(
    "id", ["x", "men_01h2xcejqtf2nbrexx3vqjhp41", "chan_8zzzzzzzzzzzzzzzzzzzzzzzzz", "%F0%9F%8D%80"]
)
async def test_an_id_that_names_nothing_is_404(caller: Caller, path: str, id: str) -> None:
    problem(await caller.get(f"/{path}/{id}"), 404)


async def test_unknown_addresses_and_methods_are_problems_too(caller: Caller) -> None:
    assert problem(await caller.get("/v1/nowhere"), 404)["code"] == "not_found"
    refused = await caller.ask("PUT", "")
    assert problem(refused, 405)["code"] == "method_not_allowed"
    assert refused.headers["allow"] == "GET, PATCH"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/mentions"), ("POST", "/posts"), ("POST", "/channels"), ("PATCH", ""), ("DELETE", "/posts/post_x")],
)
async def test_an_unknown_parameter_is_422_and_named(caller: Caller, method: str, path: str) -> None:
    body = {"json": {"colour": "blue"}} if method in {"POST", "PATCH"} else {}
    found = problem(await caller.ask(method, path, params={"colour": "red"}, **body), 422)

    assert found["errors"][0]["pointer"] == "?colour"
    assert found["errors"][0]["code"] == "unknown"


@pytest.mark.parametrize(("method", "path"), [("GET", "/mentions"), ("POST", "/posts")])
async def test_a_nul_in_a_parameter_is_422_at_the_parameter(caller: Caller, method: str, path: str) -> None:
    found = problem(await caller.ask(method, path, params={"q": "a\x00"}), 422)

    assert found["errors"][0]["pointer"] == "?q"


async def test_an_unknown_field_is_422_at_its_pointer(caller: Caller) -> None:
    found = problem(await caller.post("/posts", {"text": "Hello", "colour": "red"}), 422)

    assert [(e["pointer"], e["code"]) for e in found["errors"]] == [("/colour", "unknown")]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1000000000000000000000"])
async def test_a_limit_out_of_range_is_an_error_and_never_clamped(caller: Caller, limit: str) -> None:
    found = problem(await caller.get("/mentions", params={"limit": limit}), 422)

    assert found["code"] == "limit_out_of_range"
    assert found["errors"][0]["pointer"] == "?limit"


@pytest.mark.parametrize("path", ["/mentions", "/threads", "/identities", "/arrivals", "/posts", "/channels", "/audit"])
async def test_a_bad_cursor_is_an_error(caller: Caller, path: str) -> None:
    assert problem(await caller.get(path, params={"cursor": "bm9uc2Vuc2U.x"}), 422)["code"] == "bad_cursor"


@pytest.mark.parametrize("body", [b"{", b'{"text": "\xff"}', b"[" * 100_000, b'{"text": NaN}', b"[]", b"null", b'"x"'])
async def test_a_body_that_is_no_object_is_422(caller: Caller, body: bytes) -> None:
    problem(await caller.ask("POST", "/posts", content=body, headers={"content-type": "application/json"}), 422)


async def test_a_body_of_another_kind_is_415(caller: Caller) -> None:
    response = await caller.ask("POST", "/posts", content=b'{"text": "x"}', headers={"content-type": "text/plain"})

    assert problem(response, 415)["code"] == "unsupported_media_type"


async def test_a_huge_body_is_413(caller: Caller) -> None:
    response = await caller.post("/posts", {"text": "x" * 1_100_000})

    assert problem(response, 413)["code"] == "body_too_large"


async def test_u0000_in_a_parameter_is_422(caller: Caller) -> None:
    problem(await caller.get("/mentions?language=%00"), 422)


async def test_the_requests_id_is_the_callers_where_it_is_sane(caller: Caller) -> None:
    kept = await caller.get("/v1/viewer", headers={"request-id": "front-42"})
    made = await caller.get("/v1/viewer", headers={"request-id": "a b\tc"})

    assert kept.headers["request-id"] == "front-42"
    assert made.headers["request-id"] not in {"", "a b\tc"}


async def test_browsers_of_known_origins_may_call_and_see_the_headers(caller: Caller) -> None:
    response = await caller.get("/v1/viewer", headers={"origin": "https://front.example"})
    strange = await caller.get("/v1/viewer", headers={"origin": "https://evil.example"})

    assert response.headers["access-control-allow-origin"] == "https://front.example"
    exposed = {name.strip().lower() for name in response.headers["access-control-expose-headers"].split(",")}
    assert {"request-id", "etag", "ratelimit", "ratelimit-policy", "retry-after", "idempotency-replayed"} <= exposed
    assert "access-control-allow-origin" not in strange.headers


async def test_a_preflight_is_answered_and_has_a_request_id(client: httpx.AsyncClient) -> None:
    asked = {
        "origin": "https://front.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, idempotency-key, if-match",
    }
    response = await client.options("/v1/brands", headers=asked)

    assert response.status_code == 200
    assert response.headers["request-id"]


async def test_a_single_thing_has_an_etag_and_is_not_sent_twice(caller: Caller) -> None:
    first = await caller.get("")
    again = await caller.get("", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})
    changed = await caller.get("", headers={"if-none-match": '"x"'})

    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert changed.status_code == 200


async def test_requests_past_the_limit_are_429_and_every_answer_says_what_is_left(
    database: TestDatabase, brand: HouseBrand
) -> None:
    app = create_app(database.settings.model_copy(update={"rate_limit": 2}))
    headers = {"authorization": f"Bearer {brand.api_key}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client,
    ):
        answers = [await client.get("/v1/viewer", headers=headers) for _ in range(5)]

    assert answers[0].headers["ratelimit-policy"] == '"default";q=2;w=60'
    assert answers[0].headers["ratelimit"].startswith('"default";r=')
    refused = answers[-1]
    assert problem(refused, 429)["code"] == "rate_limited"
    assert refused.headers["ratelimit"].startswith('"default";r=0;t=')
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_without_redis_the_limit_is_kept_in_the_process(database: TestDatabase, brand: HouseBrand) -> None:
    update = {"rate_limit": 2, "redis_url": "redis://127.0.0.1:1/0"}
    app = create_app(database.settings.model_copy(update=update))
    headers = {"authorization": f"Bearer {brand.api_key}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client,
    ):
        answers = [await client.get("/v1/viewer", headers=headers) for _ in range(5)]
        ready = await client.get("/readyz")

    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert (ready.status_code, ready.json()) == (200, {"postgres": "up", "redis": "down"})


async def test_postgres_away_is_503_and_says_when_to_come_back(app: FastAPI, caller: Caller) -> None:
    await app.state.services.db.close()
    app.state.services.db.engine.sync_engine.dialect.connect = _refused

    response = await caller.get("/v1/viewer")

    assert problem(response, 503)["code"] == "database_away"
    assert int(response.headers["retry-after"]) > 0


def _refused(*_: object, **__: object) -> object:
    raise ConnectionRefusedError("nobody listens")


async def test_metrics_count_by_route_template_and_name_no_brand(caller: Caller) -> None:
    await caller.get("/mentions")

    text = (await caller.client.get("/metrics")).text

    assert 'route="/v1/brands/{brand_id}/mentions"' in text
    assert caller.brand_id not in text
