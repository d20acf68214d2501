"""Instagram at the door, and what a login is, how long it lasts and what it may do. Pairs tell what payloads say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from shared.connectors.instagram import Instagram
from shared.connectors.meta_hooks import signature
from shared.contract import (
    Capability,
    HookAddress,
    Login,
    OutgoingEffect,
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
    Target,
)
from shared.errors import BadPayload, BadSignature, LoginDead, RateLimited, Refused, Unavailable
from shared.models.enums import OutgoingKind
from tests.connectors.graph_rig import (
    ACCOUNT,
    ACCOUNT_TOKEN,
    aged,
    rig,
    texts,
    whole_round,
)
from tests.connectors.loopback import guarded
from tests.networks.fakes.graph import Fault

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
instagram = Instagram()


# ---------------------------------------------------------------- at the door


def test_a_delivery_signed_by_the_apps_secret_is_verified_and_another_refused() -> None:
    body = b'{"object":"instagram"}'
    request = RawRequest("POST", {"x-hub-signature-256": signature("s3cret", body)}, {}, body, NOW)
    assert instagram.verify(request, Secret(("other", "s3cret"))) is None
    with pytest.raises(BadSignature):
        instagram.verify(request._replace(body=body + b" "), Secret(("s3cret",)))


def test_the_right_verify_token_gets_the_bare_challenge_and_a_wrong_one_403() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "let-me-in", "hub.challenge": "77"}
    right = instagram.handshake(RawRequest("GET", {}, query, b"", NOW), Secret((), "let-me-in"))
    wrong = instagram.handshake(RawRequest("GET", {}, query, b"", NOW), Secret((), "other"))
    assert right is not None
    assert wrong is not None
    assert ((right.status, right.body), wrong.status) == ((200, b"77"), 403)


def test_each_account_gets_its_own_slice_in_either_envelope() -> None:
    flat = {"id": "1", "time": 1, "field": "comments", "value": {"id": "9", "text": "secret"}}
    wrapped = {"id": "2", "time": 1, "changes": [{"field": "comments", "value": {"id": "8", "text": "other"}}]}
    body = orjson.dumps({"object": "instagram", "entry": [flat, wrapped]})
    parts = instagram.route(RawArrival("k", body, NOW))
    assert [part.channel_external_id for part in parts] == ["1", "2"]
    assert b"secret" not in parts[1].body
    assert [fact.external_id for part in parts for fact in instagram.parse(RawPart("x", part.body, NOW)).heard] == [
        "9",
        "8",
    ]


def test_a_bare_change_of_the_test_button_belongs_to_nobody_at_an_apps_hook() -> None:
    body = orjson.dumps({"field": "comments", "value": {"id": "9", "text": "This is an example."}})
    [part] = instagram.route(RawArrival("k", body, NOW))
    assert part.channel_external_id == ""
    assert instagram.parse(RawPart("1", part.body, NOW)).heard == instagram.parse(RawPart("1", body, NOW)).heard


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"object":"page","entry":[{}]}', b'{"field":"comments"}'])
def test_what_is_no_delivery_for_accounts_is_unreadable(body: bytes) -> None:
    with pytest.raises(BadPayload):
        instagram.parse(RawPart("1", body, NOW))


def test_an_answer_to_a_question_that_nobody_asks_is_unreadable() -> None:
    with pytest.raises(BadPayload, match="no question"):
        instagram.parse(RawPart("1", b"{}", NOW, {"graph-source": "weather"}))


# ---------------------------------------------------------------- who, and for how long


async def test_the_token_tells_whose_it_is_by_either_host() -> None:
    async with rig() as here:
        own = await instagram.identify(here.http, replace(here.account, channel_external_id=""))
        by_page = await instagram.identify(here.http, replace(here.account_by_page, channel_external_id=""))
    assert (own.external_id, own.name) == (by_page.external_id, by_page.name) == (ACCOUNT, "@cafe.parvis")
    assert own.expires_at is not None
    assert own.expires_at > datetime.now(UTC) + timedelta(days=59)
    assert by_page.expires_at is None


async def test_a_token_is_renewed_for_60_days_once_it_is_a_day_old() -> None:
    async with rig() as here:
        soon = replace(here.account, expires_at=datetime.now(UTC) + timedelta(days=3))
        renewed = await instagram.renew(here.http, soon)
        assert renewed.expires_at is not None
        assert renewed.expires_at > datetime.now(UTC) + timedelta(days=59)
        here.paths()
        assert await instagram.renew(here.http, renewed) == renewed
        assert here.paths() == []


async def test_a_token_that_is_too_young_is_asked_for_again_tomorrow() -> None:
    async with rig() as here:
        here.graph.login.young.add(ACCOUNT_TOKEN)
        renewed = await instagram.renew(here.http, here.account)
    assert renewed.credentials == here.account.credentials
    assert renewed.expires_at is not None
    assert timedelta(hours=24) < renewed.expires_at - datetime.now(UTC) < timedelta(hours=26)


async def test_a_token_that_has_run_out_needs_a_person() -> None:
    async with rig() as here:
        here.graph.tokens[ACCOUNT_TOKEN].dead = 463
        for ask in (
            instagram.renew(here.http, here.account),
            instagram.poll(here.http, here.account, None),
            instagram.identify(here.http, here.account),
        ):
            with pytest.raises(LoginDead, match="run out") as failed:
                await ask
            assert ACCOUNT_TOKEN not in str(failed.value)
        with pytest.raises(LoginDead):
            await instagram.renew(here.http, here.account_by_page)


async def test_a_token_that_is_taken_back_in_the_middle_of_a_round_is_said_and_loses_nothing() -> None:
    async with rig() as here:
        medium = here.graph.world.medium(ACCOUNT, "x")
        for number in range(200):
            here.graph.world.remark(medium, str(number))
        first = await instagram.poll(here.http, here.account, None)
        here.graph.tokens[ACCOUNT_TOKEN].dead = 460
        here.graph.world.catch_up()
        for number in range(100):
            here.graph.world.remark(medium, f"new {number}")
        with pytest.raises(LoginDead, match="password"):
            await instagram.poll(here.http, here.account, aged(first.cursor))
        here.graph.tokens[ACCOUNT_TOKEN].dead = None
        facts, _ = await whole_round(instagram, here, here.account, aged(first.cursor))
    assert texts(facts) >= {f"new {number}" for number in range(100)}


async def test_too_fast_is_said_with_the_time_that_the_network_names() -> None:
    usage = {"17841001": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 19}]}
    headers = {"x-business-use-case-usage": orjson.dumps(usage).decode()}
    body = orjson.dumps({"error": {"message": "(#4) limit", "type": "OAuthException", "code": 4}})
    async with rig() as here:
        here.graph.faults.append(Fault("/media", 403, body, headers))
        with pytest.raises(RateLimited) as failed:
            await instagram.poll(here.http, here.account, None)
    assert failed.value.after == timedelta(minutes=19)


async def test_the_network_is_pushed_from_and_the_self_test_says_it_all_in_words() -> None:
    async with rig() as here:
        here.graph.world.medium(ACCOUNT, "x")
        login = replace(here.account, expires_at=datetime.now(UTC) + timedelta(days=9))
        before = {one.code: one for one in await instagram.check(here.http, login)}
        hook = HookAddress("https://parvis.example/webhooks/hook_1", "s")
        assert (await instagram.subscribe(here.http, login, hook)).hook_url == hook.url
        after = {one.code: one for one in await instagram.check(here.http, login)}
        here.graph.tokens[ACCOUNT_TOKEN].scopes.clear()
        poor = {one.code: one for one in await instagram.check(here.http, login)}
        other = {one.code: one for one in await instagram.check(here.http, replace(login, channel_external_id="999"))}
    assert not before["subscription"].ok
    assert "renewed" in after["token"].message
    assert all(one.ok for one in after.values())
    assert {
        "app_secret",
        "account_id",
        "login",
        "account_type",
        "comments",
        "messages",
        "publishing",
        "subscription",
        "token",
    } == set(after)
    assert {code for code, one in poor.items() if not one.ok} == {"comments", "messages", "publishing"}
    assert not other["login"].ok
    assert "999" in other["login"].message
    assert all(one.mend for many in (before, poor, other) for one in many.values() if not one.ok)


async def test_a_token_of_which_the_end_is_not_known_is_told_of_where_it_has_one() -> None:
    async with rig() as here:
        own = {one.code: one for one in await instagram.check(here.http, here.account)}
        by_page = {one.code: one for one in await instagram.check(here.http, here.account_by_page)}
    assert (own["token"].ok, by_page["token"].ok) == (False, True)


async def test_the_self_test_of_a_dead_or_absent_token_says_what_to_do() -> None:
    async with rig() as here:
        here.graph.tokens[ACCOUNT_TOKEN].dead = 458
        dead = await instagram.check(here.http, here.account)
        none = await instagram.check(here.http, Login("", None, {}))
    assert [(one.code, one.ok) for one in dead][-1] == ("login_dead", False)
    assert [one.ok for one in none] == [False, False, False]
    assert all(one.mend for one in (*dead, *none) if not one.ok)


@pytest.mark.parametrize("kind", [OutgoingKind.LIKE, OutgoingKind.BLOCK, OutgoingKind.THREAD_PART])
async def test_what_is_not_on_the_card_is_refused_and_nothing_is_sent(kind: OutgoingKind) -> None:
    outgoing = OutgoingEffect("out_1", kind, "", "mention_1", target=Target("1"))
    async with rig() as here:
        for refused in (
            instagram.send(here.http, here.account, outgoing),
            instagram.find(here.http, here.account, outgoing),
        ):
            with pytest.raises(Refused, match="does not offer"):
                await refused
        assert here.graph.got == []
    assert frozenset(Capability) - {Capability.SEARCH} == instagram.card.capabilities


async def test_a_host_that_is_away_is_unavailable() -> None:
    async with rig() as here:
        gone = here.account
    async with guarded() as http:
        with pytest.raises(Unavailable):
            await instagram.poll(http, gone, None)


def test_a_caption_is_counted_in_characters() -> None:
    assert instagram.count("é" * 2_200).fits
    assert not instagram.count("é" * 2_201).fits
