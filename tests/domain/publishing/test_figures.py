"""What networks count of our posts is kept from hour to hour, and what became of them there is seen."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text

from shared.contract import Capability, Counted, Deleted, Heard, Said, Sent
from shared.domain.listening import record
from shared.domain.listening.batches import HeardPart
from shared.domain.publishing import figures
from shared.domain.publishing.sending.outcomes import Live
from shared.models.enums import AuthorKind, MentionKind, Network
from shared.models.post import Figure, Variant
from tests.conftest import HouseChannel
from tests.domain.publishing.conftest import LATER, Desk

HOUR = timedelta(hours=1)
OWN = Said("42", MentionKind.POST, LATER, "Bonjour", author_kind=AuthorKind.BRAND)


async def live(desk: Desk, channel: HouseChannel) -> Variant:
    """A post that its network has as 42, and tells us of."""
    post = await desk.scheduled(channel)
    await desk.settle(await desk.attempt(LATER), Live(Sent("42")), LATER)
    await hears(desk, channel, [OWN])
    (variant,) = await desk.variants(post)
    return variant


async def hears(desk: Desk, channel: HouseChannel, facts: Sequence[Heard]) -> None:
    async with desk.at(desk.worker) as (session, scope):
        part = HeardPart(channel.id, Network.GENERIC, str(channel.id), list(facts))
        await record.record(session, scope, [part], now=LATER)


async def kept(desk: Desk, variant: Variant) -> list[Figure]:
    async with desk.at() as (session, scope):
        return (await figures.of_variants(session, scope, [variant.id])).get(variant.id, [])


def counted(likes: int, at: datetime) -> Counted:
    return Counted("42", at, likes=likes)


async def test_the_last_count_of_each_hour_is_kept(desk: Desk) -> None:
    channel = await desk.channel()
    variant = await live(desk, channel)
    for likes, minutes in ((1, 5), (3, 50), (7, 65)):
        await hears(desk, channel, [counted(likes, LATER + timedelta(minutes=minutes))])
    assert [(one.hour, one.likes) for one in await kept(desk, variant)] == [(LATER, 3), (LATER + HOUR, 7)]


async def test_what_was_not_said_is_null_and_not_zero(desk: Desk) -> None:
    channel = await desk.channel()
    variant = await live(desk, channel)
    await hears(desk, channel, [counted(1, LATER)])
    (one,) = await kept(desk, variant)
    assert (one.likes, one.shares) == (1, None)


async def test_a_count_that_comes_late_changes_nothing(desk: Desk) -> None:
    channel = await desk.channel()
    variant = await live(desk, channel)
    await hears(desk, channel, [counted(5, LATER + timedelta(minutes=9))])
    await hears(desk, channel, [counted(4, LATER + timedelta(minutes=3))])
    assert [one.likes for one in await kept(desk, variant)] == [5]


async def test_what_others_posts_count_is_no_figure_of_ours(desk: Desk) -> None:
    channel = await desk.channel()
    variant = await live(desk, channel)
    await hears(desk, channel, [Said("7", MentionKind.POST, LATER, "Salut"), Counted("7", LATER, likes=9)])
    assert await kept(desk, variant) == []


async def test_a_post_taken_down_on_its_network_is_seen_to_be(desk: Desk) -> None:
    channel = await desk.channel()
    variant = await live(desk, channel)
    await hears(desk, channel, [Deleted("42", LATER + HOUR)])
    async with desk.at() as (session, scope):
        shown = (await figures.mentions_of(session, scope, [variant.id]))[variant.id]
    assert shown.deleted_at == LATER + HOUR


async def test_where_a_network_tells_nobody_of_our_post_it_is_asked(desk: Desk) -> None:
    capabilities = desk.cards[Network.GENERIC].capabilities | {Capability.RECHECK}
    silent = desk.knowing(capabilities=capabilities, pushes_everything=False)
    channel = await silent.channel()
    await silent.scheduled(channel)
    await silent.settle(await silent.attempt(LATER), Live(Sent("42")), LATER)
    async with silent.worker.session() as session:
        rows = (await session.execute(text("SELECT kind, external_id FROM due_fetch"))).all()
    assert [tuple(row) for row in rows] == [("own", "42")]
