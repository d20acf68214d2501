"""Who must agree before a post goes out, and that their word holds for exactly what they saw."""

from datetime import timedelta
from typing import Any

import pytest

from shared.connectors.registry import CARDS
from shared.domain.brands import channels
from shared.domain.page import Cursors, PageRequest
from shared.domain.publishing import posts
from shared.domain.publishing.agreeing import reviews
from shared.errors import Conflict, Invalid, NotAllowed, Stale
from shared.models.enums import ApprovalKind, EventType, GrantRole, PostStatus, Reviewer, VariantStatus
from tests.conftest import NOW
from tests.domain.publishing.agreeing import ELIF, JAN, NOOR, Table
from tests.domain.publishing.conftest import LATER, Desk


@pytest.fixture
def table(desk: Desk) -> Table:
    return Table(desk)


async def test_where_nobody_must_agree_a_post_is_scheduled_at_once(table: Table, desk: Desk) -> None:
    post = await table.write(await desk.channel())
    assert post.status is PostStatus.SCHEDULED


async def test_where_somebody_must_agree_a_planned_post_waits_and_keeps_its_time(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel())
    assert (post.status, post.scheduled_at) == (PostStatus.IN_REVIEW, LATER)
    assert [v.status for v in await desk.variants(post)] == [VariantStatus.IN_REVIEW]
    assert await desk.claim(LATER) == []


async def test_the_last_word_that_it_needs_schedules_it(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.agree(await table.write(await desk.channel()))
    assert post.status is PostStatus.SCHEDULED
    assert len(await desk.claim(LATER)) == 1


async def test_a_post_without_a_time_stands_approved(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.submit(await table.write(await desk.channel(), at=None))
    post = await table.agree(post)
    assert post.status is PostStatus.APPROVED
    assert (await desk.publish(post)).status is PostStatus.PUBLISHING


async def test_nobody_agrees_to_what_they_wrote(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel())
    with pytest.raises(NotAllowed):
        await table.agree(post, NOOR)


async def test_nobody_agrees_to_what_they_changed(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.edit(await table.write(await desk.channel()), ELIF, text="Bonsoir")
    with pytest.raises(NotAllowed):
        await table.agree(post, ELIF)
    assert (await table.agree(post, JAN)).status is PostStatus.SCHEDULED


@pytest.mark.parametrize("role", [GrantRole.EDITOR, GrantRole.RESPONDER, GrantRole.VIEWER])
async def test_only_managers_and_owners_agree(table: Table, desk: Desk, role: GrantRole) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel())
    with pytest.raises(NotAllowed):
        await table.agree(post, role=role)


async def test_two_means_two_people(table: Table, desk: Desk) -> None:
    await table.wants("two")
    post = await table.agree(await table.write(await desk.channel()), ELIF)
    assert post.status is PostStatus.IN_REVIEW
    with pytest.raises(Conflict) as again:
        await table.agree(post, ELIF)
    assert again.value.code == "already_approved"
    assert (await table.agree(post, JAN)).status is PostStatus.SCHEDULED


async def test_agreeing_to_an_old_version_is_stale(table: Table, desk: Desk) -> None:
    await table.wants("one")
    seen = await table.write(await desk.channel())
    await table.edit(seen, text="Bonsoir")
    with pytest.raises(Stale):
        await table.agree(seen)


CHANGES: dict[str, dict[str, Any]] = {
    "text": {"text": "Bonsoir"},
    "media": {"media": [{"url": "https://pictures.example/a.jpg"}]},
    "link": {"link": "https://example.org/"},
    "variant_text": {"variants": [{"text": "Bonsoir"}]},
    "variant_media": {"variants": [{"media": [{"url": "https://pictures.example/a.jpg"}]}]},
    "alt": {"media": [{"url": "https://pictures.example/a.jpg", "alt": "a lantern"}]},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_an_edit_of_a_scheduled_post_takes_it_back_to_be_agreed_to_again(
    table: Table, desk: Desk, change: str
) -> None:
    await table.wants("one")
    channel, body = await desk.channel(), dict(CHANGES[change])
    post = await table.agree(await table.write(channel))
    if "variants" in body:
        body["variants"] = [{"channel_id": channel.id, **one} for one in body["variants"]]
    post = await table.edit(post, **body)
    assert (post.status, post.scheduled_at) == (PostStatus.IN_REVIEW, LATER)
    assert await desk.claim(LATER) == []
    assert (await table.agree(post)).status is PostStatus.SCHEDULED


async def test_an_edit_that_is_undone_has_the_words_of_before(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.agree(await table.write(await desk.channel()))
    await table.edit(post, text="Bonsoir")
    assert (await table.edit(post, text="Bonjour")).status is PostStatus.SCHEDULED


async def test_a_move_keeps_what_was_agreed(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.agree(await table.write(await desk.channel()))
    moved = await table.move(post, LATER + timedelta(days=1))
    assert moved.status is PostStatus.SCHEDULED


async def test_another_channel_is_another_version(table: Table, desk: Desk) -> None:
    await table.wants("one")
    one, two = await desk.channel(), await desk.channel()
    post = await table.agree(await table.write(one))
    assert (await table.edit(post, channel_ids=[one.id, two.id])).status is PostStatus.IN_REVIEW


async def test_a_wish_for_changes_gives_the_post_back_with_its_time(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.object(await table.write(await desk.channel()))
    assert (post.status, post.scheduled_at) == (PostStatus.DRAFT, LATER)
    assert [one.text for one in await table.said(post)] == ["too loud"]


async def test_a_wish_for_changes_calls_off_what_is_scheduled(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.object(await table.agree(await table.write(await desk.channel())), JAN)
    assert post.status is PostStatus.DRAFT
    assert await desk.claim(LATER) == []


async def test_a_wish_for_changes_of_what_is_on_its_way_is_told_so(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.agree(await table.write(await desk.channel()))
    await desk.attempt(LATER)
    with pytest.raises(Conflict) as refused:
        await table.object(await desk.post(post), JAN)
    assert refused.value.code == "already_sending"


async def test_a_wish_for_changes_ends_the_words_of_before_it(table: Table, desk: Desk) -> None:
    await table.wants("two")
    post = await table.agree(await table.write(await desk.channel()), ELIF)
    post = await table.submit(await table.object(post, JAN))
    assert (await table.stands(post)).people == ()


async def test_a_wish_for_changes_needs_words(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel())
    with pytest.raises(Invalid):
        await table.object(post, comment="  ")


async def test_a_post_to_be_published_now_goes_out_once_agreed(table: Table, desk: Desk) -> None:
    await table.wants("one")
    draft = await table.write(await desk.channel(), at=None)
    async with table.by(NOOR) as (session, scope):
        post = await posts.publish(session, scope, draft.id, cards=CARDS, now=NOW)
    assert post.status is PostStatus.IN_REVIEW
    assert (await table.agree(post, now=NOW + timedelta(minutes=2))).status is PostStatus.SCHEDULED
    assert len(await desk.claim(NOW + timedelta(minutes=2))) == 1


async def test_a_moment_that_is_over_when_all_agree_is_said_and_sends_nothing(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.agree(await table.write(await desk.channel()), now=LATER + timedelta(hours=2))
    assert post.status is PostStatus.APPROVED
    assert [v.problems[0]["code"] for v in await desk.variants(post)] == ["missed"]
    assert await desk.claim(LATER + timedelta(days=1)) == []


async def test_a_channel_that_is_gone_by_then_leaves_the_word_and_says_so(table: Table, desk: Desk) -> None:
    await table.wants("one")
    channel = await desk.channel()
    post = await table.write(channel)
    async with desk.at() as (session, scope):
        await channels.remove(session, scope, channel.id, now=NOW)
    post = await table.agree(post)
    assert post.status is PostStatus.APPROVED
    assert [v.problems[0]["code"] for v in await desk.variants(post)] == ["unknown_channel"]


async def test_what_could_not_go_out_is_refused_before_anybody_looks(table: Table, desk: Desk) -> None:
    await table.wants("one")
    with pytest.raises(Invalid):
        await table.write(await desk.channel(), text="  ")


async def test_where_nobody_must_agree_who_submits_asks_one_person(table: Table, desk: Desk) -> None:
    post = await table.submit(await table.write(await desk.channel(), at=None))
    assert (await table.stands(post)).policy.people == 1
    assert (await table.agree(post)).status is PostStatus.APPROVED


async def test_a_remark_changes_nothing_and_knows_its_place(table: Table, desk: Desk) -> None:
    post = await table.write(await desk.channel())
    (variant,) = await desk.variants(post)
    said = await table.remark(post, "nice", variant_id=variant.id, place="media/0")
    assert (said.kind, said.variant_id, said.place) == (ApprovalKind.COMMENT, variant.id, "media/0")
    assert (await desk.post(post)).version == post.version


async def test_each_word_is_kept_with_the_version_that_it_was_said_of(table: Table, desk: Desk) -> None:
    await table.wants("one")
    first = await table.write(await desk.channel())
    await table.agree(first)
    second = await table.edit(first, text="Bonsoir")
    await table.agree(second)
    one, two = await table.said(first)
    assert (one.version, two.version) == (first.version, second.version)
    assert one.digest != two.digest


async def test_what_waits_is_listed_the_longest_waiting_first(table: Table, desk: Desk) -> None:
    await table.wants("two", client=True)
    channel = await desk.channel()
    made = [await table.write(channel, text=f"Bonjour {n}") for n in range(3)]
    await table.edit(made[0], now=NOW + timedelta(hours=1), text="Bonsoir")
    found, page = [], PageRequest(2)
    cursors = Cursors(desk.vault)
    while True:
        async with desk.at() as (session, scope):
            part = await reviews.waiting(session, scope, page=page, cursors=cursors)
        found += part.items
        if part.next_cursor is None:
            break
        page = PageRequest(2, part.next_cursor)
    assert [one.post.id for one in found] == [made[1].id, made[2].id, made[0].id]
    assert {one.stands.waits_for for one in found} == {Reviewer.PEOPLE}


async def test_every_word_is_a_fact_with_whose_turn_it_is(table: Table, desk: Desk) -> None:
    await table.wants("one", client=True)
    await table.agree(await table.write(await desk.channel()))
    facts = await table.facts(EventType.APPROVAL_CHANGED)
    assert [(fact.get("kind"), fact.get("waits_for")) for fact in facts] == [(None, "people"), ("approved", "client")]


async def test_whoever_saw_the_post_before_anothers_word_reads_it_again_first(table: Table, desk: Desk) -> None:
    await table.wants("two")
    post = await table.write(await desk.channel())
    await table.agree(post, ELIF)
    with pytest.raises(Stale):
        await table.agree(post, JAN)


async def test_a_post_that_was_given_back_waits_again_for_the_time_that_it_had(table: Table, desk: Desk) -> None:
    await table.wants("one")
    post = await table.write(await desk.channel())
    post = await table.object(post)
    post = await table.edit(post, text="Bonsoir")
    async with table.by(NOOR) as (session, scope):
        post = await posts.schedule(session, scope, post.id, cards=CARDS, now=NOW)
    assert (post.status, post.scheduled_at) == (PostStatus.IN_REVIEW, LATER)
