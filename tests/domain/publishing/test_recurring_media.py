"""What comes again names media of ours, and a campaign: each post has them, and media stay while posts are to come."""

import pytest

from shared.connectors.registry import CARDS
from shared.domain.publishing import campaigns, posts
from shared.domain.publishing.campaigns import CampaignDraft
from shared.domain.publishing.drafts import PostChanges
from shared.domain.publishing.planning import occurring
from shared.errors import Conflict, Invalid
from shared.ids import Prefix, new_uuid, typeid
from tests.conftest import NOW
from tests.domain.publishing.conftest import Desk
from tests.domain.publishing.test_media import keep, public, remove
from tests.domain.publishing.test_recurrences import begin, change, made, read

MONDAYS = "FREQ=WEEKLY;BYDAY=MO;COUNT=3"


async def test_each_post_of_a_recurrence_has_its_media(desk: Desk) -> None:
    row, own, channel = await keep(desk), await keep(desk), await desk.channel()
    variants = [{"channel_id": str(channel.id), "media_ids": [public(own)], "parts": [{"text": "and"}]}]
    one = await begin(desk, channel, MONDAYS, media=[{"media_id": public(row)}], variants=variants)
    found = await made(desk, one)
    assert [[item["media_id"] for item in post.media] for post in found] == [[public(row)]] * 3
    for post in found:
        (variant,) = await desk.variants(post)
        assert [item["media_id"] for item in variant.media or []] == [public(own)]


async def test_media_of_a_recurrence_stay_until_it_ends(desk: Desk) -> None:
    row, channel = await keep(desk), await desk.channel()
    one = await begin(desk, channel, MONDAYS, media=[{"media_id": public(row)}], starts_on="2027-06-07")
    assert await made(desk, one) == []
    with pytest.raises(Conflict, match=typeid(Prefix.RECURRENCE, one.id)):
        await remove(desk, row)
    async with desk.at() as (session, scope):
        await occurring.end(session, scope, one.id, now=NOW)
    await remove(desk, row)


async def test_other_media_are_held_in_place_of_those_before(desk: Desk) -> None:
    before, after, channel = await keep(desk), await keep(desk), await desk.channel()
    one = await begin(desk, channel, MONDAYS, media=[{"media_id": public(before)}])
    changed = await change(desk, one, media=[{"media_id": public(after)}])
    assert changed.replaced == 3
    await remove(desk, before)
    with pytest.raises(Conflict):
        await remove(desk, after)


async def test_media_that_are_not_there_are_named_by_their_place(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        await begin(desk, await desk.channel(), MONDAYS, media=[{"media_id": typeid(Prefix.MEDIA, new_uuid())}])
    assert [(one.code, one.path) for one in refused.value.problems] == [("unknown_media", ("media", 0))]


async def test_a_post_whose_media_somebody_changed_by_hand_stays(desk: Desk) -> None:
    channel = await desk.channel()
    one = await begin(desk, channel, MONDAYS)
    first = (await made(desk, one))[0]
    async with desk.at() as (session, scope):
        by_hand = PostChanges.model_validate({"media": [{"url": "https://pictures.example/soup.jpg"}]})
        await posts.update(session, scope, first.id, changes=by_hand, cards=CARDS, now=NOW)
    changed = await change(desk, await read(desk, one), text="Soup again")
    assert (changed.replaced, list(changed.kept)) == (2, [first.id])


async def test_each_post_of_a_recurrence_joins_its_campaign(desk: Desk) -> None:
    async with desk.at() as (session, scope):
        campaign = await campaigns.create(session, scope, draft=CampaignDraft(name="Winter"), now=NOW)
    one = await begin(desk, await desk.channel(), MONDAYS, campaign_id=str(campaign.id))
    assert {post.campaign_id for post in await made(desk, one)} == {campaign.id}
    assert (await change(desk, one, campaign_id=None)).replaced == 3
    assert {post.campaign_id for post in await made(desk, one)} == {None}


async def test_a_campaign_that_is_not_there_is_refused_however_far_off_the_first_post_is(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        await begin(desk, await desk.channel(), MONDAYS, campaign_id=str(new_uuid()), starts_on="2027-06-07")
    assert [(one.code, one.path) for one in refused.value.problems] == [("unknown_campaign", ("campaign_id",))]
