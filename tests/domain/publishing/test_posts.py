"""Posts: written, planned, published, taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.connectors.registry import CARDS
from shared.domain.page import Cursors, PageRequest
from shared.domain.publishing import posts, transitions
from shared.domain.publishing.drafts import PostChanges
from shared.domain.publishing.reading import PostFilter
from shared.domain.publishing.transitions import Verb
from shared.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from shared.ids import new_uuid
from shared.models.enums import GrantRole, KeyScope, Network, OutgoingState, PostStatus, VariantStatus
from shared.models.post import Post
from tests.conftest import NOW
from tests.domain.publishing.conftest import LATER, Desk


async def change(desk: Desk, post: Post, *, if_version: int | None = None, **changes: object) -> Post:
    async with desk.at() as (session, scope):
        return await posts.update(
            session,
            scope,
            post.id,
            changes=PostChanges.model_validate(changes),
            cards=CARDS,
            now=NOW,
            if_version=if_version,
        )


async def test_a_post_without_a_time_is_a_draft(desk: Desk) -> None:
    post = await desk.create()
    assert (post.status, post.version, post.scheduled_at) == (PostStatus.DRAFT, 1, None)


async def test_a_draft_may_keep_a_time_without_being_due(desk: Desk) -> None:
    channel = await desk.channel()
    post = await desk.create(channel_ids=[channel.id], scheduled_at=LATER, status="draft")
    assert (post.status, post.scheduled_at) == (PostStatus.DRAFT, LATER)
    assert await desk.claim(LATER) == []


async def test_a_scheduled_post_is_due_at_its_time_and_not_before(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    assert post.status is PostStatus.SCHEDULED
    assert [v.status for v in await desk.variants(post)] == [VariantStatus.SCHEDULED]
    assert await desk.claim(LATER - timedelta(microseconds=1)) == []
    assert len(await desk.claim(LATER)) == 1


async def test_wall_clock_time_decides_the_moment(desk: Desk) -> None:
    channel = await desk.channel()
    post = await desk.create(channel_ids=[channel.id], local_time="2026-12-01T10:00")
    assert (post.local_time, post.timezone) == ("2026-12-01T10:00", "Europe/Brussels")
    assert post.scheduled_at == datetime(2026, 12, 1, 9, tzinfo=UTC)


async def test_each_channel_gets_its_own_form(desk: Desk) -> None:
    one, two = await desk.channel(), await desk.channel()
    post = await desk.create(
        channel_ids=[one.id, two.id], scheduled_at=LATER, variants=[{"channel_id": two.id, "text": "Goeiedag"}]
    )
    by_channel = {v.channel_id: v.text for v in await desk.variants(post)}
    assert by_channel == {one.id: None, two.id: "Goeiedag"}
    assert sorted(o.payload["text"] for o in await desk.outgoing(post)) == ["Bonjour", "Goeiedag"]


@pytest.mark.parametrize("kind", ["unknown", "foreign", "hears_only", "removed"])
async def test_a_channel_that_cannot_publish_is_refused_by_its_place(desk: Desk, kind: str) -> None:
    if kind == "hears_only":
        channel_id = (await desk.channel(Network.FEED, base_url="https://cafe.example/feed.xml")).id
    elif kind == "foreign":
        channel_id = (await desk.house.channel(await desk.house.brand("Zee"))).id
    elif kind == "removed":
        channel_id = (await desk.channel()).id
        async with desk.at() as (session, scope):
            from shared.domain.brands import channels

            await channels.remove(session, scope, channel_id, now=NOW)
    else:
        channel_id = new_uuid()
    good = await desk.channel()
    with pytest.raises(Invalid) as refused:
        await desk.create(channel_ids=[good.id, channel_id])
    assert refused.value.problems[0].path == ("channel_ids", 1)


async def test_two_variants_of_one_channel_are_refused(desk: Desk) -> None:
    channel = await desk.channel()
    with pytest.raises(Invalid) as refused:
        await desk.create(variants=[{"channel_id": channel.id}, {"channel_id": channel.id}])
    assert refused.value.problems[0].path == ("variants", 1, "channel_id")


async def test_nothing_goes_out_without_a_channel_a_text_or_a_time(desk: Desk) -> None:
    channel = await desk.channel()
    for body in (
        {"scheduled_at": LATER},
        {"text": "  ", "channel_ids": [channel.id], "scheduled_at": LATER},
        {"channel_ids": [channel.id], "status": "scheduled"},
        {"channel_ids": [channel.id], "scheduled_at": NOW - timedelta(days=1)},
    ):
        with pytest.raises(Invalid):
            await desk.create(**body)
    async with desk.at() as (session, scope):
        vault = desk.vault
        page = await posts.search(session, scope, page=PageRequest(), cursors=Cursors(vault))
        assert page.items == []


async def test_publishing_makes_it_due_now(desk: Desk) -> None:
    channel = await desk.channel()
    draft = await desk.create(channel_ids=[channel.id])
    post = await desk.publish(draft)
    assert (post.status, post.version) == (PostStatus.PUBLISHING, 2)
    assert len(await desk.claim(NOW)) == 1


async def test_what_is_published_under_a_clock_that_is_ahead_does_not_wait_for_it(desk: Desk) -> None:
    channel = await desk.channel()
    draft = await desk.create(channel_ids=[channel.id])
    real = datetime.now(UTC)
    await desk.publish(draft, now=real + timedelta(hours=1))
    assert len(await desk.claim(real + timedelta(minutes=5))) == 1


async def test_publishing_a_scheduled_post_sends_it_once(desk: Desk) -> None:
    post = await desk.publish(await desk.scheduled(await desk.channel()))
    assert len(await desk.outgoing(post)) == 1
    assert len(await desk.claim(LATER)) == 1


async def test_scheduling_again_moves_it(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    async with desk.at() as (session, scope):
        moved = await posts.schedule(
            session, scope, post.id, at=LATER + timedelta(hours=1), cards=CARDS, now=NOW, if_version=1
        )
    assert moved.version == 2
    assert await desk.claim(LATER) == []
    assert len(await desk.claim(LATER + timedelta(hours=1))) == 1


async def test_a_cancelled_post_is_never_claimed(desk: Desk) -> None:
    post = await desk.cancel(await desk.scheduled(await desk.channel()))
    assert post.status is PostStatus.CANCELLED
    assert [o.state for o in await desk.outgoing(post)] == [OutgoingState.DROPPED]
    assert await desk.claim(LATER) == []


async def test_cancelling_wins_over_a_claim_that_has_not_begun(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    claims = await desk.claim(LATER)
    assert (await desk.cancel(post)).status is PostStatus.CANCELLED
    assert await desk.begin(claims, LATER) == []


async def test_what_is_being_sent_cannot_be_cancelled(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    await desk.attempt(LATER)
    with pytest.raises(Conflict):
        await desk.cancel(post)
    with pytest.raises(Conflict):
        await change(desk, post, text="too late")


async def test_a_cancelled_post_cannot_be_published(desk: Desk) -> None:
    post = await desk.cancel(await desk.create())
    with pytest.raises(Conflict):
        await desk.publish(post)


async def test_an_edit_of_a_scheduled_post_goes_out_in_its_new_form(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    changed = await change(desk, post, text="Bonsoir")
    assert (changed.status, changed.version) == (PostStatus.SCHEDULED, 2)
    made = await desk.attempt(LATER)
    assert made.effect.text == "Bonsoir"


async def test_a_channel_can_be_exchanged(desk: Desk) -> None:
    one, two = await desk.channel(), await desk.channel()
    post = await desk.scheduled(one)
    await change(desk, post, channel_ids=[str(two.id)])
    assert [v.channel_id for v in await desk.variants(post)] == [two.id]
    assert [o.channel_id for o in await desk.outgoing(post)] == [two.id]


async def test_a_change_of_another_version_is_stale(desk: Desk) -> None:
    post = await desk.create()
    with pytest.raises(Stale):
        await change(desk, post, if_version=7, text="x")


async def test_a_draft_can_be_deleted_and_is_gone(desk: Desk) -> None:
    post = await desk.create(channel_ids=[(await desk.channel()).id])
    async with desk.at() as (session, scope):
        await posts.delete(session, scope, post.id, now=NOW)
    with pytest.raises(NotFound):
        await desk.post(post)


async def test_a_scheduled_post_that_is_deleted_never_goes_out(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    async with desk.at() as (session, scope):
        await posts.delete(session, scope, post.id, now=NOW)
    assert await desk.claim(LATER) == []
    with pytest.raises(NotFound):
        await desk.post(post)


def test_who_deletes_what_is_out_is_told_how_it_leaves_its_network() -> None:
    with pytest.raises(Conflict, match="delete the mention that its variant names"):
        transitions.require(PostStatus.PUBLISHED, Verb.DELETE, [VariantStatus.PUBLISHED])


async def test_posts_are_listed_newest_first_page_by_page(desk: Desk) -> None:
    made = [await desk.create(now=NOW + timedelta(seconds=n), text=str(n)) for n in range(3)]
    cursors = Cursors(desk.vault)
    async with desk.at() as (session, scope):
        first = await posts.search(session, scope, page=PageRequest(2), cursors=cursors)
        rest = await posts.search(session, scope, page=PageRequest(2, first.next_cursor), cursors=cursors)
    assert [p.id for p in first.items + rest.items] == [p.id for p in reversed(made)]
    assert rest.next_cursor is None


async def test_a_filter_chooses_posts_by_status_and_channel(desk: Desk) -> None:
    channel = await desk.channel()
    await desk.create()
    planned = await desk.scheduled(channel)
    async with desk.at() as (session, scope):
        for where in (PostFilter(statuses=(PostStatus.SCHEDULED,)), PostFilter(channel_ids=(channel.id,))):
            page = await posts.search(session, scope, where=where, page=PageRequest(), cursors=Cursors(desk.vault))
            assert [p.id for p in page.items] == [planned.id]


async def test_a_foreign_post_is_not_found(desk: Desk) -> None:
    post = await desk.create()
    other = await desk.house.brand("Zee")
    stranger = Desk(desk.app, desk.worker, desk.house, other, desk.vault)
    with pytest.raises(NotFound):
        await stranger.post(post)
    with pytest.raises(NotFound):
        await stranger.cancel(post)


async def test_a_key_that_may_only_read_writes_nothing(desk: Desk) -> None:
    from shared.domain import scope as scopes

    key = await desk.house.key(desk.brand, KeyScope.READ)
    async with desk.app.session() as session:
        principal = await scopes.enter(session, key)
        scope = await scopes.open_brand(session, principal, desk.brand.brand_id)
        assert scope.role is GrantRole.OWNER
        with pytest.raises(NotAllowed):
            await posts.cancel(session, scope, new_uuid(), now=NOW)
