"""What is read of a mention, and what people say against it, over GraphQL."""

from typing import Any

import pytest

from shared.contract import Deleted
from shared.db import Database
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import KeyScope
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening import words
from tests.services.api.graphql.asking import Api, at, brand_id, hear, said

CORRECT = """mutation ($input: CorrectMentionInput!) { correctMention(input: $input) {
  mention { language intents sentiment { label score source modelVersion }
    corrections { field value replaced userId } }
  errors { code path } } }"""
LIST = """query ($b: ID!, $where: MentionFilter) { brand(id: $b) { mentions(where: $where) { nodes {
  id externalId intents urgency offence topics sentiment { label score source modelVersion } } } } }"""


async def found(api: Api, brand: HouseBrand, **where: Any) -> list[dict[str, Any]]:
    data = await api.data(LIST, brand.api_key, b=brand_id(brand), where=where)
    nodes: list[dict[str, Any]] = data["brand"]["mentions"]["nodes"]
    return nodes


@pytest.fixture
async def mention(api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database) -> dict[str, Any]:
    await hear(worker_db, channel, said("1", "bad why"))
    (node,) = await found(api, brand)
    return node


async def test_a_mention_shows_what_was_read(mention: dict[str, Any]) -> None:
    assert mention["sentiment"] == {
        "label": "NEGATIVE", "score": 0.75, "source": "MODEL", "modelVersion": words.VERSION,
    }  # fmt: skip
    assert (mention["intents"], mention["topics"]) == (["CRITICISM", "QUESTION"], ["bad", "why"])
    assert (mention["urgency"], mention["offence"]) == (0.5, 0)


async def test_a_person_says_what_is_right(api: Api, brand: HouseBrand, mention: dict[str, Any]) -> None:
    told = {"id": mention["id"], "sentiment": "NEUTRAL", "intents": [], "language": "nl"}
    payload = (await api.data(CORRECT, brand.api_key, input=told))["correctMention"]
    assert payload["errors"] == []
    shown, user = payload["mention"], typeid(Prefix.USER, brand.user_id)
    assert shown["sentiment"] == {"label": "NEUTRAL", "score": None, "source": "PERSON", "modelVersion": None}
    assert (shown["intents"], shown["language"]) == ([], "nl")
    assert [(one["field"], one["value"], one["replaced"], one["userId"]) for one in shown["corrections"]] == [
        ("SENTIMENT", ["neutral"], ["negative"], user),
        ("INTENTS", [], ["criticism", "question"], user),
        ("LANGUAGE", ["nl"], ["en"], user),
    ]


@pytest.mark.parametrize(
    ("told", "code"), [({}, "REQUIRED"), ({"language": "Dutch"}, "INVALID_LANGUAGE"), ({"sentiment": None}, "REQUIRED")]
)
async def test_what_can_not_be_is_an_error_of_the_payload(
    told: dict[str, Any], code: str, api: Api, brand: HouseBrand, mention: dict[str, Any]
) -> None:
    payload = (await api.data(CORRECT, brand.api_key, input={"id": mention["id"], **told}))["correctMention"]
    assert payload["mention"] is None
    assert [error["code"] for error in payload["errors"]] == [code]


async def test_what_is_gone_or_never_was_can_not_be_corrected(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database, mention: dict[str, Any]
) -> None:
    await hear(worker_db, channel, Deleted("1", at(1)))
    for id_, code in ((mention["id"], "GONE"), (typeid(Prefix.MENTION, new_uuid()), "NOT_FOUND")):
        told = {"id": id_, "sentiment": "NEUTRAL"}
        payload = (await api.data(CORRECT, brand.api_key, input=told))["correctMention"]
        assert [error["code"] for error in payload["errors"]] == [code]


async def test_a_key_that_only_reads_corrects_nothing(
    api: Api, house: House, brand: HouseBrand, mention: dict[str, Any]
) -> None:
    key = await house.key(brand, KeyScope.READ)
    payload = (await api.data(CORRECT, key, input={"id": mention["id"], "sentiment": "NEUTRAL"}))["correctMention"]
    assert [error["code"] for error in payload["errors"]] == ["NOT_ALLOWED"]


async def test_mentions_are_found_by_mood_and_intent(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    texts = {"glad": "good merci", "sad": "bad why", "plain": "hello"}
    await hear(worker_db, channel, *(said(id_, text) for id_, text in texts.items()))

    async def ids(**where: Any) -> set[str]:
        return {node["externalId"] for node in await found(api, brand, **where)}

    assert await ids(sentiments=["POSITIVE", "NEUTRAL"]) == {"glad", "plain"}
    assert await ids(intents=["QUESTION"]) == {"sad"}
    assert await ids(intents=["THANKS", "CRITICISM"], sentiments=["POSITIVE"]) == {"glad"}
    assert await ids(sentiments=[]) == set()
