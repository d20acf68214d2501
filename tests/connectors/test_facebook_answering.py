"""A Page's comments and answers are said once, where they belong: what was private is answered in private."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contract import OutgoingEffect, Target
from shared.errors import Refused, Unavailable, Uncertain
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.conformance.specimen import effect
from tests.connectors.graph_rig import PAGE, PAGE_TOKEN, Rig
from tests.connectors.page_deeds import FILM, PICTURE, find, live, page_now, send, told
from tests.networks.fakes.graph import Fault

PERSON = ("771", "Léa")
MADE_AND_DECLINED = b'{"error": {"code": 20, "error_subcode": 1772107, "message": "no such response format"}}'


@pytest.fixture
async def here() -> AsyncIterator[Rig]:
    async with page_now() as found:
        yield found


def reply(target: Target, text: str = "Merci !", **more: Any) -> OutgoingEffect:
    return effect(kind=OutgoingKind.REPLY, text=text, target=target, **more)


def comments(here: Rig, post: str, text: str) -> int:
    things = here.graph.world.things
    return sum(things[one].values["message"] == text for one in things[post].edges.get("comments", []))


# ---------------------------------------------------------------- beneath


async def test_a_first_comment_that_was_made_and_answered_with_400_is_made_once(here: Rig) -> None:
    post = (await send(here, effect())).external_id
    wanted = effect("out_2", kind=OutgoingKind.FIRST_COMMENT, text="#markt", parent_external_id=post)
    here.graph.faults.append(Fault("/comments", 400, MADE_AND_DECLINED, done=True))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    for _ in range(3):
        found = await find(here, wanted)
        assert found is not None
        again = replace(wanted, first_attempt_at=datetime.now(UTC) - timedelta(minutes=10))
        assert (await send(here, again)).external_id == found.external_id
    assert comments(here, post, "#markt") == 1


async def test_what_is_asked_of_a_comments_answer_is_nothing(here: Rig) -> None:
    """Graph makes the comment, and then declines the form that was asked for."""
    post = here.graph.world.post(PAGE, "x")
    await send(here, effect(kind=OutgoingKind.FIRST_COMMENT, text="y", parent_external_id=post))
    [asked] = [query for method, path, query in here.graph.got if method == "POST" and path.endswith("/comments")]
    assert asked == {"message": "y"} | {name: asked[name] for name in ("appsecret_proof",)}


async def test_an_answer_to_an_answer_is_found_beneath_the_comment_of_both(here: Rig) -> None:
    world = here.graph.world
    post = world.post(PAGE, "x")
    comment = world.comment(post, "une question", PERSON)
    answer = world.comment(post, "et une autre", PERSON, parent=comment)
    wanted = reply(Target(answer, MentionKind.REPLY, "771", post))
    assert await find(here, wanted) is None
    sent = await send(here, wanted)
    assert told(here, sent.external_id)["parent"] == {"id": comment}
    assert await find(here, wanted) == sent


async def test_the_same_words_beneath_another_comment_or_by_another_person_are_not_ours(here: Rig) -> None:
    world = here.graph.world
    post = world.post(PAGE, "x")
    one, other = [world.comment(post, "une question", PERSON) for _ in range(2)]
    await send(here, reply(Target(other, MentionKind.COMMENT)))
    world.comment(post, "Merci !", ("772", "Jan"), parent=one, at=datetime.now(UTC))
    assert await find(here, reply(Target(one, MentionKind.COMMENT))) is None


async def test_beneath_a_comment_that_is_gone_there_is_nothing_and_nothing_can_be_said(here: Rig) -> None:
    here.graph.world.post(PAGE, "x")
    wanted = reply(Target(f"{PAGE}_404", MentionKind.COMMENT))
    assert await find(here, wanted) is None
    with pytest.raises(Refused, match="does not exist"):
        await send(here, wanted)
    here.graph.tokens[PAGE_TOKEN].scopes.discard("pages_read_user_content")
    with pytest.raises(Uncertain):
        await find(here, wanted)


async def test_a_comment_holds_one_picture(here: Rig) -> None:
    comment = here.graph.world.comment(here.graph.world.post(PAGE, "x"), "y")
    sent = await send(here, reply(Target(comment, MentionKind.COMMENT), media=(PICTURE,)))
    assert told(here, sent.external_id)["attachment"]["url"] == PICTURE.url
    with pytest.raises(Refused, match="one picture"):
        await send(here, reply(Target(comment, MentionKind.COMMENT), media=(FILM,)))


# ---------------------------------------------------------------- private messages


def writes(here: Rig, **more: Any) -> Target:
    mid = here.graph.world.message(PAGE, "Vous livrez ?", conversation="t_1", by=PERSON, **more)
    return Target(mid, MentionKind.MESSAGE, PERSON[0], is_private=True)


async def test_a_private_message_is_answered_in_private_and_found_there(here: Rig) -> None:
    wanted = reply(writes(here, at=datetime.now(UTC)))
    assert await find(here, wanted) is None
    here.graph.faults.append(Fault("/messages", 500, b"oops", done=True))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    found = await find(here, wanted)
    assert found is not None
    assert told(here, found.external_id)["message"] == "Merci !"
    [asked] = [query for _, path, query in here.graph.got if path.endswith("/messages")]
    assert (json.loads(asked["recipient"]), asked["messaging_type"]) == ({"id": PERSON[0]}, "RESPONSE")
    assert live(here) == []


async def test_after_a_day_the_network_says_that_it_is_over(here: Rig) -> None:
    with pytest.raises(Refused, match="24 hours"):
        await send(here, reply(writes(here, at=datetime.now(UTC) - timedelta(hours=25))))


async def test_a_message_without_a_known_writer_or_too_long_is_refused(here: Rig) -> None:
    target = writes(here)
    for wanted, why in (
        (reply(replace(target, author_external_id=None)), "not known who"),
        (reply(target, "x" * 2_001), "2,000 characters"),
        (reply(target, media=(PICTURE,)), "one after the other"),
        (effect(kind=OutgoingKind.HIDE, target=target), "private message"),
        (effect(kind=OutgoingKind.DELETE, target=target), "private message"),
    ):
        with pytest.raises(Refused, match=why):
            await send(here, wanted)
    assert here.graph.got == []


async def test_a_file_is_a_message_of_its_own(here: Rig) -> None:
    wanted = reply(writes(here, at=datetime.now(UTC)), "", media=(PICTURE,))
    sent = await send(here, wanted)
    assert await find(here, wanted) == sent


# ---------------------------------------------------------------- moderating


@pytest.mark.parametrize(
    ("done", "undone"),
    [
        (OutgoingKind.HIDE, OutgoingKind.UNHIDE),
        (OutgoingKind.LIKE, OutgoingKind.UNLIKE),
        (OutgoingKind.BLOCK, OutgoingKind.UNBLOCK),
    ],
)
async def test_what_a_moderator_did_and_took_back_is_seen(here: Rig, done: OutgoingKind, undone: OutgoingKind) -> None:
    world = here.graph.world
    comment = world.comment(world.post(PAGE, "x"), "foei", PERSON)
    target = Target(PERSON[0]) if done is OutgoingKind.BLOCK else Target(comment, MentionKind.COMMENT)
    for kind, other in ((done, undone), (undone, done)):
        wanted = effect(kind=kind, text="", target=target)
        assert await find(here, wanted) is None
        sent = await send(here, wanted)
        assert await find(here, wanted) == sent
        assert await find(here, replace(wanted, kind=other)) is None


async def test_a_comment_that_was_deleted_or_is_gone_already_is_deleted(here: Rig) -> None:
    world = here.graph.world
    comment = world.comment(world.post(PAGE, "x"), "foei", PERSON)
    wanted = effect(kind=OutgoingKind.DELETE, text="", target=Target(comment, MentionKind.COMMENT))
    here.graph.faults.append(Fault(comment, 500, b"oops", method="DELETE", done=True))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    assert await find(here, wanted) is not None
    assert (await send(here, wanted)).external_id == comment
    here.graph.tokens[PAGE_TOKEN].scopes.discard("pages_read_user_content")
    with pytest.raises(Unavailable) as raised:
        await send(here, wanted)
    assert raised.value.unsent
