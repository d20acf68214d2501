"""A channel's login inside the house: read, made to run out on purpose, and renewed where the house does not by itself.

A house with `services/logins.py` identifies, renews and looks again on its own, and is left to it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from uuid import UUID

import httpx

from services.local import folder
from shared import http as guarded
from shared.connectors.registry import connector
from shared.contract import Login
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.brands import logins
from shared.domain.listening import inbox
from shared.domain.listening.inbox import Target
from shared.ids import Prefix, parse_typeid
from shared.models.channel import Channel
from shared.models.enums import ArrivalSource
from shared.vault import Vault
from tests.peers.house import PeerHouse

BY_ITSELF = find_spec("services.logins") is not None


@dataclass(frozen=True, slots=True)
class ChannelLogin:
    """One channel's login, as the house's worker would hold it."""

    db: Database
    vault: Vault
    http: httpx.AsyncClient
    brand_id: UUID
    channel_id: UUID

    async def read(self) -> Login:
        async with self.db.session() as session:
            return logins.login(self.vault, await self._channel(session))

    async def put(self, login: Login) -> None:
        """Let the channel hold this login from now on."""
        async with self.db.session() as session:
            channel = await self._channel(session)
            channel.external_id, channel.base_url = login.channel_external_id, login.base_url
            channel.credentials = logins.seal(self.vault, channel.id, dict(login.credentials))
            await session.flush()

    async def identify(self) -> Login:
        """Ask the network whom the login speaks for, and keep the session that it gives."""
        login = await self.read()
        async with self.db.session() as session:
            network = (await self._channel(session)).network
        choice = await connector(network).identify(self.http, login)
        known = replace(login, channel_external_id=choice.external_id, base_url=choice.base_url)
        await self.put(replace(known, credentials=choice.credentials))
        return await self.read()

    async def renew(self) -> None:
        async with self.db.session() as session:
            network = (await self._channel(session)).network
        await self.put(await connector(network).renew(self.http, await self.read()))

    async def look_again(self, external_ids: Sequence[str]) -> None:
        """Have the network asked what became of these, and keep what it answers as arrivals."""
        async with self.db.session() as session:
            channel = await self._channel(session)
        arrivals = await connector(channel.network).recheck(self.http, await self.read(), external_ids)
        target = Target(self.brand_id, self.channel_id, channel.hook_id)
        async with self.db.session() as session:
            await scopes.house(session, self.brand_id)
            now = datetime.now(UTC)
            await inbox.receive(session, target, channel.network, ArrivalSource.POLL, arrivals, now=now)

    async def _channel(self, session: Session) -> Channel:
        await scopes.house(session, self.brand_id)
        channel = await session.get(Channel, (self.brand_id, self.channel_id))
        assert channel is not None
        return channel


@asynccontextmanager
async def channel_login(house: PeerHouse, channel_id: str) -> AsyncIterator[ChannelLogin]:
    settings = house.rig.settings
    assert settings.worker_database_url is not None
    db = Database(settings.worker_database_url, name="peers", size=2)
    vault = Vault(folder.secret_keys(settings))
    ids = parse_typeid(Prefix.BRAND, house.brand_id), parse_typeid(Prefix.CHANNEL, channel_id)
    try:
        async with guarded.client(settings) as http:
            yield ChannelLogin(db, vault, http, *ids)
    finally:
        await db.close()
