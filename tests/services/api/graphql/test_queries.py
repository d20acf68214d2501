"""Saved queries over GraphQL."""

from typing import Any

import pytest

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import record
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.ears import Ears
from shared.models.enums import Network
from tests.conftest import House, HouseBrand
from tests.services.api.graphql.asking import Api, at, brand_id, said

CREATE = """mutation ($input: CreateSavedQueryInput!) { createSavedQuery(input: $input) {
  savedQuery { id name expression group version } errors { code message path } } }"""
UPDATE = """mutation ($input: UpdateSavedQueryInput!) { updateSavedQuery(input: $input) {
  savedQuery { version versions { version expression } } errors { code path } } }"""
DELETE = """mutation ($input: DeleteSavedQueryInput!) { deleteSavedQuery(input: $input) {
  deletedId errors { code } } }"""
TRY = """mutation ($input: TrySavedQueryInput!) { trySavedQuery(input: $input) {
  trial { problem { code start end } matched sample { mention { text } spans { start end } } } errors { code } } }"""
RECALL = """mutation ($input: RecallSavedQueryInput!) { recallSavedQuery(input: $input) {
  operation { kind over searches { network status leftOut pages brought reachedAt problem { code }
    channel { externalId } requests { words pages brought reachedAt ended } } } errors { code path } } }"""
PLAIN = "query ($b: ID!, $where: MentionFilter) { brand(id: $b) { mentions(where: $where) { nodes { text } } } }"
MENTIONS = """query ($b: ID!, $where: MentionFilter) { brand(id: $b) { savedQueries { name } mentions(where: $where) {
  nodes { text matches { version spans { start end } query { id name } } } } } }"""


@pytest.fixture
async def heard(house: House, brand: HouseBrand, worker_db: Database) -> Any:
    """Says texts on a channel, to a house that listens."""
    channel = await house.channel(brand)

    async def hear(*texts: str) -> None:
        async with worker_db.session() as session:
            scope = await scopes.house(session, brand.brand_id)
            said_ = [said(str(n), text) for n, text in enumerate(texts)]
            part = HeardPart(channel.id, Network.GENERIC, str(channel.id), said_)
            await record.record(session, scope, [part], now=at(1), ears=Ears())

    return hear


async def create(api: Api, brand: HouseBrand, expression: str) -> dict[str, Any]:
    given = {"brandId": brand_id(brand), "name": "Bier", "expression": expression, "group": "PRODUCT"}
    found: dict[str, Any] = (await api.data(CREATE, brand.api_key, input=given))["createSavedQuery"]
    return found


async def test_a_saved_query_listens_and_mentions_say_what_they_match(api: Api, brand: HouseBrand, heard: Any) -> None:
    made = await create(api, brand, "bier")
    await heard("Lekker bier", "Bierzelt")
    where = {"queryIds": [made["savedQuery"]["id"]]}
    found = (await api.data(MENTIONS, brand.api_key, b=brand_id(brand), where=where))["brand"]
    assert made["errors"] == []
    assert made["savedQuery"]["group"] == "PRODUCT"
    assert found["savedQueries"] == [{"name": "Bier"}]
    match = {
        "version": 1,
        "spans": [{"start": 7, "end": 11}],
        "query": {"id": made["savedQuery"]["id"], "name": "Bier"},
    }
    assert found["mentions"]["nodes"] == [{"text": "Lekker bier", "matches": [match]}]


async def test_mentions_are_found_by_their_queries_also_where_the_document_is_known(
    api: Api, brand: HouseBrand, heard: Any
) -> None:
    made = await create(api, brand, "bier")
    await heard("Lekker bier", "Koffie")
    where = {"queryIds": [made["savedQuery"]["id"]]}
    for _ in range(2):
        found = await api.data(PLAIN, brand.api_key, b=brand_id(brand), where=where)
        assert found["brand"]["mentions"]["nodes"] == [{"text": "Lekker bier"}]


async def test_what_means_nothing_is_refused_at_the_expression(api: Api, brand: HouseBrand) -> None:
    refused = await create(api, brand, "NOT bier")
    assert refused["savedQuery"] is None
    assert [(one["code"], one["path"]) for one in refused["errors"]] == [("ONLY_NEGATIVE", ["expression"])]


async def test_a_change_of_a_stale_version_is_refused(api: Api, brand: HouseBrand) -> None:
    id_ = (await create(api, brand, "bier"))["savedQuery"]["id"]
    changed = await api.data(UPDATE, brand.api_key, input={"id": id_, "ifVersion": 1, "expression": "wijn"})
    stale = await api.data(UPDATE, brand.api_key, input={"id": id_, "ifVersion": 1, "expression": "thee"})
    assert changed["updateSavedQuery"]["savedQuery"]["versions"] == [
        {"version": 2, "expression": "wijn"},
        {"version": 1, "expression": "bier"},
    ]
    assert [one["code"] for one in stale["updateSavedQuery"]["errors"]] == ["STALE"]


async def test_a_query_is_tried_and_deleted(api: Api, brand: HouseBrand, heard: Any) -> None:
    await heard("Lekker bier")
    tried = await api.data(TRY, brand.api_key, input={"brandId": brand_id(brand), "expression": "bier"})
    assert tried["trySavedQuery"]["trial"]["sample"] == [
        {"mention": {"text": "Lekker bier"}, "spans": [{"start": 7, "end": 11}]}
    ]
    id_ = (await create(api, brand, "bier"))["savedQuery"]["id"]
    gone = await api.data(DELETE, brand.api_key, input={"id": id_})
    assert gone["deleteSavedQuery"] == {"deletedId": id_, "errors": []}


async def test_a_trial_of_what_means_nothing_says_where(api: Api, brand: HouseBrand) -> None:
    tried = await api.data(TRY, brand.api_key, input={"brandId": brand_id(brand), "expression": "a (b"})
    assert tried["trySavedQuery"]["trial"]["problem"] == {"code": "unclosed_parenthesis", "start": 2, "end": 3}


async def test_a_query_is_recalled_over_networks(api: Api, brand: HouseBrand, house: House) -> None:
    await house.channel(
        brand, Network.SANDBOX, base_url="http://127.0.0.1:9", external_id="cafe", credentials={"access_token": "t"}
    )
    id_ = (await create(api, brand, "bier OR reach>5"))["savedQuery"]["id"]
    asked = {"id": id_, "over": ["NETWORKS"]}
    found = (await api.data(RECALL, brand.api_key, input=asked))["recallSavedQuery"]
    assert found["errors"] == []
    assert found["operation"] == {
        "kind": "RECALL", "over": ["NETWORKS"],
        "searches": [{
            "network": "SANDBOX", "status": "PENDING", "leftOut": ["reach>5"], "pages": 0, "brought": 0,
            "reachedAt": None, "problem": None, "channel": {"externalId": "cafe"},
            "requests": [{"words": ["bier"], "pages": 0, "brought": 0, "reachedAt": None, "ended": None}],
        }],
    }  # fmt: skip


async def test_over_nothing_or_without_a_network_it_is_refused(api: Api, brand: HouseBrand) -> None:
    id_ = (await create(api, brand, "bier"))["savedQuery"]["id"]
    codes = []
    for over in ([], ["NETWORKS"]):
        found = (await api.data(RECALL, brand.api_key, input={"id": id_, "over": over}))["recallSavedQuery"]
        codes.append([(one["code"], one["path"]) for one in found["errors"]])
    assert codes == [[("REQUIRED", ["over"])], [("NOT_OFFERED", ["over"])]]


async def test_share_of_voice_is_of_all_that_any_query_matched(api: Api, brand: HouseBrand, heard: Any) -> None:
    await create(api, brand, "bier")
    await create(api, brand, "koffie")
    await heard("bier", "bier en koffie", "water")
    shares = """query ($b: ID!, $from: DateTime!, $to: DateTime!) { brand(id: $b) {
      shareOfVoice(from: $from, to: $to) { query { expression group } mentions matched share low high complete } } }"""
    when = {"from": at(-600).isoformat(), "to": at(600).isoformat()}
    found = (await api.data(shares, brand.api_key, b=brand_id(brand), **when))["brand"]["shareOfVoice"]
    assert [(one["query"]["expression"], one["mentions"], one["matched"], one["share"]) for one in found] == [
        ("bier", 2, 2, 1.0),
        ("koffie", 1, 2, 0.5),
    ]
    assert all(one["low"] <= one["share"] <= one["high"] for one in found)
