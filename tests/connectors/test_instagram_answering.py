"""An Instagram account's comments and answers are said once, where they belong, and what it moderates is moderated."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.connectors.instagram import Instagram
from shared.contract import Login, OutgoingEffect, OutgoingMedia, Sent, Target
from shared.errors import Refused, Uncertain
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.conformance.specimen import effect
from tests.connectors.graph_rig import ACCOUNT, ACCOUNT_TOKEN, PAGE, Rig, rig
from tests.networks.fakes.graph import Fault

instagram = Instagram()
PERSON = ("771", "lea.dekust")
PICTURE = OutgoingMedia("https://media.example/plein.jpg", "image", "Een plein")
MADE_AND_DECLINED = b'{"error": {"code": 20, "error_subcode": 1772107, "message": "no such response format"}}'


@pytest.fixture
async def here() -> AsyncIterator[Rig]:
    async with rig() as found:
        found.graph.world.catch_up()
        yield found


async def send(here: Rig, wanted: OutgoingEffect, login: Login | None = None) -> Sent:
    return await instagram.send(here.http, login or here.account, wanted)


async def find(here: Rig, wanted: OutgoingEffect, login: Login | None = None) -> Sent | None:
    return await instagram.find(here.http, login or here.account, wanted)


def reply(target: Target, text: str = "Merci !", **more: Any) -> OutgoingEffect:
    return effect(kind=OutgoingKind.REPLY, text=text, target=target, **more)


def writes(here: Rig, owner: str = ACCOUNT, **more: Any) -> Target:
    mid = here.graph.world.message(owner, "Open zondag?", conversation="t_1", by=PERSON, **more)
    return Target(mid, MentionKind.MESSAGE, PERSON[0], is_private=True)


async def test_a_first_comment_that_was_made_and_answered_with_400_is_made_once(here: Rig) -> None:
    medium = here.graph.world.medium(ACCOUNT, "x")
    wanted = effect(kind=OutgoingKind.FIRST_COMMENT, text="#plein", parent_external_id=medium)
    here.graph.faults.append(Fault("/comments", 400, MADE_AND_DECLINED, done=True))
    with pytest.raises(Uncertain):
        await send(here, wanted)
    for _ in range(3):
        found = await find(here, wanted)
        assert found is not None
        again = replace(wanted, first_attempt_at=datetime.now(UTC) - timedelta(minutes=10))
        assert await send(here, again) == found
    assert len(here.graph.world.named(medium, "comments")) == 1


async def test_an_answer_stands_among_a_comments_replies_and_is_found_there(here: Rig) -> None:
    world = here.graph.world
    comment = world.remark(world.medium(ACCOUNT, "x"), "vraag", PERSON)
    world.remark(world.medium(ACCOUNT, "y"), "Merci !", PERSON)
    wanted = reply(Target(comment, MentionKind.COMMENT))
    assert await find(here, wanted) is None
    sent = await send(here, wanted)
    assert world.named(comment, "replies") == [sent.external_id]
    assert await find(here, wanted) == sent


async def test_an_answer_to_an_answer_is_found_beneath_the_comment_of_both(here: Rig) -> None:
    world = here.graph.world
    medium = world.medium(ACCOUNT, "x")
    comment = world.remark(medium, "vraag", PERSON)
    answer = world.remark(medium, "Merci !", PERSON, reply_to=comment)
    wanted = reply(Target(answer, MentionKind.REPLY))
    assert await find(here, wanted) is None
    sent = await send(here, wanted)
    assert world.named(comment, "replies")[-1] == sent.external_id
    assert await find(here, wanted) == sent


async def test_beneath_a_comment_that_is_gone_there_is_nothing_while_comments_are_shown_at_all(here: Rig) -> None:
    here.graph.world.medium(ACCOUNT, "x")
    for kind in (MentionKind.COMMENT, MentionKind.REPLY):
        wanted = reply(Target("404", kind))
        assert await find(here, wanted) is None
        with pytest.raises(Refused, match="does not exist"):
            await send(here, wanted)
    here.graph.tokens[ACCOUNT_TOKEN].scopes.discard("instagram_business_manage_comments")
    with pytest.raises(Uncertain):
        await find(here, reply(Target("404", MentionKind.COMMENT)))


async def test_a_comment_holds_words_only(here: Rig) -> None:
    with pytest.raises(Refused, match="words only"):
        await send(here, reply(Target("1", MentionKind.COMMENT), media=(PICTURE,)))
    assert here.graph.got == []


@pytest.mark.parametrize("by_page", [False, True], ids=["its own login", "a page's login"])
async def test_a_private_message_is_answered_in_private_and_found_there(here: Rig, by_page: bool) -> None:
    login = here.account_by_page if by_page else here.account
    here.graph.effects.speaks_as = (ACCOUNT, "cafe.parvis")
    wanted = reply(writes(here, PAGE if by_page else ACCOUNT, at=datetime.now(UTC)))
    assert await find(here, wanted, login) is None
    sent = await send(here, wanted, login)
    assert await find(here, wanted, login) == sent
    assert here.graph.world.things[sent.external_id].values["message"] == "Merci !"


async def test_after_a_day_the_network_says_that_it_is_over_and_long_ones_are_counted_in_bytes(here: Rig) -> None:
    late = writes(here, at=datetime.now(UTC) - timedelta(hours=25))
    with pytest.raises(Refused, match="24 hours"):
        await send(here, reply(late))
    with pytest.raises(Refused, match="1,000 bytes"):
        await send(here, reply(late, "é" * 501))


async def test_a_comment_is_hidden_shown_and_deleted_and_each_is_seen(here: Rig) -> None:
    world = here.graph.world
    target = Target(world.remark(world.medium(ACCOUNT, "x"), "foei", PERSON), MentionKind.COMMENT)
    hide, show, delete = [
        effect(kind=kind, text="", target=target)
        for kind in (OutgoingKind.HIDE, OutgoingKind.UNHIDE, OutgoingKind.DELETE)
    ]
    for wanted in (hide, show, delete):
        if wanted is not show:
            assert await find(here, wanted) is None
        sent = await send(here, wanted)
        assert await find(here, wanted) == sent
    assert target.external_id not in world.things


async def test_what_somebody_else_deleted_before_us_is_deleted(here: Rig) -> None:
    here.graph.world.medium(ACCOUNT, "x")
    wanted = effect(kind=OutgoingKind.DELETE, text="", target=Target("404", MentionKind.COMMENT))
    assert (await send(here, wanted)).external_id == "404"
    here.graph.tokens[ACCOUNT_TOKEN].scopes.discard("instagram_business_manage_comments")
    with pytest.raises(Exception, match="could not be looked up") as raised:
        await send(here, wanted)
    assert raised.value.unsent  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", [OutgoingKind.HIDE, OutgoingKind.DELETE])
async def test_posts_and_messages_can_not_be_moderated_by_an_app(here: Rig, kind: OutgoingKind) -> None:
    for target in (Target("1", MentionKind.POST), Target("m_1", MentionKind.MESSAGE, is_private=True)):
        with pytest.raises(Refused, match="comments, and no"):
            await send(here, effect(kind=kind, text="", target=target))
    assert here.graph.got == []
