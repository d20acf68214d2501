"""Sessions on PostgreSQL. Only the edge opens one, and leaving it commits; nothing inside ever does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from shared.errors import ParvisError

Session = AsyncSession

# `citus.propagate_set_commands` makes a transaction's scope reach a cluster's workers; plain PostgreSQL ignores it.
_SERVER_SETTINGS = {"citus.propagate_set_commands": "local", "jit": "off"}

# Connection lost, server going down, deadlock, serialization: repeat the transaction, keep the pool.
_PASSING = frozenset({"08000", "08001", "08003", "08006", "57P01", "57P02", "57P03", "40P01", "40001", "53300"})


class WrongRole(ParvisError):
    """A service was given a database role that row security does not bind."""

    code = "wrong_role"


def driver_url(url: str) -> str:
    """A plain PostgreSQL URL as SQLAlchemy's asyncpg dialect wants it."""
    return "postgresql+asyncpg://" + url.split("://", 1)[1]


def is_passing(error: BaseException) -> bool:
    """Whether repeating the transaction may help: the server was away, or two transactions met. Told by SQLSTATE."""
    for cause in (error, getattr(error, "orig", None), error.__cause__, getattr(error.__cause__, "__cause__", None)):
        if cause is None:
            continue
        if getattr(cause, "sqlstate", None) in _PASSING:
            return True
        if isinstance(cause, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError):
            return True
    return False


class Database:
    """One pool of connections under one role."""

    def __init__(self, url: str, *, name: str, size: int = 10) -> None:
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url),
            pool_size=size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            hide_parameters=True,  # a failing statement is logged; what people wrote is not
            connect_args={"server_settings": {**_SERVER_SETTINGS, "application_name": f"parvis {name}"}, "timeout": 10},
        )
        event.listen(self.engine.sync_engine.pool, "checkin", _hang_up_inside_a_transaction)

    async def open(self, *, warm: int = 1) -> None:
        """Check the role and open the first connections: a pool that fills under load races with itself."""
        connections = [await self.engine.connect() for _ in range(max(1, warm))]
        try:
            await _refuse_wrong_role(connections[0])
        finally:
            for connection in connections:
                await connection.close()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """One read-only transaction."""
        async with AsyncSession(self.engine, expire_on_commit=False, autoflush=False) as session, session.begin():
            await session.connection(execution_options={"postgresql_readonly": True})
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


async def driver(session: Session) -> "asyncpg.Connection[Any]":
    """The driver's own connection of this transaction, for the hot statements that pass arrays.

    SQLAlchemy begins at its first statement, not before: without one, the driver's would each commit by itself.
    """
    raw = await (await session.connection()).get_raw_connection()
    adapted: Any = raw.dbapi_connection
    if adapted._transaction is None:
        await adapted._start_transaction()
    connection: asyncpg.Connection[Any] = adapted.driver_connection
    return connection


def _hang_up_inside_a_transaction(adapted: Any, record: ConnectionPoolEntry) -> None:
    """A connection that comes back inside a transaction is not lent again.

    Whoever is cancelled while BEGIN, COMMIT or ROLLBACK is under way leaves one behind that SQLAlchemy does not know
    of. The next borrower's transaction would be a savepoint in it: under its scope, and never committed.
    """
    if adapted is None:
        return
    connection = adapted.driver_connection
    # The driver's own note comes first: what the server last said is old while a cancelled statement still ends.
    if connection._top_xact is not None or connection.is_in_transaction():
        record.invalidate()


async def _refuse_wrong_role(connection: Any) -> None:
    row = (
        await connection.execute(
            text(
                "SELECT current_user, r.rolsuper, r.rolbypassrls, EXISTS (SELECT FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
                " AND pg_has_role(current_user, c.relowner, 'USAGE')) FROM pg_roles r WHERE r.rolname = current_user"
            )
        )
    ).one()
    await connection.rollback()
    name, superuser, bypasses, owns = row
    why = "is a superuser" if superuser else "may bypass row security" if bypasses else "owns tables" if owns else None
    if why:
        raise WrongRole(
            f"the database role {name!r} {why}: brands would not be kept apart. Give the services the roles that"
            " `parvis migrate` made, and keep this one for migrations."
        )
