"""Many posts at once: each for itself, told of truthfully; copies; tables of new ones; second looks."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlmodel import col, select

from shared.connectors.registry import CARDS
from shared.domain.brands import channels
from shared.domain.publishing import campaigns, cautions, many, posts, sheets
from shared.domain.publishing.campaigns import CampaignDraft
from shared.domain.publishing.many import Done, Many
from shared.domain.publishing.sheets import Report
from shared.errors import Invalid
from shared.ids import new_uuid
from shared.models.enums import PostStatus
from shared.models.post import Post
from tests.conftest import NOW
from tests.domain.publishing.conftest import LATER, Desk

DAY = timedelta(days=1)


async def each(desk: Desk, do: str, *ids: UUID, **more: Any) -> list[Done]:
    async with desk.at() as (session, scope):
        wanted = Many.model_validate({"do": do, "post_ids": list(ids), **more})
        return await many.each(session, scope, many=wanted, cards=CARDS, now=NOW)


async def written(desk: Desk, table: str | bytes, **more: Any) -> Report:
    async with desk.at() as (session, scope):
        data = table if isinstance(table, bytes) else table.encode()
        return await sheets.write(session, scope, data, cards=CARDS, now=NOW, **more)


async def told(desk: Desk, post: Post) -> list[tuple[str, tuple[str | int, ...]]]:
    async with desk.at() as (session, scope):
        found = (await posts.variants_of(session, scope, [post.id])).get(post.id, [])
        warned = await cautions.of_posts(session, scope, [(await posts.get(session, scope, post.id), found)])
        return [(one.code, one.path) for one in warned[post.id]]


# ---------------------------------------------------------------- in bulk


async def test_one_that_can_not_be_does_not_hold_the_others_up(desk: Desk) -> None:
    channel = await desk.channel()
    good, draft = await desk.scheduled(channel), await desk.create()
    done = await each(desk, "move", good.id, draft.id, by_seconds=86_400)
    assert [[found.code for found in one.problems] for one in done] == [[], ["wrong_state"]]
    assert (await desk.post(good)).scheduled_at == LATER + DAY


async def test_moving_by_a_day_keeps_the_wall_clock_over_a_change_of_clocks(desk: Desk) -> None:
    channel = await desk.channel()
    post = await desk.create(
        channel_ids=[channel.id], local_time="2027-03-27T10:00", timezone="Europe/Brussels", status="scheduled"
    )
    await each(desk, "move", post.id, by_seconds=86_400)
    moved = await desk.post(post)
    assert moved.local_time == "2027-03-28T10:00"
    assert moved.scheduled_at is not None
    assert post.scheduled_at is not None
    assert moved.scheduled_at - post.scheduled_at == timedelta(hours=23)


async def test_many_are_scheduled_cancelled_and_deleted(desk: Desk) -> None:
    channel = await desk.channel()
    ids = [(await desk.create(channel_ids=[channel.id])).id for _ in range(3)]
    await each(desk, "schedule", *ids, scheduled_at=LATER)
    assert len(await desk.claim(LATER)) == 3
    other = [(await desk.create(channel_ids=[channel.id])).id for _ in range(2)]
    assert [one.post_id for one in await each(desk, "delete", *other)] == [None, None]


async def test_an_unknown_post_is_named_by_its_place_and_nothing_is_done(desk: Desk) -> None:
    post = await desk.scheduled(await desk.channel())
    with pytest.raises(Invalid) as error:
        await each(desk, "cancel", post.id, new_uuid())
    assert [one.path for one in error.value.problems] == [("post_ids", 1)]
    assert (await desk.post(post)).status is PostStatus.SCHEDULED


async def test_moving_needs_to_say_how_far(desk: Desk) -> None:
    with pytest.raises(Invalid):
        await each(desk, "move", new_uuid())


async def test_a_copy_says_the_same_without_time_or_history(desk: Desk) -> None:
    channel, gone = await desk.channel(), await desk.channel()
    post = await desk.scheduled(channel, gone, link="https://ex.be/a")
    async with desk.at() as (session, scope):
        await channels.remove(session, scope, gone.id, now=NOW)
    async with desk.at() as (session, scope):
        copy = await many.duplicate(session, scope, post.id, cards=CARDS, now=NOW)
        found = (await posts.variants_of(session, scope, [copy.id]))[copy.id]
    assert (copy.text, copy.link, copy.status, copy.scheduled_at) == (
        post.text, post.link, PostStatus.DRAFT, None,
    )  # fmt: skip
    assert [one.channel_id for one in found] == [channel.id]


# ---------------------------------------------------------------- tables


async def test_each_line_is_written_or_told_of_by_its_number_and_column(desk: Desk) -> None:
    channel = await desk.channel()
    name = channel.channel.name
    table = (
        "text;channels;scheduled_at;media;alt\r\n"
        f'"Bonjour\nà tous";{name.upper()};2027-01-04T09:00:00Z;https://ex.be/a.jpg;Une gaufre\r\n'
        f"Salut;{name};never;;\r\n"
        ";;;;\r\n"
        "Hallo;Nobody;;;\r\n"
        "Entwurf;;;;\r\n"
    )
    report = await written(desk, table)
    assert [(line.number, [(p.path, p.code) for p in line.problems]) for line in report.lines] == [
        (2, []), (4, [(("scheduled_at",), "invalid")]), (6, [(("channels",), "unknown_channel")]), (7, []),
    ]  # fmt: skip
    assert (report.written, report.refused) == (2, 2)
    async with desk.at() as (session, scope):
        assert report.lines[0].post_id is not None
        post = await posts.get(session, scope, report.lines[0].post_id)
    assert (post.text, post.status) == ("Bonjour\nà tous", PostStatus.SCHEDULED)


async def test_a_line_names_networks_campaigns_and_media_of_ours(desk: Desk) -> None:
    channel = await desk.channel()
    async with desk.at() as (session, scope):
        campaign = await campaigns.create(session, scope, draft=CampaignDraft(name="Winter"), now=NOW)
    report = await written(desk, "text,channels,campaign\nBonjour,generic,winter\nx,generic,summer\n")
    assert [[p.code for p in line.problems] for line in report.lines] == [[], ["unknown_campaign"]]
    assert report.lines[0].post_id is not None
    async with desk.at() as (session, scope):
        post = await posts.get(session, scope, report.lines[0].post_id)
        (variant,) = (await posts.variants_of(session, scope, [post.id]))[post.id]
    assert (post.campaign_id, variant.channel_id) == (campaign.id, channel.id)


async def test_two_addresses_in_one_and_cells_beyond_the_columns_are_told_of(desk: Desk) -> None:
    report = await written(
        desk, "text,media\nx,https://ex.be/a.jpg https://ex.be/b.jpg\nOne, two,https://ex.be/a.jpg\n"
    )
    assert [[(p.code, p.path) for p in line.problems] for line in report.lines] == [
        [("invalid", ("media",))], [("too_many_cells", ())],
    ]  # fmt: skip


async def test_an_id_that_is_none_is_told_of_in_words(desk: Desk) -> None:
    with pytest.raises(ValidationError, match="'foo' is not the id of a post: it begins with post_"):
        Many.model_validate({"do": "cancel", "post_ids": ["foo"]})


async def test_a_trial_says_the_same_and_keeps_nothing(desk: Desk) -> None:
    channel = await desk.channel()
    report = await written(desk, f"text,channels\nBonjour,{channel.channel.name}\nx,nobody\n", trial=True)
    assert (report.written, report.refused) == (1, 1)
    async with desk.at() as (session, scope):
        assert (await session.execute(select(Post.id).where(col(Post.brand_id) == scope.brand_id))).all() == []


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (b"", "bad_columns"),
        (b"text,colour\nx,y\n", "bad_columns"),
        (b"text,text\nx,y\n", "bad_columns"),
        (b"channels\nx\n", "bad_columns"),
        (b"text\n\xff\xfe\n", "bad_encoding"),
        (b'text\n"open\n', "bad_csv"),
        (b"text\n" + b"x\n" * 1001, "too_many"),
    ],
    ids=["empty", "unknown", "twice", "no_text", "encoding", "quote", "too_many"],
)
async def test_a_table_that_is_none_is_refused_whole_in_words(desk: Desk, table: bytes, code: str) -> None:
    with pytest.raises(Invalid) as error:
        await written(desk, table)
    assert error.value.code == code


# ---------------------------------------------------------------- second looks


async def test_the_same_said_on_the_same_channel_lately_is_warned_of(desk: Desk) -> None:
    channel, other = await desk.channel(), await desk.channel()
    await desk.scheduled(channel, text="Bonne  année !")
    again = await desk.create(text="bonne année !", variants=[{"channel_id": other.id}, {"channel_id": channel.id}])
    assert await told(desk, again) == [("duplicate", ("variants", 1))]


async def test_another_post_within_the_hour_is_warned_of_and_one_an_hour_away_is_not(desk: Desk) -> None:
    channel = await desk.channel()
    await desk.scheduled(channel, text="un")
    close = await desk.scheduled(channel, text="deux", at=LATER + timedelta(minutes=59))
    assert await told(desk, close) == [("clash", ("variants", 0))]
    apart = await desk.scheduled(channel, text="trois", at=LATER + timedelta(hours=2))
    assert await told(desk, apart) == []


async def test_a_picture_without_alt_text_is_warned_of(desk: Desk) -> None:
    channel = await desk.channel()
    media = [{"url": "https://ex.be/a.jpg", "alt": "Une gaufre"}, {"url": "https://ex.be/b.jpg"}]
    post = await desk.create(channel_ids=[channel.id], media=media)
    assert await told(desk, post) == [("missing_alt", ("media", 1))]


async def test_what_is_called_off_is_no_reason_to_warn(desk: Desk) -> None:
    channel = await desk.channel()
    await desk.cancel(await desk.scheduled(channel, text="un"))
    assert await told(desk, await desk.scheduled(channel, text="un")) == []
