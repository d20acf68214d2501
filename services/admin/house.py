"""What a command works with, opened and closed around it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import typer
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import col

from services.local import plan
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.ids import Prefix, parse_typeid
from shared.models.channel import Hook
from shared.settings import Settings
from shared.vault import UnknownKey, Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class House:
    """The owner's connection, which may make what no service may, and the vault."""

    settings: Settings
    db: Database
    vault: Vault

    @asynccontextmanager
    async def on_brand(self, brand_id: UUID) -> AsyncIterator[tuple[Session, Scope]]:
        """One transaction on a brand."""
        async with self.db.session() as session:
            yield session, await scopes.house(session, brand_id)

    @asynccontextmanager
    async def on_channel(self, channel_id: str) -> AsyncIterator[tuple[Session, Scope, UUID]]:
        """One transaction on the brand of a channel. Raises NotFound."""
        id_ = parse_typeid(Prefix.CHANNEL, channel_id)
        async with self.db.session() as session:
            wanted = select(col(Hook.brand_id)).where(col(Hook.channel_id) == id_)
            brand_id = (await session.execute(wanted)).scalar_one_or_none()
            if brand_id is None:
                raise NotFound(f"there is no channel with the id {channel_id[:60]!r}")
            yield session, await scopes.house(session, brand_id), id_


def run(act: Callable[[House], Awaitable[T]]) -> T:
    """Run a command beside the house, wherever its servers are. Raises ParvisError with a plain sentence."""
    try:
        return asyncio.run(_run(act))
    except UnknownKey as error:
        raise Conflict(f"{error} was sealed with a key that is not in PARVIS_SECRET_KEYS: put that key back") from None
    except ValidationError as error:
        raise Invalid(
            [Problem("invalid", f"{'.'.join(map(str, e['loc']))}: {e['msg']}") for e in error.errors()]
        ) from None


async def _run(act: Callable[[House], Awaitable[T]]) -> T:
    settings = plan.connected(Settings())
    assert settings.owner_database_url is not None
    db = Database(settings.owner_database_url, name="cli", size=2)
    try:
        return await act(House(settings, db, Vault([one.get_secret_value() for one in settings.secret_keys])))
    finally:
        await db.close()


def say(answer: object) -> None:
    """Print an answer for people and programs alike."""
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))


def now() -> datetime:
    return datetime.now(UTC)


def moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at is not None else None
