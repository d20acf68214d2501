"""What a network does not take is named with its place and what would mend it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.connectors.registry import CARDS
from shared.contract import Card, MediaLimit
from shared.domain.publishing.library.media_fits import Item, problems
from shared.ids import new_uuid
from shared.models.enums import MediaKind, Network
from shared.models.media import Media
from tests.conftest import NOW

JPEG = frozenset({"image/jpeg"})


def file(**facts: Any) -> Media:
    made = {
        "brand_id": new_uuid(), "name": "a.jpg", "kind": MediaKind.IMAGE, "type": "image/jpeg", "size": 1000,
        "width": 1080, "height": 1080, "fingerprint": "f", "key": "k", "created_at": NOW, **facts,
    }  # fmt: skip
    return Media(**made)


def card(**limits: Any) -> Card:
    mixes = limits.pop("mixes_media", True)
    limit = MediaLimit(**{"types": JPEG, **limits})
    return replace(CARDS[Network.GENERIC], label="Net", media={"image": limit, "video": limit}, mixes_media=mixes)


def found(item: Item, known: Card) -> list[str]:
    return [one["code"] for one in problems([item], known)]


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "all is well": ({"most_bytes": 1000, "most_pixels": 1080 * 1080, "sides": (320, 1080)}, {}, []),
    "another format": ({}, {"type": "image/png"}, ["media_type"]),
    "a byte too many": ({"most_bytes": 999}, {}, ["media_too_large"]),
    "a pixel too many": ({"most_pixels": 1080 * 1080 - 1}, {}, ["media_too_many_pixels"]),
    "a side too long": ({"sides": (1, 1079)}, {}, ["media_side_too_long"]),
    "a side too short": ({"sides": (1081, 4000)}, {}, ["media_too_small"]),
    "too narrow": ({"ratio": (0.8, 1.91)}, {"width": 800, "height": 1080}, ["media_ratio"]),
    "too wide": ({"ratio": (0.8, 1.91)}, {"width": 2100, "height": 1080}, ["media_ratio"]),
    "as narrow as can be": ({"ratio": (0.8, 1.91)}, {"width": 1080, "height": 1350}, []),
    "as wide as can be": ({"ratio": (0.8, 1.91)}, {"width": 1080, "height": 565}, []),
    "too long": ({"length": (timedelta(seconds=3), timedelta(seconds=60))}, {"seconds": 60.5}, ["media_too_long"]),
    "too short": ({"length": (timedelta(seconds=3), timedelta(seconds=60))}, {"seconds": 2.0}, ["media_too_short"]),
    "long enough": ({"length": (timedelta(seconds=3), timedelta(seconds=60))}, {"seconds": 60.0}, []),
    "several things": ({"most_bytes": 1, "most_pixels": 1}, {"type": "image/png"},
                       ["media_type", "media_too_large", "media_too_many_pixels"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_held_to_its_networks_limits(name: str) -> None:
    limits, facts, codes = CASES[name]
    assert found(Item("image", None, file(**facts)), card(**limits)) == codes


def test_a_kind_that_is_not_taken_is_named_with_those_that_are() -> None:
    (problem,) = problems([Item("audio", None, file(kind=MediaKind.AUDIO))], card())
    assert (problem["code"], problem["path"]) == ("media_kind", [0])
    assert problem["message"] == "Net takes no audio; it takes image, video"


def test_a_text_is_held_to_its_length_also_of_what_stands_on_the_web() -> None:
    item = Item("image", "x" * 101, None)
    assert found(item, card(longest_alt=100)) == ["alt_too_long"]
    assert found(replace(item, alt="x" * 100), card(longest_alt=100)) == []


def test_of_what_stands_on_the_web_nothing_else_is_known() -> None:
    assert found(Item("image", None, None), card(most_bytes=1, most_pixels=1, ratio=(0.8, 1.91))) == []


def test_kinds_that_can_t_stand_together_are_named() -> None:
    items = [Item("image", None, file()), Item("video", None, file(kind=MediaKind.VIDEO))]
    assert [(one["code"], one["path"]) for one in problems(items, card(mixes_media=False))] == [("mixed_media", [])]
    assert list(problems(items, card())) == []


def test_a_card_without_limits_knows_none() -> None:
    assert found(Item("audio", "x" * 9999, file(size=10**9)), replace(card(), media={})) == []


def test_each_problem_says_where_among_the_media_it_is_and_what_to_do() -> None:
    items = [Item("image", None, file()), Item("image", None, file(name="b.png", type="image/png", size=5000))]
    first, second = problems(items, card(most_bytes=4000))
    assert (first["path"], second["path"]) == ([1], [1])
    assert first["message"] == "'b.png' is PNG; Net takes JPEG: save it as one of these"
    assert second["message"] == "'b.png' has 5000 bytes; Net takes at most 4000: save it smaller"
    assert (second["used"], second["limit"], second["unit"]) == (5000, 4000, "bytes")
