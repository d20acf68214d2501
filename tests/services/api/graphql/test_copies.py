"""Copies over GraphQL."""

import pytest

from shared.contract import Author
from shared.db import Database
from shared.models.enums import MentionKind
from tests.conftest import HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, brand_id, hear, said

LONG = "The 7.12 train from Ghent to Brussels is late again this morning and nobody says why it is late"
CLUSTER = """query ($brand: ID!, $after: String) { brand(id: $brand) { mentions(order: OLDEST) { nodes {
  externalId duplicateOf { externalId } copies { original { externalId } count firstAt lastAt interval
    spread { start count } networks { network count } authorCount authors { author { handle } count }
    mentions(first: 2, after: $after) { nodes { externalId } pageInfo { hasNextPage endCursor } } } } } } }"""
LIST = """query ($brand: ID!, $where: MentionFilter) { brand(id: $brand) { mentions(where: $where) {
  nodes { externalId } } } }"""


@pytest.fixture
async def heard(channel: HouseChannel, worker_db: Database) -> None:
    """An original and two copies, one of them near, by two people; and something else."""
    lea, tom = Author("lea", handle="lea"), Author("tom", handle="tom")
    await hear(
        worker_db,
        channel,
        said("a", LONG, minutes=0, author=lea),
        said("b", f"RT @lea: {LONG}", minutes=1, author=tom),
        said("c", LONG.replace("says", "knows"), minutes=70, author=tom),
        said("d", "Something else altogether", minutes=2, kind=MentionKind.POST),
    )


@pytest.mark.usefixtures("heard")
async def test_a_cluster_is_shown_with_its_original(api: Api, brand: HouseBrand) -> None:
    nodes = (await api.data(CLUSTER, brand.api_key, brand=brand_id(brand)))["brand"]["mentions"]["nodes"]
    assert [(one["externalId"], (one["duplicateOf"] or {}).get("externalId")) for one in nodes] == [
        ("a", None), ("b", "a"), ("d", None), ("c", "a"),
    ]  # fmt: skip
    cluster = nodes[1]["copies"]
    page = cluster.pop("mentions")
    assert cluster == {
        "original": {"externalId": "a"}, "count": 3, "interval": "HOUR", "authorCount": 2,
        "firstAt": "2025-11-20T09:00:00Z", "lastAt": "2025-11-20T10:10:00Z",
        "spread": [
            {"start": "2025-11-20T09:00:00Z", "count": 2}, {"start": "2025-11-20T10:00:00Z", "count": 1},
        ],
        "networks": [{"network": "GENERIC", "count": 3}],
        "authors": [{"author": {"handle": "tom"}, "count": 2}, {"author": {"handle": "lea"}, "count": 1}],
    }  # fmt: skip
    assert [one["externalId"] for one in page["nodes"]] == ["a", "b"]
    assert page["pageInfo"]["hasNextPage"]


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(("duplicates", "expected"), [(None, "cdba"), (False, "da"), (True, "cb")])
async def test_a_list_leaves_copies_out_where_asked(
    duplicates: bool | None, expected: str, api: Api, brand: HouseBrand
) -> None:
    data = await api.data(LIST, brand.api_key, brand=brand_id(brand), where={"duplicates": duplicates})
    assert [one["externalId"] for one in data["brand"]["mentions"]["nodes"]] == list(expected)
