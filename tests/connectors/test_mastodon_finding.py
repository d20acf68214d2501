"""Whether something was said on an instance, whatever became of the answer: it is looked up, and said once."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import HTMLResponse, Response

from shared.errors import Unavailable, Uncertain
from tests.connectors.conformance.specimen import effect
from tests.connectors.mastodon_world import answering, mastodon, said, world
from tests.networks.fakes.mastodon import refused

STATUSES = "/api/v1/statuses"


LIES = {
    "400": refused(400, "Bad request"),
    "500": refused(500, "Internal error"),
    "503 in HTML": HTMLResponse("<html>busy</html>", 503),
    "200 in HTML": HTMLResponse("<html>welcome</html>"),
    "422 without a word": Response(status_code=422),
    "half an object": Response(b'{"id": "1'),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_after_it_was_done_is_seen_through_and_there_is_one(lie: str) -> None:
    async with world() as here:
        here.instance.fault(STATUSES, LIES[lie], method="POST", done=True)
        with pytest.raises(Uncertain):
            await mastodon.send(here.http, here.login, effect())
        found = await mastodon.find(here.http, here.login, effect())
        again = await mastodon.send(here.http, here.login, effect())
        assert found == again
        assert said(here) == ["Bonjour"]


@pytest.mark.parametrize("lie", LIES)
async def test_the_same_answer_without_its_being_done_is_looked_up_and_done_once(lie: str) -> None:
    async with world() as here:
        here.instance.fault(STATUSES, LIES[lie], method="POST")
        with pytest.raises(Uncertain):
            await mastodon.send(here.http, here.login, effect())
        assert await mastodon.find(here.http, here.login, effect()) is None
        await mastodon.send(here.http, here.login, effect())
        assert said(here) == ["Bonjour"]


async def test_what_was_taken_and_never_answered_is_found() -> None:
    async with world(send_timeout_seconds=1) as here:
        here.instance.fault(STATUSES, Response(), method="POST", done=True, after_seconds=3)
        with pytest.raises(Uncertain, match="within 1"):
            await mastodon.send(here.http, here.login, effect())
        assert await mastodon.find(here.http, here.login, effect()) is not None


TEXTS = [
    "Dag allemaal! 👩‍👩‍👧\n\nWe openen om 9 u.\nTot zo & <graag>",
    "Lees https://www.example.be/een/heel/lang/adres/dat/wordt/afgekort?a=1&b=2 eens",
    "@lea@elsewhere.example en @cafe: kijk, #Parvis #plein",
    "Kijk\n\nhttps://example.be/",
]


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_is_known_again_in_the_html_that_the_instance_made_of_it(text: str) -> None:
    async with world() as here:
        sent = await mastodon.send(here.http, here.login, effect(text=text))
        assert await mastodon.find(here.http, here.login, effect(text=text)) == sent


async def test_an_answer_is_known_again_by_its_parent() -> None:
    async with world() as here:
        one, other = (here.instance.say(here.lea, text, to=[here.cafe]) for text in ("Open?", "Nu?"))
        sent = await mastodon.send(here.http, here.login, answering(one, "Ja"))
        assert await mastodon.find(here.http, here.login, answering(one, "Ja")) == sent
        assert await mastodon.find(here.http, here.login, answering(other, "Ja")) is None
        assert await mastodon.find(here.http, here.login, effect(text="Ja")) is None


async def test_the_same_words_from_before_the_first_attempt_are_not_taken_for_it() -> None:
    async with world() as here:
        here.instance.now = datetime.now(UTC) - timedelta(minutes=2)
        here.instance.say(here.cafe, "Bonjour")
        assert await mastodon.find(here.http, here.login, effect()) is None


async def test_what_stands_twice_is_shown_to_a_person() -> None:
    async with world() as here:
        for name in ("1", "2"):
            await mastodon.send(here.http, here.login, effect(name))
        with pytest.raises(Uncertain, match="2 times"):
            await mastodon.find(here.http, here.login, effect("3"))


async def test_it_is_found_beneath_a_page_of_what_was_said_since() -> None:
    async with world() as here:
        sent = await mastodon.send(here.http, here.login, effect())
        for number in range(90):
            here.instance.say(here.cafe, f"nummer {number}")
        assert await mastodon.find(here.http, here.login, effect()) == sent


async def test_more_than_can_be_looked_through_is_said_and_not_guessed() -> None:
    async with world() as here:
        await mastodon.send(here.http, here.login, effect())
        for number in range(205):
            here.instance.say(here.cafe, f"nummer {number}")
        with pytest.raises(Uncertain, match="can't be looked up"):
            await mastodon.find(here.http, here.login, effect())
        assert len(here.instance.asked) < 10


async def test_when_the_key_is_forgotten_only_silence_is_an_absence() -> None:
    """Within the hour a text that is not known again does no harm: the key makes no second one."""
    late = effect(attempted=timedelta(minutes=61))
    async with world() as here:
        assert await mastodon.find(here.http, here.login, late) is None
        here.instance.now = datetime.now(UTC)
        here.instance.say(here.cafe, "Iets anders")
        assert await mastodon.find(here.http, here.login, effect(attempted=timedelta(minutes=50))) is None
        with pytest.raises(Uncertain, match="an hour has passed"):
            await mastodon.find(here.http, here.login, late)


@pytest.mark.parametrize("wrong", [HTMLResponse("<html>"), refused(503), Response(json.dumps({"a": 1}))])
async def test_a_look_up_that_fails_says_so_and_finds_nothing(wrong: Response) -> None:
    async with world() as here:
        here.instance.fault("/api/v1/accounts", wrong)
        with pytest.raises(Unavailable):
            await mastodon.find(here.http, here.login, effect())
