"""Bluesky: how a text is counted, what is not offered, and that any answer at all is read to its end."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.contract import (
    Capability,
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
)
from shared.errors import BadPayload, BadSignature
from tests.connectors.bluesky_house import bluesky

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


# ---------------------------------------------------------------- lengths, and what is not offered


@pytest.mark.parametrize(
    ("text", "used", "unit", "fits"),
    [
        ("", 0, "graphemes", True),
        ("é" * 300, 300, "graphemes", True),
        ("é" * 301, 301, "graphemes", False),
        ("e\u0301" * 300, 300, "graphemes", True),
        ("👨‍👩‍👧‍👦" * 120, 3000, "bytes", True),
        ("👨‍👩‍👧‍👦" * 121, 3025, "bytes", False),
        ("🇧🇪" * 300, 300, "graphemes", True),
        ("a\r\n" * 150, 300, "graphemes", True),
        ("\ud800", 1, "graphemes", True),
    ],
)
def test_a_text_is_counted_in_graphemes_and_in_bytes(text: str, used: int, unit: str, fits: bool) -> None:
    length = bluesky.count(text)
    assert (length.used, length.unit, length.fits) == (used, unit, fits)


async def test_what_is_not_on_the_card_is_refused() -> None:
    assert not bluesky.card.can(Capability.SUBSCRIBE)
    assert bluesky.handshake(RawRequest("GET", {}, {}, b"", NOW), Secret(())) is None
    with pytest.raises(BadSignature):
        bluesky.verify(RawRequest("POST", {}, {}, b"{}", NOW), Secret(("key",)))
    with pytest.raises(BadPayload):
        bluesky.route(RawArrival("k", b"{}", NOW))


# ---------------------------------------------------------------- anything at all

_uri = st.sampled_from(
    ["at://did:plc:a/app.bsky.feed.post/1", "at://did:plc:b/app.bsky.feed.repost/2", "at://x", "https://a.b", "\ud800"]
)
_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | _uri
    | st.sampled_from(["2026-11-22T09:00:00Z", "9999-12-31T23:59:59Z", "did:plc:a", "x\x00", "app.bsky.embed.images"])
)
_names = st.sampled_from(
    [
        *("uri", "cid", "author", "did", "handle", "displayName", "labels", "val", "src", "reason", "reasonSubject"),
        *("record", "text", "facets", "index", "byteStart", "byteEnd", "features", "$type", "embed", "images", "image"),
        *("ref", "$link", "alt", "external", "title", "reply", "parent", "root", "langs", "indexedAt", "createdAt"),
        *("subject", "likeCount", "replyCount", "repostCount", "post", "replies", "notFound", "blocked", "value"),
    ]
)
_value = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=8), max_leaves=20
)
_said = st.fixed_dictionaries(
    {"uri": _uri, "record": st.fixed_dictionaries({"text": st.text(max_size=9) | _leaves}, optional={
        "facets": _value, "embed": _value, "langs": _value, "reply": _value, "subject": _value})},
    optional={"reason": st.sampled_from(["mention", "like", "follow", "zzz", "like-via-repost"]) | _leaves,
              "author": _value, "indexedAt": _leaves, "labels": _value, "likeCount": _leaves, "post": _value},
)  # fmt: skip
_body = st.one_of(
    *(
        st.fixed_dictionaries({field: st.lists(_said | _value, max_size=3) | _value})
        for field in ("notifications", "posts", "feed")
    ),
    st.fixed_dictionaries({"thread": _said | _value}),
    st.fixed_dictionaries({"uri": _uri | _leaves, "value": _said | _value}),
    _value,
)


@examples(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_body, st.sampled_from([{}, {"parvis-fresh": "0,x,2"}, {"parvis-missing": "at://did:plc:a/p/1"}]))
def test_whatever_an_answer_holds_it_is_heard_pointed_at_ignored_or_unreadable(
    value: object, headers: dict[str, str]
) -> None:
    try:
        parsed = bluesky.parse(RawPart("did:plc:a", json.dumps(value).encode(), NOW, headers))
    except BadPayload as error:
        repr(error).encode()
        return
    assert parsed.heard or parsed.ignored or parsed.pointers
    repr(parsed).encode()  # a lone surrogate that got through would raise here
    assert "\\x00" not in repr(parsed)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_answer_are_unreadable(body: bytes) -> None:
    with pytest.raises(BadPayload):
        bluesky.parse(RawPart("did:plc:a", body, NOW))
