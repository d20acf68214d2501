"""A repeat of a request has no second effect: its answer is kept in the effect's own transaction.

The edge calls `recall` before the effect and `remember` after it, in one transaction. An effect that is rolled back
leaves no row; one that is running holds a lock that ends with its transaction.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import text

from shared.db import Session
from shared.domain.brands.sealing import answer_place
from shared.domain.scope import Principal
from shared.errors import Conflict, Invalid, Problem
from shared.models.base import JsonObject
from shared.models.organization import IdempotencyKey
from shared.vault import UnknownKey, Vault

LONGEST = 255
_TAKE = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 7205759))")


@dataclass(frozen=True, slots=True)
class Asked:
    """A key, and the digest of what was asked with it."""

    key: str
    digest: bytes


def asked(key: str | None, *parts: bytes) -> Asked | None:
    """The key as a caller gave it (None: none), over what it asked. Raises Invalid for a key that can't be one."""
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        sentence = f"an idempotency key is 1 to {LONGEST} printable ASCII characters"
        raise Invalid([Problem("bad_idempotency_key", sentence)], code="bad_idempotency_key")
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return Asked(key, digest.digest())


async def recall(session: Session, vault: Vault, principal: Principal, what: Asked) -> JsonObject | None:
    """The answer that was given to this key before; None where the effect is still to be brought about.

    Raises Conflict (`idempotency_running`) while another request with the key runs, and Invalid
    (`idempotency_mismatch`) where the key came with another request. Conflict (`idempotency_sealed`) where the effect
    has happened and its answer can't be opened any more. Call it in the effect's transaction, first.
    """
    name = f"{principal.user_id}:{what.key}"
    if not (await session.execute(_TAKE, {"name": name})).scalar_one():
        raise Conflict("a request with this idempotency key is still running", code="idempotency_running")
    row = await session.get(IdempotencyKey, (principal.user_id, what.key))
    if row is None:
        return None
    if bytes(row.digest) != _bound(principal, what):
        sentence = "this idempotency key was used for another request; use a new key for a new request"
        raise Invalid([Problem("idempotency_mismatch", sentence)], code="idempotency_mismatch")
    try:
        opened = vault.open(base64.b64decode(row.answer["sealed"]), answer_place(principal.user_id, what.key))
    except UnknownKey:
        sentence = (
            "this request has been carried out before, and its answer can't be shown again: it was sealed with a key"
            " that is no longer in PARVIS_SECRET_KEYS. Read the thing instead; it is not done a second time"
        )
        raise Conflict(sentence, code="idempotency_sealed") from None
    answer: JsonObject = orjson.loads(opened)
    return answer


async def remember(
    session: Session, vault: Vault, principal: Principal, what: Asked, answer: JsonObject, *, now: datetime
) -> None:
    """Keep the answer for 24 hours, sealed, with the effect."""
    session.add(
        IdempotencyKey(
            principal_id=principal.user_id,
            key=what.key,
            digest=_bound(principal, what),
            answer=_sealed(vault, principal, what, answer),
            created_at=now,
        )
    )
    await session.flush()


async def amend(session: Session, vault: Vault, principal: Principal, what: Asked, answer: JsonObject) -> None:
    """Put a fuller answer in the place of the one that was kept, when the effect has gone on after its commit."""
    row = await session.get(IdempotencyKey, (principal.user_id, what.key))
    if row is not None and bytes(row.digest) == _bound(principal, what):
        row.answer = _sealed(vault, principal, what, answer)
        await session.flush()


def _bound(principal: Principal, what: Asked) -> bytes:
    """The digest, bound to the API key: a narrower key of the same user is never shown what a wider one was."""
    return hashlib.sha256(what.digest + principal.key_id.bytes).digest()


def _sealed(vault: Vault, principal: Principal, what: Asked, answer: JsonObject) -> JsonObject:
    sealed = vault.seal(orjson.dumps(answer).decode(), answer_place(principal.user_id, what.key))
    return {"sealed": base64.b64encode(sealed).decode()}
