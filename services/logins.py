"""The login of a channel, fresh enough to be used: renewed by one at a time, in time, and at once where it has run out.

No transaction waits on the network: a renewal is claimed by a lease and committed, then made, then kept. What a network
gave for a login that it takes only once is held on to: the keeping is repeated while PostgreSQL is away, it is not
broken off with what asked for it, and a process that is told to stop waits for it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

import httpx
from prometheus_client import Counter

from services.pauses import growing
from services.rounds import passes
from shared.connectors.registry import connector
from shared.contract import Capability, Login
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain import turns
from shared.domain.brands import channels, logins, renewals
from shared.domain.brands.renewals import Renewal
from shared.domain.turns import Turn
from shared.errors import LoginDead, LoginExpired, NetworkError, NotFound, Unavailable
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.channel import Channel
from shared.models.enums import Network
from shared.settings import Settings
from shared.vault import Vault

T = TypeVar("T")
_log = logger("logins")
_SOON = timedelta(seconds=30)  # what ends within this is renewed before it is used
_LOOK_SECONDS = 0.2

RENEWALS = Counter("parvis_renewals_total", "Logins that were to be renewed, by outcome.", ["network", "outcome"])


class Whose(NamedTuple):
    """A channel, as far as its login goes."""

    network: Network
    brand_id: UUID
    channel_id: UUID


class Caller:
    """One channel's login for a while: what it asks with it is asked once more where the login has just run out."""

    def __init__(self, all_logins: "Logins", whose: Whose, login: Login) -> None:
        self._logins = all_logins
        self._whose = whose
        self.login = login

    async def ask(self, what: Callable[[Login], Awaitable[T]]) -> T:
        """Raises LoginDead where the login can't be renewed, and whatever else `what` raises."""
        try:
            return await what(self.login)
        except LoginExpired as error:
            self.login = await self._logins.renewed(self._whose, self.login, why=error.message)
        try:
            return await what(self.login)
        except LoginExpired as error:
            message = "the network says that the login it has just given has run out"
            raise Unavailable(self._whose.network.value, message, unsent=True) from error


class Logins:
    """Renews for one process, and remembers the renewals that are under way."""

    def __init__(self, db: Database, vault: Vault, http: httpx.AsyncClient, settings: Settings) -> None:
        self._db = db
        self._vault = vault
        self._http = http
        self._lease = settings.lease
        # A renewal ends well within its lease, so that nobody else begins one while its call is still on the way.
        self._patience = min(settings.send_timeout_seconds, settings.lease_seconds * 0.75)
        self._first_pause = timedelta(seconds=settings.retry_first_seconds)
        self._under_way: set[asyncio.Task[Login]] = set()

    async def of(self, channel: Channel) -> Caller:
        """A caller with the channel's login, renewed first where it is about to end. Raises LoginDead, UnknownKey."""
        whose = Whose(channel.network, channel.brand_id, channel.id)
        login = logins.login(self._vault, channel)
        ends = channel.login_expires_at
        if ends is not None and ends < datetime.now(UTC) + _SOON and _can_renew(channel.network):
            login = await self.renewed(whose, login)
        return self.caller(whose, login)

    def caller(self, whose: Whose, login: Login) -> Caller:
        """A caller with a login that was read before."""
        return Caller(self, whose, login)

    async def renewed(self, whose: Whose, used: Login, *, why: str | None = None) -> Login:
        """A newer login than `used`, made here or by whoever else is at it.

        Raises LoginDead where only a person can help: then the channel is already marked as such, said once. Raises
        Unavailable where it could not be renewed now.
        """
        if not _can_renew(whose.network):
            raise await self._died(whose, LoginDead(whose.network.value, why or "the login has run out"))
        until = asyncio.get_running_loop().time() + self._patience
        while asyncio.get_running_loop().time() < until:
            found = await self._begin(whose, used=used)
            if isinstance(found, Renewal):
                return await self._make(whose, found)
            if found is not None:
                return found
            await asyncio.sleep(_LOOK_SECONDS)
        raise Unavailable(whose.network.value, "the login is being renewed, and that takes long", unsent=True)

    async def renew(self, whose: Whose, turn: Turn) -> None:
        """Renew because it is time. Raises LoginDead, Unavailable."""
        found = await self._begin(whose, turn=turn)
        if isinstance(found, Renewal):
            await self._make(whose, found)

    async def finish(self, seconds: float) -> None:
        """Wait for the renewals under way: what a network has given us is kept."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _begin(
        self, whose: Whose, *, used: Login | None = None, turn: Turn | None = None
    ) -> Renewal | Login | None:
        async with self._db.session() as session:
            scope = await scopes.house(session, whose.brand_id)
            return await renewals.begin(
                session, scope, self._vault, whose.channel_id,
                card=connector(whose.network).card, used=used, turn=turn, lease=self._lease,
            )  # fmt: skip

    async def _make(self, whose: Whose, renewal: Renewal) -> Login:
        """Whoever waits for it may be told to stop: the renewal itself goes on to its end."""
        task = asyncio.create_task(self._renew(whose, renewal))
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: "asyncio.Task[Login]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also where nobody waits for it any more

    async def _renew(self, whose: Whose, renewal: Renewal) -> Login:
        network = whose.network.value
        try:
            async with asyncio.timeout(self._patience):
                fresh = await connector(whose.network).renew(self._http, renewal.login)
        except LoginDead as error:
            RENEWALS.labels(network, "dead").inc()
            raise await self._died(whose, error, renewal.turn) from error
        except (NetworkError, TimeoutError) as error:
            message = error.message if isinstance(error, NetworkError) else "the network gave no answer in time"
            RENEWALS.labels(network, "failed").inc()
            _log.warning("login.not_renewed", channel=typeid(Prefix.CHANNEL, whose.channel_id), message=message)
            await self._persist(lambda session: self._later(session, renewal.turn))
            raise Unavailable(network, f"the login could not be renewed: {message}", unsent=True) from error
        kept = await self._persist(lambda session: self._keep(session, whose, renewal, fresh))
        RENEWALS.labels(network, "renewed").inc()
        _log.info("login.renewed", channel=typeid(Prefix.CHANNEL, whose.channel_id), network=network)
        return kept or fresh

    async def _keep(self, session: Session, whose: Whose, renewal: Renewal, fresh: Login) -> Login | None:
        scope = await scopes.house(session, whose.brand_id)
        card = connector(whose.network).card
        return await renewals.keep(session, scope, self._vault, renewal, fresh, card=card, now=datetime.now(UTC))

    async def _later(self, session: Session, turn: Turn) -> None:
        failures = turn.failures + 1
        await turns.again(session, turn, wait=growing(self._first_pause, failures), failures=failures)

    async def _died(self, whose: Whose, error: LoginDead, turn: Turn | None = None) -> LoginDead:
        """The error to raise, once the channel is marked: by whoever is the first to hear it."""

        async def work(session: Session) -> None:
            scope = await scopes.house(session, whose.brand_id)
            with contextlib.suppress(NotFound):  # removed meanwhile
                await channels.login_died(session, scope, whose.channel_id, reason=error.message, now=datetime.now(UTC))
            if turn is not None:
                await turns.end(session, turn)

        await self._persist(work)
        return error

    async def _persist(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """One transaction, repeated for as long as PostgreSQL is away: what is to be kept exists nowhere else."""
        pause = 0.05
        while True:
            try:
                async with self._db.session() as session:
                    return await work(session)
            except Exception as error:
                if not passes(error):
                    raise
                _log.warning("login.waits", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)


def _can_renew(network: Network) -> bool:
    return connector(network).card.can(Capability.RENEW)
