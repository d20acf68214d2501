"""What a tenant has: every word of it, to be looked for where it must not be, and a digest, to see it unchanged."""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import asyncpg

from shared.ids import Prefix, typeid
from shared.models.tables import SIDE_TABLES, TABLES
from tests.tenancy.tenants import Tenant

_SHORTEST = 5  # shorter words stand in everybody's answers


async def rows(eye: asyncpg.Connection, tenant: Tenant) -> dict[str, list[asyncpg.Record]]:
    """Every row that is the tenant's, of every table, in an order of their own."""
    brand = tenant.brand
    found = {}
    for table in [*TABLES, *SIDE_TABLES]:
        columns = {
            row["attname"]
            for row in await eye.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = quote_ident($1)::regclass AND attnum > 0", table
            )
        }
        owners = {
            "brand_id": brand.brand_id, "organization_id": brand.organization_id, "user_id": brand.user_id,
            "principal_id": brand.user_id,
        }  # fmt: skip
        own = {"organization": brand.organization_id, "user": brand.user_id}
        tests = [f"{column} = '{value}'" for column, value in owners.items() if column in columns]
        tests += [f"id = '{own[table]}'"] if table in own else []
        if tests:
            query = f'SELECT * FROM "{table}" t WHERE {" OR ".join(tests)} ORDER BY t::text'
            found[table] = await eye.fetch(query)
    return found


async def digest(eye: asyncpg.Connection, tenant: Tenant) -> dict[str, list[str]]:
    """All of the tenant's rows, but for when its key was last used."""
    found = await rows(eye, tenant)
    return {
        table: [repr({name: value for name, value in record.items() if name != "last_used_at"}) for record in records]
        for table, records in found.items()
    }


async def words(eye: asyncpg.Connection, tenant: Tenant) -> set[str]:
    """Every text, id, secret and body of the tenant, in each form in which it might be shown."""
    found: set[str] = {tenant.name, tenant.brand.api_key, *_forms(tenant.second.brand_id)}
    for channel in tenant.channels:
        found |= {channel.webhook_url, channel.secret}
    for records in (await rows(eye, tenant)).values():
        for record in records:
            for value in record.values():
                found.update(_forms(value))
    return {word for word in found if len(word) >= _SHORTEST}


def _forms(value: object) -> Iterator[str]:
    if isinstance(value, UUID):
        yield str(value)
        yield value.hex
        for prefix in Prefix:
            yield typeid(prefix, value)
    elif isinstance(value, bytes):
        yield base64.b64encode(value).decode()
        yield value.hex()
        yield value.decode("utf-8", "replace")
    elif isinstance(value, str):
        yield value
        if value[:1] in {"{", "["}:
            yield from leaves(json.loads(value))
    elif isinstance(value, list):
        for item in value:
            yield from _forms(item)


def leaves(value: object) -> Iterator[str]:
    """The texts in a JSON value, its keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)


def named(tenant: Tenant, value: object) -> bool:
    """Whether a thing of the tenant's is named in this JSON value."""
    ids = {id_ for some in tenant.ids.values() for id_ in some}
    return any(text in ids for text in leaves(value))


def leaked(secrets: Iterable[str], answer: str, *, said: str = "") -> list[str]:
    """The secrets that stand in an answer, but for those that the caller had said themselves."""
    return [secret for secret in secrets if secret in answer and secret not in said]


def drawn(specification: dict[str, Any]) -> float:
    """What the figures of a chart add up to."""
    layers = [layer for drawing in specification["vconcat"] for layer in drawing["layer"]]
    return sum(row.get("value") or 0 for layer in layers for row in layer["data"]["values"])
