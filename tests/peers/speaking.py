"""The brand speaks by Parvis's doors, and what became of it: every effect's own story."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.contract import Connector, Login, OutgoingEffect, Sent, Target
from shared.ids import Prefix, parse_typeid
from shared.models.enums import OutgoingKind
from tests.connectors.conformance.specimen import PICTURE, PICTURES, effect
from tests.connectors.loopback import guarded
from tests.peers.house import Json, PeerHouse
from tests.peers.peer import Row

WITHIN = 20.0  # a chain of effects waits for each one before it
UNDER_WAY = frozenset({"draft", "scheduled", "publishing"})
ENDED = frozenset({"live", "refused", "uncertain", "dropped"})


@dataclass(frozen=True, slots=True)
class Speaking:
    """The brand's channel on a network, spoken by."""

    house: PeerHouse
    channel_id: str

    async def publish(self, text: str, **variant: Any) -> Json:
        """Let a post go out now; the post as it is at once."""
        variants = [{"channel_id": self.channel_id, **variant}]
        body = {"text": text, "channel_ids": [self.channel_id], "variants": variants}
        made = await self.house.rest("POST", "/posts", json=body)
        assert made.status_code == 201, made.text
        answer = await self.house.rest("POST", f"/posts/{made.json()['id']}/publish")
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    async def over(self, post: Json, within: float = WITHIN) -> tuple[Json, float]:
        """The post's variant when all its effects have ended, and how long that took."""
        variant: Json = {}

        async def ended() -> bool:
            answer = await self.house.rest("GET", f"/posts/{post['id']}")
            [found] = answer.json()["variants"]
            variant.update(found)
            settled = found["status"] not in UNDER_WAY  # it may be read a moment before its effects are
            return settled and all(one["state"] in ENDED for one in found["outgoing"])

        _, took = await self.house.until(ended, within)
        return variant, took

    async def does(self, mention_id: str, verb: str, **body: Any) -> tuple[Json, float]:
        """What the brand does to a mention, when it has ended."""
        path = f"/mentions/{mention_id}"
        if verb == "delete":
            answer = await self.house.rest("DELETE", path)
        else:
            answer = await self.house.rest("POST", f"{path}/{verb}", **({"json": body} if body else {}))
        assert answer.is_success, answer.text
        return await self.ended(answer.json()["id"])

    async def ended(self, outgoing_id: str, within: float = WITHIN) -> tuple[Json, float]:
        story: Json = {}

        async def is_over() -> bool:
            story.update((await self.house.rest("GET", f"/outgoing/{outgoing_id}")).json())
            return story["state"] in ENDED

        _, took = await self.house.until(is_over, within)
        return story, took

    async def mention_id(self, network: str, external_id: str) -> str:
        """The mention's id, once it was heard."""

        async def heard() -> str:
            found = (await self.house.mentions(network)).get(external_id)
            return str(found["id"]) if found is not None else ""

        found, _ = await self.house.until(heard, WITHIN)
        assert found, f"{external_id} was never heard"
        return found


async def is_found(
    connector: Connector, login: Login, story: Json, text: str = "", target: Target | None = None, **more: str | None
) -> bool:
    """Whether the effect is found where a look-up would look for it, as what it was answered with."""
    wanted = OutgoingEffect(
        story["id"], OutgoingKind(story["kind"]), text, "", target=target,
        parent_external_id=more.get("parent"), undoes=more.get("undoes"),
        seed=parse_typeid(Prefix.OUTGOING, story["id"]).int,
        first_attempt_at=datetime.fromisoformat(story["first_attempt_at"]),
    )  # fmt: skip
    async with guarded(send_timeout_seconds=20) as http:
        found = await connector.find(http, login, wanted)
    return found is not None and found.external_id == story["external_id"]


async def are_found(connector: Connector, login: Login, variant: Json, texts: dict[str, str]) -> bool:
    """Whether each effect of a post is found, whose texts are told by their kind."""
    ids = {one["id"]: one["external_id"] for one in variant["outgoing"]}
    looks = [
        await is_found(connector, login, one, texts[one["kind"]], parent=ids.get(one["after_id"]))
        for one in variant["outgoing"]
    ]
    return len(looks) == len(texts) and all(looks)


def steps(story: Json) -> str:
    """An effect's tries in words."""
    return ", ".join(f"{one['step']} {one['outcome'] or 'unheard of'}" for one in story["attempts"])


def told(what: str, story: Json, took: float, good: bool = True) -> Row:
    """A row about an effect that has to be live."""
    live = story["state"] == "live"
    note = "" if live and good else f"{story['state']} {(story.get('problem') or {}).get('message', '')}"
    return Row(what, live and good, took, note)


async def with_a_picture(connector: Connector, login: Login) -> tuple[OutgoingEffect, Sent, Sent | None]:
    """A post with a picture by the connector itself: what was sent, how it was answered, and found."""
    async with guarded(send_timeout_seconds=20) as http:
        wanted = effect("out_picture", text="Het plein in de zon", media=(PICTURE,))
        for _ in range(30):
            found = await connector.prepare(http, login, wanted, PICTURES)
            wanted = replace(wanted, marks=found.marks)
            if found.wait is None:
                break
        sent = await connector.send(http, login, wanted)
        return wanted, sent, await connector.find(http, login, wanted)
