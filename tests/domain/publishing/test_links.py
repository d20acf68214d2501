"""A client without a user agrees by a link: to these posts, until it ends, to what they saw."""

from datetime import timedelta

import pytest

from shared.domain.publishing.agreeing import links, showing
from shared.domain.publishing.agreeing.links import LinkDraft
from shared.domain.publishing.agreeing.showing import Stage, View
from shared.errors import Conflict, Invalid, NotFound, Over, Stale
from shared.ids import new_uuid
from shared.models.enums import ApprovalKind, PostStatus, Reviewer
from shared.models.post import Post
from tests.conftest import NOW
from tests.domain.publishing.agreeing import NOOR, Table
from tests.domain.publishing.conftest import ADDRESS, LATER, Desk


@pytest.fixture
async def table(desk: Desk) -> Table:
    found = Table(desk)
    await found.wants("one", client=True)
    return found


async def see(table: Table, token: str) -> View:
    async with table.desk.app.session() as session:
        scope, link = await links.enter(session, token, now=NOW)
        return await showing.view(session, scope, link, address=ADDRESS(NOW))


async def for_client(table: Table, desk: Desk) -> Post:
    """A post to which the people have agreed."""
    return await table.agree(await table.write(await desk.channel()))


async def test_after_the_people_it_waits_for_the_client(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    assert post.status is PostStatus.IN_REVIEW
    assert (await table.stands(post)).waits_for is Reviewer.CLIENT


async def test_the_clients_word_schedules_it(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    post = await table.client(await table.link(post), post)
    assert post.status is PostStatus.SCHEDULED
    assert len(await desk.claim(LATER)) == 1
    assert [(one.name, one.version) for one in (await table.said(post))[1:]] == [("Mme Claes", post.version - 1)]


async def test_the_client_comes_after_the_people(table: Table, desk: Desk) -> None:
    post = await table.write(await desk.channel())
    with pytest.raises(Conflict):
        await table.client(await table.link(post), post)


async def test_people_do_not_speak_for_the_client(table: Table, desk: Desk) -> None:
    from tests.domain.publishing.agreeing import JAN

    post = await for_client(table, desk)
    with pytest.raises(Conflict) as refused:
        await table.agree(post, JAN)
    assert refused.value.code == "not_your_turn"


async def test_a_word_on_an_old_version_is_not_kept(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    made, seen = await table.link(post), (await table.stands(post)).digest
    await table.edit(post, text="Bonsoir")
    with pytest.raises(Stale):
        await table.client(made, post, digest=seen)
    assert len(await table.said(post)) == 1


async def test_the_same_word_twice_is_one_word(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    made = await table.link(post)
    await table.client(made, post)
    await table.client(made, post)
    assert len(await table.said(post)) == 2


async def test_a_client_who_wants_changes_gives_it_back(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    post = await table.client(await table.link(post), post, ApprovalKind.CHANGES_REQUESTED, comment="too loud")
    assert post.status is PostStatus.DRAFT
    assert (await table.said(post))[-1].text == "too loud"


async def test_wanting_changes_needs_words(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    with pytest.raises(Invalid):
        await table.client(await table.link(post), post, ApprovalKind.CHANGES_REQUESTED)


async def test_an_expired_link_opens_nothing(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    made = await table.link(post, days=7)
    with pytest.raises(Over):
        await table.client(made, post, now=NOW + timedelta(days=7))


async def test_a_revoked_link_opens_nothing(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    made = await table.link(post)
    async with table.by(NOOR) as (session, scope):
        await links.revoke(session, scope, made.link.id, now=NOW)
    with pytest.raises(Over):
        await see(table, made.token)


@pytest.mark.parametrize("token", ["", "x", "é", "x" * 5000, "\x00"], ids=["empty", "short", "odd", "long", "null"])
async def test_a_token_that_nobody_gave_out_is_no_link(table: Table, token: str) -> None:
    with pytest.raises(NotFound):
        await see(table, token)


async def test_a_link_opens_its_own_posts_and_no_other(table: Table, desk: Desk) -> None:
    mine, other = await for_client(table, desk), await for_client(table, desk)
    made = await table.link(mine)
    assert [one.post.id for one in (await see(table, made.token)).posts] == [mine.id]
    with pytest.raises(NotFound):
        await table.client(made, other)


async def test_only_the_hash_of_a_token_is_kept(table: Table, desk: Desk) -> None:
    made = await table.link(await for_client(table, desk))
    assert made.token.encode() not in bytes(made.link.hash)
    assert len(made.token) >= 43


async def test_what_is_still_worked_on_is_not_shown(table: Table, desk: Desk) -> None:
    post = await table.write(await desk.channel(), text="not yet")
    (shown,) = (await see(table, (await table.link(post)).token)).posts
    assert (shown.stage, shown.forms) == (Stage.NOT_READY, [])


async def test_each_channels_form_is_shown_as_it_will_look(table: Table, desk: Desk) -> None:
    one, two = await desk.channel(), await desk.channel()
    post = await table.agree(await table.write(one, two, variants=[{"channel_id": two.id, "text": "Goeiedag"}]))
    (shown,) = (await see(table, (await table.link(post)).token)).posts
    assert (shown.stage, {form.text for form in shown.forms}) == (Stage.YOURS, {"Bonjour", "Goeiedag"})


async def test_remarks_of_the_people_are_not_the_clients_to_see(table: Table, desk: Desk) -> None:
    post = await for_client(table, desk)
    await table.remark(post, "the client won't notice")
    (shown,) = (await see(table, (await table.link(post)).token)).posts
    assert shown.said == []


async def test_a_link_by_time_is_for_what_is_planned_then(table: Table, desk: Desk) -> None:
    mine = await for_client(table, desk)
    await table.write(await desk.channel(), at=LATER + timedelta(days=30))
    made = await table.link(post_ids=[], since=NOW, until=NOW + timedelta(days=7))
    assert made.link.post_ids == [mine.id]


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + timedelta(days=91)}, "expires_at"),
        ({"post_ids": []}, "post_ids"),
        ({"since": NOW, "until": LATER}, "post_ids"),
        ({"post_ids": [new_uuid()]}, "post_ids"),
        ({"post_ids": [], "since": NOW, "until": NOW}, "since"),
    ],
    ids=["over", "too_long", "no_posts", "both", "unknown", "empty_range"],
)
async def test_a_wrong_link_is_refused_by_its_place(
    table: Table, desk: Desk, wrong: dict[str, object], place: str
) -> None:
    post = await for_client(table, desk)
    with pytest.raises(Invalid) as refused:
        await table.link(post, **wrong)  # type: ignore[arg-type]
    assert refused.value.problems[0].path[0] == place


async def test_another_brands_post_is_no_post_for_a_link(table: Table, desk: Desk) -> None:
    other = Desk(desk.app, desk.worker, desk.house, await desk.house.brand("Zee"), desk.vault)
    foreign = await other.create()
    with pytest.raises(Invalid):
        await table.link(foreign)


def test_a_draft_names_posts_by_their_public_ids() -> None:
    with pytest.raises(ValueError, match="not the id of a post"):
        LinkDraft.model_validate({"name": "x", "expires_at": NOW, "post_ids": ["chan_01h2xcejqtf2nbrexx3vqjhp41"]})
