"""Whatever Instagram's deliveries and Graph's answers hold is heard, ignored or unreadable; and it converges."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.connectors.facebook import Facebook
from shared.connectors.instagram import Instagram
from shared.contract import Connector, Parsed, RawArrival, RawPart, Said
from shared.domain.listening.border import at_the_border
from shared.domain.listening.merge import MentionState, apply_said, thing_key
from shared.errors import BadPayload
from shared.models.enums import Network

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
facebook, instagram = Facebook(), Instagram()

_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["1_2", "17900001", "\ud800", "2026-11-22T09:00:00+0000", "https://a.fbcdn.net/x_n.jpg", "react"])
)
_names = st.sampled_from(
    [
        *("id", "comment_id", "media_id", "parent_id", "text", "from", "username", "self_ig_scoped_id", "media"),
        *("original_media_id", "sender", "recipient", "mid", "message", "attachments", "payload", "url", "reply_to"),
        *("story", "action", "is_deleted", "timestamp", "caption", "media_type", "children", "data", "comments"),
        *("replies", "paging", "next", "cursors", "hidden", "is_hidden", "like_count", "created_time", "attachment"),
        *("permalink_url", "permalink", "open_graph_story", "reviewer", "rating", "shown", "gone", "messages", "image"),
        *("src", "type", "subattachments", "mime_type", "image_data", "link", "mention", "owner", "user", "x\ud800"),
    ]
)
_value = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=6), max_leaves=14
)
_change = st.fixed_dictionaries(
    {},
    optional={
        "field": st.sampled_from(["comments", "live_comments", "mentions", "messages", "z"]) | _leaves,
        "value": _value,
    },
)
_entry = st.fixed_dictionaries(
    {},
    optional={
        "id": _leaves,
        "time": _leaves,
        "field": st.sampled_from(["comments", "mentions"]) | _leaves,
        "value": _value,
        "changes": st.lists(_change | _value, max_size=3) | _value,
        "messaging": st.lists(_value, max_size=3) | _value,
        "standby": st.lists(_value, max_size=2),
    },
)
_many = examples(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def said_or_unreadable(connector: Connector, part: RawPart) -> None:
    try:
        parsed: Parsed = connector.parse(part)
    except BadPayload as error:
        repr(error).encode()
        return
    assert parsed.heard or parsed.pointers or parsed.ignored
    assert "\\x00" not in repr(parsed)
    assert "\\ud8" not in repr(parsed)


@_many
@given(st.fixed_dictionaries({"object": st.just("instagram"), "entry": st.lists(_entry | _value, max_size=3) | _value}))
def test_whatever_a_signed_delivery_holds_it_is_heard_ignored_or_unreadable(value: dict[str, Any]) -> None:
    body = json.dumps(value).encode()
    try:
        assert instagram.route(RawArrival("k", body, NOW))
    except BadPayload as error:
        repr(error).encode()
    said_or_unreadable(instagram, RawPart("1", body, NOW))


@_many
@given(
    st.sampled_from(["media", "tags", "comments", "replies", "messages", "looked", "mentioned_comment", "zzz"]),
    st.dictionaries(_names, _value, max_size=5) | _value,
)
def test_whatever_an_answer_of_instagrams_holds_it_is_heard_ignored_or_unreadable(source: str, value: Any) -> None:
    headers = {"graph-source": source, "graph-about": "1"}
    said_or_unreadable(instagram, RawPart("1", json.dumps(value).encode(), NOW, headers))


@_many
@given(
    st.sampled_from(["feed", "tagged", "comments", "news", "ratings", "looked", "post", "comment", "messages", "zzz"]),
    st.dictionaries(_names, _value, max_size=5) | _value,
)
def test_whatever_an_answer_of_facebooks_holds_it_is_heard_ignored_or_unreadable(source: str, value: Any) -> None:
    headers = {"graph-source": source, "graph-about": "1_2"}
    said_or_unreadable(facebook, RawPart("1", json.dumps(value).encode(), NOW, headers))


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_deep_nesting_is_heard_or_unreadable_and_never_more(depth: int) -> None:
    deep = b'{"id":"1","text":"x","zz":' + b"[" * depth + b"]" * depth + b"}"
    body = b'{"object":"instagram","entry":[{"id":"1","field":"comments","value":' + deep + b"}]}"
    said_or_unreadable(instagram, RawPart("1", body, NOW))
    said_or_unreadable(instagram, RawPart("1", b'{"data":[' + deep + b"]}", NOW, {"graph-source": "comments"}))


def test_a_thousand_things_in_one_answer_are_all_heard_and_a_bad_one_takes_nobody_with_it() -> None:
    items: list[Any] = [
        {"id": f"1_{n}", "message": str(n), "created_time": "2026-11-22T09:00:00+0000"} for n in range(1000)
    ]
    items[500] = {"message": "no id"}
    parsed = facebook.parse(RawPart("1", orjson.dumps({"data": items}), NOW, {"graph-source": "feed"}))
    assert sum(isinstance(fact, Said) for fact in parsed.heard) == 999
    assert [problem.path for problem in parsed.problems] == [("data", 500, "id")]


# ---------------------------------------------------------------- convergence


def comment(text: str, **more: Any) -> dict[str, Any]:
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": "5_6",
        "post_id": "1_5",
        "parent_id": "1_5",
        "message": text,
    }
    return {**value, "from": {"id": "7", "name": "Léa"}, "created_time": 1795341600, **more}


def pushed(value: dict[str, Any], at: int) -> Said:
    entry = {"id": "1", "time": at, "changes": [{"field": "feed", "value": value}]}
    return only(facebook.parse(RawPart("1", orjson.dumps({"object": "page", "entry": [entry]}), NOW)))


def polled(text: str, at: datetime) -> Said:
    item = {
        "id": "5_6",
        "message": text,
        "from": {"id": "7", "name": "Léa"},
        "created_time": "2026-11-22T10:00:00+0000",
    }
    body, headers = orjson.dumps({"data": [item]}), {"graph-source": "comments", "graph-about": "1_5"}
    return only(facebook.parse(RawPart("1", body, at, headers)))


def only(parsed: Parsed) -> Said:
    [said] = [fact for fact in parsed.heard if isinstance(fact, Said)]
    return said


def folded(facts: tuple[Said, ...]) -> MentionState:
    key, channel = thing_key(Network.FACEBOOK, "", "5_6"), UUID(int=1)
    state = MentionState(UUID(int=2), key, Network.FACEBOOK, "5_6", channel, NOW, NOW)
    for said in facts:
        apply_said(
            state, at_the_border(said), author_id=UUID(int=3), author_keys={UUID(int=3): UUID(int=4)},
            parent_key=UUID(int=5), channel_id=channel, now=NOW,
        )  # fmt: skip
    return state


def test_a_poll_never_beats_an_edit_that_a_webhook_dated_in_whatever_order_they_come() -> None:
    told = pushed(comment("before"), 1795341601)
    edit = pushed(comment("after", verb="edited", edited_time=1795341700), 1795341701)
    stale = polled("before", NOW + timedelta(hours=2))
    states = [folded(order) for order in permutations((told, edit, stale))]
    assert {state.text for state in states} == {"after"}
    assert len({(state.standing, state.published_at, state.parent_key) for state in states}) == 1


def test_an_edit_that_only_a_poll_saw_stands_in_whatever_order_they_come() -> None:
    told = pushed(comment("before"), 1795341601)
    seen = polled("after", NOW)
    assert {folded(order).text for order in permutations((told, seen))} == {"after"}


def test_what_a_poll_repeats_makes_no_version() -> None:
    told, seen = pushed(comment("same"), 1795341601), polled("same", NOW)
    state = folded((told,))
    assert not apply_said(
        state, seen, author_id=None, author_keys={}, parent_key=UUID(int=5), channel_id=UUID(int=1), now=NOW
    )
