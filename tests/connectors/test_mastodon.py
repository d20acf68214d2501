"""Mastodon's connector: whom a token speaks for, the self-test, text as it is read and counted, and a total parse."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from starlette.responses import Response

from shared.connectors.mastodon_text import MAX_HTML, text_of
from shared.contract import Capability, Finding, Login, RawArrival, RawPart, RawRequest, Said, Secret
from shared.errors import BadPayload, BadSignature, LoginDead, Refused, Unavailable
from tests.connectors.loopback import guarded
from tests.connectors.mastodon_world import mastodon, world
from tests.connectors.pairs import STAMP
from tests.networks.fakes.mastodon import refused

# ---------------------------------------------------------------- who


async def test_a_token_speaks_for_its_account_at_its_instance() -> None:
    async with world() as here:
        login = replace(here.login, channel_external_id="", base_url=f"{here.login.base_url}/@cafe?x=1")
        choice = await mastodon.identify(here.http, login)
    assert (choice.external_id, choice.name) == (here.channel_id, "@cafe@fake.example")
    assert (choice.base_url, dict(choice.credentials)) == (here.login.base_url, dict(here.login.credentials))


async def test_nobody_is_identified_by_a_wrong_token_an_apps_token_or_no_instance() -> None:
    async with world() as here:
        for token in ("wrong", here.instance.login(None)):
            with pytest.raises(LoginDead):
                await mastodon.identify(here.http, replace(here.login, credentials={"access_token": token}))
        for base_url in (None, "", "cafe.example", "ftp://cafe.example", "https://", "http://[::1"):
            with pytest.raises(Refused, match="base_url"):
                await mastodon.identify(here.http, replace(here.login, base_url=base_url))
        here.instance.fault("/api/v1/accounts", Response('{"acct": "cafe"}', 200))
        with pytest.raises(Unavailable):
            await mastodon.identify(here.http, here.login)


# ---------------------------------------------------------------- the self-test


def by_code(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings}


async def test_a_channel_that_can_do_everything_is_told_so() -> None:
    async with world() as plain:
        here = plain.following("#koffie", "koffie")
        here.instance.characters = 5000
        here.instance.say(here.lea, "koffie!")
        found = by_code(await mastodon.check(here.http, here.login))
    assert all(finding.ok for finding in found.values())
    assert found["login"].message == "the token is valid, for @cafe@fake.example"
    assert "4.5.0; a post may have 5000 characters there, and an address counts as 23" in found["instance"].message
    assert "of 300 requests are left; more in" in found["rate"].message
    assert {"notifications", "own_statuses", "term #koffie", "term search: koffie"} <= found.keys()


async def test_a_scope_that_is_missing_is_named_with_what_to_do() -> None:
    async with world() as here:
        token = here.instance.login(here.cafe, "read:accounts", "read:statuses")
        found = by_code(await mastodon.check(here.http, replace(here.login, credentials={"access_token": token})))
    assert not found["scopes"].ok
    assert "and not read:notifications, read:search" in found["scopes"].message
    assert not found["notifications"].ok
    assert "outside the authorized scopes" in found["notifications"].message
    assert found["scopes"].mend
    assert found["notifications"].mend


async def test_terms_that_are_not_allowed_or_find_nothing_are_told_apart() -> None:
    async with world() as plain:
        here = plain.following("#koffie", "thee")
        here.instance.fault("/api/v1/timelines", refused(403, "not here"), times=9)
        here.instance.lacks = {"search", "app_scopes", "instance_v2", "rate"}
        found = by_code(await mastodon.check(here.http, here.login))
    assert (found["term #koffie"].ok, found["term #koffie"].mend) == (False, "take the term off this channel")
    assert "the instance has no full-text search" in found["term search: thee"].message
    assert "does not say what the token may do" in found["scopes"].message
    assert "4.5.0" in found["instance"].message
    assert "does not say how many requests" in found["rate"].message


async def test_another_accounts_token_a_dead_one_and_a_busy_instance_are_said() -> None:
    async with world() as here:
        token = here.instance.login(here.lea)
        other = by_code(await mastodon.check(here.http, replace(here.login, credentials={"access_token": token})))
        dead = await mastodon.check(here.http, replace(here.login, credentials={"access_token": "x"}))
        here.instance.fault("/api/v1/notifications", refused(429))
        busy = by_code(await mastodon.check(here.http, here.login))
    assert not other["account"].ok
    assert [(finding.ok, finding.code) for finding in dead] == [(False, "login_dead")]
    assert busy["notifications"].ok
    assert "slow down" in busy["notifications"].message


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("", 0),
        ("kort", 4),
        ("é" * 500, 500),
        ("zie https://parvis.example/een/heel/lang/adres/dat/veel/langer/is/dan/drieentwintig ok", 4 + 23 + 3),
        ("http://a.be", 23),
        ("@lea@elsewhere.example dag", len("@lea dag")),
        ("dag @jo_2@a-b.example.be!", len("dag @jo_2!")),
        ("@lea dag", 8),
        ("mail naar lea@elsewhere.example", len("mail naar lea@elsewhere.example")),
    ],
)
def test_a_text_is_counted_as_mastodon_counts_it(text: str, used: int) -> None:
    length = mastodon.count(text)
    assert (length.used, length.limit, length.unit) == (used, 500, "characters")


def test_a_text_of_more_than_500_characters_does_not_fit() -> None:
    assert mastodon.count("x" * 500).fits
    assert not mastodon.count("x" * 501).fits
    assert mastodon.count("x" * 476 + " https://parvis.example/" + "y" * 100).fits


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>een</p><p>twee<br>drie<br />vier</p>", "een\n\ntwee\ndrie\nvier"),
        ("<p>a &amp; b &lt;i&gt; &#39;c&#39;</p>", "a & b <i> 'c'"),
        ("geen alinea", "geen alinea"),
        ("<div>een</div>\n  <div>twee</div>", "een\ntwee"),
        ("<ul><li>een</li><li>twee</li></ul><p>drie</p>", "- een\n- twee\n\ndrie"),
        ("<pre><code>a\n  b</code></pre>", "a\n  b"),
        ("<p>:blobcat: <img alt=':kop:' src='x'></p>", ":blobcat: :kop:"),
        ("<p>een<script>alert(1)</script><style>p{}</style></p>", "een"),
        ('<a href="javascript:alert(1)">klik</a>', "klik"),
        ('<a href="https://a.be/x">hier</a>.', "hier (https://a.be/x)."),
        ('<a href="https://www.a.be/x/">a.be/x</a>', "https://www.a.be/x/"),
        ('<a href="https://a.be/caf%C3%A9">https://a.be/café</a>', "https://a.be/caf%C3%A9"),
        ('<a href="https://a.be/een/twee">a.be/een…</a>', "https://a.be/een/twee"),
        ('<a href="https://a.be/een">', "https://a.be/een"),
        ('<a class="mention hashtag" href="https://a.be/tags/x">#<span>X</span></a>', "#X"),
        ('<a class="u-url mention" href="https://b.be/@jo">@<span>jo</span></a>', "@jo@b.be"),
        ('<a class="u-url mention" href="https://b.be/@jo">@jo@c.be</a>', "@jo@c.be"),
        ('<a class="mention" href="https://x.be/users/lea">@lea</a>', "@lea@known.be"),
        ("<p>open <b>vet <i>schuin", "open vet schuin"),
        ("a < b", "a < b"),
    ],
)
def test_html_is_read_as_a_person_reads_it(html: str, text: str) -> None:
    assert text_of(html, {"https://known.be/@lea": "lea@known.be"}) == text


@pytest.mark.parametrize("piece", ["<", "<!--", "<a ", "&", "<div>", "<a><p>", "<script>", "<![CDATA[", "\t", "</p>"])
def test_hostile_html_is_read_in_bounded_time(piece: str) -> None:
    status = {"id": "1", "content": piece * (MAX_HTML // len(piece)), "visibility": "public"}
    [said, *_] = mastodon.parse(RawPart("1", json.dumps(status).encode(), STAMP)).heard  # pytest-timeout stands over it
    assert isinstance(said, Said)


def test_a_text_that_is_cut_says_so() -> None:
    status = {"id": "1", "content": "x" * (MAX_HTML + 1), "visibility": "public"}
    parsed = mastodon.parse(RawPart("1", json.dumps(status).encode(), STAMP))
    [said] = parsed.heard
    assert isinstance(said, Said)
    assert len(said.text or "") == MAX_HTML
    assert [(problem.code, problem.path) for problem in parsed.problems] == [("too_long", ("content",))]


# ---------------------------------------------------------------- whatever comes

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "id",
                        "type",
                        "status",
                        "statuses",
                        "account",
                        "content",
                        "visibility",
                        "created_at",
                        "edited_at",
                    ),
                    *("reblog", "mentions", "media_attachments", "poll", "options", "title", "url", "acct", "language"),
                    *("notification_groups", "sample_account_ids", "status_id", "last_status", "error", "descendants"),
                    *("in_reply_to_id", "spoiler_text", "favourites_count", "scheduled_at", "remote_url", "emoji"),
                ]
            ),
            inner,
            max_size=6,
        )
        | st.fixed_dictionaries(
            {"type": st.sampled_from(["mention", "favourite", "follow", "reblog"]), "created_at": inner}
        )
    ),
    max_leaves=12,
)


@given(junk)
@examples(max_examples=200, deadline=None)
def test_parse_reads_it_or_says_why_not_whatever_the_json(value: Any) -> None:
    part = RawPart("1", json.dumps(value).encode(), STAMP)
    try:
        parsed = mastodon.parse(part)
    except BadPayload:
        return
    assert parsed.heard or parsed.ignored
    assert parsed == mastodon.parse(part)


@given(st.binary(max_size=60))
def test_parse_reads_it_or_says_why_not_whatever_the_bytes(body: bytes) -> None:
    try:
        mastodon.parse(RawPart("1", body, STAMP))
    except BadPayload:
        return


# ---------------------------------------------------------------- what is not offered


async def test_what_is_not_on_the_card_is_refused() -> None:
    nothing: Any = None
    assert mastodon.card.capabilities.isdisjoint({Capability.RENEW, Capability.SUBSCRIBE, Capability.WEBHOOKS})
    async with guarded() as http:
        for refused_ in (
            mastodon.renew(http, nothing),
            mastodon.subscribe(http, nothing, nothing),
        ):
            with pytest.raises(Refused):
                await refused_


def test_nothing_is_taken_at_the_door() -> None:
    request = RawRequest("POST", {}, {}, b"[]", STAMP)
    assert mastodon.handshake(request, Secret(("k",))) is None
    with pytest.raises(BadSignature):
        mastodon.verify(request, Secret(("k",)))
    with pytest.raises(BadPayload):
        mastodon.route(RawArrival("k", b"[]", STAMP))
    assert mastodon.key(request) == mastodon.key(request._replace(headers={"x": "y"}))
    assert mastodon.new_secret() != mastodon.new_secret()


async def test_an_instance_at_a_forbidden_address_is_refused() -> None:
    async with guarded(private_networks=()) as http:
        with pytest.raises(Refused):
            await mastodon.poll(http, Login("1", "http://127.0.0.1:9", {"access_token": "t"}), None)
