"""Which hook an address means, remembered for a moment: a removed one is gone within two seconds."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.ingest.storing import Away
from shared.connectors.registry import connector
from shared.contract import Connector, Secret
from shared.domain.brands import hooks
from shared.errors import NotFound
from shared.ids import Prefix, parse_typeid
from shared.log import logger
from shared.models.enums import Network
from shared.vault import UnknownKey, Vault

_log = logger("ingest.hooks")

REMEMBER_SECONDS = 1.5
REMEMBER_HOOKS = 10_000
LOOK_UP_SECONDS = 3.0
DOUBT_SECONDS = 1.0  # the shortest time between two looks at one hook for a signature that does not fit

_HOOK = "SELECT id, network, secret FROM hook WHERE id = $1 AND removed_at IS NULL"


@dataclass(frozen=True, slots=True)
class OpenHook:
    """A hook with its secret opened."""

    id: UUID
    connector: Connector
    secret: Secret = field(repr=False)


class Hooks:
    """Reads hooks under the door's role. Concurrent questions for the same hook share one answer."""

    def __init__(self, url: str, vault: Vault) -> None:
        self._url, self._vault = url, vault
        self._pool: asyncpg.Pool[Any] | None = None
        self._known: dict[str, tuple[float, OpenHook | None]] = {}
        self._asked: dict[str, asyncio.Task[OpenHook | None]] = {}
        self._doubted: dict[str, float] = {}

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=2,
            timeout=LOOK_UP_SECONDS,
            command_timeout=LOOK_UP_SECONDS,
            server_settings={"application_name": "parvis door hooks", "jit": "off"},
        )

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    def remembered(self, text: str, now: float) -> OpenHook | None:
        """The hook of a public id, where it was read a moment ago; `now` is the loop's monotonic time."""
        known = self._known.get(text)
        return known[1] if known is not None and known[0] > now else None

    async def resolve(self, text: str) -> OpenHook:
        """The hook of a public id. Raises NotFound for an unknown, removed or malformed one, Away."""
        known = self._known.get(text)
        if known is not None and known[0] > time.monotonic():
            hook = known[1]
        else:
            hook = await self._look_up_once(text, parse_typeid(Prefix.HOOK, text))
        if hook is None:
            raise _no_such_hook()
        return hook

    async def changed(self, text: str, hook: OpenHook) -> OpenHook | None:
        """The hook as it is now, where it is not as it was remembered; None where it is, or was doubted just now.

        Raises NotFound and Away as `resolve` does. Bad signatures, however many, cost one look a second for each hook.
        """
        now = time.monotonic()
        if self._doubted.get(text, now) > now:
            return None
        if len(self._doubted) >= REMEMBER_HOOKS:
            self._doubted.clear()
        self._doubted[text] = now + DOUBT_SECONDS
        fresh = await self._look_up_once(text, hook.id)
        if fresh is None:
            raise _no_such_hook()
        return fresh if fresh != hook else None

    async def _look_up_once(self, text: str, id: UUID) -> OpenHook | None:
        asking = self._asked.get(text)
        if asking is None:
            asking = self._asked[text] = asyncio.get_running_loop().create_task(self._look_up(id))
            asking.add_done_callback(lambda done: self._remember(text, done))
        return await asyncio.shield(asking)

    def _remember(self, text: str, asked: "asyncio.Task[OpenHook | None]") -> None:
        del self._asked[text]
        if asked.cancelled() or asked.exception() is not None:
            return
        self._known.pop(text, None)  # so that it stands last, as the newest
        if len(self._known) >= REMEMBER_HOOKS:
            for oldest in list(self._known)[: REMEMBER_HOOKS // 10]:
                del self._known[oldest]
        self._known[text] = (time.monotonic() + REMEMBER_SECONDS, asked.result())

    async def _look_up(self, id: UUID) -> OpenHook | None:
        if self._pool is None:
            raise Away("the door is not open yet")
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                row = await self._pool.fetchrow(_HOOK, id)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Away("PostgreSQL is away") from error
        if row is None:
            return None
        try:
            network = connector(Network(row["network"]))
            secret = hooks.open_secret(self._vault, id, row["secret"])
        except (UnknownKey, ValueError, KeyError) as error:
            # A key that was taken out too early, or a network of a newer release: mended by an operator, so the network
            # is asked to come again rather than told that the hook is gone.
            _log.error("door.hook_unusable", hook=str(id), error=type(error).__name__)
            raise Away("the hook can't be used now") from error
        return OpenHook(row["id"], network, secret)


def _no_such_hook() -> NotFound:
    return NotFound("there is no such hook, or it was removed")
