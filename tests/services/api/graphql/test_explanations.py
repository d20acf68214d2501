"""Why a mention is read as it is, over GraphQL."""

from typing import Any

import pytest

from shared.analysis import model
from shared.analysis.reading import read
from shared.contract import Deleted
from shared.db import Database
from tests.conftest import HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, at, brand_id, hear, said

TEXT = "The staff at the counter was horrible"
SCORE = "total chance partCount parts(first: $n) { name kind weight spans { start end } }"
EXPLAIN = f"""query ($b: ID!, $n: Int = 20, $where: MentionFilter) {{ brand(id: $b) {{
  mentions(first: 2, where: $where) {{ nodes {{
  id externalId urgency offence intents sentiment {{ label score }} explanation {{
    modelVersion current
    sentiment {{ label byPerson deepVersion fastLabel scores {{ label {SCORE} }} }}
    intents {{ labels byPerson fastLabels scores {{ label {SCORE} }} }}
    urgency {{ {SCORE} }} offence {{ {SCORE} }}
    language {{ language byPerson likely {{ language chance }} }} }} }} }} }} }}"""
CORRECT = "mutation ($input: CorrectMentionInput!) { correctMention(input: $input) { errors { code } } }"


async def found(api: Api, brand: HouseBrand, n: int = 20, **where: Any) -> list[dict[str, Any]]:
    data = await api.data(EXPLAIN, brand.api_key, b=brand_id(brand), n=n, where=where)
    nodes: list[dict[str, Any]] = data["brand"]["mentions"]["nodes"]
    return nodes


@pytest.fixture
async def mention(api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database) -> dict[str, Any]:
    await hear(worker_db, channel, said("1", TEXT), reader=read)
    (node,) = await found(api, brand, 100)
    return node


def scores(explanation: dict[str, Any]) -> list[dict[str, Any]]:
    several = [*explanation["sentiment"]["scores"], *explanation["intents"]["scores"]]
    return [*several, explanation["urgency"], explanation["offence"]]


async def test_it_explains_what_the_mention_shows(mention: dict[str, Any]) -> None:
    explanation = mention["explanation"]
    assert (explanation["modelVersion"], explanation["current"]) == (model.weights().version, True)
    mood = {one["label"]: one["chance"] for one in explanation["sentiment"]["scores"]}
    assert mood[mention["sentiment"]["label"]] == mention["sentiment"]["score"]
    assert explanation["sentiment"]["fastLabel"] == mention["sentiment"]["label"] == "NEGATIVE"
    assert explanation["intents"]["fastLabels"] == explanation["intents"]["labels"] == mention["intents"]
    assert explanation["urgency"]["chance"] == mention["urgency"]
    assert explanation["offence"]["chance"] == mention["offence"]
    assert explanation["language"]["likely"][0]["language"] == "en"


async def test_the_parts_sum_to_the_scores(mention: dict[str, Any]) -> None:
    for score in scores(mention["explanation"]):
        assert len(score["parts"]) == score["partCount"]
        assert sum(part["weight"] for part in score["parts"]) == pytest.approx(score["total"], abs=1e-9)


async def test_places_are_where_the_words_are(mention: dict[str, Any]) -> None:
    negative = next(one for one in mention["explanation"]["sentiment"]["scores"] if one["label"] == "NEGATIVE")
    word = next(part for part in negative["parts"] if (part["name"], part["kind"]) == ("horrible", "WORD"))
    assert [TEXT[span["start"] : span["end"]] for span in word["spans"]] == ["horrible"]


async def test_as_many_parts_as_asked_for(api: Api, brand: HouseBrand, mention: dict[str, Any]) -> None:
    (few,) = await found(api, brand, 2)
    for all_, some in zip(scores(mention["explanation"]), scores(few["explanation"]), strict=True):
        assert some == {**all_, "parts": all_["parts"][:2]}


async def test_a_persons_word_is_said_to_be_one_and_not_explained(
    api: Api, brand: HouseBrand, mention: dict[str, Any]
) -> None:
    told = {"id": mention["id"], "sentiment": "POSITIVE", "intents": [], "language": "nl"}
    assert (await api.data(CORRECT, brand.api_key, input=told))["correctMention"]["errors"] == []
    (explanation,) = [one["explanation"] for one in await found(api, brand)]
    assert explanation["sentiment"] == {
        "label": "POSITIVE", "byPerson": True, "deepVersion": None, "fastLabel": None, "scores": [],
    }  # fmt: skip
    assert explanation["intents"] == {"labels": [], "byPerson": True, "fastLabels": [], "scores": []}
    assert explanation["language"] == {"language": "nl", "byPerson": True, "likely": []}


async def test_what_is_deleted_or_not_read_has_none(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database, mention: dict[str, Any]
) -> None:
    await hear(worker_db, channel, Deleted("1", at(1)))
    await hear(worker_db, channel, said("2", "horrible"), reader=None)
    nodes = await found(api, brand, deleted=None)
    assert {node["externalId"]: node["explanation"] for node in nodes} == {"1": None, "2": None}


async def test_explaining_costs_as_much_as_fifty_objects(api: Api, brand: HouseBrand, mention: dict[str, Any]) -> None:
    query = "query ($b: ID!, $n: Int!) { brand(id: $b) { mentions(first: $n) { nodes { explanation { current } } } } }"
    answer = await api.ask(query, brand.api_key, b=brand_id(brand), n=3)
    assert answer["extensions"]["cost"] == 2 + 3 * 51
    assert await api.code(query.replace("current", "urgency { parts(first: 100) { spans { end } } }"),
                          brand.api_key, b=brand_id(brand), n=100) == "COST_LIMIT"  # fmt: skip
