"""What the brand does to what people say: each deed once, truthfully told, and known here as on its network."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from shared.contract import Author, Certainty, Said, Sent
from shared.domain.engagement import acts
from shared.domain.engagement.acts import ReplyDraft
from shared.domain.listening import mentions, record
from shared.domain.listening.batches import HeardPart
from shared.domain.publishing.sending import settling
from shared.domain.publishing.sending.outcomes import Live, Unknown
from shared.errors import Conflict, Invalid, NotFound
from shared.ids import new_uuid
from shared.models.enums import MentionKind, Network, OutgoingKind, OutgoingState, Visibility
from shared.models.mention import Identity, Mention
from shared.models.post import Outgoing
from tests.conftest import NOW, HouseChannel
from tests.domain.publishing.conftest import LATER, Desk

ALL = dict.fromkeys(OutgoingKind, Certainty.LOOKED_UP)
HIDE, UNHIDE, LIKE, UNLIKE = OutgoingKind.HIDE, OutgoingKind.UNHIDE, OutgoingKind.LIKE, OutgoingKind.UNLIKE


@pytest.fixture
def able(desk: Desk) -> Desk:
    return desk.knowing(effects=ALL)


async def said(
    desk: Desk,
    channel: HouseChannel,
    external_id: str = "1",
    parent: str | None = None,
    visibility: Visibility = Visibility.PUBLIC,
) -> UUID:
    """Something that somebody said on the channel; its id."""
    fact = Said(
        external_id, MentionKind.COMMENT, NOW, "Trop cher", Author("lea"),
        parent_external_id=parent, visibility=visibility,
    )  # fmt: skip
    async with desk.at(desk.worker) as (session, scope):
        part = HeardPart(channel.id, Network.GENERIC, str(channel.id), [fact])
        await record.record(session, scope, [part], now=NOW)
        wanted = select(Mention.id).where(
            col(Mention.brand_id) == scope.brand_id, col(Mention.external_id) == external_id, col(Mention.heard)
        )
        return (await session.execute(wanted)).scalar_one()


async def act(desk: Desk, mention_id: UUID, kind: OutgoingKind) -> Outgoing:
    async with desk.at() as (session, scope):
        return await acts.act(session, scope, mention_id, kind, cards=desk.cards, now=NOW)


async def reply(desk: Desk, mention_id: UUID, text: str = "Merci !") -> Outgoing:
    async with desk.at() as (session, scope):
        draft = ReplyDraft(text=text)
        return await acts.reply(session, scope, mention_id, draft=draft, cards=desk.cards, now=NOW)


async def happens(desk: Desk, external_id: str = "9") -> None:
    """What is due is done."""
    assert await desk.settle(await desk.attempt(LATER), Live(Sent(external_id)), LATER)


async def mention(desk: Desk, id_: UUID) -> Mention:
    async with desk.at() as (session, scope):
        return await mentions.get(session, scope, id_)


async def test_a_reply_goes_beneath_what_it_answers_with_all_that_a_network_may_need(able: Desk) -> None:
    channel = await able.channel()
    await said(able, channel, "root")
    answered = await said(able, channel, "2", parent="root")
    await reply(able, answered)
    made = await able.attempt(LATER)
    effect = made.effect
    assert (effect.kind, effect.text, effect.parent_external_id) == (OutgoingKind.REPLY, "Merci !", "2")
    assert effect.target is not None
    assert (effect.target.author_external_id, effect.target.root_external_id) == ("lea", "root")
    assert not effect.target.is_private


async def test_what_was_said_in_private_is_answered_in_private(able: Desk) -> None:
    whisper = await said(able, await able.channel(), visibility=Visibility.PRIVATE)
    await reply(able, whisper)
    made = await able.attempt(LATER)
    assert made.effect.target is not None
    assert made.effect.target.is_private


async def test_every_reply_is_one_of_its_own(able: Desk) -> None:
    answered = await said(able, await able.channel())
    assert (await reply(able, answered)).id != (await reply(able, answered)).id


async def test_an_empty_reply_is_refused(able: Desk) -> None:
    answered = await said(able, await able.channel())
    with pytest.raises(Invalid):
        await reply(able, answered, "  ")


async def test_hiding_twice_is_hiding_once(able: Desk) -> None:
    one = await said(able, await able.channel())
    first = await act(able, one, HIDE)
    assert (await act(able, one, HIDE)).id == first.id
    await happens(able)
    assert (await act(able, one, HIDE)).id == first.id


async def test_what_is_hidden_is_known_to_be(able: Desk) -> None:
    one = await said(able, await able.channel())
    await act(able, one, HIDE)
    await happens(able)
    assert (await mention(able, one)).hidden_at is not None
    await act(able, one, UNHIDE)
    await able.settle(await able.attempt(LATER), Live(Sent("9")), LATER + timedelta(minutes=1))
    assert (await mention(able, one)).hidden_at is None


async def test_the_opposite_waits_until_the_first_is_settled(able: Desk) -> None:
    one = await said(able, await able.channel())
    await act(able, one, HIDE)
    with pytest.raises(Conflict) as error:
        await act(able, one, UNHIDE)
    assert error.value.code == "already_sending"


async def test_a_deed_can_be_cancelled_until_it_is_begun(able: Desk) -> None:
    one = await said(able, await able.channel())
    made = await act(able, one, HIDE)
    async with able.at() as (session, scope):
        await settling.cancel(session, scope, made.id, now=NOW)
    assert await able.claim(LATER) == []
    await act(able, one, HIDE)
    begun = await able.attempt(LATER)
    with pytest.raises(Conflict):
        async with able.at() as (session, scope):
            await settling.cancel(session, scope, begun.claim.outgoing_id, now=NOW)


async def test_what_is_deleted_is_gone_here_too_and_can_not_be_acted_on(able: Desk) -> None:
    one = await said(able, await able.channel())
    await act(able, one, OutgoingKind.DELETE)
    await happens(able)
    found = await mention(able, one)
    assert found.deleted_at is not None
    assert found.text is None
    with pytest.raises(Conflict):
        await act(able, one, HIDE)


async def test_a_like_is_taken_back_by_what_it_was(able: Desk) -> None:
    one = await said(able, await able.channel())
    await act(able, one, LIKE)
    await happens(able, "like-7")
    await act(able, one, UNLIKE)
    assert (await able.attempt(LATER)).effect.undoes == "like-7"


async def test_there_is_no_taking_back_what_was_not_done(able: Desk) -> None:
    one = await said(able, await able.channel())
    with pytest.raises(Conflict):
        await act(able, one, UNLIKE)


async def test_a_network_without_hiding_says_so_and_nothing_is_made(desk: Desk) -> None:
    plain = desk.knowing(effects={OutgoingKind.PUBLISH: Certainty.LOOKED_UP})
    one = await said(plain, await plain.channel())
    with pytest.raises(Invalid) as error:
        await act(plain, one, HIDE)
    assert error.value.problems[0].code == "cannot"
    assert await plain.claim(LATER) == []


async def test_what_is_uncertain_is_settled_by_a_person_without_an_id(able: Desk) -> None:
    asked = able.knowing(effects=dict.fromkeys(OutgoingKind, Certainty.ASKED))
    one = await said(asked, await asked.channel())
    made = await act(asked, one, HIDE)
    await asked.settle(await asked.attempt(LATER), Unknown("timeout"), LATER)
    async with asked.at() as (session, scope):
        settled = await settling.settle(
            session, scope, made.id, as_=settling.Settlement.ADOPT, cards=asked.cards, now=LATER
        )
        assert (settled.state, settled.external_id) == (OutgoingState.LIVE, "1")
    assert (await mention(asked, one)).hidden_at is not None


async def test_a_person_is_blocked_from_one_channel_and_let_back(able: Desk) -> None:
    channel = await able.channel()
    await said(able, channel)
    async with able.at() as (session, scope):
        wanted = select(Identity.id).where(col(Identity.brand_id) == scope.brand_id)
        lea = (await session.execute(wanted)).scalar_one()
        await acts.block(
            session, scope, lea, OutgoingKind.BLOCK, channel_id=channel.id, cards=able.cards, now=NOW
        )  # fmt: skip
    made = await able.attempt(LATER)
    assert made.effect.target is not None
    assert made.effect.target.external_id == "lea"
    await able.settle(made, Live(Sent("block-3")), LATER)
    async with able.at() as (session, scope):
        await acts.block(
            session, scope, lea, OutgoingKind.UNBLOCK, channel_id=channel.id, cards=able.cards, now=NOW
        )  # fmt: skip
    assert (await able.attempt(LATER)).effect.undoes == "block-3"


async def test_a_mention_that_is_not_there_is_not_found(able: Desk) -> None:
    with pytest.raises(NotFound):
        await act(able, new_uuid(), HIDE)
