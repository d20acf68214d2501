"""A house with one brand on it, its channels to many spots, and effects that are asked for by REST and watched."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from services.local.servers import read_kept
from shared.connectors.registry import connector
from shared.contract import Author, Said
from shared.db import Database, Session, is_passing
from shared.domain import scope as scopes
from shared.domain.brands import connecting
from shared.domain.listening import record
from shared.domain.listening.batches import HeardPart
from shared.domain.scope import Scope
from shared.ids import Prefix, parse_typeid, typeid
from shared.models import Channel, ChannelDraft
from shared.models.enums import MentionKind, Network, OutgoingKind
from shared.vault import Vault
from tests.connectors.loopback import serving
from tests.faults.effects.grounds import Ground, Partners, Practice, Spot
from tests.faults.effects.lies import TOKEN_SECONDS, Lie
from tests.faults.effects.nursery import Lanes, Nursery
from tests.faults.effects.partner import Partner
from tests.faults.rig import Json, Rig, rig

LANES = 24
_HOUSE = {
    "PARVIS_LEASE_SECONDS": "4",
    "PARVIS_SEND_TIMEOUT_SECONDS": "2",
    "PARVIS_RETRY_FIRST_SECONDS": "2",
    "PARVIS_RETRY_MAX_SECONDS": "5",
    "PARVIS_LOG_LEVEL": "WARNING",
}
_LOOK_SECONDS = 0.1
_AWAY_SECONDS = 60.0
_IS_OVER = """
SELECT o.id FROM outgoing o JOIN channel c ON (c.brand_id, c.id) = (o.brand_id, o.channel_id)
 WHERE o.id = ANY ($1) AND (o.state = ANY ($2) OR c.status = 'login_dead')
"""
_OVER = ("live", "refused", "uncertain", "dropped")


@dataclass(frozen=True)
class Spotted:
    """A spot, the brand's channel to it, and the mention that stands there."""

    spot: Spot
    channel_id: str
    mention_id: str


@dataclass(frozen=True)
class Effect:
    """One effect that was asked for, on a spot of its own."""

    id: UUID
    kind: OutgoingKind
    on: Spotted


@dataclass(frozen=True, slots=True)
class End:
    """Where an effect stood when it stood still: its state, or that it waits for a login that only a person has."""

    state: str
    after: float  # seconds
    doubted: bool  # whether it was ever not known what became of it
    message: str | None = None

    @property
    def needs_person(self) -> bool:
        return self.state in {"uncertain", "login_dead"}


class Stage:
    """Everything that a run needs."""

    def __init__(self, on: Rig, pool: "asyncpg.Pool[asyncpg.Record]", grounds: Sequence[Ground]) -> None:
        self.rig, self.pool = on, pool
        self.grounds = {ground.network: ground for ground in grounds}
        self.lanes = Lanes(pool, str(on.settings.worker_database_url))
        self.urls: list[str] = []
        self.counting = asyncio.Semaphore(4)  # ways that are counted at once: a slow one has other points
        self._brand = on.example
        self._looking, self._looked_at = asyncio.Lock(), -1.0
        self._watched: set[UUID] = set()
        self._over: set[UUID] = set()
        bearer = {"authorization": f"Bearer {self._brand['api_key']}"}
        address = f"{on.api}/v1/brands/{self._brand['brand_id']}"
        self.rest = httpx.AsyncClient(base_url=address, headers=bearer, trust_env=False, timeout=30)

    def nursery(self, *modules: str) -> Nursery:
        """Schedulers to be started, with one act of theirs changed by each of the modules."""
        return Nursery(self.rig, self.urls, modules)

    async def spots(self, network: Network, lie: Lie, count: int) -> list[Spotted]:
        """New spots, with channels to them. Nobody polls them: a poll would be lied to in an effect's place."""
        spots = [await self.grounds[network].spot(lie) for _ in range(count)]
        db = Database(self.rig.owner_url, name="faults", size=1)
        try:
            async with db.session() as session:
                scope = await scopes.house(session, parse_typeid(Prefix.BRAND, self._brand["brand_id"]))
                made = [await self._connected(session, scope, spot) for spot in spots]
                parts = [_heard(spot, channel) for spot, channel in zip(spots, made, strict=True)]
                keys = [key for (key,) in await record.record(session, scope, parts, now=datetime.now(UTC))]
        finally:
            await db.close()
        await self.pool.execute("DELETE FROM due_poll")
        if lie.runs_out:
            await asyncio.sleep(TOKEN_SECONDS)
        rows = await self.pool.fetch("SELECT id, key FROM mention WHERE key = ANY ($1)", keys)
        ids = {row["key"]: typeid(Prefix.MENTION, row["id"]) for row in rows}
        return [
            Spotted(spot, typeid(Prefix.CHANNEL, channel.id), ids[key])
            for spot, channel, key in zip(spots, made, keys, strict=True)
        ]

    async def _connected(self, session: Session, scope: Scope, spot: Spot) -> Channel:
        known = connector(spot.network)
        connected = await connecting.connect(
            session,
            scope,
            Vault([key.get_secret_value() for key in self.rig.settings.secret_keys]),
            draft=ChannelDraft(network=spot.network, external_id=spot.name, base_url=spot.base_url),
            credentials=spot.credentials,
            card=known.card,
            new_secret=known.new_secret(),
            hook_base_url="http://127.0.0.1:1",
            now=datetime.now(UTC),
        )
        return connected.channel

    async def ask(self, kind: OutgoingKind, on: Spotted, lie: Lie) -> Effect:
        """Ask for an effect now, with the network ready to lie about it. No scheduler sees it yet."""
        await self.grounds[on.spot.network].lie(on.spot, lie, kind)
        text = f"Open until ten tonight {uuid.uuid4().hex}"
        match kind:
            case OutgoingKind.PUBLISH:
                post = await self._done("POST", "/posts", json={"text": text, "channel_ids": [on.channel_id]})
                found = await self._done("POST", f"/posts/{post['id']}/publish")
                (effect,) = found["variants"][0]["outgoing"]
            case OutgoingKind.REPLY:
                effect = await self._done("POST", f"/mentions/{on.mention_id}/replies", json={"text": text})
            case OutgoingKind.HIDE:
                effect = await self._done("POST", f"/mentions/{on.mention_id}/hide")
            case OutgoingKind.DELETE:
                effect = await self._done("DELETE", f"/mentions/{on.mention_id}")
            case _:
                raise ValueError(f"{kind.value} is not asked for here")
        return Effect(parse_typeid(Prefix.OUTGOING, effect["id"]), kind, on)

    async def _done(self, method: str, path: str, **more: Any) -> Json:
        """The answer to a request, which is repeated under one key while the house is away. Raises AssertionError."""
        key = {} if method == "GET" else {"idempotency-key": uuid.uuid4().hex}
        until = asyncio.get_running_loop().time() + _AWAY_SECONDS
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await self.rest.request(method, path, headers=key, **more)
                if answer.status_code < 500 or asyncio.get_running_loop().time() > until:
                    break
            await asyncio.sleep(_LOOK_SECONDS)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        found: Json = answer.json()
        return found

    async def end(self, effect: Effect, *, seconds: float) -> End:
        """Wait until the effect stands still, then read by REST where. `stuck` where it did not come to that."""
        clock = asyncio.get_running_loop().time
        began = clock()
        while not await self.is_over(effect) and clock() < began + seconds:
            await asyncio.sleep(_LOOK_SECONDS)
        after = clock() - began
        self._watched.discard(effect.id)
        told = await self._done("GET", f"/outgoing/{typeid(Prefix.OUTGOING, effect.id)}")
        doubted = any(one["step"] == "send" and one["outcome"] in {None, "unknown"} for one in told["attempts"])
        state = told["state"]
        if state not in _OVER:
            channel = await self._done("GET", f"/channels/{effect.on.channel_id}")
            state = "login_dead" if channel["status"] == "login_dead" else "stuck"
        return End(state, after, doubted, (told["problem"] or {}).get("message"))

    async def is_over(self, effect: Effect) -> bool:
        """Whether nothing more happens to it by itself, as it was a moment ago."""
        self._watched.add(effect.id)
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now > self._looked_at + _LOOK_SECONDS:
                # It is asked often and for many at once, and so not by REST.
                try:
                    rows = await self.pool.fetch(_IS_OVER, list(self._watched), _OVER)
                    self._over = {row["id"] for row in rows}
                except Exception as error:
                    if not is_passing(error):
                        raise
                self._looked_at = now
        return effect.id in self._over

    async def by_person(self, effect: Effect, end: End) -> None:
        """What a person does: a login that is dead is given anew; what is uncertain is looked at, and settled."""
        if end.state == "login_dead":
            fresh = await self.grounds[effect.on.spot.network].login(effect.on.spot)
            await self._done("PATCH", f"/channels/{effect.on.channel_id}", json={"credentials": fresh})
        else:
            copies = await self.copies(effect)
            word = {"as": "adopt", "external_id": copies[0]} if copies else {"as": "send"}
            await self._done("POST", f"/outgoing/{typeid(Prefix.OUTGOING, effect.id)}/settle", json=word)
        self._looked_at = -1.0

    async def copies(self, effect: Effect) -> list[str]:
        """What is live of it on its network."""
        return await self.grounds[effect.on.spot.network].copies(effect.on.spot, effect.kind)


def _heard(spot: Spot, channel: Channel) -> HeardPart:
    """What stands on a spot, as its network tells it."""
    now = datetime.now(UTC)
    author = Author(f"lea-{spot.name}")
    said = Said(spot.said, MentionKind.COMMENT, now, text="Still open?", author=author, published_at=now)
    space = "" if connector(spot.network).card.shared_ids else str(channel.id)
    return HeardPart(channel.id, channel.network, space, [said])


@asynccontextmanager
async def stage(place: Path) -> AsyncIterator[Stage]:
    """A house for effects, in `place`. Enter it on the main thread."""
    async with rig(place, without=("ingest", "ingest_worker"), **_HOUSE) as house:
        kept = read_kept(house.folder)
        assert kept is not None
        pool = await asyncpg.create_pool(kept.urls().superuser, min_size=0, max_size=3, timeout=10)
        partner, practice = Partner(), Practice(house.sandbox)
        async with pool, serving(partner) as port:
            made = Stage(house, pool, (practice, Partners(partner, port)))
            made.urls = await made.lanes.make(LANES)
            try:
                yield made
            finally:
                await practice.close()
                await made.rest.aclose()
