"""The generic webhook: CONTRACT's shape and limits, and Standard Webhooks both ways."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from standardwebhooks import Webhook

from shared.connectors.generic import Generic
from shared.contract import (
    Capability,
    Login,
    OutgoingEffect,
    Parsed,
    RawArrival,
    RawPart,
    RawRequest,
    Said,
    Secret,
    Sent,
    Target,
)
from shared.errors import BadPayload, BadSignature, LoginDead, RateLimited, Refused, Unavailable, Uncertain
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.loopback import Receiver, Reply, guarded, receiver

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = b'{"deleted": ["1"]}'
generic = Generic()


def request(body: bytes = BODY, *, secret: str = SECRET, at: datetime = NOW, **headers: str) -> RawRequest:
    """A delivery signed by the reference library."""
    signature = Webhook(secret).sign("msg_1", at, body.decode())
    signed = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    given = {**signed, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return RawRequest("POST", {name: value for name, value in given.items() if value}, {}, body, NOW)


def mention(**changes: Any) -> dict[str, Any]:
    return {"id": "c1", "kind": "comment", "text": "Bonjour", "published_at": "2026-11-22T08:00:00Z", **changes}


def parse(value: object) -> Parsed:
    return generic.parse(RawPart("x", json.dumps(value).encode(), NOW))


# ---------------------------------------------------------------- signatures


def test_a_delivery_signed_by_the_reference_library_is_verified_and_its_time_is_returned() -> None:
    assert generic.verify(request(at=NOW - timedelta(seconds=300)), Secret((SECRET,))) == NOW - timedelta(seconds=300)


def test_any_of_the_keys_fits_while_they_rotate() -> None:
    assert generic.verify(request(secret=OTHER), Secret((SECRET, OTHER))) == NOW


def test_any_of_several_signatures_fits() -> None:
    ours = request().headers["webhook-signature"]
    several = f"v1a,AAAA v1,bm90aGluZw== {ours} v2,x"
    assert generic.verify(request(webhook_signature=several), Secret((SECRET,))) == NOW


@pytest.mark.parametrize(
    "bad",
    [
        request(secret=OTHER),
        request(webhook_id=""),
        request(webhook_id="msg_2"),
        request(webhook_timestamp=""),
        request(webhook_timestamp="soon"),
        request(webhook_timestamp="9" * 5000),
        request(webhook_timestamp=str(int(NOW.timestamp()) + 1)),
        request(webhook_signature=""),
        request(webhook_signature="v1,"),
        request(webhook_signature="v1,é€"),
        request(webhook_signature=request().headers["webhook-signature"].removeprefix("v1,")),
        request(at=NOW - timedelta(seconds=301)),
        request(at=NOW + timedelta(seconds=301)),
        RawRequest("POST", request().headers, {}, BODY + b" ", NOW),
    ],
)
def test_a_signature_that_is_missing_wrong_or_stale_is_refused(bad: RawRequest) -> None:
    with pytest.raises(BadSignature):
        generic.verify(bad, Secret((SECRET,)))


def test_a_hook_without_a_usable_key_verifies_nothing() -> None:
    for keys in ((), ("whsec_not base64",)):
        with pytest.raises(BadSignature):
            generic.verify(request(), Secret(keys))


def test_a_new_secret_signs_for_the_reference_library() -> None:
    secret = generic.new_secret()
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert generic.verify(request(secret=secret), Secret((secret,))) == NOW


def test_the_key_is_the_webhook_id_and_fits_into_an_index() -> None:
    assert generic.key(request(webhook_id="msg_7")) == "msg_7"
    long = generic.key(request(webhook_id="i" * 5000))
    assert len(long) < 100
    assert long == generic.key(request(webhook_id="i" * 5000)) != generic.key(request(webhook_id="i" * 5001))


# ---------------------------------------------------------------- limits and bad input


def test_a_thousand_mentions_are_heard_and_one_more_is_refused() -> None:
    assert len(parse({"mentions": [mention(id=i) for i in range(1000)]}).heard) == 1000
    with pytest.raises(BadPayload, match="at most 1,000") as refused:
        parse({"mentions": [mention(id=i) for i in range(1001)]})
    assert refused.value.problems[0].path == ("mentions",)


def test_a_text_of_a_hundred_thousand_characters_is_heard_and_a_longer_one_is_a_problem_of_its_own() -> None:
    found = parse({"mentions": [mention(id="long", text="é" * 100_001), mention(text="é" * 100_000)]})
    assert [fact.external_id for fact in found.heard] == ["c1"]
    assert [(problem.code, problem.path) for problem in found.problems] == [("too_long", (0, "text"))]


def test_ten_thousand_deletions_are_heard_and_one_more_is_refused() -> None:
    assert len(parse({"deleted": list(range(10_000))}).heard) == 10_000
    with pytest.raises(BadPayload, match="at most 10,000 deleted"):
        parse({"deleted": list(range(10_001))})


def test_problems_say_what_is_wrong_in_a_sentence() -> None:
    with pytest.raises(BadPayload) as refused:
        parse({"mentions": [mention(kind="shout"), mention(published_at="2026-11-22T08:00:00")]})
    assert [problem.message for problem in refused.value.problems] == [
        "kind is one of post, comment, reply, message, review, story, article",
        "published_at needs a zone, such as Z or +01:00",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe{}",
        b"{",
        b"null",
        b"[" * 100_000,
        b'{"mentions":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"mentions":[{"id":"1","kind":"post","published_at":"2026-01-01T00:00:00Z","rating":1e999}]}',
        b'{"mentions":[{"id":"1","kind":"post","published_at":"2026-01-01T00:00:00Z","rating":NaN}]}',
        b'{"mentions":[{"id":"1","kind":"post","published_at":"2026-01-01T00:00:00Z","rating":' + b"9" * 400 + b"}]}",
    ],
)
def test_a_body_that_says_nothing_usable_is_unreadable(body: bytes) -> None:
    with pytest.raises(BadPayload):
        generic.parse(RawPart("x", body, NOW))


def test_a_generic_hook_routes_nothing() -> None:
    with pytest.raises(BadPayload):
        generic.route(RawArrival("k", BODY, NOW))


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["comment", "2026-11-22T08:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "kind", "text", "author", "url", "media", "alt", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
_mentions = st.fixed_dictionaries(
    {},
    optional={
        name: _json | st.just(usual)
        for name, usual in {
            **mention(author={"id": "u"}, edited_at=None, url="https://x", parent_id="p", language="fr", rating=1),
            "media": [{"url": "https://x", "kind": "image"}],
            "visibility": "public",
        }.items()
    },
)


@examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({}, optional={"mentions": _json | st.lists(_mentions, max_size=4), "deleted": _json}))
def test_whatever_is_sent_is_heard_or_unreadable_and_each_mention_is_answered_for(value: dict[str, Any]) -> None:
    try:
        found = parse(value)
    except BadPayload:
        return
    mentions = value.get("mentions")
    for index in range(len(mentions) if isinstance(mentions, list) else 0):
        problem = any(problem.path[0] == index for problem in found.problems)
        assert problem or any(isinstance(fact, Said) for fact in found.heard)
    for fact in found.heard:
        fact.external_id.encode()
        assert "\x00" not in fact.external_id
        assert fact.external_id


# ---------------------------------------------------------------- sending

POST = OutgoingEffect("out_1", OutgoingKind.PUBLISH, "Bonjour à tous", "post_1")


def login(at: Receiver, path: str = "/inbox", **credentials: str) -> Login:
    return Login("x", None, {"url": at.url + path, "secret": SECRET, **credentials})


async def test_a_post_is_sent_as_the_contract_says_and_the_reference_library_verifies_it() -> None:
    async with receiver() as far, guarded() as http:
        far.otherwise = Reply(201, b'{"id": 77, "url": "https://far.example/77"}')
        assert await generic.send(http, login(far), POST) == Sent("77", "https://far.example/77")
    [got] = far.got
    assert (got.method, got.path, got.headers["webhook-id"]) == ("POST", "/inbox", "out_1")
    assert Webhook(SECRET).verify(got.body, got.headers) == {
        "type": "post.publish",
        "post": {"id": "post_1", "text": "Bonjour à tous", "media": [], "parent_id": None},
    }


def asked(kind: OutgoingKind, **more: Any) -> OutgoingEffect:
    return OutgoingEffect("out_2", kind, "Merci !", "post_1", **more)


SAID = Target("c1", MentionKind.COMMENT, "u1", "p1")
BENEATH = {"id": "out_2", "text": "Merci !", "media": []}
CASES: dict[OutgoingKind, tuple[dict[str, Any], dict[str, Any]]] = {
    OutgoingKind.FIRST_COMMENT: ({"parent_external_id": "p1"}, {"post": {**BENEATH, "parent_id": "p1"}}),
    OutgoingKind.THREAD_PART: ({"parent_external_id": "p2"}, {"post": {**BENEATH, "parent_id": "p2"}}),
    OutgoingKind.REPLY: ({"target": SAID}, {"post": {**BENEATH, "parent_id": "c1"}}),
    OutgoingKind.HIDE: ({"target": SAID}, {"mention": {"id": "c1"}}),
    OutgoingKind.UNHIDE: ({"target": SAID}, {"mention": {"id": "c1"}}),
    OutgoingKind.DELETE: ({"target": SAID}, {"mention": {"id": "c1"}}),
    OutgoingKind.LIKE: ({"target": SAID}, {"mention": {"id": "c1"}}),
    OutgoingKind.UNLIKE: ({"target": SAID, "undoes": "l1"}, {"mention": {"id": "c1"}, "undoes": "l1"}),
    OutgoingKind.BLOCK: ({"target": Target("u1")}, {"identity": {"id": "u1"}}),
    OutgoingKind.UNBLOCK: ({"target": Target("u1"), "undoes": "b1"}, {"identity": {"id": "u1"}, "undoes": "b1"}),
}


@pytest.mark.parametrize("kind", CASES, ids=str)
async def test_every_other_effect_is_asked_for_in_the_same_envelope(kind: OutgoingKind) -> None:
    given, body = CASES[kind]
    async with receiver() as far, guarded() as http:
        far.otherwise = Reply(204)
        sent = await generic.send(http, login(far), asked(kind, **given))
    noun = "identity" if "identity" in body else "mention"
    assert Webhook(SECRET).verify(far.got[0].body, far.got[0].headers) == {
        "type": "post.publish" if "post" in body else f"{noun}.{kind.value}",
        **body,
    }
    assert far.got[0].headers["webhook-id"] == "out_2"
    assert sent == Sent("out_2" if "post" in body else given["target"].external_id)


@pytest.mark.parametrize("body", [b"", b"OK", b"[]", b'{"id": null}', b'{"id": ""}'])
async def test_a_receiver_that_names_no_id_has_the_post_under_ours(body: bytes) -> None:
    async with receiver() as far, guarded() as http:
        far.otherwise = Reply(204 if not body else 200, body)
        assert await generic.send(http, login(far), POST) == Sent("out_1")


@pytest.mark.parametrize(
    ("status", "error", "unsent"),
    [
        (302, Refused, True),
        (400, Uncertain, False),
        (401, LoginDead, True),
        (403, Refused, True),
        (404, Refused, True),
        (408, Uncertain, False),
        (409, Uncertain, False),
        (413, Refused, True),
        (422, Refused, True),
        (425, Uncertain, False),
        (500, Uncertain, False),
        (503, Uncertain, False),
    ],
)
async def test_a_status_says_what_is_known_of_the_post(status: int, error: type[Exception], unsent: bool) -> None:
    async with receiver() as far, guarded() as http:
        far.otherwise = Reply(status, headers={"location": "https://elsewhere.example/"})
        with pytest.raises(error) as failed:
            await generic.send(http, login(far), POST)
    assert type(failed.value) is error
    assert getattr(failed.value, "unsent", None) is unsent
    assert len(far.got) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 1), ("999999", 3600), ("nonsense", 60), ("", 60), ("9" * 400, 60)]
)
async def test_retry_after_is_kept_within_an_hour(header: str, seconds: int) -> None:
    async with receiver() as far, guarded() as http:
        far.otherwise = Reply(429, headers={"retry-after": header})
        with pytest.raises(RateLimited) as failed:
            await generic.send(http, login(far), POST)
    assert failed.value.after == timedelta(seconds=seconds)


async def test_retry_after_may_be_a_date() -> None:
    at = (datetime.now(UTC) + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    async with receiver() as far, guarded() as http:
        far.otherwise = Reply(429, headers={"retry-after": at})
        with pytest.raises(RateLimited) as failed:
            await generic.send(http, login(far), POST)
    assert timedelta(seconds=60) < failed.value.after <= timedelta(seconds=90)


async def test_a_receiver_that_is_away_was_certainly_sent_nothing() -> None:
    async with receiver() as far:
        gone = login(far)
    async with guarded() as http:
        with pytest.raises(Unavailable) as failed:
            await generic.send(http, gone, POST)
    assert failed.value.unsent


async def test_a_receiver_that_does_not_answer_in_time_may_have_the_post() -> None:
    async with receiver() as far, guarded(send_timeout_seconds=0.3) as http:
        far.otherwise = Reply(200, after_seconds=2)
        with pytest.raises(Uncertain):
            await generic.send(http, login(far), POST)
    assert len(far.got) == 1


@pytest.mark.parametrize(
    "credentials",
    [{"url": ""}, {"secret": ""}, {"secret": "whsec_not base64"}, {"url": "https://x:y"}, {"url": "ftp://127.0.0.1/"}],
)
async def test_a_channel_without_usable_credentials_refuses_to_send(credentials: dict[str, str]) -> None:
    async with receiver() as far, guarded() as http:
        with pytest.raises(Refused):
            await generic.send(http, login(far, **credentials), POST)
    assert far.got == []


async def test_looking_up_asks_for_our_id_below_the_url_and_keeps_its_query() -> None:
    async with receiver() as far, guarded() as http:
        far.replies["GET", "/inbox/out_1"] = Reply(200, b'{"id": "77"}')
        assert await generic.find(http, login(far, "/inbox/?t=5"), POST) == Sent("77")
    assert (far.got[0].path, far.got[0].query) == ("/inbox/out_1", "t=5")
    stamped = datetime.fromtimestamp(int(far.got[0].headers["webhook-timestamp"]), UTC)
    assert far.got[0].headers["webhook-signature"] == Webhook(SECRET).sign("out_1", stamped, "")


async def test_a_404_settles_that_it_is_not_there() -> None:
    async with receiver() as far, guarded() as http:
        assert await generic.find(http, login(far), POST) is None


@pytest.mark.parametrize("status", [204, 302, 401, 403, 410, 429, 500])
async def test_any_other_answer_to_a_look_up_settles_nothing(status: int) -> None:
    async with receiver() as far, guarded() as http:
        far.otherwise = Reply(status)
        with pytest.raises(Uncertain):
            await generic.find(http, login(far), POST)


async def test_a_look_up_that_gets_no_answer_settles_nothing() -> None:
    async with receiver() as far:
        gone = login(far)
    async with guarded() as http:
        with pytest.raises(Uncertain):
            await generic.find(http, gone, POST)


async def test_the_self_test_says_whether_a_doubt_could_be_settled() -> None:
    async with receiver() as far, guarded() as http:
        assert [finding.ok for finding in await generic.check(http, login(far))] == [True]
        far.otherwise = Reply(200)
        [finding] = await generic.check(http, login(far))
        assert not finding.ok
        assert finding.mend
    async with guarded() as http:
        assert [finding.code for finding in await generic.check(http, login(far))] == ["unavailable"]
        hears_only = await generic.check(http, Login("x", None, {}))
        assert [(finding.ok, finding.code) for finding in hears_only] == [(True, "hears_only")]


async def test_what_is_not_on_the_card_is_refused() -> None:
    nothing: Any = None
    async with guarded() as http:
        for refused in (
            generic.fetch(http, nothing, nothing),
            generic.poll(http, nothing, None),
            generic.measure(http, nothing, []),
            generic.renew(http, nothing),
            generic.subscribe(http, nothing, nothing),
        ):
            with pytest.raises(Refused, match="does not offer"):
                await refused
    assert generic.card.capabilities == {
        Capability.WEBHOOKS,
        Capability.PUBLISH,
        Capability.FIND,
        Capability.CHECK,
    }


def test_length_is_counted_in_characters() -> None:
    assert generic.count("é👩‍🚀").used == 4
    assert not generic.count("x" * 100_001).fits
