"""The network's front door, which can be shut for a while: nobody listens then, and every call is refused."""

import asyncio
from typing import Any

import uvicorn

from shared.log import logger

_LOG = logger("sandbox.door")
_LAST_WORDS_SECONDS = 0.1


class Door(uvicorn.Server):
    """The server, with a way to be away and to come back by itself at the same address."""

    _away: asyncio.Task[None] | None = None

    def shut(self, seconds: float) -> None:
        """Stop listening in a moment, once who asked for it has its answer, and listen again after so many seconds."""
        if self._away is None or self._away.done():
            self._away = asyncio.get_running_loop().create_task(self._be_away(seconds), name="away")

    async def _be_away(self, seconds: float) -> None:
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(seconds)
        while not self.should_exit:
            try:
                self.servers = [await self._listen()]
            except OSError:
                _LOG.exception("address_taken", port=self.config.port)
                await asyncio.sleep(1)
            else:
                return

    async def _listen(self) -> asyncio.Server:
        loop, config = asyncio.get_running_loop(), self.config
        return await loop.create_server(self._protocol, host=config.host, port=config.port, backlog=config.backlog)

    def _protocol(self) -> asyncio.Protocol:
        # As the server itself makes it, which has no way of its own to listen anew.
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made
