"""Sessions on PostgreSQL. Only the edge opens one, and leaving it commits; nothing inside ever does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import greenlet_spawn

from shared import pools
from shared.errors import ParvisError

Session = AsyncSession

# `citus.propagate_set_commands` makes a transaction's scope reach a cluster's workers; plain PostgreSQL ignores it.
_SERVER_SETTINGS = {"citus.propagate_set_commands": "local", "jit": "off"}

# Connection lost, server going down, deadlock, serialization, a transaction that stood still too long, a server that
# just became read-only, or one without room, memory or a readable disk: repeat the transaction, keep the pool. None of
# these is the fault of what was in it.
_PASSING = frozenset(
    {
        *("08000", "08001", "08003", "08006", "57P01", "57P02", "57P03", "40P01", "40001", "25P03", "25P04", "25006"),
        *("53000", "53100", "53200", "53300", "53400", "58000", "58030"),
    }
)


_CONNECT_SECONDS = 10.0
_LONGEST = 5  # times the stillness that a transaction may last in all
_HEARD_SECONDS = 1.0
_DRIVER = "parvis driver"  # where a session keeps its transaction's connection: asking SQLAlchemy for it takes 0.1 ms


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


class _Connection(asyncpg.Connection):
    """asyncpg's, which hangs up on a server that does not even hear that a statement was given up.

    Whatever comes next on the connection, a ROLLBACK too, waits until the server has heard of it.
    """

    __slots__ = ()

    async def _cancel(self, *waiters: Any) -> None:
        hanging_up = asyncio.get_running_loop().call_later(_HEARD_SECONDS, self.terminate)
        try:
            await super()._cancel(*waiters)  # type: ignore[misc]  # the stubs leave it out
        finally:
            hanging_up.cancel()


class Database:
    """One pool of connections under one role."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        size: int = 10,
        stillness: timedelta = timedelta(seconds=60),
        patience: timedelta | None = None,
    ) -> None:
        """`stillness`: how long a transaction may stand still before the server ends it; it may last five times that.

        A process that is stopped, or a machine that is gone, would hold its locks, and so its brand, for ever.
        `patience`: how long we wait for the answer to one statement (None: for ever). It is kept here and not by the
        server, which may have fallen silent; TimeoutError is passing like any other loss of the server.
        """
        told = {
            **_SERVER_SETTINGS,
            "application_name": f"parvis {name}",
            "idle_in_transaction_session_timeout": f"{stillness / timedelta(milliseconds=1):.0f}ms",
            # One that stands still in the middle of a statement does not count as idle.
            "transaction_timeout": f"{stillness * _LONGEST / timedelta(milliseconds=1):.0f}ms",
        }
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url),
            poolclass=pools.WatchedPool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=False,
            hide_parameters=True,  # a failing statement is logged; what people wrote is not
            connect_args={
                "server_settings": told,
                "timeout": min(_CONNECT_SECONDS, patience.total_seconds()) if patience else _CONNECT_SECONDS,
                "command_timeout": patience.total_seconds() if patience else None,
                "connection_class": _Connection,
            },
        )
        event.listen(self.engine.sync_engine.pool, "checkout", _connect_again_if_closed)
        event.listen(self.engine.sync_engine.pool, "checkin", _hang_up_inside_a_transaction)
        pools.watch(self.engine.sync_engine.pool, name)

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

    @asynccontextmanager
    async def lent(self) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """One read-only transaction on the driver's own connection: for the few reads that are asked for all the time.

        It is of the same pool as the sessions', and costs a third of one.
        """
        pooled = await greenlet_spawn(self.engine.sync_engine.raw_connection)
        connection: Any = pooled.driver_connection
        try:
            await connection.execute("BEGIN READ ONLY")
            try:
                yield connection
            except BaseException:
                if not connection.is_closed():
                    await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
        finally:
            # Whatever is still inside a transaction here is hung up by the pool.
            await greenlet_spawn(pooled.close)

    async def close(self) -> None:
        pools.let_go(self.engine.sync_engine.pool)
        await self.engine.dispose()


async def driver(session: Session) -> "asyncpg.Connection[Any]":
    """The driver's own connection of this transaction, for the hot statements that pass arrays.

    SQLAlchemy begins at its first statement, not before: without one, the driver's would each commit by itself.
    """
    transaction = session.sync_session.get_transaction()
    known, connection = session.info.get(_DRIVER, (None, None))
    if connection is None or known is not transaction:
        raw = await (await session.connection()).get_raw_connection()
        adapted: Any = raw.dbapi_connection
        if adapted._transaction is None:
            await adapted._start_transaction()
        connection = adapted.driver_connection
        session.info[_DRIVER] = session.sync_session.get_transaction(), connection
    found: asyncpg.Connection[Any] = connection
    return found


def _connect_again_if_closed(adapted: Any, *_: object) -> None:
    """A connection that the server closed while it was in the pool is not lent: another is opened in its place.

    SQLAlchemy sees that only in its own statements; where the driver's own come first, it would be lent for ever.
    """
    if adapted.driver_connection.is_closed():
        raise DisconnectionError


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
