"""Links say where their visitors come from, once, and never over a person's own words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.publishing import campaigns, posts
from shared.domain.publishing.campaigns import CampaignChanges, CampaignDraft, usual
from shared.domain.publishing.drafts import PostChanges
from shared.domain.publishing.tagging import Tagging
from shared.errors import Conflict, Invalid, Stale
from shared.models.campaign import Campaign
from tests.conftest import NOW
from tests.domain.publishing.conftest import LATER, Desk

TAGS = Tagging({"source": "{network}", "medium": "social"})
TAGGED = "utm_source=mastodon&utm_medium=social"


@pytest.mark.parametrize(
    ("address", "tagged"),
    [
        ("https://ex.be/a", f"https://ex.be/a?{TAGGED}"),
        ("https://ex.be/a?b=1#c", f"https://ex.be/a?b=1&{TAGGED}#c"),
        ("https://ex.be/?utm_source=mail", "https://ex.be/?utm_source=mail&utm_medium=social"),
        ("https://ex.be?q=%C3%A9&q=&x", f"https://ex.be?q=%C3%A9&q=&x&{TAGGED}"),
        ("https://[bad", "https://[bad"),
    ],
)
def test_a_link_gets_the_tags_that_it_does_not_have(address: str, tagged: str) -> None:
    assert TAGS.link(address, "mastodon") == tagged


def test_links_in_a_sentence_keep_what_stands_after_them() -> None:
    text = "Voir https://ex.be/a, ou (https://ex.be/b). Fin"
    assert TAGS.text(text, "mastodon") == f"Voir https://ex.be/a?{TAGGED}, ou (https://ex.be/b?{TAGGED}). Fin"


def test_only_links_to_the_domains_named_are_tagged() -> None:
    some = Tagging({"medium": "social"}, ("ex.be",))
    assert some.link("https://www.ex.be/", "x") == "https://www.ex.be/?utm_medium=social"
    assert some.link("https://notex.be/", "x") == "https://notex.be/"


@given(st.text(max_size=80))
def test_tagging_twice_is_tagging_once(text: str) -> None:
    once = TAGS.text(f"{text} https://ex.be/ {text}", "mastodon")
    assert TAGS.text(once, "mastodon") == once


def test_a_name_makes_a_plain_tag() -> None:
    assert usual("Été à la mer – 2027!")["campaign"] == "ete-a-la-mer-2027"


# ---------------------------------------------------------------- with posts


async def begun(desk: Desk, **more: object) -> Campaign:
    async with desk.at() as (session, scope):
        draft = CampaignDraft.model_validate({"name": "Été", **more})
        return await campaigns.create(session, scope, draft=draft, now=NOW)


async def test_what_goes_out_is_tagged_for_its_network(desk: Desk) -> None:
    campaign = await begun(desk)
    await desk.scheduled(await desk.channel(), text="Voir https://ex.be/a", campaign_id=campaign.id)
    made = await desk.attempt(LATER)
    assert made.effect.text == "Voir https://ex.be/a?utm_source=generic&utm_medium=social&utm_campaign=ete"


async def test_new_tags_are_for_what_is_not_scheduled_yet(desk: Desk) -> None:
    campaign = await begun(desk)
    channel = await desk.channel()
    scheduled = await desk.scheduled(channel, text="https://ex.be/a", campaign_id=campaign.id)
    draft = await desk.create(channel_ids=[channel.id], text="https://ex.be/b", campaign_id=campaign.id)
    async with desk.at() as (session, scope):
        changes = CampaignChanges(tags={"medium": "mail"})
        await campaigns.change(session, scope, campaign.id, changes=changes, now=NOW, if_version=1)
    await desk.publish(draft, LATER)
    texts = {made.effect.text for made in await desk.begin(await desk.claim(LATER), LATER)}
    assert texts == {
        "https://ex.be/a?utm_source=generic&utm_medium=social&utm_campaign=ete", "https://ex.be/b?utm_medium=mail",
    }  # fmt: skip
    assert scheduled.campaign_id == campaign.id


async def test_a_post_leaves_its_campaign(desk: Desk) -> None:
    campaign = await begun(desk)
    post = await desk.create(text="https://ex.be/a", campaign_id=campaign.id)
    async with desk.at() as (session, scope):
        changes = PostChanges(campaign_id=None)
        left = await posts.update(session, scope, post.id, changes=changes, cards=desk.cards, now=NOW)
    assert (left.campaign_id, left.tagging) == (None, None)


async def test_a_campaign_with_posts_is_not_let_go(desk: Desk) -> None:
    campaign = await begun(desk)
    await desk.create(campaign_id=campaign.id)
    with pytest.raises(Conflict) as error:
        async with desk.at() as (session, scope):
            await campaigns.delete(session, scope, campaign.id)
    assert error.value.code == "in_use"


async def test_a_campaign_that_somebody_else_changed_is_stale(desk: Desk) -> None:
    campaign = await begun(desk)
    with pytest.raises(Stale):
        async with desk.at() as (session, scope):
            await campaigns.delete(session, scope, campaign.id, if_version=7)


async def test_a_campaign_does_not_end_before_it_starts(desk: Desk) -> None:
    with pytest.raises(Invalid):
        await begun(desk, starts_on=date(2027, 2, 1), ends_on=date(2027, 1, 1))


@pytest.mark.parametrize("wrong", [{"tags": {"colour": "red"}}, {"domains": ["https://ex.be/"]}], ids=["tag", "domain"])
def test_what_is_no_tag_and_no_domain_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"unknown tags|is no domain"):
        CampaignDraft.model_validate({"name": "Été", **wrong})
