"""What a round of polling keeps in its cursor, and how pictures are known whose addresses change."""

from datetime import UTC, datetime

import pytest

from shared.connectors import meta_media
from shared.connectors.graph_rounds import State, Step
from shared.contract import MediaDraft, Said
from shared.domain.listening.merge import content_digest
from shared.models.enums import MentionKind


def test_many_walks_into_the_past_of_one_thing_become_few_that_leave_nothing_out() -> None:
    state = State()
    for number in range(50):
        state.add(Step("comments", "1_2", f"after={number}", since=1000 - number))
    state.add(Step("comments", "1_3", "after=x", since=5))
    mine = [step for step in state.todo if step.about == "1_2"]
    assert len(mine) == 3
    assert min(step.since for step in mine) == 951
    assert len(state.todo) == 4


def test_a_cursor_holds_all_that_a_round_still_owes() -> None:
    state = State(began=5, since={"feed": 3}, off={"ratings": 9}, seen={"1_2": 4}, todo=[Step("feed", after="after=x")])
    assert State.of("facebook", state.cursor()) == state


def test_only_so_many_things_are_watched_and_the_newest_stay() -> None:
    state = State()
    for number in range(60):
        state.watch(str(number), number)
    state.watch("10", 1)
    assert len(state.seen) == 50
    assert list(state.seen)[-2:] == ["59", "10"]


def test_a_picture_whose_address_was_signed_anew_is_the_same_content() -> None:
    one, two = (
        "https://scontent-a.xx.fbcdn.net/v/t1/7_8_n.jpg?oh=1&oe=2",
        "https://scontent.xx.fbcdn.net/p720/7_8_n.jpg?oh=9",
    )
    digests = {
        content_digest(
            Said("1", MentionKind.POST, datetime(2026, 11, 22, tzinfo=UTC), media=meta_media.media([(url, "image")]))
        )
        for url in (one, two)
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://scontent.cdninstagram.com/v/t51/11_22_n.jpg?_nc_ht=x", "11_22_n.jpg"),
        ("https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=33&signature=x", "33"),
        ("https://lookaside.fbsbx.com/ig_messaging_cdn/", None),
        ("https://fbcdn.net.evil.example/v/11_n.jpg", None),
        ("https://ex.be/11_n.jpg", None),
        ("https://[bad", None),
    ],
)
def test_only_metas_own_servers_sign_anew(url: str, key: str | None) -> None:
    assert meta_media.known_by(url) == key


def test_the_same_picture_in_two_sizes_is_shown_once() -> None:
    found = meta_media.media(
        [("https://a.fbcdn.net/s1/1_n.jpg", "image"), ("https://b.fbcdn.net/s2/1_n.jpg", "image"), (7, "x")]
    )
    assert found == (MediaDraft("https://a.fbcdn.net/s1/1_n.jpg", "image", key="1_n.jpg"),)
