"""The addresses that networks post to, and the secrets that they sign with."""

import hashlib
import json
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from shared.contract import Secret
from shared.db import Session
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.channel import Hook
from shared.vault import UnknownKey, Vault


def place(hook_id: UUID) -> str:
    """Where a hook's secret is sealed for."""
    return f"hook:{hook_id}:secret"


def seal(vault: Vault, hook_id: UUID, secret: Secret) -> bytes:
    """The stored form of a hook's secret."""
    return vault.seal(json.dumps({"keys": list(secret.keys), "verify_token": secret.verify_token}), place(hook_id))


def open_secret(vault: Vault, hook_id: UUID, sealed: bytes) -> Secret:
    """The secret behind its stored form. Raises UnknownKey."""
    value = json.loads(vault.open(sealed, place(hook_id)))
    return Secret(tuple(value["keys"]), value["verify_token"])


def digests(keys: Sequence[str]) -> list[str]:
    """What may be compared of signing keys by who may not know them. Keys are long and random: one hash is enough."""
    return [hashlib.sha256(b"parvis signing key" + key.encode()).hexdigest() for key in keys]


def renewed(secret: Secret, *, key: str | None, verify_token: str | None) -> Secret:
    """The secret with a newer key in front, the one before still holding, and another handshake's token."""
    keys = secret.keys if key is None or key == secret.keys[0] else (key, secret.keys[0])
    return Secret(keys, verify_token or secret.verify_token)


def renew_secret(vault: Vault, hook: Hook, *, key: str | None, verify_token: str | None) -> None:
    """Let the hook hold a newer key and another handshake's token.

    Where the one before can't be opened any more, the newer stands alone; without a newer one the hook stays as it is,
    for the day on which the operator puts the lost key back.
    """
    try:
        secret = open_secret(vault, hook.id, hook.secret)
    except UnknownKey:
        if key is None:
            return
        secret = Secret((key,), None)
    secret = renewed(secret, key=key, verify_token=verify_token)
    hook.secret = seal(vault, hook.id, secret)
    hook.key_digests = digests(secret.keys)


def url(hook_base_url: str, hook_id: UUID) -> str:
    """The address that a network posts to."""
    return f"{hook_base_url}/webhooks/{typeid(Prefix.HOOK, hook_id)}"


async def by_ids(session: Session, scope: Scope, hook_ids: Collection[UUID]) -> dict[UUID, Hook]:
    """The brand's hooks among these ids."""
    query = select(Hook).where(Hook.brand_id == scope.brand_id, Hook.id.in_(hook_ids))  # type: ignore[arg-type, attr-defined]
    return {hook.id: hook for hook in (await session.execute(query)).scalars()}
