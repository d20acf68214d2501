"""The pages and the committed schemas."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.api.export import stale
from shared.ids import Prefix, typeid
from shared.models.enums import MentionKind, Visibility
from tests.conftest import House, HouseBrand, TestDatabase
from tests.services.api.graphql.asking import hear, said


def test_the_committed_schemas_are_what_the_code_says() -> None:
    assert stale() == [], "run `python -m services.api.export`"


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(m, path, op) for path, ops in document["paths"].items() for m, op in ops.items()]


def test_every_operation_has_a_short_id_a_tag_and_a_summary(document: dict[str, Any]) -> None:
    operations = _operations(document)

    assert document["openapi"].startswith("3.1")
    assert len({op["operationId"] for _, _, op in operations}) == len(operations)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", op["operationId"]) for _, _, op in operations)
    assert all(len(op["tags"]) == 1 and op["summary"] for _, _, op in operations)


def test_every_error_is_a_problem_and_nothing_else(document: dict[str, Any]) -> None:
    for method, _, operation in _operations(document):
        is_open = operation["security"] == []
        keyed = set() if is_open else {"401", "403"}
        assert {"404", "422", "429", "500", "503"} | keyed <= set(operation["responses"])
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert answer == {"$ref": f"#/components/responses/Problem{status}"}
                content = document["components"]["responses"][f"Problem{status}"]["content"]
                assert set(content) == {"application/problem+json"}
        if method == "post" and not is_open:
            assert any(p["name"] == "Idempotency-Key" for p in operation["parameters"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_what_a_clients_link_opens_is_described_and_asks_for_no_key(document: dict[str, Any]) -> None:
    for method in ("get", "post"):
        operation = document["paths"]["/v1/approval-links/{token}"][method]
        assert operation["security"] == []
        (answer,) = operation["responses"]["200"]["content"].values()
        assert answer["schema"]["$ref"].endswith("/ClientViewRead")
        assert "410" in operation["responses"]
        assert "401" not in operation["responses"]


def test_if_match_is_said_to_be_required_where_it_is(document: dict[str, Any]) -> None:
    approve = document["paths"]["/v1/brands/{brand_id}/posts/{post_id}/approve"]["post"]
    assert {"412", "428"} <= set(approve["responses"])


async def test_the_pages_ask_nobody_else(client: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/static/parvis.css", "/static/docs.js"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert not re.search(r"""(src|href)=["']?(https?:)?//|\burl\(|@import""", page.text)


async def test_the_documents_are_served(client: httpx.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["info"]["title"] == "Parvis"
    assert "type Query" in (await client.get("/graphql/schema.graphql")).text


async def test_the_start_page_shows_the_examples_mentions_escaped(
    client: httpx.AsyncClient, house: House, brand: HouseBrand, database: TestDatabase, worker_db: Any
) -> None:
    channel = await house.channel(brand, name="Letters")
    other = await house.brand("Other")
    theirs = await house.channel(other)
    await hear(worker_db, channel, said("1", "<script>alert(1)</script> mooi"))
    await hear(worker_db, theirs, said("2", "a word for others"))
    _tell(database.settings.data_dir, brand)

    page = (await client.get("/")).text

    assert "&lt;script&gt;alert(1)&lt;/script&gt; mooi" in page
    assert "<script>alert" not in page
    assert "a word for others" not in page


async def test_the_start_page_shows_no_mentions_without_the_example(
    app: FastAPI, client: httpx.AsyncClient, house: House, brand: HouseBrand, database: TestDatabase, worker_db: Any
) -> None:
    await hear(worker_db, await house.channel(brand, name="Letters"), said("1", "mooi"))
    _tell(database.settings.data_dir, brand)
    object.__setattr__(app.state.services, "settings", database.settings.model_copy(update={"example": False}))

    page = await client.get("/")

    assert page.status_code == 200
    assert "mooi" not in page.text


async def test_the_start_page_shows_the_examples_chart_and_says_what_is_on_it(
    client: httpx.AsyncClient, house: House, brand: HouseBrand, database: TestDatabase, worker_db: Any
) -> None:
    now = datetime.now(UTC)
    await hear(worker_db, await house.channel(brand, name="Letters"), said("1", published_at=now, stamp=now), now=now)
    _tell(database.settings.data_dir, brand)

    page = (await client.get("/")).text
    addresses = set(re.findall(r"/example/[a-z-]+\.svg", page))

    assert addresses == {f"/example/{theme}-{shape}.svg" for theme in ("light", "dark") for shape in ("wide", "narrow")}
    (alt,) = re.findall(r'alt="([^"]*Mentions[^"]*)"', page)
    assert "1 in all" in alt
    for address in addresses:
        picture = await client.get(address)
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
        assert "1 in all" in picture.text


async def test_the_examples_chart_shows_its_public_mentions_only(
    client: httpx.AsyncClient, house: House, brand: HouseBrand, database: TestDatabase, worker_db: Any
) -> None:
    now = datetime.now(UTC)
    public = said("1", published_at=now, stamp=now)
    private = said("2", published_at=now, stamp=now, kind=MentionKind.MESSAGE, visibility=Visibility.PRIVATE)
    await hear(worker_db, await house.channel(brand, name="Letters"), public, private, now=now)
    _tell(database.settings.data_dir, brand)

    assert "1 in all" in (await client.get("/example/light-wide.svg")).text


async def test_there_is_no_chart_without_the_example(
    app: FastAPI, client: httpx.AsyncClient, brand: HouseBrand, database: TestDatabase
) -> None:
    _tell(database.settings.data_dir, brand)
    assert (await client.get("/example/light-huge.svg")).status_code == 404
    object.__setattr__(app.state.services, "settings", database.settings.model_copy(update={"example": False}))
    assert (await client.get("/example/light-wide.svg")).status_code == 404
    assert "/example/" not in (await client.get("/")).text


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"brand_id": 1, "api_key": null}'])
async def test_the_start_page_stands_without_a_whole_local_json(
    client: httpx.AsyncClient, database: TestDatabase, content: str
) -> None:
    (database.settings.data_dir / "local.json").write_text(content)

    assert (await client.get("/")).status_code == 200


def _tell(folder: Path, brand: HouseBrand) -> None:
    told = {"brand_id": typeid(Prefix.BRAND, brand.brand_id), "api_key": brand.api_key}
    (folder / "local.json").write_text(json.dumps(told))
