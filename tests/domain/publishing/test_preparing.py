"""What has to be laid ready on its network is, before its moment and seen by nobody."""

from datetime import timedelta

import pytest

from shared.contract import Prepared, Preparing, Sent
from shared.domain.publishing.sending.attempts import Step
from shared.domain.publishing.sending.outcomes import Live, NotReady, Ready
from shared.models.enums import PostStatus, VariantStatus
from shared.models.post import Post
from tests.domain.publishing.conftest import LATER, Desk

AHEAD = timedelta(minutes=2)
EARLY = LATER - timedelta(minutes=1)
PICTURE = [{"url": "https://ex.be/a.jpg", "kind": "image", "alt": "Une gaufre"}]


@pytest.fixture
def preparing(desk: Desk) -> Desk:
    return desk.knowing(prepares=Preparing.WITH_MEDIA, prepares_ahead=AHEAD)


async def pictured(desk: Desk) -> Post:
    return await desk.scheduled(await desk.channel(), media=PICTURE)


async def test_a_post_without_media_is_not_taken_up_early(preparing: Desk) -> None:
    await preparing.scheduled(await preparing.channel())
    assert await preparing.claim(EARLY) == []


async def test_media_are_laid_ready_ahead_and_sent_at_the_moment(preparing: Desk) -> None:
    post = await pictured(preparing)
    made = await preparing.attempt(EARLY)
    assert (made.step, made.effect.media[0].alt) == (Step.PREPARE, "Une gaufre")
    await preparing.settle(made, Ready(Prepared({"id": "container"})), EARLY)
    assert (await preparing.post(post)).status is PostStatus.SCHEDULED
    assert await preparing.claim(LATER - timedelta(microseconds=1)) == []
    made = await preparing.attempt(LATER)
    assert (made.step, made.effect.marks) == (Step.SEND, {"id": "container"})


async def test_what_is_laid_ready_can_be_cancelled_to_the_last(preparing: Desk) -> None:
    post = await pictured(preparing)
    made = await preparing.attempt(EARLY)
    await preparing.cancel(post, EARLY)
    assert not await preparing.settle(made, Ready(Prepared({"id": "container"})), EARLY)
    assert await preparing.claim(LATER + timedelta(days=1)) == []
    (variant,) = await preparing.variants(post)
    assert variant.status is VariantStatus.CANCELLED


async def test_a_network_at_work_is_asked_again_with_what_came_of_it_so_far(preparing: Desk) -> None:
    await pictured(preparing)
    made = await preparing.attempt(EARLY)
    await preparing.settle(made, Ready(Prepared({"id": "1"}, wait=timedelta(seconds=20))), EARLY)
    made = await preparing.attempt(EARLY + timedelta(seconds=20))
    assert (made.step, made.effect.marks) == (Step.PREPARE, {"id": "1"})


async def test_what_is_gone_by_the_moment_is_laid_ready_anew(preparing: Desk) -> None:
    await pictured(preparing)
    await preparing.settle(await preparing.attempt(EARLY), Ready(Prepared({"id": "1"})), EARLY)
    await preparing.settle(await preparing.attempt(LATER), NotReady("it has expired"), LATER)
    made = await preparing.attempt(LATER + timedelta(minutes=1))
    assert (made.step, made.effect.marks) == (Step.PREPARE, {})
    await preparing.settle(made, Ready(Prepared({"id": "2"})), LATER + timedelta(minutes=1))
    made = await preparing.attempt(LATER + timedelta(minutes=1))
    assert (made.step, made.effect.marks) == (Step.SEND, {"id": "2"})
    assert await preparing.settle(made, Live(Sent("9")), LATER + timedelta(minutes=1))


async def test_who_died_over_laying_ready_is_followed_by_another_who_does_it_again(preparing: Desk) -> None:
    await pictured(preparing)
    made = await preparing.attempt(EARLY)
    await preparing.expire(made.claim.outgoing_id)
    assert (await preparing.attempt(EARLY)).step is Step.PREPARE
