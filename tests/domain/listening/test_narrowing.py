"""A view's filter, and what else is asked of it, as one filter."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.narrowing import narrowed
from shared.errors import Invalid
from shared.models.enums import Intent, Network, Visibility

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
NOTHING = MentionFilter(kinds=())


@pytest.mark.parametrize(
    ("view", "more", "both"),
    [
        ({}, {}, {}),
        ({"networks": (Network.FEED,)}, {"kinds": ()}, {"networks": (Network.FEED,), "kinds": ()}),
        ({"languages": ("nl", "fr")}, {"languages": ("fr",)}, {"languages": ("fr",)}),
        ({"languages": ("nl",)}, {"languages": ("fr",)}, {"languages": ()}),
        ({"since": EARLY, "until": LATE}, {"since": LATE, "until": EARLY}, {"since": LATE, "until": EARLY}),
        ({"min_rating": 2.0}, {"min_rating": 4.0}, {"min_rating": 4.0}),
        ({"intents": (Intent.PRAISE,)}, {"intents": (Intent.PRAISE,)}, {"intents": (Intent.PRAISE,)}),
        ({"search": "red"}, {"search": "lantern"}, {"search": "red lantern"}),
        ({"search": "a or b -c"}, {"search": '"d e" OR f'}, {"search": 'a "d e" or a f or b -c "d e" or b -c f'}),
        ({"search": '"a or b"'}, {"search": "c"}, {"search": '"a or b" c'}),
        ({"search": '"open'}, {"search": "or"}, {"search": '"open" or'}),
        ({"search": "red or"}, {"search": " "}, {"search": "red or"}),
        ({"deleted": None}, {"deleted": True}, {"deleted": True}),
        ({"deleted": None}, {"deleted": False}, {"deleted": None}),
        ({"deleted": True}, {"deleted": False}, {"deleted": True}),
    ],
)  # fmt: skip
def test_what_passes_both_filters_is_one_filter(
    view: dict[str, Any], more: dict[str, Any], both: dict[str, Any]
) -> None:
    assert narrowed(MentionFilter(**view), MentionFilter(**more)) == MentionFilter(**both)


@pytest.mark.parametrize(
    ("view", "more"),
    [
        ({"visibility": Visibility.PUBLIC}, {"visibility": Visibility.PRIVATE}),
        ({"author_id": UUID(int=1)}, {"author_id": UUID(int=2)}),
        ({"deleted": False}, {"deleted": True}),
    ],
)
def test_what_no_mention_can_be_at_once_is_nothing(view: dict[str, Any], more: dict[str, Any]) -> None:
    assert narrowed(MentionFilter(**view), MentionFilter(**more)).kinds == NOTHING.kinds


@pytest.mark.parametrize(
    ("view", "more", "code"),
    [
        ({"intents": (Intent.PRAISE,)}, {"intents": (Intent.THANKS,)}, "set_by_view"),
        ({"query_ids": (UUID(int=1),)}, {"query_ids": (UUID(int=2),)}, "set_by_view"),
        ({"search": "a " * 400}, {"search": "b or " * 100 + "b"}, "too_long"),
    ],
)
def test_what_is_no_filter_of_both_is_refused(view: dict[str, Any], more: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        narrowed(MentionFilter(**view), MentionFilter(**more))
    assert [problem.code for problem in refused.value.problems] == [code]
