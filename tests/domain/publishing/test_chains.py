"""What hangs beneath a post goes out after it, in order, once; and is told of truthfully where it does not."""

from datetime import timedelta

import pytest

from shared.contract import Certainty, Sent
from shared.domain.publishing.sending.outcomes import Denied, Live, Unknown
from shared.domain.publishing.sending.settling import Settlement, settle
from shared.errors import Invalid
from shared.models.enums import OutgoingKind, OutgoingState, PostStatus, VariantStatus
from shared.models.post import Outgoing, Post
from tests.conftest import NOW
from tests.domain.publishing.conftest import LATER, Desk

EFFECTS = dict.fromkeys(
    (OutgoingKind.PUBLISH, OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART), Certainty.LOOKED_UP
)


@pytest.fixture
def chained(desk: Desk) -> Desk:
    return desk.knowing(effects=EFFECTS)


async def threaded(desk: Desk, **more: object) -> Post:
    """A post with a first comment and two parts."""
    channel = await desk.channel()
    variant = {
        "channel_id": channel.id,
        "first_comment": "Plus d'infos ici",
        "parts": [{"text": "2/3"}, {"text": "3/3"}],
        **more,
    }
    return await desk.create(scheduled_at=LATER, variants=[variant])


async def by_kind(desk: Desk, post: Post) -> dict[tuple[OutgoingKind, object], Outgoing]:
    return {(one.kind, one.payload.get("part")): one for one in await desk.outgoing(post)}


async def goes_live(desk: Desk, external_id: str, at: object = LATER) -> None:
    made = await desk.attempt(LATER)
    assert await desk.settle(made, Live(Sent(external_id)), LATER)


async def test_only_the_post_itself_is_due_at_first(chained: Desk) -> None:
    await threaded(chained)
    (made,) = await chained.begin(await chained.claim(LATER), LATER)
    assert made.effect.kind is OutgoingKind.PUBLISH


async def test_comment_and_parts_follow_beneath_what_they_hang_on(chained: Desk) -> None:
    post = await threaded(chained)
    await goes_live(chained, "1")
    comment, second = sorted(
        await chained.begin(await chained.claim(LATER), LATER), key=lambda made: made.effect.kind.value
    )
    assert (comment.effect.kind, comment.effect.parent_external_id) == (OutgoingKind.FIRST_COMMENT, "1")
    assert (second.effect.kind, second.effect.text, second.effect.parent_external_id) == (
        OutgoingKind.THREAD_PART, "2/3", "1",
    )  # fmt: skip
    await chained.settle(comment, Live(Sent("c")), LATER)
    await chained.settle(second, Live(Sent("2")), LATER)
    (third,) = await chained.begin(await chained.claim(LATER), LATER)
    assert (third.effect.text, third.effect.parent_external_id, third.effect.root_external_id) == ("3/3", "2", "1")
    assert (await chained.post(post)).status is PostStatus.PUBLISHING
    await chained.settle(third, Live(Sent("3")), LATER)
    assert (await chained.post(post)).status is PostStatus.PUBLISHED


async def test_a_live_post_whose_comment_is_refused_is_never_called_failed(chained: Desk) -> None:
    channel = await chained.channel()
    post = await chained.create(scheduled_at=LATER, variants=[{"channel_id": channel.id, "first_comment": "Ici"}])
    await goes_live(chained, "1")
    await chained.settle(await chained.attempt(LATER), Denied("comments are closed"), LATER)
    (variant,) = await chained.variants(post)
    assert (variant.status, variant.external_id) == (VariantStatus.PUBLISHED, "1")
    assert [(one["code"], one["path"]) for one in variant.problems] == [("refused", ["first_comment"])]
    assert (await chained.post(post)).status is PostStatus.PARTLY_PUBLISHED


async def test_publishing_again_sends_what_is_missing_and_nothing_else(chained: Desk) -> None:
    channel = await chained.channel()
    post = await chained.create(scheduled_at=LATER, variants=[{"channel_id": channel.id, "first_comment": "Ici"}])
    await goes_live(chained, "1")
    await chained.settle(await chained.attempt(LATER), Denied("comments are closed"), LATER)
    await chained.publish(post, LATER)
    (made,) = await chained.begin(await chained.claim(LATER + timedelta(hours=1)), LATER + timedelta(hours=1))
    assert (made.effect.kind, made.effect.parent_external_id) == (OutgoingKind.FIRST_COMMENT, "1")
    await chained.settle(made, Live(Sent("c")), LATER)
    (variant,) = await chained.variants(post)
    assert (variant.status, variant.problems) == (VariantStatus.PUBLISHED, [])
    assert (await chained.post(post)).status is PostStatus.PUBLISHED


async def test_what_hangs_beneath_a_refused_part_is_not_waited_for(chained: Desk) -> None:
    channel = await chained.channel()
    variant = {"channel_id": channel.id, "parts": [{"text": "2/3"}, {"text": "3/3"}]}
    post = await chained.create(scheduled_at=LATER, variants=[variant])
    await goes_live(chained, "1")
    await chained.settle(await chained.attempt(LATER), Denied("no"), LATER)
    found = await by_kind(chained, post)
    assert found[OutgoingKind.THREAD_PART, 1].state is OutgoingState.REFUSED
    assert (await chained.post(post)).status is PostStatus.PARTLY_PUBLISHED


async def test_a_refused_post_takes_what_hangs_beneath_along_and_can_go_out_anew(chained: Desk) -> None:
    post = await threaded(chained)
    await chained.settle(await chained.attempt(LATER), Denied("no"), LATER)
    assert {one.state for one in await chained.outgoing(post)} == {OutgoingState.REFUSED}
    assert (await chained.post(post)).status is PostStatus.FAILED
    await chained.publish(post, LATER)
    await goes_live(chained, "1")
    kinds = {made.effect.kind for made in await chained.begin(await chained.claim(LATER), LATER)}
    assert kinds == {OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART}


async def test_cancelling_before_the_moment_leaves_nothing_beneath(chained: Desk) -> None:
    post = await threaded(chained)
    await chained.cancel(post)
    assert await chained.claim(LATER + timedelta(days=1)) == []
    assert {one.state for one in await chained.outgoing(post)} == {OutgoingState.DROPPED}
    assert (await chained.post(post)).status is PostStatus.CANCELLED


async def test_cancelling_while_the_post_is_on_its_way_drops_what_has_not_left(chained: Desk) -> None:
    post = await threaded(chained)
    made = await chained.attempt(LATER)
    await chained.cancel(post, LATER)
    await chained.settle(made, Live(Sent("1")), LATER)
    assert await chained.claim(LATER + timedelta(days=1)) == []
    (variant,) = await chained.variants(post)
    assert (variant.status, variant.external_id) == (VariantStatus.PUBLISHED, "1")


async def test_an_uncertain_comment_that_a_person_drops_ends_the_waiting(chained: Desk) -> None:
    asked = chained.knowing(effects={**EFFECTS, OutgoingKind.FIRST_COMMENT: Certainty.ASKED})
    channel = await asked.channel()
    post = await asked.create(scheduled_at=LATER, variants=[{"channel_id": channel.id, "first_comment": "Ici"}])
    await goes_live(asked, "1")
    made = await asked.attempt(LATER)
    await asked.settle(made, Unknown("timeout"), LATER)
    assert (await asked.post(post)).status is PostStatus.UNCERTAIN
    async with asked.at() as (session, scope):
        await settle(session, scope, made.claim.outgoing_id, as_=Settlement.DROP, cards=asked.cards, now=LATER)
    assert (await asked.post(post)).status is PostStatus.PUBLISHED


async def test_a_network_without_parts_refuses_them_before_anything_is_scheduled(desk: Desk) -> None:
    plain = desk.knowing(effects={OutgoingKind.PUBLISH: Certainty.LOOKED_UP})
    with pytest.raises(Invalid) as error:
        await threaded(plain)
    assert {one.path for one in error.value.problems} == {
        ("variants", 0, "first_comment"), ("variants", 0, "parts", 0),
    }  # fmt: skip


async def test_a_link_stands_beneath_the_text_where_the_network_knows_none_apart(desk: Desk) -> None:
    plain, apart = desk.knowing(link_apart=False), desk.knowing(link_apart=True)
    for one, text, link in (
        (plain, "Bonjour\n\nhttps://ex.be/a", None),
        (apart, "Bonjour", "https://ex.be/a"),
    ):
        post = await one.scheduled(await one.channel(), link="https://ex.be/a")
        (made,) = await one.begin(await one.claim(LATER), LATER)
        assert (made.effect.text, made.effect.link) == (text, link)
        await one.settle(made, Live(Sent(str(post.id))), NOW)
