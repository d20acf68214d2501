"""Why a mention is read as it is, over REST."""

import math
from typing import Any

import pytest

from shared.analysis import model
from shared.analysis.calibration import STEP, Shift
from shared.analysis.deep import Mood
from shared.analysis.reading import read
from shared.contract import Deleted
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import mentions, readings, record
from shared.ids import Prefix, new_uuid, parse_typeid, typeid
from shared.models.enums import KeyScope
from shared.models.mention import Calibration
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening import words
from tests.services.api.graphql.asking import T0, at, hear, said
from tests.services.api.rest.conftest import Caller, problem

TEXT = "The staff at the counter was horrible, my lawyer is informed! Please call me back 😡"


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def mention(caller: Caller, channel: HouseChannel, worker_db: Database) -> dict[str, Any]:
    await hear(worker_db, channel, said("1", TEXT), reader=read)
    (found,) = (await caller.get("/mentions")).json()["data"]
    return dict(found)


async def explained(caller: Caller, mention: dict[str, Any], **params: Any) -> dict[str, Any]:
    answer = await caller.get(f"/mentions/{mention['id']}/explanation", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.json()["unexplained"] is None
    return dict(answer.json()["explanation"])


def scores(explanation: dict[str, Any]) -> list[dict[str, Any]]:
    several = [*explanation["sentiment"]["scores"], *explanation["intents"]["scores"]]
    return [*several, explanation["urgency"], explanation["offence"]]


def labelled(found: list[dict[str, Any]], label: str) -> dict[str, Any]:
    (one,) = (score for score in found if score["label"] == label)
    return one


def spelled(score: dict[str, Any], name: str) -> list[str]:
    spans = [span for part in score["parts"] if part["name"] == name for span in part["spans"]]
    return [TEXT[span["start"] : span["end"]] for span in spans]


async def test_it_explains_what_the_mention_shows(caller: Caller, mention: dict[str, Any]) -> None:
    found = await explained(caller, mention)
    assert (found["model_version"], found["current"]) == (model.weights().version, True)
    mood, intents = found["sentiment"], found["intents"]
    assert (mood["label"], mood["fast_label"], mood["by_person"], mood["deep_version"]) == (
        "negative", "negative", False, None,
    )  # fmt: skip
    assert labelled(mood["scores"], "negative")["chance"] == mention["sentiment"]["score"]
    assert intents["labels"] == intents["fast_labels"] == mention["intents"]
    assert (found["urgency"]["chance"], found["offence"]["chance"]) == (mention["urgency"], mention["offence"])
    assert found["language"]["language"] == found["language"]["likely"][0]["language"] == "en"


async def test_the_parts_sum_to_the_scores_and_these_become_the_chances(
    caller: Caller, mention: dict[str, Any]
) -> None:
    found = await explained(caller, mention, limit=100)
    whole = [score for score in scores(found) if score["part_count"] <= 100]
    assert len(whole) == len(scores(found)) == 10
    for score in whole:
        assert len(score["parts"]) == score["part_count"]
        assert sum(part["weight"] for part in score["parts"]) == pytest.approx(score["total"], abs=1e-9)
    exponents = [math.exp(score["total"]) for score in found["sentiment"]["scores"]]
    for exponent, score in zip(exponents, found["sentiment"]["scores"], strict=True):
        assert score["chance"] == pytest.approx(exponent / sum(exponents), abs=1e-4)
    for score in (*found["intents"]["scores"], found["urgency"], found["offence"]):
        assert score["chance"] == pytest.approx(1 / (1 + math.exp(-score["total"])), abs=1e-4)


async def test_places_are_where_the_words_are(caller: Caller, mention: dict[str, Any]) -> None:
    found = await explained(caller, mention, limit=100)
    assert spelled(labelled(found["sentiment"]["scores"], "negative"), "horrible") == ["horrible"]
    assert spelled(labelled(found["sentiment"]["scores"], "negative"), "😡") == ["😡"]
    assert spelled(found["urgency"], "legal") == ["lawyer"]
    assert spelled(labelled(found["intents"]["scores"], "request"), "please") == ["Please"]


async def test_as_many_parts_as_asked_for_the_greatest_first(caller: Caller, mention: dict[str, Any]) -> None:
    whole, few = await explained(caller, mention, limit=100), await explained(caller, mention, limit=2)
    for all_, some in zip(scores(whole), scores(few), strict=True):
        assert some["parts"] == all_["parts"][:2]
        assert (some["part_count"], some["total"]) == (all_["part_count"], all_["total"])
    for limit in (0, 101):
        refused = await caller.get(f"/mentions/{mention['id']}/explanation", params={"limit": limit})
        assert problem(refused, 422)["code"] == "limit_out_of_range"


async def test_another_model_than_the_one_that_read_says_so(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "bad why"), reader=words.read)
    (mention,) = (await caller.get("/mentions")).json()["data"]
    found = await explained(caller, mention)
    assert (found["model_version"], found["current"]) == (model.weights().version, False)


async def test_what_the_brands_corrections_add_is_a_part(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    shift = Shift((10, 0, -10), (0, 4, 0, 0, 0))
    async with worker_db.session() as session:
        await scopes.house(session, channel.brand.brand_id)
        session.add(
            Calibration(
                brand_id=channel.brand.brand_id, moods=list(shift.moods), intents=list(shift.intents),
                sentiment_corrections=50, intent_corrections=50,
            )
        )  # fmt: skip
    await hear(worker_db, channel, said("1", TEXT), reader=read)
    (mention,) = (await caller.get("/mentions")).json()["data"]
    found = await explained(caller, mention, limit=100)
    assert (found["model_version"], found["current"]) == (shift.named(model.weights().version), True)
    added = {
        score["label"]: part["weight"]
        for score in (*found["sentiment"]["scores"], *found["intents"]["scores"])
        for part in score["parts"]
        if part["kind"] == "corrections"
    }
    assert added == {"negative": 10 * STEP, "positive": -10 * STEP, "question": 4 * STEP}
    assert labelled(found["sentiment"]["scores"], "negative")["chance"] == mention["sentiment"]["score"]


async def test_a_persons_word_is_said_to_be_one_and_not_explained(caller: Caller, mention: dict[str, Any]) -> None:
    right = {"sentiment": "neutral", "intents": ["thanks"], "language": "nl"}
    assert (await caller.post(f"/mentions/{mention['id']}/corrections", right)).status_code == 201
    found = await explained(caller, mention)
    assert found["sentiment"] == {
        "label": "neutral", "by_person": True, "deep_version": None, "fast_label": None, "scores": [],
    }  # fmt: skip
    assert found["intents"] == {"labels": ["thanks"], "by_person": True, "fast_labels": [], "scores": []}
    assert found["language"] == {"language": "nl", "by_person": True, "likely": []}
    assert spelled(found["urgency"], "legal") == ["lawyer"]


async def test_where_the_deep_label_stands_the_fast_one_is_explained(
    caller: Caller, channel: HouseChannel, worker_db: Database, mention: dict[str, Any]
) -> None:
    async with worker_db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        row = await mentions.get(session, scope, parse_typeid(Prefix.MENTION, mention["id"]))
        mood = Mood("neutral", 0.9, (0.05, 0.9, 0.05))
        await record.rewrite(session, scope, [row.key], lambda state: readings.take_deep(state, mood, "deep-1"), now=T0)
    found = (await explained(caller, mention))["sentiment"]
    assert (found["label"], found["deep_version"], found["fast_label"]) == ("neutral", "deep-1", "negative")
    assert labelled(found["scores"], "negative")["chance"] == mention["sentiment"]["score"]


async def test_what_is_deleted_or_not_read_is_not_explained_and_it_says_why(
    caller: Caller, channel: HouseChannel, worker_db: Database, mention: dict[str, Any]
) -> None:
    await hear(worker_db, channel, Deleted("1", at(1)))
    await hear(worker_db, channel, said("2", "horrible"), reader=None)
    (unread,) = (await caller.get("/mentions")).json()["data"]
    for one, reason in ((mention, "deleted"), (unread, "unread")):
        answer = await caller.get(f"/mentions/{one['id']}/explanation")
        assert (answer.status_code, answer.json()) == (200, {"explanation": None, "unexplained": reason})


async def test_where_there_is_nothing_to_read_there_are_no_scores(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1", "https://example.com"), reader=read)
    (mention,) = (await caller.get("/mentions")).json()["data"]
    found = await explained(caller, mention)
    assert (found["current"], found["sentiment"]["scores"], found["intents"]["scores"]) == (True, [], [])
    assert (found["urgency"], found["offence"], found["language"]["likely"]) == (None, None, [])


async def test_nobody_sees_why_anothers_mention_is_read_so(
    caller: Caller, house: House, brand: HouseBrand, mention: dict[str, Any]
) -> None:
    other = await house.brand("Other")
    problem(await caller.as_(other.api_key).get(f"/mentions/{mention['id']}/explanation"), 404)
    own = typeid(Prefix.BRAND, other.brand_id)
    there = caller.as_(other.api_key)
    problem(await there.get(f"/v1/brands/{own}/mentions/{mention['id']}/explanation"), 404)
    problem(await caller.get(f"/mentions/{typeid(Prefix.MENTION, new_uuid())}/explanation"), 404)
    blind = caller.as_(await house.key(brand, KeyScope.RESPOND))
    problem(await blind.get(f"/mentions/{mention['id']}/explanation"), 403)


async def test_who_has_the_answer_is_not_sent_it_again(caller: Caller, mention: dict[str, Any]) -> None:
    place = f"/mentions/{mention['id']}/explanation"
    tag = (await caller.get(place)).headers["etag"]
    assert (await caller.get(place, headers={"if-none-match": tag})).status_code == 304
