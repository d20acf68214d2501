"""What an api process holds open, and what one request may use of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
from sqlalchemy.exc import PendingRollbackError

from services.charting.drawing import Drawer
from services.media.checking import Checker
from shared.db import Database, Session, is_passing
from shared.domain import scope as scopes
from shared.domain.listening.ears import Ears
from shared.domain.listening.explanations import Explainer
from shared.domain.page import Cursors
from shared.domain.publishing.library.media_addresses import Addresses
from shared.domain.scope import Principal, Scope
from shared.errors import NotAllowed, NotFound
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import KeyScope
from shared.queues import Queues
from shared.settings import Settings
from shared.store import FOLDER, Store
from shared.vault import Vault

if TYPE_CHECKING:
    from services.api.graphql.documents import Document

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Services:
    """Made once by the app's lifespan and handed inwards: `app.state.services`."""

    db: Database
    vault: Vault
    queues: Queues
    settings: Settings
    cursors: Cursors
    http: httpx.AsyncClient  # the guarded client, for a channel's self-test
    clock: Callable[[], datetime]
    store: Store
    checker: Checker
    drawer: Drawer
    addresses: Addresses
    explainer: Explainer
    ears: Ears  # what is known of brands' queries: making them ready takes time, and a brand's lock is held meanwhile

    @property
    def incoming(self) -> Path:
        """Where files are written while they come in: beside the folder in which they may be kept."""
        return self.settings.data_dir / FOLDER / ".incoming"


@dataclass(frozen=True, slots=True)
class Tries:
    """Whether what failed in passing is worth another try: not where its caller has waited for long already."""

    until: float

    @classmethod
    def begin(cls, settings: Settings) -> "Tries":
        return cls(time.monotonic() + settings.statement_timeout_seconds)

    def go_on(self, attempt: int, error: Exception) -> bool:
        return attempt < _TRIES and time.monotonic() < self.until and is_passing(error)


class Reader:
    """One read-only transaction, begun when it is first needed, in which resolvers take turns."""

    def __init__(self, db: Database, api_key: str) -> None:
        self._db = db
        self._api_key = api_key
        self._lock = asyncio.Lock()
        self._open = AsyncExitStack()
        self._session: Session | None = None
        self._seen: frozenset[UUID] | None = None

    async def enter(self) -> Principal:
        """Begin, and say who acts. Raises NotAuthenticated."""
        self._session = await self._open.enter_async_context(self._db.reading())
        return await scopes.enter(self._session, self._api_key)

    @asynccontextmanager
    async def turn(self, brand_ids: Iterable[UUID]) -> AsyncIterator[Session]:
        """The session, which sees exactly these brands, for as long as the block takes."""
        async with self._lock:
            if self._session is None:
                await self.enter()
            assert self._session is not None
            wanted = frozenset(brand_ids)
            if wanted != self._seen:
                await scopes.see(self._session, sorted(wanted))
                self._seen = wanted
            yield self._session

    def forget_scope(self) -> None:
        """Something in the turn has set the transaction's brands itself."""
        self._seen = None

    async def close(self) -> None:
        """End the transaction. A later turn begins another."""
        self._session, self._seen = None, None
        # One non-null field failing breaks off its neighbours, in the middle of a statement too: that connection is
        # gone, and there is nothing left to end.
        with suppress(PendingRollbackError):
            await self._open.aclose()
        self._open = AsyncExitStack()


@dataclass(slots=True)
class Context:
    """One GraphQL request: who asks, and ways to read and write. It never holds a session for others to share."""

    services: Services
    api_key: str
    principal: Principal
    reader: Reader
    brand_hint: UUID | None = None
    idempotency_key: str | None = None
    request_digest: bytes = b""
    document: "Document | None" = None
    loaders: dict[str, object] = field(default_factory=dict)
    # The words of each list that is a search, by its path in the answer: its mentions show where they are.
    searches: dict[tuple[str | int, ...], str] = field(default_factory=dict)
    was_replayed: bool = False

    def scope(self, brand_id: UUID) -> Scope:
        """The scope of one of the principal's brands. Raises NotFound for any other, NotAllowed without `read`."""
        role = self.principal.brands.get(brand_id)
        if role is None:
            raise NotFound(f"there is no brand with the id {typeid(Prefix.BRAND, brand_id)!r}")
        if not self.principal.may(KeyScope.READ):
            raise NotAllowed("this key has no 'read' scope")
        return Scope(brand_id, self.principal, role)

    @asynccontextmanager
    async def reading(self, brand_id: UUID) -> AsyncIterator[tuple[Session, Scope]]:
        """A turn in the request's read-only transaction, on one brand."""
        scope = self.scope(brand_id)
        async with self.reader.turn([brand_id]) as session:
            yield session, scope

    async def begin_field(self) -> None:
        """Before a root mutation field: what was read before it is over, what is read after it is read afresh."""
        await self.reader.close()
        self.loaders.clear()


MOST_BRANDS_SEARCHED = 1000


def searched_brands(principal: Principal, hint: UUID | None) -> list[UUID]:
    """The brands over which a bare id is looked up. Raises NotAllowed for more than 1,000 without `Parvis-Brand`."""
    if hint is not None:
        return [hint] if hint in principal.brands else []
    if len(principal.brands) > MOST_BRANDS_SEARCHED:
        raise NotAllowed(
            f"this key sees more than {MOST_BRANDS_SEARCHED} brands: say in the header Parvis-Brand which one is meant",
            code="brand_needed",
        )
    return sorted(principal.brands)


def brand_hint(header: str | None) -> UUID | None:
    """The brand of a `Parvis-Brand` header. A malformed one names no brand: raises NotFound."""
    return parse_typeid(Prefix.BRAND, header.strip()) if header is not None else None
