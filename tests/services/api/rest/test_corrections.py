"""What is read of a mention, and what people say against it, over REST."""

from typing import Any

import pytest

from shared.contract import Deleted
from shared.db import Database
from shared.ids import Prefix, typeid
from shared.models.enums import KeyScope
from tests.conftest import House, HouseBrand, HouseChannel
from tests.domain.listening import words
from tests.services.api.graphql.asking import at, hear, said
from tests.services.api.rest.conftest import Caller, problem


@pytest.fixture
async def channel(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand)


@pytest.fixture
async def mention(caller: Caller, channel: HouseChannel, worker_db: Database) -> dict[str, Any]:
    await hear(worker_db, channel, said("1", "bad why", language="nl"))
    (found,) = (await caller.get("/mentions")).json()["data"]
    return dict(found)


async def test_a_mention_shows_what_was_read(mention: dict[str, Any]) -> None:
    assert mention["sentiment"] == {
        "label": "negative", "score": 0.75, "source": "model", "model_version": words.VERSION, "fast": None,
    }  # fmt: skip
    assert (mention["intents"], mention["topics"]) == (["criticism", "question"], ["bad", "why"])
    assert (mention["urgency"], mention["offence"], mention["language"]) == (0.5, 0, "nl")


async def test_what_is_not_read_is_null(caller: Caller, channel: HouseChannel, worker_db: Database) -> None:
    await hear(worker_db, channel, said("1", None))
    (found,) = (await caller.get("/mentions")).json()["data"]
    assert {found[name] for name in ("urgency", "offence", "sentiment")} == {None}
    assert (found["intents"], found["topics"]) == (None, None)


async def test_a_person_says_what_is_right(caller: Caller, mention: dict[str, Any]) -> None:
    place = f"/mentions/{mention['id']}/corrections"
    answer = await caller.post(place, {"sentiment": "neutral", "intents": ["thanks"], "language": "de"})
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(place)
    shown = answer.json()
    assert shown["sentiment"] == {
        "label": "neutral",
        "score": None,
        "source": "person",
        "model_version": None,
        "fast": None,
    }
    assert (shown["intents"], shown["language"], shown["version"]) == (["thanks"], "de", mention["version"] + 1)
    assert (await caller.get(f"/mentions/{mention['id']}")).json() == shown


async def test_every_word_is_kept_with_who_said_it(caller: Caller, brand: HouseBrand, mention: dict[str, Any]) -> None:
    place = f"/mentions/{mention['id']}/corrections"
    for sentiment in ("neutral", "positive"):
        assert (await caller.post(place, {"sentiment": sentiment})).status_code == 201
    first = (await caller.get(place, params={"limit": 1})).json()
    rest = (await caller.get(place, params={"cursor": first["next_cursor"]})).json()
    assert [(one["value"], one["replaced"]) for one in first["data"] + rest["data"]] == [
        (["neutral"], ["negative"]), (["positive"], ["neutral"]),
    ]  # fmt: skip
    assert {one["user_id"] for one in first["data"] + rest["data"]} == {typeid(Prefix.USER, brand.user_id)}
    assert first["data"][0]["field"] == "sentiment"


async def test_a_correction_comes_into_the_figures_at_once(caller: Caller, mention: dict[str, Any]) -> None:
    async def net() -> Any:
        when = {"from": "2025-11-20T00:00:00Z", "to": "2025-11-21T00:00:00Z", "interval": "day"}
        answer = await caller.get("/metrics", params={"key": "net_sentiment", **when})
        (series,) = answer.json()["data"]
        return [point["value"] for point in series["points"] if point["value"] is not None]

    assert await net() == [-1]
    await caller.post(f"/mentions/{mention['id']}/corrections", {"sentiment": "positive"})
    assert await net() == [1]


@pytest.mark.parametrize(
    "wrong", [{}, {"sentiment": "sad"}, {"intents": ["complaint"]}, {"language": "Dutch"}, {"mood": "neutral"}]
)
async def test_a_correction_that_says_nothing_that_can_be_is_refused(
    wrong: dict[str, Any], caller: Caller, mention: dict[str, Any]
) -> None:
    problem(await caller.post(f"/mentions/{mention['id']}/corrections", wrong), 422)
    assert (await caller.get(f"/mentions/{mention['id']}")).json() == mention


async def test_what_is_deleted_can_not_be_corrected(
    caller: Caller, channel: HouseChannel, worker_db: Database, mention: dict[str, Any]
) -> None:
    await hear(worker_db, channel, Deleted("1", at(1)))
    problem(await caller.post(f"/mentions/{mention['id']}/corrections", {"sentiment": "neutral"}), 409)


async def test_a_key_that_only_reads_corrects_nothing(
    caller: Caller, house: House, brand: HouseBrand, mention: dict[str, Any]
) -> None:
    reading = caller.as_(await house.key(brand, KeyScope.READ))
    problem(await reading.post(f"/mentions/{mention['id']}/corrections", {"sentiment": "neutral"}), 403)
    assert (await reading.get(f"/mentions/{mention['id']}/corrections")).json()["data"] == []


async def test_a_repeated_correction_is_kept_once(caller: Caller, mention: dict[str, Any]) -> None:
    place = f"/mentions/{mention['id']}/corrections"
    for _ in range(2):
        answer = await caller.post(place, {"sentiment": "neutral"}, headers={"idempotency-key": "once"})
        assert answer.status_code == 201
    assert len((await caller.get(place)).json()["data"]) == 1


async def test_mentions_are_found_by_mood_and_intent(
    caller: Caller, channel: HouseChannel, worker_db: Database
) -> None:
    texts = {"glad": "good merci", "sad": "bad why", "plain": "hello"}
    await hear(worker_db, channel, *(said(id_, text) for id_, text in texts.items()))

    async def ids(**filters: Any) -> set[str]:
        found = await caller.get("/mentions", params=filters)
        return {one["external_id"] for one in found.json()["data"]}

    assert await ids(sentiment=["positive", "neutral"]) == {"glad", "plain"}
    assert await ids(intent="question") == {"sad"}
    assert await ids(intent=["thanks", "criticism"], sentiment="positive") == {"glad"}
    problem(await caller.get("/mentions", params={"sentiment": "sad"}), 422)


async def test_a_brand_shows_what_its_corrections_have_taught(caller: Caller, mention: dict[str, Any]) -> None:
    await caller.post(f"/mentions/{mention['id']}/corrections", {"sentiment": "positive"})
    shown = (await caller.get("/calibration")).json()
    assert (shown["learns"], shown["needed"], shown["sentiment_corrections"], shown["since"]) == (True, 10, 1, None)
    assert shown["sentiments"] == [{"label": label, "shift": 0} for label in ("negative", "neutral", "positive")]
    assert {one["label"] for one in shown["intents"]} == {"criticism", "question", "praise", "request", "thanks"}


async def test_a_brand_may_be_told_not_to_learn(caller: Caller) -> None:
    brand = await caller.get("")
    await caller.patch("", {"learns": False}, headers={"If-Match": brand.headers["etag"]})
    assert not (await caller.get("/calibration")).json()["learns"]
