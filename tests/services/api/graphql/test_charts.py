"""Charts over GraphQL: the same as by REST."""

from typing import Any

import pytest

from shared.db import Database
from tests.conftest import HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, brand_id, hear, said

CHART = """query ($b: ID!, $chart: ChartName!, $keys: [MetricKey!], $by: [Dimension!], $look: ChartLookInput) {
  brand(id: $b) { chart(chart: $chart, from: "2025-11-17T23:00:00Z", to: "2025-11-21T23:00:00Z", interval: DAY,
    keys: $keys, groupBy: $by, look: $look) { title description specification } } }"""
REST = {"from": "2025-11-17T23:00:00Z", "to": "2025-11-21T23:00:00Z", "interval": "day"}


async def test_a_chart_is_the_one_that_rest_answers(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1"), said("2", minutes=1))
    look = {"theme": "DARK", "lang": "NL", "mark": "LINE", "width": 600, "height": 300, "title": "Een week"}

    data = await api.data(CHART, brand.api_key, b=brand_id(brand), chart="VOLUME", by=["NETWORK"], look=look)

    found = data["brand"]["chart"]
    same = await api.client.get(
        f"/v1/brands/{brand_id(brand)}/charts/volume.vl.json",
        params={**REST, **{name: str(value).lower() for name, value in look.items()}, "title": "Een week",
                "group_by": "network"},
        headers={"authorization": f"Bearer {brand.api_key}"},
    )  # fmt: skip
    assert found["specification"] == same.json()
    assert found["title"] == "Een week · Vermeldingen"
    assert "2 in totaal" in found["description"]


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"chart": "SERIES"}, "key"),
        ({"chart": "SENTIMENT", "by": ["NETWORK"]}, "group_by"),
        ({"chart": "VOLUME", "look": {"width": 1}}, "width"),
    ],
    ids=["series-without-keys", "sentiment-by-network", "too-narrow"],
)
async def test_what_cant_be_drawn_is_an_error_with_its_place(
    api: Api, brand: HouseBrand, channel: HouseChannel, asked: dict[str, Any], path: str
) -> None:
    answer = await api.ask(CHART, brand.api_key, b=brand_id(brand), **asked)
    (error,) = answer["errors"]
    assert path in str(error["extensions"])
