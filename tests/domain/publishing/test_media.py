"""Posts that name media: what is named is there, fits its networks, and stays for as long as it is needed."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from shared.connectors.registry import CARDS
from shared.contract import Certainty, Sent
from shared.domain.engagement import acts
from shared.domain.engagement.acts import ReplyDraft
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostChanges
from shared.domain.publishing.library import media, media_leaving
from shared.domain.publishing.library.media import NewMedia
from shared.domain.publishing.sending.outcomes import Live
from shared.errors import Conflict, Invalid
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import MediaKind, Network, OutgoingKind
from shared.models.media import Media
from shared.models.mention import Mention
from shared.models.post import Post, Variant
from tests.conftest import NOW
from tests.domain.listening.test_record import hear, said
from tests.domain.publishing.conftest import LATER, Desk


async def keep(desk: Desk, **facts: Any) -> Media:
    """A file that the brand has."""
    id_ = new_uuid()
    made = {
        "id": id_, "name": "a.jpg", "kind": MediaKind.IMAGE, "type": "image/jpeg", "size": 1000, "width": 60,
        "height": 40, "seconds": None, "fingerprint": id_.hex, "key": f"brand/{id_.hex}.jpg", "alts": {}, **facts,
    }  # fmt: skip
    async with desk.at() as (session, scope):
        row, _ = await media.add(session, scope, NewMedia(**made), now=NOW)
    return row


def public(row: Media) -> str:
    return typeid(Prefix.MEDIA, row.id)


async def remove(desk: Desk, row: Media) -> None:
    async with desk.at() as (session, scope):
        await media.remove(session, scope, row.id, now=NOW)


async def change(desk: Desk, post: Post, **changes: Any) -> Post:
    async with desk.at() as (session, scope):
        wanted = PostChanges.model_validate(changes)
        return await posts.update(session, scope, post.id, changes=wanted, cards=CARDS, now=NOW)


async def variants(desk: Desk, post: Post) -> list[Variant]:
    async with desk.at() as (session, scope):
        return (await posts.variants_of(session, scope, [post.id]))[post.id]


async def test_a_post_names_media_by_their_ids(desk: Desk) -> None:
    row, moving = await keep(desk), await keep(desk, kind=MediaKind.GIF, type="image/gif", seconds=1.0)
    post = await desk.create(media_ids=[public(row), public(moving)])
    assert post.media == [
        {"media_id": public(row), "kind": "image", "alt": None},
        {"media_id": public(moving), "kind": "gif", "alt": None},
    ]


async def test_a_variant_has_the_posts_media_its_own_or_none(desk: Desk) -> None:
    shared, own = await keep(desk), await keep(desk)
    first, second, third = [await desk.channel(external_id=name) for name in "abc"]
    post = await desk.create(
        media_ids=[public(shared)],
        variants=[
            {"channel_id": typeid(Prefix.CHANNEL, first.id)},
            {"channel_id": typeid(Prefix.CHANNEL, second.id), "media_ids": [public(own)]},
            {"channel_id": typeid(Prefix.CHANNEL, third.id), "media_ids": []},
        ],
    )
    found = {row.channel_id: row.media for row in await variants(desk, post)}
    assert found[first.id] is None
    assert found[second.id] == [{"media_id": public(own), "kind": "image", "alt": None}]
    assert found[third.id] == []
    # Naming the channels anew keeps what each says.
    await change(desk, post, channel_ids=[typeid(Prefix.CHANNEL, one.id) for one in (first, second, third)])
    assert {row.channel_id: row.media for row in await variants(desk, post)} == found


async def test_what_is_not_the_brands_is_refused_at_its_place(desk: Desk) -> None:
    channel = typeid(Prefix.CHANNEL, (await desk.channel()).id)
    gone, other = await keep(desk), typeid(Prefix.MEDIA, new_uuid())
    await remove(desk, gone)
    with pytest.raises(Invalid) as error:
        await desk.create(
            media=[{"media_id": other}],
            variants=[
                {
                    "channel_id": channel,
                    "media_ids": [public(gone)],
                    "parts": [{"text": "more", "media": [{"media_id": other}]}],
                }
            ],
        )
    assert {(one.code, one.path) for one in error.value.problems} == {
        ("unknown_media", ("media", 0)),
        ("unknown_media", ("variants", 0, "media_ids", 0)),
        ("unknown_media", ("variants", 0, "parts", 0, "media", 0)),
    }


async def test_media_and_media_ids_are_two_ways_to_say_one_thing(desk: Desk) -> None:
    row = await keep(desk)
    with pytest.raises(Invalid) as error:
        await desk.create(media_ids=[public(row)], media=[{"url": "https://example.org/a.jpg"}])
    assert [(one.code, one.path) for one in error.value.problems] == [("exclusive", ("media_ids",))]


async def test_media_that_a_waiting_post_names_can_t_go(desk: Desk) -> None:
    row = await keep(desk)
    post = await desk.create(media_ids=[public(row)])
    with pytest.raises(Conflict, match=typeid(Prefix.POST, post.id)) as error:
        await remove(desk, row)
    assert error.value.code == "media_in_use"
    await change(desk, post, media_ids=[])
    await remove(desk, row)


@pytest.mark.parametrize("where", ["variant", "part"])
async def test_media_that_a_variant_or_its_part_names_can_t_go(where: str, desk: Desk) -> None:
    row = await keep(desk)
    channel = typeid(Prefix.CHANNEL, (await desk.channel()).id)
    named: dict[str, Any] = {"media_ids": [public(row)]}
    if where == "part":
        named = {"parts": [{"text": "more", "media": [{"media_id": public(row)}]}]}
    post = await desk.create(variants=[{"channel_id": channel, **named}])
    with pytest.raises(Conflict):
        await remove(desk, row)
    async with desk.at() as (session, scope):
        await posts.delete(session, scope, post.id, now=NOW)
    await remove(desk, row)


async def test_media_of_a_post_that_went_out_are_hidden_and_stay(desk: Desk) -> None:
    row = await keep(desk)
    channel = typeid(Prefix.CHANNEL, (await desk.channel()).id)
    await desk.create(media_ids=[public(row)], channel_ids=[channel], scheduled_at=LATER.isoformat())
    made = await desk.attempt(LATER)
    await desk.settle(made, Live(Sent("outside-1")), LATER)
    await remove(desk, row)
    async with desk.at() as (session, scope):
        assert await media_leaving.forget(session, scope, limit=10) == []
        assert (await media.by_ids(session, scope, [row.id]))[row.id].removed_at == NOW


async def test_media_that_nothing_names_leave_with_their_file(desk: Desk) -> None:
    row, other = await keep(desk), await keep(desk)
    await remove(desk, row)
    async with desk.at(desk.worker) as (session, scope):
        assert await media_leaving.forget(session, scope, limit=10) == [row.key]
        assert await media_leaving.unclaimed(session, scope, [row.key, other.key, "brand/x"]) == {row.key, "brand/x"}


async def test_a_post_that_is_written_while_its_media_go_wins_or_is_told(desk: Desk) -> None:
    for _ in range(8):
        row = await keep(desk)
        written, removed = await asyncio.gather(
            desk.create(media_ids=[public(row)]), remove(desk, row), return_exceptions=True
        )
        if isinstance(removed, Conflict):
            assert isinstance(written, Post)
        else:
            assert removed is None
            assert isinstance(written, Invalid)


async def test_an_effect_brings_its_media_as_they_are_when_it_is_sent(desk: Desk) -> None:
    row = await keep(desk, alts={"nl": "De lantaarns"})
    channel = typeid(Prefix.CHANNEL, (await desk.channel()).id)
    named = [{"media_id": public(row)}, {"url": "https://example.org/b.jpg", "alt": "elsewhere"}]
    await desk.create(media=named, channel_ids=[channel], scheduled_at=LATER.isoformat())
    async with desk.at() as (session, scope):
        changes = media.MediaChanges(alts={"fr": "Les lanternes"})
        await media.update(session, scope, row.id, changes=changes)
    own, foreign = (await desk.attempt(LATER)).effect.media
    assert (own.key, own.type, own.size, own.width, own.height) == (row.key, "image/jpeg", 1000, 60, 40)
    assert own.alt == "Les lanternes"  # the brand's first language
    assert own.url.startswith("http://api.example/media/")
    assert (foreign.key, foreign.url, foreign.alt) == (None, "https://example.org/b.jpg", "elsewhere")


@pytest.mark.parametrize(
    ("own", "alts", "said"),
    [
        ("here only", {"fr": "f"}, "here only"),
        (None, {"de": "d", "nl": "n"}, "n"),
        (None, {"it": "i"}, None),
        (None, {}, None),
    ],
)
async def test_a_text_is_the_items_own_or_in_the_brands_first_language(
    own: str | None, alts: dict[str, str], said: str | None, desk: Desk
) -> None:
    row = await keep(desk, alts=alts)
    channel = typeid(Prefix.CHANNEL, (await desk.channel()).id)
    item = {"media_id": public(row), "alt": own}
    await desk.create(media=[item], channel_ids=[channel], scheduled_at=LATER.isoformat())
    (found,) = (await desk.attempt(LATER)).effect.media
    assert found.alt == said


async def test_an_answer_holds_its_media_until_it_is_out(desk: Desk) -> None:
    row = await keep(desk)
    await hear(desk.worker, await desk.channel(), said("comment-1"))
    offers = {OutgoingKind.PUBLISH: Certainty.LOOKED_UP, OutgoingKind.REPLY: Certainty.LOOKED_UP}
    cards = {**CARDS, Network.GENERIC: replace(CARDS[Network.GENERIC], effects=offers)}
    async with desk.at() as (session, scope):
        (mention,) = (await session.execute(select(Mention).where(col(Mention.brand_id) == scope.brand_id))).scalars()
        draft = ReplyDraft.model_validate({"text": "Voilà", "media": [{"media_id": public(row)}]})
        made = await acts.reply(session, scope, mention.id, draft=draft, cards=cards, now=NOW)
    with pytest.raises(Conflict, match=typeid(Prefix.OUTGOING, made.id)):
        await remove(desk, row)
    attempt = await desk.attempt(NOW + timedelta(minutes=1))
    assert attempt.effect.media[0].key == row.key
    await desk.settle(attempt, Live(Sent("outside-2")), NOW + timedelta(minutes=1))
    await remove(desk, row)


async def test_a_post_with_media_only_can_go_out(desk: Desk) -> None:
    row = await keep(desk)
    channel = typeid(Prefix.CHANNEL, (await desk.channel()).id)
    post = await desk.create(text="", media_ids=[public(row)], channel_ids=[channel], scheduled_at=LATER.isoformat())
    assert post.status.value == "scheduled"
