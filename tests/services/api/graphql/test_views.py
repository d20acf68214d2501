"""Filters that are kept under a name, and what they show, by GraphQL."""

from shared.db import Database
from tests.conftest import HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, brand_id, hear, said

CREATE = """mutation ($i: CreateViewInput!) { createView(input: $i) { view { id name order version
    where { search networks channelIds deleted } } errors { code path } } }"""
UPDATE = "mutation ($i: UpdateViewInput!) { updateView(input: $i) { view { name version } errors { code path } } }"
DELETE = "mutation ($i: DeleteViewInput!) { deleteView(input: $i) { deletedId errors { code } } }"
SHOW = """query ($v: ID!, $w: MentionFilter, $o: MentionOrder, $a: String) { node(id: $v) { ... on View {
    mentions(first: 2, after: $a, where: $w, order: $o) { nodes { externalId highlights { start end } }
    pageInfo { endCursor hasNextPage } } } } }"""


async def _made(api: Api, brand: HouseBrand) -> str:
    where = {"search": "red", "networks": ["GENERIC"]}
    made = await api.data(
        CREATE, brand.api_key, i={"brandId": brand_id(brand), "name": "Red", "where": where, "order": "BEST"}
    )
    assert made["createView"]["errors"] == []
    view: dict[str, str] = made["createView"]["view"]
    assert {**view, "id": None} == {
        "id": None, "name": "Red", "order": "BEST", "version": 1,
        "where": {"search": "red", "networks": ["GENERIC"], "channelIds": None, "deleted": False},
    }  # fmt: skip
    return view["id"]


async def test_a_view_is_made_listed_changed_and_deleted(api: Api, brand: HouseBrand) -> None:
    view = await _made(api, brand)
    listed = await api.data(
        "query ($b: ID!) { brand(id: $b) { views { nodes { id } } } }", brand.api_key, b=brand_id(brand)
    )
    assert listed["brand"]["views"]["nodes"] == [{"id": view}]
    changed = await api.data(UPDATE, brand.api_key, i={"id": view, "name": "Green", "ifVersion": 1})
    assert changed["updateView"]["view"] == {"name": "Green", "version": 2}
    for wrong, code in (
        ({"ifVersion": 1, "name": "Blue"}, "STALE"),
        ({"where": {"kinds": ["POST"]}}, "SEARCH_NEEDED"),
        ({"where": {"channelIds": ["nonsense"], "search": "red"}}, "UNKNOWN_CHANNEL"),
        ({"name": None}, "REQUIRED"),
    ):
        refused = (await api.data(UPDATE, brand.api_key, i={"id": view, **wrong}))["updateView"]
        assert [one["code"] for one in refused["errors"]] == [code]
    assert (await api.data(DELETE, brand.api_key, i={"id": view}))["deleteView"] == {"deletedId": view, "errors": []}
    assert (await api.data(SHOW, brand.api_key, v=view))["node"] is None


async def test_a_view_shows_its_mentions_page_by_page_and_narrowed(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    texts = ["red lantern", "red", "green lantern", "red lantern in a long street with other lanterns"]
    facts = [said(f"m{n}", text, language="en", minutes=n) for n, text in enumerate(texts)]
    await hear(worker_db, channel, *facts, reader=None)
    view = await _made(api, brand)
    for _ in range(2):
        first = (await api.data(SHOW, brand.api_key, v=view))["node"]["mentions"]
        assert first["nodes"] == [{"externalId": name, "highlights": [{"start": 0, "end": 3}]} for name in ("m1", "m0")]
        rest = await api.data(SHOW, brand.api_key, v=view, a=first["pageInfo"]["endCursor"])
        assert [one["externalId"] for one in rest["node"]["mentions"]["nodes"]] == ["m3"]
    found = await api.data(SHOW, brand.api_key, v=view, w={"search": "lantern"}, o="OLDEST")
    assert [one["externalId"] for one in found["node"]["mentions"]["nodes"]] == ["m0", "m3"]
    assert found["node"]["mentions"]["nodes"][0]["highlights"] == [{"start": 0, "end": 3}, {"start": 4, "end": 11}]


async def test_a_view_that_names_a_query_that_is_gone_says_so(api: Api, brand: HouseBrand) -> None:
    query = await api.data(
        "mutation ($i: CreateSavedQueryInput!) { createSavedQuery(input: $i) { savedQuery { id } } }",
        brand.api_key, i={"brandId": brand_id(brand), "name": "q", "expression": "red"},
    )  # fmt: skip
    id_ = query["createSavedQuery"]["savedQuery"]["id"]
    body = {"brandId": brand_id(brand), "name": "x", "where": {"queryIds": [id_]}}
    view = (await api.data(CREATE, brand.api_key, i=body))["createView"]["view"]["id"]
    assert (await api.data(SHOW, brand.api_key, v=view))["node"]["mentions"]["nodes"] == []
    await api.data(
        "mutation ($q: ID!) { deleteSavedQuery(input: {id: $q}) { deletedId } }", brand.api_key, q=id_
    )  # fmt: skip
    assert await api.code(SHOW, brand.api_key, v=view) == "VIEW_OUTLIVED"
