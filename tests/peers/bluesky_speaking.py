"""The brand speaks on a real Bluesky network, and a scheduler is killed at the worst moment: there is one post."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.connectors.bluesky import Bluesky
from shared.contract import Target
from shared.models.enums import MentionKind
from tests.peers.bluesky_people import POST, Person
from tests.peers.cutting import Cutting, cutting
from tests.peers.house import Json
from tests.peers.logins import ChannelLogin
from tests.peers.peer import Row
from tests.peers.speaking import Speaking, are_found, is_found, steps, told, with_a_picture

_INDEXED = 2.0  # until the AppView shows what the host has
_LEASE = 60.0  # a lease of 30 s, the next process, and two looks


@dataclass
class BlueskySpeaking:
    """The brand's account and a fan, the channel, and the login by which it speaks."""

    speaking: Speaking
    pds: str
    brand: Person
    fan: Person
    login: ChannelLogin

    async def record(self, uri: str) -> Json | None:
        """The record as its host has it, asked for by nobody in particular."""
        did, collection, rkey = uri.removeprefix("at://").split("/")
        asked = {"repo": did, "collection": collection, "rkey": rkey}
        answer = await self.brand.http.get(f"{self.pds}/xrpc/com.atproto.repo.getRecord", params=asked)
        if answer.status_code != 200:
            return None
        found: Json = answer.json()["value"]
        return found

    async def posts(self, text: str) -> list[str]:
        """The brand's posts with this text."""
        asked: dict[str, str | int] = {"repo": self.brand.did, "collection": POST, "limit": 100}
        answer = await self.brand.http.get(f"{self.pds}/xrpc/com.atproto.repo.listRecords", params=asked)
        return [one["uri"] for one in answer.json()["records"] if one["value"]["text"] == text]

    async def found(self, story: Json, target: Target, undoes: str | None = None) -> bool:
        """Whether a look-up finds the effect on the real network."""
        return await is_found(Bluesky(), await self.login.read(), story, target=target, undoes=undoes)

    # ------------------------------------------------------------ acts

    async def thread(self) -> AsyncIterator[Row]:
        """A post with a link, a hashtag and a mention; a second part, and a comment beneath."""
        text = f"Nieuw: https://example.be/plein, zegt @{self.fan.handle} 👩‍👩‍👧 #parvis"
        parts = [{"text": "Twee van twee"}]
        post = await self.speaking.publish(text, parts=parts, first_comment="Vragen? Hier!")
        variant, took = await self.speaking.over(post)
        good = variant["status"] == "published" and len(variant["outgoing"]) == 3
        yield Row("a post, a part beneath it, a comment: live", good, took, str(variant["problems"] or ""))
        records = [await self.record(one["external_id"]) for one in variant["outgoing"] if one["external_id"]]
        kinds = [f["features"][0]["$type"].partition("#")[2] for f in (records[0] or {}).get("facets", [])]
        yield Row(
            "its link, mention and hashtag are marked", kinds == ["link", "mention", "tag"], None, ", ".join(kinds)
        )
        roots = {(one or {}).get("reply", {}).get("root", {}).get("uri") for one in records[1:]}
        yield Row("both hang in its thread", roots == {variant["external_id"]}, None)
        there = [len(await self.posts(one)) for one in (text, parts[0]["text"], "Vragen? Hier!")]
        yield Row("each is there once", there == [1, 1, 1], None)
        texts = {"publish": text, "thread_part": parts[0]["text"], "first_comment": "Vragen? Hier!"}
        found = await are_found(Bluesky(), await self.login.read(), variant, texts)
        yield Row("each is found by its key", found, None)

    async def conversation(self) -> AsyncIterator[Row]:
        """An answer is answered, liked and unliked, hidden and shown; our own answer is deleted."""
        post = await self.speaking.publish("Wat vindt u van het plein?")
        variant, _ = await self.speaking.over(post)
        uri = str(variant["external_id"])
        await asyncio.sleep(_INDEXED)
        top = (await self.brand.http.get(f"{self.pds}/xrpc/com.atproto.repo.getRecord", params={
            "repo": self.brand.did, "collection": POST, "rkey": uri.rpartition("/")[2]})).json()  # fmt: skip
        ref = {"uri": uri, "cid": top["cid"]}
        said = await self.fan.post("Te warm!", reply={"root": ref, "parent": ref})
        mention = await self.speaking.mention_id("bluesky", said.uri)
        target = Target(said.uri, MentionKind.REPLY, self.fan.did, uri)
        story, took = await self.speaking.does(mention, "replies", text="Er komen bomen")
        answer = await self.record(story["external_id"] or f"at://{self.brand.did}/{POST}/none")
        beneath = (answer or {}).get("reply", {}).get("parent", {}).get("uri") == said.uri
        yield told("an answer, beneath what it answers", story, took, beneath and await self.found(story, target))
        liked, took = await self.speaking.does(mention, "like")
        there = await self.record(liked["external_id"]) is not None
        yield told("a like", liked, took, there and await self.found(liked, target))
        await asyncio.sleep(_INDEXED)
        unliked, took = await self.speaking.does(mention, "unlike")
        gone = await self.record(liked["external_id"]) is None
        gone = gone and await self.found(unliked, target, undoes=liked["external_id"])
        yield told("the like taken back", unliked, took, gone)
        gate = uri.replace(POST, "app.bsky.feed.threadgate")
        hidden, took = await self.speaking.does(mention, "hide")
        listed = ((await self.record(gate)) or {})["hiddenReplies"] == [said.uri]
        yield told("hidden for everybody", hidden, took, listed and await self.found(hidden, target))
        seen, took = await self.speaking.does(mention, "unhide")
        empty = ((await self.record(gate)) or {})["hiddenReplies"] == []
        yield told("shown again", seen, took, empty and await self.found(seen, target))
        own = await self.speaking.mention_id("bluesky", story["external_id"])
        deleted, took = await self.speaking.does(own, "delete")
        gone = await self.record(story["external_id"]) is None
        ours = Target(story["external_id"], MentionKind.REPLY, self.brand.did)
        yield told("our answer deleted", deleted, took, gone and await self.found(deleted, ours))

    async def picture(self) -> AsyncIterator[Row]:
        wanted, sent, found = await with_a_picture(Bluesky(), await self.login.read())
        images = ((await self.record(sent.external_id)) or {})["embed"]["images"]
        good = [image["alt"] for image in images] == [wanted.media[0].alt]
        yield Row("a picture with its description", good, None, f"{images[0]['image']['size']} bytes")
        yield Row("looked up by its key: found", found == sent, None)

    async def killed(self) -> AsyncIterator[Row]:
        """The scheduler dies when the host has written the post, and when it was about to be told."""
        host = str((await self.login.read()).credentials["service"])
        async with cutting(host, "com.atproto.repo.createRecord") as proxy:
            await self.login.change(service=proxy.url)
            try:
                for after, what in ((True, "after the host wrote it"), (False, "before the host was told")):
                    yield await self._killed(proxy, what, after=after)
            finally:
                await self.login.change(service=host)

    async def _killed(self, proxy: Cutting, what: str, *, after: bool) -> Row:
        rig = self.speaking.house.rig
        since, text = rig.watch.ends("scheduler"), f"Gedood {what}"
        proxy.cut_next(lambda: rig.kill("scheduler"), after=after)
        post = await self.speaking.publish(text)
        variant, took = await self.speaking.over(post, _LEASE * 1.5)
        there = await self.posts(text)
        story = (await self.speaking.house.rest("GET", f"/outgoing/{variant['outgoing'][0]['id']}")).json()
        died = rig.watch.ends("scheduler") == since + 1
        good = died and variant["status"] == "published" and there == [variant["external_id"]]
        note = f"{len(there)} there; {steps(story)}"
        return Row(f"killed {what}: settled by itself, one post", good and took <= _LEASE, took, note)
