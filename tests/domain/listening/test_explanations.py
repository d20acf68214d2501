"""A mention is explained as it was read, and nobody waits for it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.analysis import model
from shared.analysis.calibration import Shift
from shared.analysis.reading import Text, read
from shared.domain.listening.explanations import Explainer, Explanation
from shared.ids import new_uuid
from shared.models.enums import MentionKind, Network
from shared.models.mention import Mention

NOW = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)


def mention(text: str, **more: Any) -> Mention:
    given: dict[str, Any] = {"kind": MentionKind.COMMENT, "read_by": model.weights().version, **more}
    return Mention(
        brand_id=new_uuid(), key=new_uuid(), network=Network.GENERIC, external_id="1", channel_id=new_uuid(),
        text=text, published_at=NOW, observed_at=NOW, **given,
    )  # fmt: skip


async def explained(row: Mention, *home: str) -> Explanation:
    found = await Explainer().explain(row, home)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("more", "text", "home"),
    [
        ({}, Text("parking", source="generic"), ()),
        ({}, Text("parking", source="generic"), ("nl", "fr")),
        ({"said_language": "DE-at"}, Text("parking", source="generic", language="de"), ()),
        ({"kind": MentionKind.REVIEW}, Text("parking", source="review"), ()),
    ],
)
async def test_what_was_known_beside_the_text_is_known_again(
    more: dict[str, Any], text: Text, home: tuple[str, ...]
) -> None:
    (expected,) = read([replace(text, home=home)])
    found = await explained(mention("parking", **more), *home)
    assert found.sentiment.fast_label == expected.sentiment
    assert {one.label.value: one.chance for one in found.sentiment.scores} == pytest.approx(
        dict(zip(("negative", "neutral", "positive"), expected.sentiment_chances or (), strict=True)), abs=1e-4
    )
    assert found.language.likely[0].chance == pytest.approx(expected.language_score, abs=1e-4)


async def test_an_older_models_shift_is_explained_with_the_model_of_now() -> None:
    shift = Shift((3, 0, 0))
    found = await explained(mention("horrible", read_by=shift.named("fast-older")))
    assert (found.model_version, found.current) == (shift.named(model.weights().version), False)


async def test_a_picture_said_a_thousand_times_has_its_first_places_alone() -> None:
    found = await explained(mention("😡" * 1000))
    spans = {len(part.spans) for one in found.sentiment.scores for part in one.parts if part.name == "😡"}
    assert spans == {100}


async def test_a_long_text_leaves_the_loop_to_others() -> None:
    model.weights()
    row = mention("The parcel was late again and nobody at the counter knew why. " * 300)
    task = asyncio.ensure_future(explained(row))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
