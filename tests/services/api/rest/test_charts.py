"""Charts by REST: pictures, and the specification that they are drawn from."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from shared.connectors.registry import CARDS
from shared.db import Database
from shared.models.enums import Network
from tests.conftest import House, HouseBrand
from tests.services.api.graphql.asking import hear, said
from tests.services.api.rest.conftest import Caller, problem

SVG = "{http://www.w3.org/2000/svg}"
DAYS = {"from": "2025-11-17T23:00:00Z", "to": "2025-11-21T23:00:00Z", "interval": "day"}


def rows(specification: dict[str, Any], drawing: int = 0) -> list[dict[str, Any]]:
    """What one of its drawings holds, bands left out."""
    layers = specification["vconcat"][drawing]["layer"]
    return [row for layer in layers for row in layer["data"]["values"] if "value" in row]


@pytest.fixture
async def heard(house: House, brand: HouseBrand, worker_db: Database) -> None:
    channel = await house.channel(brand, name="Letters")
    await hear(worker_db, channel, said("1"), said("2", minutes=1), now=datetime(2025, 11, 20, 13, tzinfo=UTC))


async def test_a_chart_is_an_svg_of_the_size_that_was_asked_for(caller: Caller, heard: None) -> None:
    answer = await caller.get("/charts/volume.svg", params={**DAYS, "width": 640, "height": 320})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    root = ET.fromstring(answer.text)  # noqa: S314  # our own
    assert (root.tag, root.get("width"), root.get("height"), root.get("role")) == (f"{SVG}svg", "640", "320", "img")
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert "Mentions" in (title.text or "")
    assert "2 in all" in (description.text or "")


async def test_a_chart_is_a_png_with_so_many_dots_to_the_pixel(caller: Caller, heard: None) -> None:
    answer = await caller.get("/charts/volume.png", params={**DAYS, "width": 640, "height": 320, "scale": 2})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert Image.open(BytesIO(answer.content)).size == (1280, 640)


async def test_a_picture_is_drawn_once_for_whoever_keeps_its_tag(app: FastAPI, caller: Caller, heard: None) -> None:
    first = await caller.get("/charts/volume.svg", params=DAYS)
    await app.state.services.drawer.close()

    second = await caller.get("/charts/volume.svg", params=DAYS, headers={"if-none-match": first.headers["etag"]})

    assert (second.status_code, second.content) == (304, b"")
    assert second.headers["cache-control"] == "private, max-age=60"
    assert app.state.services.drawer.pid is None


async def test_another_look_has_another_tag(caller: Caller, heard: None) -> None:
    tags = {
        (await caller.get("/charts/volume.svg", params={**DAYS, **look})).headers["etag"]
        for look in ({}, {"theme": "dark"}, {"lang": "fr"}, {"width": "700"})
    }
    assert len(tags) == 4


async def test_the_specification_holds_the_figures_that_the_metrics_answer(caller: Caller, heard: None) -> None:
    found = (await caller.get("/charts/volume.vl.json", params={**DAYS, "group_by": "network"})).json()

    (row,) = rows(found)
    assert (row["value"], row["what"], row["when"]) == (2, CARDS[Network.GENERIC].label, "20 Nov 2025")
    assert found["$schema"].endswith("/vega-lite/v6.json")


async def test_sentiment_is_drawn_by_mood_above_its_balance(caller: Caller, heard: None) -> None:
    found = (await caller.get("/charts/sentiment.vl.json", params=DAYS)).json()

    assert [drawing["title"]["text"] for drawing in found["vconcat"]] == ["Mentions", "Net sentiment"]
    assert sum(row["value"] for row in rows(found)) == 2


async def test_series_are_drawn_one_below_another(caller: Caller, heard: None) -> None:
    params = {**DAYS, "key": ["authors", "engagement"], "lang": "de"}
    found = (await caller.get("/charts/series.vl.json", params=params)).json()

    assert [drawing["title"]["text"] for drawing in found["vconcat"]] == ["Verfasser", "Interaktionen"]


@pytest.mark.parametrize(
    ("name", "asked", "pointer", "code"),
    [
        ("volume", {"width": 100}, "?width", "out_of_range"),
        ("volume", {"height": 5000}, "?height", "out_of_range"),
        ("volume", {"title": "x" * 201}, "?title", "too_long"),
        ("volume", {"key": "posts"}, "?key", "not_taken"),
        ("volume", {"group_by": ["network", "kind"]}, "?group_by", "too_many"),
        ("volume", {"from": "2020-01-01T00:00:00Z"}, "?interval", "too_many_points"),
        ("sentiment", {"group_by": "network"}, "?group_by", "not_taken"),
        ("series", {}, "?key", "required"),
        ("series", {"key": ["mentions", "posts", "authors", "engagement"], "height": 300}, "?height", "out_of_range"),
        ("volume", {"to": "2025-11-17T23:00:00Z"}, "?from", "empty_range"),
    ],
)  # fmt: skip
async def test_what_cant_be_drawn_is_refused_with_its_place(
    caller: Caller, name: str, asked: dict[str, Any], pointer: str, code: str
) -> None:
    found = problem(await caller.get(f"/charts/{name}.svg", params={**DAYS, **asked}), 422)
    assert [(one["pointer"], one["code"]) for one in found["errors"]] == [(pointer, code)]


@pytest.mark.parametrize("scale", ["0", "4", "nan"])
async def test_a_png_has_bounds(caller: Caller, scale: str) -> None:
    found = problem(await caller.get("/charts/volume.png", params={**DAYS, "scale": scale}), 422)
    assert found["errors"][0]["pointer"] == "?scale"


async def test_there_is_no_chart_of_another_name(caller: Caller) -> None:
    found = problem(await caller.get("/charts/pie.svg", params=DAYS), 422)
    assert "chart" in found["errors"][0]["pointer"]


async def test_a_chart_without_a_key_is_not_drawn(client: httpx.AsyncClient, caller: Caller) -> None:
    problem(await client.get(f"/v1/brands/{caller.brand_id}/charts/volume.svg", params=DAYS), 401)


async def test_markup_in_a_title_is_text(caller: Caller, heard: None) -> None:
    title = "</title><script>alert(1)</script>\x01 & co"
    answer = await caller.get("/charts/volume.svg", params={**DAYS, "title": title})

    root = ET.fromstring(answer.text)  # noqa: S314  # our own
    assert root.findall(f".//{SVG}script") == []
    assert any("<script>alert(1)</script>" in (one.text or "") for one in root.iter(f"{SVG}text"))
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_an_empty_brand_has_a_chart_too(caller: Caller) -> None:
    for name in ("volume", "sentiment"):
        answer = await caller.get(f"/charts/{name}.svg", params=DAYS)
        assert answer.status_code == 200
        assert "nothing to show" in answer.text
