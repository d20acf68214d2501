"""Posts go to a Page and to an Instagram account once, with what hangs beneath them, whatever Graph answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.connectors.registry import CARDS
from shared.domain import scope as scopes
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostDraft
from shared.models.enums import Network, PostStatus
from shared.models.post import Post
from tests.conftest import HouseChannel
from tests.connectors.graph_rig import ACCOUNT, ACCOUNT_TOKEN, PAGE, PAGE_TOKEN, SECRET
from tests.connectors.loopback import serving
from tests.connectors.specimens.facebook import graph
from tests.networks.fakes.graph import FakeGraph, Fault, Token
from tests.services.scheduler.conftest import Yard, until

PICTURE = {"url": "https://media.example/plein.jpg", "kind": "image", "alt": "Een plein"}
MADE_AND_DECLINED = b'{"error": {"code": 20, "error_subcode": 1772107, "message": "no such response format"}}'


@dataclass(frozen=True)
class There:
    """The network, and the brand's two channels on it."""

    fake: FakeGraph
    page: HouseChannel
    account: HouseChannel

    def live(self) -> tuple[list[str], list[str]]:
        """What the Page and the account show of their own."""
        world = self.fake.world
        return world.named(PAGE, "published_posts"), world.named(ACCOUNT, "media")

    def comments(self) -> list[list[str]]:
        """The texts beneath each of those."""
        things = self.fake.world.things
        beneath = [things[one].edges.get("comments", []) for listed in self.live() for one in listed]
        return [[str(told.get("message") or told["text"]) for told in (things[name].values for name in one)]
                for one in beneath]  # fmt: skip


@asynccontextmanager
async def meta(yard: Yard) -> AsyncIterator[There]:
    fake = graph()
    fake.tokens = {PAGE_TOKEN: Token(PAGE), ACCOUNT_TOKEN: Token(ACCOUNT)}
    async with serving(fake) as port:
        fake.url = f"http://127.0.0.1:{port}"

        async def channel(network: Network, external_id: str, host: str, token: str) -> HouseChannel:
            return await yard.house.channel(
                yard.brand, network, external_id=external_id, base_url=f"{fake.url}/{host}/v26.0",
                credentials={"access_token": token, "app_secret": SECRET},
            )  # fmt: skip

        page = await channel(Network.FACEBOOK, PAGE, "graph.facebook.com", PAGE_TOKEN)
        account = await channel(Network.INSTAGRAM, ACCOUNT, "graph.instagram.com", ACCOUNT_TOKEN)
        yield There(fake, page, account)


async def publish(yard: Yard, there: There) -> Post:
    now = datetime.now(UTC)
    variants: list[dict[str, Any]] = [
        {"channel_id": str(one.id), "first_comment": "#markt"} for one in (there.page, there.account)
    ]
    async with yard.app.session() as session:
        scope = await scopes.house(session, yard.brand.brand_id)
        draft = PostDraft.model_validate({"text": "Ouvert dimanche", "media": [PICTURE], "variants": variants})
        post = await posts.create(session, scope, draft=draft, cards=CARDS, now=now)
        return await posts.publish(session, scope, post.id, cards=CARDS, now=now)


@pytest.mark.parametrize(
    "faults",
    [
        (),
        (Fault("/feed", after_seconds=2, done=True), Fault("/media_publish", after_seconds=2, done=True)),
        (Fault("/feed", 500, b"oops", done=True), Fault("/media_publish", 500, b"oops", done=True)),
        (Fault("/feed", 500, b"oops"), Fault("/media_publish", 500, b"oops")),
        (Fault("/comments", 400, MADE_AND_DECLINED, count=2, method="POST", done=True),),
        (Fault("/photos", 500, b"oops"), Fault("/media", 500, b"oops", method="POST")),
    ],
    ids=["well", "no answer", "done and 500", "500", "comments made and declined", "uploads fail"],
)
async def test_a_post_and_its_first_comment_are_there_once(yard: Yard, faults: tuple[Fault, ...]) -> None:
    async with meta(yard) as there, yard.scheduler():
        there.fake.faults = [Fault(**vars(one)) for one in faults]
        post = await publish(yard, there)
        await yard.becomes(post, PostStatus.PUBLISHED)

        async def all_said() -> bool:
            return there.comments() == [["#markt"], ["#markt"]]

        await until(all_said)
        assert [len(listed) for listed in there.live()] == [1, 1]


async def test_a_page_whose_token_died_holds_its_post_and_the_account_has_it(yard: Yard) -> None:
    async with meta(yard) as there, yard.scheduler():
        there.fake.tokens[PAGE_TOKEN].dead = 460
        post = await publish(yard, there)

        async def account_has_it() -> bool:
            return len(there.live()[1]) == 1

        await until(account_has_it)
        await yard.becomes(post, PostStatus.HELD)
        assert there.live()[0] == []
