"""API keys, over the owner's connection: made and revoked by whoever runs the house."""

import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from shared.db import Session
from shared.domain.brands import audit
from shared.errors import Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models.enums import KeyScope
from shared.models.organization import ApiKey, Grant, Membership
from shared.vault import hash_key

_SHOWN = 8


async def create(
    session: Session,
    *,
    organization_id: UUID,
    user_id: UUID,
    name: str,
    scopes: Collection[KeyScope],
    brand_id: UUID | None,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """A new key and its plain text, which is shown once: only its hash is kept.

    Raises NotFound where the user is no member of the organization, or the organization has no grant on the brand.
    """
    if not scopes:
        raise Invalid([Problem("required", "a key needs at least one scope", ("scopes",))])
    if expires_at is not None and expires_at <= now:
        raise Invalid([Problem("in_the_past", "a key can't expire before it is made", ("expires_at",))])
    if await session.get(Membership, (organization_id, user_id)) is None:
        raise NotFound("there is no such user in this organization")
    if brand_id is not None:
        await _require_grant(session, organization_id, brand_id)
    plain = "pv_" + secrets.token_urlsafe(32)
    key = ApiKey(
        organization_id=organization_id,
        user_id=user_id,
        name=name,
        start=plain[:_SHOWN],
        hash=hash_key(plain),
        scopes=sorted(scope.value for scope in scopes),
        brand_id=brand_id,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    await session.flush()
    details = {"name": name, "scopes": key.scopes}
    await audit.add(
        session, None, "key.create", typeid(Prefix.API_KEY, key.id), details, organization_id=organization_id
    )
    return key, plain


async def list_(session: Session, *, organization_id: UUID) -> list[ApiKey]:
    """The organization's keys, newest first, revoked ones too."""
    query = select(ApiKey).where(ApiKey.organization_id == organization_id).order_by(ApiKey.id.desc())  # type: ignore[arg-type, attr-defined]
    return list((await session.execute(query)).scalars())


async def revoke(session: Session, *, key_id: UUID, now: datetime) -> ApiKey:
    """End a key for good. Revoking it twice keeps the first time. Raises NotFound."""
    key = await session.get(ApiKey, key_id, with_for_update=True)
    if key is None:
        raise NotFound(f"there is no key with the id {typeid(Prefix.API_KEY, key_id)!r}")
    if key.revoked_at is None:
        key.revoked_at = now
        await audit.add(
            session, None, "key.revoke", typeid(Prefix.API_KEY, key.id), organization_id=key.organization_id
        )
    await session.flush()
    return key


async def _require_grant(session: Session, organization_id: UUID, brand_id: UUID) -> None:
    query = select(Grant.id).where(Grant.organization_id == organization_id, Grant.brand_id == brand_id)  # type: ignore[call-overload]
    if (await session.execute(query)).first() is None:
        raise NotFound("this organization has no such brand")
