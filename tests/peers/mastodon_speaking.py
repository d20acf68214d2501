"""The brand speaks on a Mastodon server that others wrote; one that fails, and one that answers and says nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from shared.connectors.mastodon import Mastodon
from shared.contract import Target
from shared.models.enums import MentionKind
from tests.peers.house import Json
from tests.peers.logins import ChannelLogin
from tests.peers.peer import Row
from tests.peers.speaking import Speaking, are_found, is_found, steps, told, with_a_picture

_DOUBT = 60.0  # an absence is believed after 15 s, and then it is sent again

Does = Callable[..., Awaitable[Json]]


@dataclass
class MastodonSpeaking:
    """`does` calls the server as one of its people, `fault` lets the next request of a kind fail."""

    speaking: Speaking
    login: ChannelLogin
    does: Does
    fault: Callable[[Json, Json], Awaitable[None]]

    async def own(self) -> list[Any]:
        me = await self.does("alan", "GET", "accounts/verify_credentials")
        found: Any = await self.does("alan", "GET", f"accounts/{me['id']}/statuses?limit=40")
        return list(found)

    async def found(self, story: Json, external_id: str, text: str = "") -> bool:
        """Whether a look-up finds the effect on the server."""
        target = Target(external_id, MentionKind.POST)
        return await is_found(Mastodon(), await self.login.read(), story, text, target)

    async def says(self, text: str, **more: Any) -> str:
        """Somebody says something; its id."""
        return str((await self.does("ada", "POST", "statuses", status=text, **more))["id"])

    async def thread(self) -> AsyncIterator[Row]:
        post = await self.speaking.publish(
            "Een van twee #plein", parts=[{"text": "Twee van twee"}], first_comment="Vragen?", audience="unlisted"
        )
        variant, took = await self.speaking.over(post)
        good = variant["status"] == "published" and len(variant["outgoing"]) == 3
        yield Row("a post, a part beneath it, a comment: live", good, took, str(variant["problems"] or ""))
        ours = [one for one in await self.own() if one["id"] in {it["external_id"] for it in variant["outgoing"]}]
        beneath = [one["in_reply_to_id"] for one in ours]
        yield Row(
            "each is there once, unlisted", len(ours) == 3 and {o["visibility"] for o in ours} == {"unlisted"}, None
        )
        yield Row("two of them hang beneath", len([one for one in beneath if one]) == 2, None)
        texts = {"publish": "Een van twee #plein", "thread_part": "Twee van twee", "first_comment": "Vragen?"}
        found = await are_found(Mastodon(), await self.login.read(), variant, texts)
        yield Row("each is found by what it says", found, None)

    async def conversation(self) -> AsyncIterator[Row]:
        said = str(
            (await self.does("ada", "POST", "statuses", status="@alan mag ik iets vragen?", visibility="direct"))["id"]
        )
        mention = await self.speaking.mention_id("mastodon", said)
        story, took = await self.speaking.does(mention, "replies", text="Natuurlijk")
        answer = await self.does("ada", "GET", f"statuses/{story['external_id']}") if story["external_id"] else {}
        private = answer.get("visibility") == "direct" and answer.get("in_reply_to_id") == said
        named = [one["acct"] for one in answer.get("mentions", [])]
        found = await self.found(story, said, "Natuurlijk")
        yield told(
            "an answer in private, which its addressee sees", story, took, private and named == ["ada"] and found
        )
        public = await self.says("@alan mooi!")
        mention = await self.speaking.mention_id("mastodon", public)
        liked, took = await self.speaking.does(mention, "like")
        count = (await self.does("ada", "GET", f"statuses/{public}"))["favourites_count"]
        yield told("a favourite", liked, took, count == 1 and await self.found(liked, public))
        unliked, took = await self.speaking.does(mention, "unlike")
        count = (await self.does("ada", "GET", f"statuses/{public}"))["favourites_count"]
        found = await self.found(unliked, public)
        yield told("the favourite taken back", unliked, took, count == 0 and found)
        own = await self.speaking.mention_id("mastodon", story["external_id"])
        deleted, took = await self.speaking.does(own, "delete")
        gone = story["external_id"] not in {one["id"] for one in await self.own()}
        yield told("our answer deleted", deleted, took, gone and await self.found(deleted, story["external_id"]))

    async def picture(self) -> AsyncIterator[Row]:
        wanted, sent, found = await with_a_picture(Mastodon(), await self.login.read())
        shown = await self.does("ada", "GET", f"statuses/{sent.external_id}")
        alts = [one["description"] for one in shown["media_attachments"]]
        yield Row("a picture with its description", alts == [wanted.media[0].alt], None)
        yield Row("looked up by what it says: found", found == sent, None)

    async def failed(self) -> AsyncIterator[Row]:
        """A server that fails without having done it, and one whose answer is broken."""
        for what, effect in (
            ("a server error", {"type": "status", "status": 503}),
            ("an answer that is broken", {"type": "malformed"}),
        ):
            await self.fault({"methods": ["POST"], "path": "/api/v1/statuses"}, effect)
            text = f"Tijdens {what}"
            variant, took = await self.speaking.over(await self.speaking.publish(text), _DOUBT)
            story = (await self.speaking.house.rest("GET", f"/outgoing/{variant['outgoing'][0]['id']}")).json()
            there = [one for one in await self.own() if text in one["content"]]
            good = variant["status"] == "published" and len(there) == 1
            yield Row(f"{what}: settled by itself, one status", good, took, f"{len(there)} there; {steps(story)}")
