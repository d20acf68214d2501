"""What an account says and does on an instance: once, whatever becomes of the answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import HTMLResponse

from shared.contract import Target
from shared.errors import LoginDead, RateLimited, Refused, Uncertain
from shared.models.enums import OutgoingKind
from tests.connectors.conformance.specimen import effect
from tests.connectors.mastodon_world import World, acting, answering, mastodon, said, world
from tests.networks.fakes.mastodon import refused

STATUSES = "/api/v1/statuses"


def shown(here: World, external_id: str) -> Any:
    return here.instance.statuses[external_id]


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("audience", "visibility"), [(None, "public"), ("unlisted", "unlisted"), ("private", "private")]
)
async def test_a_post_is_for_its_audience_and_in_its_language(audience: str | None, visibility: str) -> None:
    async with world() as here:
        sent = await mastodon.send(here.http, here.login, effect(audience=audience, language="fr"))
        status = shown(here, sent.external_id)
    assert (status["visibility"], status["language"], sent.url) == (visibility, "fr", status["url"])


async def test_an_audience_that_nobody_has_is_refused_before_anything_is_sent() -> None:
    async with world() as here:
        with pytest.raises(Refused, match="public, unlisted, private"):
            await mastodon.send(here.http, here.login, effect(audience="friends"))
        assert here.instance.asked == []


async def test_the_same_key_makes_one_status_even_with_another_text() -> None:
    async with world() as here:
        first = await mastodon.send(here.http, here.login, effect(text="Open tot 17 u"))
        again = await mastodon.send(here.http, here.login, effect(text="Open tot 18 u"))
        assert said(here) == ["Open tot 17 u"]
    assert first == again


async def test_an_answer_names_its_addressee_first_and_once() -> None:
    async with world() as here:
        status = here.instance.say(here.lea, "Open op zondag?", to=[here.cafe])
        await mastodon.send(here.http, here.login, answering(status, "Ja hoor"))
        named = effect("2", kind=OutgoingKind.REPLY, text="Ja, @Lea@elsewhere.example!", target=Target(status))
        await mastodon.send(here.http, here.login, named)
        assert said(here) == ["@lea@elsewhere.example Ja hoor", "Ja, @Lea@elsewhere.example!"]


async def test_an_answer_to_ourselves_names_nobody() -> None:
    async with world() as here:
        own = await mastodon.send(here.http, here.login, effect(text="Een"))
        await mastodon.send(here.http, here.login, answering(own.external_id, "Twee", outgoing_id="out_2"))
        assert said(here) == ["Een", "Twee"]


@pytest.mark.parametrize("visibility", ["direct", "private", "unlisted", "public"])
async def test_an_answer_is_as_private_as_what_it_answers(visibility: str) -> None:
    async with world() as here:
        status = here.instance.say(here.lea, "psst", to=[here.cafe], visibility=visibility)
        sent = await mastodon.send(here.http, here.login, answering(status, "ja?", audience="public"))
        answer = shown(here, sent.external_id)
    assert answer["visibility"] == visibility
    assert [one["id"] for one in answer["mentions"]] == [here.lea]


async def test_a_parent_that_is_gone_is_refused_and_nothing_is_said() -> None:
    async with world() as here:
        for kind in (OutgoingKind.THREAD_PART, OutgoingKind.FIRST_COMMENT):
            with pytest.raises(Refused, match="does not appear to exist"):
                await mastodon.send(here.http, here.login, effect(kind=kind, parent_external_id="12345"))
        with pytest.raises(Refused, match="not there"):
            await mastodon.send(here.http, here.login, answering("12345", "ja"))
        assert said(here) == []


async def test_what_the_instance_counts_as_too_long_is_refused_in_its_words() -> None:
    async with world() as here:
        with pytest.raises(Refused, match="character limit of 500"):
            await mastodon.send(here.http, here.login, effect(text="x" * 501))


async def test_a_token_that_may_only_read_is_refused_and_one_that_is_dead_is_dead() -> None:
    async with world() as here:
        reads = replace(here.login, credentials={"access_token": here.instance.login(here.cafe, "read")})
        with pytest.raises(Refused, match="outside the authorized scopes"):
            await mastodon.send(here.http, reads, effect())
        here.instance.tokens.clear()
        with pytest.raises(LoginDead):
            await mastodon.send(here.http, here.login, effect())


async def test_room_is_what_the_headers_say_and_too_fast_waits_for_their_reset() -> None:
    async with world() as here:
        here.instance.limit = 2
        sent = await mastodon.send(here.http, here.login, effect())
        assert sent.room is not None
        assert sent.room.left == 1
        assert timedelta(minutes=4) < sent.room.resets_in <= timedelta(seconds=301)
        await mastodon.send(here.http, here.login, effect("2"))
        with pytest.raises(RateLimited) as raised:
            await mastodon.send(here.http, here.login, effect("3"))
        assert timedelta(minutes=4) < raised.value.after <= timedelta(seconds=301)
        assert len(said(here)) == 2


# ---------------------------------------------------------------- what is done to what is there


async def test_only_what_the_account_said_itself_is_deleted() -> None:
    async with world() as here:
        theirs = here.instance.say(here.lea, "foei", to=[here.cafe])
        with pytest.raises(Refused, match="somebody else's"):
            await mastodon.send(here.http, here.login, acting(OutgoingKind.DELETE, theirs))
        assert theirs in here.instance.statuses


async def test_what_is_gone_is_deleted_and_nobodys_favourite() -> None:
    async with world() as here:
        for kind in (OutgoingKind.DELETE, OutgoingKind.UNLIKE):
            assert (await mastodon.send(here.http, here.login, acting(kind, "12345"))).external_id == "12345"
            assert await mastodon.find(here.http, here.login, acting(kind, "12345")) is not None
        with pytest.raises(Refused):
            await mastodon.send(here.http, here.login, acting(OutgoingKind.LIKE, "12345"))
        assert await mastodon.find(here.http, here.login, acting(OutgoingKind.LIKE, "12345")) is None


async def test_an_address_that_answers_404_to_everything_has_deleted_nothing() -> None:
    async with world() as here:
        own = here.instance.say(here.cafe, "Dag")
        here.instance.fault(STATUSES, HTMLResponse("<html>not found</html>", 404), times=9)
        with pytest.raises(Refused):
            await mastodon.send(here.http, here.login, acting(OutgoingKind.DELETE, own))
        with pytest.raises(Refused):
            await mastodon.find(here.http, here.login, acting(OutgoingKind.DELETE, own))


async def test_a_deletion_that_was_done_and_not_answered_is_found() -> None:
    async with world() as here:
        own = here.instance.say(here.cafe, "Dag")
        here.instance.fault(STATUSES, refused(500), method="DELETE", done=True)
        with pytest.raises(Uncertain):
            await mastodon.send(here.http, here.login, acting(OutgoingKind.DELETE, own))
        assert await mastodon.find(here.http, here.login, acting(OutgoingKind.DELETE, own)) is not None


async def test_blocking_what_somebody_said_blocks_who_said_it() -> None:
    async with world() as here:
        status = here.instance.say(here.lea, "foei", to=[here.cafe])
        sent = await mastodon.send(
            here.http, here.login, acting(OutgoingKind.BLOCK, status, author_external_id=here.lea)
        )
        assert sent.external_id == here.lea
        assert here.instance.blocks == {(here.cafe, here.lea)}
        with pytest.raises(Refused, match="nobody is named"):
            await mastodon.send(here.http, here.login, acting(OutgoingKind.BLOCK, status))


async def test_what_others_say_can_not_be_hidden() -> None:
    async with world() as here:
        for call in (mastodon.send, mastodon.find):
            with pytest.raises(Refused, match="does not offer"):
                await call(here.http, here.login, acting(OutgoingKind.HIDE, "1"))


# ---------------------------------------------------------------- what the instance takes


async def test_identify_brings_what_the_instance_takes_in_one_status() -> None:
    async with world() as here:
        here.instance.characters, here.instance.most_media = 5_000, 8
        choice = await mastodon.identify(here.http, here.login)
        here.instance.fault("/api/v2/instance", refused(500))
        here.instance.fault("/api/v1/instance", refused(500))
        untold = await mastodon.identify(here.http, here.login)
    assert choice.limits == {"text": 5_000, "media": 8}
    assert untold.limits == {}
