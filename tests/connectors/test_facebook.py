"""Facebook's webhooks: handshake, signature, routing, and totality. What payloads say is told by their pairs."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.connectors.facebook import Facebook
from shared.contract import Capability, Login, OutgoingEffect, RawArrival, RawPart, RawRequest, Said, Secret
from shared.errors import BadPayload, BadSignature, Refused
from shared.models.enums import AuthorKind, OutgoingKind
from tests.connectors.loopback import guarded

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
facebook = Facebook()


def subscribing(**query: str) -> RawRequest:
    given = {"hub.mode": "subscribe", "hub.verify_token": "let-me-in", "hub.challenge": "1158201444"}
    given.update({f"hub.{name}": value for name, value in query.items()})
    return RawRequest("GET", {}, given, b"", NOW)


def signed(body: bytes, key: str, algorithm: str = "sha256") -> RawRequest:
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return RawRequest("POST", {"x-hub-signature-256": f"{algorithm}={digest}"}, {}, body, NOW)


def post(page: str, **value: Any) -> dict[str, Any]:
    change = {"item": "post", "verb": "add", "post_id": f"{page}_1", "message": "x", **value}
    return {"id": page, "time": 1795341600, "changes": [{"field": "feed", "value": change}]}


def delivery(*entries: object) -> bytes:
    return json.dumps({"object": "page", "entry": list(entries)}).encode()


# ---------------------------------------------------------------- at the door


def test_the_right_verify_token_gets_the_bare_challenge() -> None:
    answer = facebook.handshake(subscribing(), Secret((), "let-me-in"))
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"1158201444")


@pytest.mark.parametrize(
    ("request_", "token"),
    [
        (subscribing(verify_token="wrong"), "let-me-in"),
        (subscribing(verify_token=""), ""),
        (subscribing(verify_token=""), None),
        (subscribing(verify_token="é\ud800"), "let-me-in"),
        (subscribing(mode="unsubscribe"), "let-me-in"),
    ],
)
def test_a_wrong_verify_token_is_answered_403(request_: RawRequest, token: str | None) -> None:
    answer = facebook.handshake(request_, Secret((), token))
    assert answer is not None
    assert answer.status == 403


def test_other_requests_are_no_handshake() -> None:
    assert facebook.handshake(RawRequest("GET", {}, {}, b"", NOW), Secret((), "t")) is None
    assert facebook.handshake(signed(b"{}", "key"), Secret((), "t")) is None


def test_a_body_signed_with_any_of_the_app_secrets_is_verified_and_no_time_is_signed() -> None:
    assert facebook.verify(signed(b"{}", "old"), Secret(("new", "old"))) is None


def test_a_signature_made_by_openssl_fits() -> None:
    # Precomputed with OpenSSL: printf '{"a":1}' | openssl dgst -sha256 -hmac app-secret
    headers = {"x-hub-signature-256": "sha256=a2ac6607a24977f9757e6d78319ae1660ad42ffeee0ee3f0dff30a92bcf85448"}
    assert facebook.verify(RawRequest("POST", headers, {}, b'{"a":1}', NOW), Secret(("app-secret",))) is None


@pytest.mark.parametrize(
    "bad",
    [
        signed(b"{}", "other"),
        signed(b"{}", "key", "sha1"),
        RawRequest("POST", signed(b"{}", "key").headers, {}, b"{ }", NOW),
        RawRequest("POST", {}, {}, b"{}", NOW),
        RawRequest("POST", {"x-hub-signature-256": "sha256=é\ud800"}, {}, b"{}", NOW),
        RawRequest("POST", {"x-hub-signature": "sha1=0e44dae9a9c979dc05d1f5846b06fe578e581533"}, {}, b"{}", NOW),
    ],
)
def test_a_missing_or_wrong_signature_is_refused(bad: RawRequest) -> None:
    with pytest.raises(BadSignature):
        facebook.verify(bad, Secret(("key",)))


def test_a_hook_without_a_key_verifies_nothing() -> None:
    with pytest.raises(BadSignature):
        facebook.verify(signed(b"{}", ""), Secret(()))


def test_a_repeated_body_has_the_same_key_and_another_body_another() -> None:
    assert facebook.key(signed(b"{}", "a")) == facebook.key(signed(b"{}", "b")) != facebook.key(signed(b"{ }", "a"))


# ---------------------------------------------------------------- routing


def test_each_page_gets_its_own_slice_and_nothing_of_another() -> None:
    one, two, again = post("1"), post("2", message="secret"), post("1", message="later")
    parts = facebook.route(RawArrival("k", delivery(one, two, {**again, "id": 1}), NOW))
    assert [part.channel_external_id for part in parts] == ["1", "2"]
    assert json.loads(parts[0].body)["entry"] == [one, {**again, "id": 1}]
    assert b"secret" not in parts[0].body


def test_a_slice_does_not_depend_on_the_order_of_keys() -> None:
    entry = post("1")
    turned = dict(reversed(entry.items()))
    assert facebook.route(RawArrival("k", delivery(entry), NOW)) == facebook.route(
        RawArrival("k", delivery(turned), NOW)
    )


def test_entries_without_a_usable_id_are_kept_together_as_nobodys() -> None:
    parts = facebook.route(RawArrival("k", delivery({"time": 1}, 7, post("1")), NOW))
    assert [(part.channel_external_id, len(json.loads(part.body)["entry"])) for part in parts] == [("", 2), ("1", 1)]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"object":"page"}', b'{"object":"user","entry":[{}]}'])
def test_what_is_no_delivery_for_pages_is_unreadable_when_routed_and_when_parsed(body: bytes) -> None:
    with pytest.raises(BadPayload):
        facebook.route(RawArrival("k", body, NOW))
    with pytest.raises(BadPayload):
        facebook.parse(RawPart("1", body, NOW))


def test_a_page_known_by_its_channel_is_the_brand_whatever_the_entry_says() -> None:
    body = delivery({**post("999"), "changes": post("1", **{"from": {"id": "1"}})["changes"]})
    [said] = facebook.parse(RawPart("1", body, NOW)).heard
    assert isinstance(said, Said)
    assert said.author_kind is AuthorKind.BRAND


def test_a_delivery_without_a_time_is_stamped_with_its_arrival() -> None:
    entry = {**post("1"), "time": "soon"}
    assert facebook.parse(RawPart("1", delivery(entry), NOW)).heard[0].stamp == NOW


# ---------------------------------------------------------------- anything at all

_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(
        ["add", "remove", "hide", "edited", "comment", "post", "like", "rating", "1_2", "\ud800", "react"]
    )
)
_names = st.sampled_from(
    [
        *(
            "item",
            "verb",
            "post_id",
            "comment_id",
            "parent_id",
            "from",
            "id",
            "name",
            "message",
            "created_time",
            "photos",
        ),
        *("link", "post", "edited_time", "published", "rating", "recommendation_type", "reaction_type", "sender_id"),
        *(
            "sender",
            "mid",
            "text",
            "attachments",
            "payload",
            "url",
            "reply_to",
            "story",
            "action",
            "is_deleted",
            "x\ud800",
        ),
    ]
)
_value = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=6), max_leaves=12
)
_event = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("sender", "timestamp", "message", "message_edit", "reaction"), _value),
        **dict.fromkeys(("postback", "read", "optin", "zzz"), _value),
    },
)
_change = st.fixed_dictionaries(
    {},
    optional={
        "field": st.sampled_from(["feed", "mention", "ratings", "messages", "zz\ud800"]) | _leaves,
        "value": _value,
    },
)
_entry = st.fixed_dictionaries(
    {},
    optional={
        "id": _leaves,
        "time": _leaves,
        "changes": st.lists(_change | _value, max_size=3) | _value,
        "messaging": st.lists(_event | _value, max_size=3) | _value,
        "standby": st.lists(_event, max_size=2),
    },
)


@examples(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({"object": st.just("page"), "entry": st.lists(_entry | _value, max_size=3) | _value}))
def test_whatever_a_signed_delivery_holds_it_is_heard_ignored_or_unreadable(value: dict[str, Any]) -> None:
    body = json.dumps(value).encode()
    try:
        parts = facebook.route(RawArrival("k", body, NOW))
        parsed = facebook.parse(RawPart("1", body, NOW))
    except BadPayload as error:
        repr(error).encode()
        return
    assert parts
    assert parsed.heard or parsed.ignored
    repr(parsed).encode()  # a lone surrogate that got through would raise here
    assert "\\x00" not in repr(parsed)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_delivery_are_unreadable(body: bytes) -> None:
    with pytest.raises(BadPayload):
        facebook.parse(RawPart("1", body, NOW))


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_deep_nesting_is_heard_or_unreadable_and_never_more(depth: int) -> None:
    change = b'{"field":"feed","value":{"item":"post","verb":"add","post_id":"1_1","x":' + b"[" * depth + b"]" * depth
    body = b'{"object":"page","entry":[{"id":"1","changes":[' + change + b"}}]}]}"
    for read in (lambda: facebook.route(RawArrival("k", body, NOW)), lambda: facebook.parse(RawPart("1", body, NOW))):
        try:
            assert read()
        except BadPayload as error:
            assert "deep" in error.message  # noqa: PT017 - both outcomes are right


# ---------------------------------------------------------------- speaking


async def test_what_is_not_on_the_card_is_refused() -> None:
    login = Login("1", None, {"access_token": "t"})
    part = OutgoingEffect("out_1", OutgoingKind.THREAD_PART, "Bonjour", "post_1")
    async with guarded() as http:
        for refused in (
            facebook.send(http, login, part),
            facebook.find(http, login, part),
            facebook.renew(http, login),
        ):
            with pytest.raises(Refused, match="does not offer"):
                await refused
    assert {one for one in Capability if not facebook.card.can(one)} == {Capability.RENEW, Capability.SEARCH}


async def test_the_self_test_says_what_is_missing_to_hear() -> None:
    async with guarded() as http:
        whole = await facebook.check(http, Login("1", None, {"app_secret": "s"}))
        empty = await facebook.check(http, Login("", None, {}))
    assert {finding.code: finding.ok for finding in whole} == {"app_secret": True, "page_id": True, "login": False}
    assert [finding.ok for finding in empty] == [False, False, False]
    assert all(finding.mend for finding in empty)
