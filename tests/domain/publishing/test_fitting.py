"""What a network would not take is said before anything is planned, and kept on the draft until it fits."""

from dataclasses import replace

import pytest

from shared.connectors.registry import CARDS, CONNECTORS
from shared.contract import Length
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostChanges, PostDraft
from shared.errors import Invalid
from shared.models.enums import Network, PostStatus, VariantStatus
from shared.models.post import Post
from tests.conftest import NOW, HouseChannel
from tests.domain.publishing.conftest import LATER, Desk

LONG = "x" * 10_001  # the practice network takes 10,000
PICTURE = {"url": "https://pictures.example/1.png"}


async def _practice(desk: Desk) -> HouseChannel:
    return await desk.channel(
        Network.SANDBOX, name="Practice", base_url="http://127.0.0.1:9", credentials={"access_token": "t"}
    )


@pytest.mark.parametrize("network", CONNECTORS)
@pytest.mark.parametrize("text", ["", "Zondag open", "x" * 20_000])
def test_a_card_counts_as_its_connector_does(network: Network, text: str) -> None:
    assert CARDS[network].count(text) == CONNECTORS[network].count(text)


async def test_a_draft_that_is_too_long_lists_it_among_its_problems(desk: Desk) -> None:
    post = await desk.create(text=LONG, channel_ids=[(await _practice(desk)).id, (await desk.channel()).id])

    practice, generic = await desk.variants(post)
    assert practice.status is VariantStatus.DRAFT
    assert practice.problems == [{
        "code": "too_long", "path": ["text"], "used": 10_001, "limit": 10_000, "unit": "characters",
        "message": "the text for 'Practice' has 10001 characters: Practice network takes at most 10000",
    }]  # fmt: skip
    assert generic.problems == []


async def test_more_media_than_the_practice_network_takes_are_named_before_anything_is_sent(desk: Desk) -> None:
    media = [{"url": f"https://example.org/{n}.jpg"} for n in range(11)]
    post = await desk.create(text="all of them", media=media, channel_ids=[(await _practice(desk)).id])

    (variant,) = await desk.variants(post)
    assert [(one["code"], one["used"], one["limit"]) for one in variant.problems] == [("too_many", 11, 10)]


async def test_a_draft_that_fits_again_has_no_problems(desk: Desk) -> None:
    post = await desk.create(text=LONG, channel_ids=[(await _practice(desk)).id])
    async with desk.at() as (session, scope):
        await posts.update(session, scope, post.id, changes=PostChanges(text="short"), cards=CARDS, now=NOW)

    assert [variant.problems for variant in await desk.variants(post)] == [[]]


async def test_a_text_that_does_not_fit_is_not_published(desk: Desk) -> None:
    letters, practice = await desk.channel(), await _practice(desk)
    post = await desk.create(
        text="short", channel_ids=[letters.id],
        variants=[{"channel_id": str(letters.id)}, {"channel_id": str(practice.id), "text": LONG}],
    )  # fmt: skip
    with pytest.raises(Invalid) as caught:
        await desk.publish(post)

    (found,) = caught.value.problems
    assert (found.code, found.path) == ("too_long", ("variants", 1, "text"))
    for said in ("Practice", "text", "10001", "10000", "characters"):
        assert said in found.message
    assert (await desk.post(post)).status is PostStatus.DRAFT
    assert await desk.outgoing(post) == []


async def test_a_post_is_not_written_to_be_sent_where_it_does_not_fit(desk: Desk) -> None:
    with pytest.raises(Invalid) as caught:
        await desk.scheduled(await desk.channel(), await _practice(desk), text=LONG)

    assert [problem.path for problem in caught.value.problems] == [("variants", 1, "text")]


async def test_a_planned_post_is_not_changed_to_what_does_not_fit(desk: Desk) -> None:
    post = await desk.scheduled(await _practice(desk))
    with pytest.raises(Invalid):
        async with desk.at() as (session, scope):
            await posts.update(session, scope, post.id, changes=PostChanges(text=LONG), cards=CARDS, now=NOW)

    assert ((await desk.post(post)).status, (await desk.post(post)).text) == (PostStatus.SCHEDULED, "Bonjour")
    assert len(await desk.claim(LATER)) == 1


async def test_a_form_of_its_own_that_fits_goes_out_beside_a_text_that_would_not(desk: Desk) -> None:
    practice = await _practice(desk)
    post = await desk.scheduled(text=LONG, variants=[{"channel_id": str(practice.id), "text": "short"}])

    assert post.status is PostStatus.SCHEDULED


async def _create(desk: Desk, cards: posts.Cards, **body: object) -> Post:
    async with desk.at() as (session, scope):
        draft = PostDraft.model_validate({"text": "Bonjour", **body})
        return await posts.create(session, scope, draft=draft, cards=cards, now=NOW)


async def test_a_text_counts_as_its_network_counts_and_media_up_to_its_most(desk: Desk) -> None:
    letters = await desk.channel()
    strict = replace(
        CARDS[Network.GENERIC], count=lambda text: Length(len(text.encode()), 10, "bytes"), most_media=1
    )  # fmt: skip
    variants = [{"channel_id": str(letters.id), "text": "éééééé", "media": [PICTURE, PICTURE]}]
    with pytest.raises(Invalid) as caught:
        await _create(desk, {**CARDS, Network.GENERIC: strict}, variants=variants, scheduled_at=LATER)

    assert [(problem.code, problem.path) for problem in caught.value.problems] == [
        ("too_long", ("variants", 0, "text")),
        ("too_many", ("variants", 0, "media")),
    ]
    assert "12 bytes" in caught.value.problems[0].message
