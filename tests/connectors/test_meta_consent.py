"""Consent at Facebook and at Instagram, against their logins on loopback, and Meta's signed requests."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from shared.connectors import meta_signed_request
from shared.connectors.facebook_consent import FacebookConsent
from shared.connectors.instagram_consent import InstagramConsent
from shared.connectors.registry import connector
from shared.contract import AppLogin, Consent, Consented
from shared.domain.brands import logins
from shared.errors import BadPayload, BadSignature, LoginDead, NetworkError, Refused, Unavailable
from shared.models.enums import Network
from tests.connectors.graph_rig import ACCOUNT, ACCOUNT_TOKEN, PAGE, SECRET, USER, USER_TOKEN, Rig, rig
from tests.networks.fakes.graph import Fault, Token

BACK = "https://parvis.example/v1/oauth/facebook/callback"
CONSENT = Consent("state-1", BACK, "challenge-1")
GIVEN = Consented("code-1", BACK, "verifier-1")
facebook, instagram = FacebookConsent(), InstagramConsent()


def facebook_app(here: Rig, secret: str = SECRET) -> AppLogin:
    return AppLogin("4242", secret, here.base("graph.facebook.com"))


def instagram_app(here: Rig, secret: str = SECRET) -> AppLogin:
    return AppLogin("4242", secret, here.base("graph.instagram.com"))


def given(here: Rig) -> None:
    """A person with two Pages has consented; the network waits for the code."""
    here.graph.world.page("1002", "Bakkerij De Zon", access_token="EAAB-1002", tasks=["MODERATE"])
    here.graph.world.page("1003", "No longer mine")
    here.graph.world.things[PAGE].values.update(
        access_token="EAAB-page", tasks=["MODERATE", "MESSAGING", "CREATE_CONTENT"]
    )
    here.graph.world.things[USER].edges["accounts"] = [PAGE, "1002", "1003"]
    here.graph.login.codes["code-1"] = (BACK, "short")
    here.graph.login.long_lived["short"] = USER_TOKEN
    here.graph.tokens["short"] = Token(USER)
    here.graph.tokens[USER_TOKEN].scopes = {"pages_show_list", "pages_manage_metadata", "pages_read_engagement"}
    here.graph.app_secret = SECRET


# ---------------------------------------------------------------- where the browser goes


def test_the_persons_browser_goes_to_the_networks_dialog_with_state_scopes_and_challenge() -> None:
    address = urlsplit(facebook.authorize(AppLogin("4242", "s3cret"), CONSENT))
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert address.hostname == "www.facebook.com"
    assert address.path.endswith("/dialog/oauth")
    assert asked["scope"] == ",".join(facebook.scopes)
    assert {"state": "state-1", "redirect_uri": BACK, "client_id": "4242", "code_challenge": "challenge-1"}.items() <= (
        asked.items()
    )
    assert "s3cret" not in address.query


def test_instagrams_dialog_is_its_own() -> None:
    address = urlsplit(instagram.authorize(AppLogin("4242", "s3cret"), CONSENT))
    assert (address.hostname, address.path) == ("www.instagram.com", "/oauth/authorize")
    assert parse_qs(address.query)["scope"] == [",".join(instagram.scopes)]


def test_an_app_that_may_ask_for_less_asks_for_less() -> None:
    less = Consent("s", BACK, "c", ("pages_show_list",))
    assert parse_qs(urlsplit(facebook.authorize(AppLogin("1", "s"), less)).query)["scope"] == ["pages_show_list"]


async def test_apps_are_registered_by_hand() -> None:
    nobody: Any = None
    for consents in (facebook, instagram):
        with pytest.raises(Refused, match="by hand"):
            await consents.register(nobody, "https://graph.facebook.com", BACK)


# ---------------------------------------------------------------- what the consent is worth


async def test_a_person_gives_their_pages_each_with_a_token_of_its_own() -> None:
    async with rig() as here:
        given(here)
        choices = await facebook.exchange(here.http, facebook_app(here), GIVEN)
    assert [(one.external_id, one.name) for one in choices] == [(PAGE, "Café Parvis"), ("1002", "Bakkerij De Zon")]
    assert [one.credentials for one in choices] == [
        {"access_token": "EAAB-page", "app_secret": SECRET},
        {"access_token": "EAAB-1002", "app_secret": SECRET},
    ]
    assert {one.granted_by for one in choices} == {USER}
    assert {one.expires_at for one in choices} == {None}


async def test_rights_that_were_not_given_are_named_as_the_network_calls_them() -> None:
    async with rig() as here:
        given(here)
        mine, theirs = await facebook.exchange(here.http, facebook_app(here), GIVEN)
    ungiven = {"pages_read_user_content", "pages_messaging", "pages_manage_posts", "pages_manage_engagement"}
    assert set(mine.missing) == ungiven
    assert set(theirs.missing) == ungiven | {"MESSAGING", "CREATE_CONTENT"}


async def test_more_pages_than_one_answer_holds_are_all_offered() -> None:
    async with rig() as here:
        given(here)
        for number in range(230):
            here.graph.world.page(f"2{number:03}", f"Shop {number}", access_token=f"EAAB-{number}")
            here.graph.world.things[USER].edges["accounts"].append(f"2{number:03}")
        choices = await facebook.exchange(here.http, facebook_app(here), GIVEN)
    assert len(choices) == 232


async def test_an_account_gives_itself_with_a_token_for_60_days() -> None:
    async with rig() as here:
        here.graph.login.codes["code-1"] = (BACK, "short")
        here.graph.tokens["short"] = Token(ACCOUNT)
        here.graph.login.long_lived["short"] = ACCOUNT_TOKEN
        ended = Consented("code-1#_", BACK, "verifier-1")
        [choice] = await instagram.exchange(here.http, instagram_app(here), ended)
    assert (choice.external_id, choice.name) == (ACCOUNT, "@cafe.parvis")
    assert choice.credentials == {"access_token": ACCOUNT_TOKEN, "app_secret": SECRET}
    assert choice.missing == ("instagram_business_manage_messages", "instagram_business_content_publish")
    assert choice.granted_by == ACCOUNT
    assert choice.expires_at is not None
    assert choice.expires_at > datetime.now(UTC) + timedelta(days=59)


@pytest.mark.parametrize("permissions", [["instagram_business_basic"], "instagram_business_basic", None])
async def test_what_was_granted_is_read_in_every_form(permissions: Any) -> None:
    async with rig() as here:
        here.graph.login.codes["code-1"] = (BACK, "short")
        here.graph.tokens["short"] = Token(ACCOUNT)
        here.graph.login.long_lived["short"] = ACCOUNT_TOKEN
        answer = {"access_token": "short", "user_id": "7", "permissions": permissions}
        here.graph.faults.append(Fault("/oauth/access_token", 200, json.dumps({"data": [answer]}).encode()))
        [choice] = await instagram.exchange(here.http, instagram_app(here), GIVEN)
    assert choice.missing == (() if permissions is None else instagram.scopes[1:])
    assert choice.granted_by == "7"


async def test_what_a_consent_gives_is_what_a_channel_takes() -> None:
    async with rig() as here:
        given(here)
        [choice, _] = await facebook.exchange(here.http, facebook_app(here), GIVEN)
    logins.validate(connector(Network.FACEBOOK).card, choice.credentials)


@pytest.mark.parametrize(("consents", "app"), [(facebook, facebook_app), (instagram, instagram_app)])
async def test_a_code_is_taken_once_and_only_where_it_was_asked_for(
    consents: Any, app: Callable[..., AppLogin]
) -> None:
    async with rig() as here:
        here.graph.login.codes["code-1"] = ("https://elsewhere.example", "short")
        for code in ("code-1", "code-1", "never"):
            with pytest.raises(LoginDead, match="again") as failed:
                await consents.exchange(here.http, app(here), Consented(code, BACK, "v"))
            assert SECRET not in failed.value.message


@pytest.mark.parametrize(("consents", "app"), [(facebook, facebook_app), (instagram, instagram_app)])
async def test_an_app_that_the_network_does_not_know_is_told_apart_from_a_spent_code(
    consents: Any, app: Callable[..., AppLogin]
) -> None:
    async with rig() as here:
        with pytest.raises(Refused, match="app's id and secret") as failed:
            await consents.exchange(here.http, app(here, "wrong-secret"), GIVEN)
    assert not isinstance(failed.value, LoginDead)


@pytest.mark.parametrize(
    "fault", [Fault("/access_token", 503), Fault("/access_token", 200, b"<html>"), Fault("/access_token", 200, b"{}")]
)
@pytest.mark.parametrize(("consents", "app"), [(facebook, facebook_app), (instagram, instagram_app)])
async def test_a_network_that_answers_nonsense_is_unavailable(
    fault: Fault, consents: Any, app: Callable[..., AppLogin]
) -> None:
    async with rig() as here:
        here.graph.faults.append(Fault(fault.path, fault.status, fault.body))
        with pytest.raises(Unavailable):
            await consents.exchange(here.http, app(here), GIVEN)


async def test_no_secret_is_in_the_words_of_a_failure() -> None:
    async with rig() as here:
        given(here)
        body = json.dumps({"error": {"message": f"bad {SECRET} and code-1", "code": 100, "type": "x"}}).encode()
        here.graph.faults.append(Fault("/access_token", 400, body))
        with pytest.raises(NetworkError) as failed:
            await facebook.exchange(here.http, facebook_app(here), GIVEN)
    assert SECRET not in repr(failed.value) + str(failed.value.__cause__)


# ---------------------------------------------------------------- signed requests


def signed(payload: Any, secret: str = SECRET) -> str:
    """A signed request as Meta writes one."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    encoded = urlsafe_b64encode(body).rstrip(b"=")
    digest = hmac.new(secret.encode(), encoded, hashlib.sha256).digest()
    return f"{urlsafe_b64encode(digest).rstrip(b'=').decode()}.{encoded.decode()}"


PERSON = {"algorithm": "HMAC-SHA256", "issued_at": 1795341600, "user_id": "218471"}


def test_a_signed_request_names_the_person_and_when_it_was_written() -> None:
    found = meta_signed_request.read(SECRET, signed(PERSON))
    assert (found.user_id, found.issued_at) == ("218471", datetime(2026, 11, 22, 10, tzinfo=UTC))


def test_both_networks_read_the_form_in_which_it_is_posted() -> None:
    body = urlencode({"signed_request": signed({**PERSON, "user_id": 218471})}).encode()
    app = AppLogin("4242", SECRET)
    assert facebook.revoked(app, body) == instagram.revoked(app, body) == "218471"


@pytest.mark.parametrize(
    "given_",
    [
        "",
        ".",
        "no dot",
        signed(PERSON, "other"),
        signed(PERSON) + "x",
        "é." + signed(PERSON).partition(".")[2],
        "!!!." + signed(PERSON).partition(".")[2],
        signed(PERSON).partition(".")[0] + "." + signed({**PERSON, "user_id": "1"}).partition(".")[2],
    ],
)
def test_what_this_app_did_not_get_signed_is_refused(given_: str) -> None:
    with pytest.raises(BadSignature):
        meta_signed_request.read(SECRET, given_)


def test_nothing_is_signed_by_an_app_without_a_secret() -> None:
    with pytest.raises(BadSignature):
        meta_signed_request.read("", signed(PERSON, ""))


@pytest.mark.parametrize(
    "payload",
    [
        b"not json",
        [],
        {},
        {"algorithm": "none", "user_id": "1"},
        {"algorithm": "HMAC-SHA256"},
        {**PERSON, "user_id": ""},
    ],
)
def test_a_rightly_signed_request_that_names_nobody_is_unreadable(payload: Any) -> None:
    with pytest.raises(BadPayload):
        meta_signed_request.read(SECRET, signed(payload))


@pytest.mark.parametrize("body", [b"", b"\xff", b"other=1", b"signed_request=a.b&signed_request=c.d"])
def test_a_form_without_one_signed_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadSignature):
        meta_signed_request.of_form(SECRET, body)
