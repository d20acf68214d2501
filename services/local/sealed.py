"""Whether the secrets in the database can be opened with the keys that there are."""

import asyncpg

from services.local import outside
from shared.domain.brands import apps, consents, hooks, logins
from shared.vault import UnknownKey, Vault

# Each kind of sealed secret: its name for people, its table and column, and where it is sealed for.
_KINDS = (
    ("signing secrets of hooks", "hook", "secret", hooks.place),
    ("credentials of channels", "channel", "credentials", logins.place),
    ("secrets of apps", "app", "client_secret", apps.place),
    ("consents on their way", "consent", "verifier", consents.verifier_place),
    ("logins that people consented to", "consent", "choices", consents.choices_place),
)


async def closed(connection: asyncpg.Connection, vault: Vault) -> list[str]:
    """What the vault's keys do not open, a line for each kind, over the owner's connection; empty where all opens."""
    lines = []
    for name, table, column, place in _KINDS:
        where = await outside.table_named(connection, table)
        if where is None:
            continue
        try:
            rows = await connection.fetch(f"SELECT id, {column} AS sealed FROM {where} WHERE {column} IS NOT NULL")  # noqa: S608  # our own names, quoted by the server
        except asyncpg.UndefinedColumnError:
            continue  # a schema from before these secrets were kept
        shut = sum(not _opens(vault, row["sealed"], place(row["id"])) for row in rows)
        if shut:
            lines.append(f"{shut} of {len(rows)} {name}")
    return lines


def _opens(vault: Vault, sealed: bytes, place: str) -> bool:
    try:
        vault.open(sealed, place)
    except UnknownKey:
        return False
    return True
