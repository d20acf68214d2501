"""Sealing every secret again with the newest key, so that older ones may be taken out of PARVIS_SECRET_KEYS."""

import base64
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from shared.db import Session
from shared.domain.brands import apps, consents, hooks, logins
from shared.domain.notifying import endpoints
from shared.domain.scope import Scope
from shared.models.channel import App, Channel, Hook
from shared.models.consent import Consent
from shared.models.organization import Grant, IdempotencyKey
from shared.models.webhook import WebhookEndpoint
from shared.vault import Vault


def answer_place(principal_id: UUID, key: str) -> str:
    """Where the answer that an idempotency key remembers is sealed for."""
    return f"idempotency:{principal_id}:{key}"


async def brand_ids(session: Session) -> list[UUID]:
    """Every brand of the house, over the owner's connection."""
    return sorted(set((await session.execute(select(col(Grant.brand_id)))).scalars()))


async def reseal_platform(session: Session, vault: Vault) -> int:
    """Seal the secrets of hooks, apps, consents and webhook endpoints and remembered answers again; how many had an
    older key.

    Raises UnknownKey, and changes nothing, where a secret's key is no longer there.
    """
    renewed = 0
    for hook in (await session.execute(select(Hook).with_for_update())).scalars():
        if not vault.is_newest(hook.secret):
            hook.secret = _again(vault, hook.secret, hooks.place(hook.id))
            renewed += 1
    renewed += await _reseal_consents(session, vault)
    renewed += await _reseal_endpoints(session, vault)
    for row in (await session.execute(select(IdempotencyKey).with_for_update())).scalars():
        sealed = base64.b64decode(row.answer["sealed"])
        if not vault.is_newest(sealed):
            again = _again(vault, sealed, answer_place(row.principal_id, row.key))
            row.answer = {"sealed": base64.b64encode(again).decode()}
            renewed += 1
    await session.flush()
    return renewed


async def _reseal_consents(session: Session, vault: Vault) -> int:
    renewed = 0
    for app in (await session.execute(select(App).with_for_update())).scalars():
        if app.client_secret is not None and not vault.is_newest(app.client_secret):
            app.client_secret = _again(vault, app.client_secret, apps.place(app.id))
            renewed += 1
    for consent in (await session.execute(select(Consent).with_for_update())).scalars():
        if not vault.is_newest(consent.verifier):
            consent.verifier = _again(vault, consent.verifier, consents.verifier_place(consent.id))
            renewed += 1
        if consent.choices is not None and not vault.is_newest(consent.choices):
            consent.choices = _again(vault, consent.choices, consents.choices_place(consent.id))
            renewed += 1
    return renewed


async def _reseal_endpoints(session: Session, vault: Vault) -> int:
    renewed = 0
    for endpoint in (await session.execute(select(WebhookEndpoint).with_for_update())).scalars():
        place = endpoints.place(endpoint.id)
        if endpoint.secret and not vault.is_newest(endpoint.secret):
            endpoint.secret = _again(vault, endpoint.secret, place)
            renewed += 1
        if endpoint.secret_before is not None and not vault.is_newest(endpoint.secret_before):
            endpoint.secret_before = _again(vault, endpoint.secret_before, place)
            renewed += 1
    return renewed


async def reseal_brand(session: Session, scope: Scope, vault: Vault) -> int:
    """Seal the credentials of a brand's channels again; how many were sealed with an older key."""
    wanted = (
        select(Channel)
        .where(col(Channel.brand_id) == scope.brand_id, col(Channel.credentials).is_not(None))
        .with_for_update()
    )
    renewed = 0
    for channel in (await session.execute(wanted)).scalars():
        sealed = channel.credentials
        if sealed is not None and not vault.is_newest(sealed):
            channel.credentials = _again(vault, sealed, logins.place(channel.id))
            renewed += 1
    await session.flush()
    return renewed


def _again(vault: Vault, sealed: bytes, place: str) -> bytes:
    return vault.seal(vault.open(sealed, place), place)
