"""A channel's login as the house keeps it: read, and changed behind its back so that it runs out on purpose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from services.local import folder
from shared.contract import Login
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.brands import logins
from shared.ids import Prefix, parse_typeid
from shared.models.channel import Channel
from shared.vault import Vault
from tests.peers.house import PeerHouse


@dataclass(frozen=True, slots=True)
class ChannelLogin:
    """One channel's login, as the house's worker would hold it."""

    db: Database
    vault: Vault
    brand_id: UUID
    channel_id: UUID

    async def read(self) -> Login:
        async with self.db.session() as session:
            return logins.login(self.vault, await self._channel(session))

    async def change(self, **credentials: str) -> None:
        """Let the channel hold these from now on, beside the credentials that it has."""
        async with self.db.session() as session:
            channel = await self._channel(session)
            held = logins.login(self.vault, channel).credentials
            channel.credentials = logins.seal(self.vault, channel.id, {**held, **credentials})
            await session.flush()

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
        yield ChannelLogin(db, vault, *ids)
    finally:
        await db.close()
