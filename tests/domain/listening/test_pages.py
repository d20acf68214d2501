"""Pages and their cursors."""

import uuid
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.page import Cursors, Page, PageRequest
from shared.errors import Invalid
from shared.vault import Vault

CURSORS = Cursors(Vault(["key"]))
BRAND = uuid.uuid4()


@pytest.mark.parametrize("limit", [0, -1, 101, 10**9])
def test_a_page_is_never_clamped(limit: int) -> None:
    with pytest.raises(Invalid) as caught:
        PageRequest(limit)
    assert caught.value.code == "limit_out_of_range"


@pytest.mark.parametrize("limit", [1, 20, 100])
def test_one_to_a_hundred_is_a_page(limit: int) -> None:
    assert PageRequest(limit).limit == limit


def test_a_cursor_comes_back_as_it_was() -> None:
    cursor = CURSORS.encode(BRAND, "mentions", "f", ["2026-01-01", "x"])
    assert CURSORS.decode(BRAND, "mentions", "f", cursor) == ["2026-01-01", "x"]


def test_a_cursor_of_another_brand_list_filter_or_installation_is_bad() -> None:
    cursor = CURSORS.encode(BRAND, "mentions", "f", [1])
    for cursors, place in (
        (CURSORS, (uuid4(), "mentions", "f")),
        (CURSORS, (BRAND, "threads", "f")),
        (CURSORS, (BRAND, "mentions", "g")),
        (Cursors(Vault(["another"])), (BRAND, "mentions", "f")),
    ):
        with pytest.raises(Invalid) as caught:
            cursors.decode(*place, cursor)
        assert caught.value.code == "bad_cursor"


def test_a_cursor_outlives_a_rotation_of_keys() -> None:
    cursor = CURSORS.encode(BRAND, "mentions", "", [1])
    assert Cursors(Vault(["newer", "key"])).decode(BRAND, "mentions", "", cursor) == [1]


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        CURSORS.decode(BRAND, "mentions", "", text)
    assert caught.value.code == "bad_cursor"


def test_only_a_page_with_more_behind_it_has_a_next_cursor() -> None:
    assert Page.cut([1, 2, 3], 2, str).next_cursor == "2"
    assert Page.cut([1, 2], 2, str).next_cursor is None
    assert Page.cut([], 2, str).next_cursor is None
