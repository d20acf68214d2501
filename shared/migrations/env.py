"""Alembic's entry: the connection is handed over by `run.migrate`, or made from PARVIS_OWNER_DATABASE_URL."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine

from shared.db import driver_url
from shared.models.tables import SIDE_TABLES, TABLES, metadata
from shared.settings import Settings


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """Partitions come at run time, and side tables are written as SQL: neither is compared with the models."""
    if kind == "table":
        return name in TABLES and name not in SIDE_TABLES
    return True


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, include_name=include_name)
    with context.begin_transaction():
        context.run_migrations()


connection: Connection | None = context.config.attributes.get("connection")
if connection is not None:
    run(connection)
else:
    url = Settings().owner_database_url
    if url is None:
        raise SystemExit("PARVIS_OWNER_DATABASE_URL is not set")
    with create_engine(driver_url(url)).connect() as own:
        run(own)
