"""Asking a person for their consent on a network, and what came of it.

The state that goes through the browser is the credential of the way back: it is kept as a digest, holds for ten minutes
and once. The id of a consent is said to the browser that comes back and to nobody else, so that whoever sends another
person to a network never gets hold of what that person gives there.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import select, text, update
from sqlmodel import col

from shared.contract import Choice
from shared.db import Session, driver
from shared.domain.brands import audit
from shared.domain.scope import Principal, Scope
from shared.errors import Conflict, Invalid, NotFound, Problem
from shared.ids import Prefix, typeid
from shared.models.channel import Channel
from shared.models.consent import Consent
from shared.models.enums import ConsentStatus, GrantRole, KeyScope, Network
from shared.vault import UnknownKey, Vault

ASKED_FOR = timedelta(minutes=10)  # how long a person may take on the network's pages
CHOICES_STAY = timedelta(hours=1)  # how long they may take to choose among what they gave
EXCHANGE_TAKES = timedelta(seconds=60)  # after this, whoever exchanged the code has died
_LONGEST_STATE = 200
_LONGEST_URL = 2000


def verifier_place(consent_id: UUID) -> str:
    """Where a PKCE verifier is sealed for."""
    return f"consent:{consent_id}:verifier"


def choices_place(consent_id: UUID) -> str:
    """Where what a person gave is sealed for."""
    return f"consent:{consent_id}:choices"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way: the state and the challenge go to the network, nothing of them stays here in the clear."""

    consent: Consent
    state: str = field(repr=False)
    challenge: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Who came back: the consent, and the scope of whoever asked; None where their key or their role has ended."""

    consent: Consent
    scope: Scope | None


def check_return_url(url: str, origins: Sequence[str]) -> None:
    """Raise Invalid unless `url` is an address of one of these origins: browsers are sent on to no other."""
    # What two readers of an address could take for two hosts is refused before anybody reads it.
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(" \\<>\"'`{}|^")
    if not is_plain or len(url) > _LONGEST_URL or origin(url) is None:
        raise _no_return("return_url must be an http(s) address of your frontend")
    if origin(url) not in {origin(one) for one in origins}:
        raise _no_return("return_url is not of an origin in PARVIS_CORS_ORIGINS: nobody is sent on to it")


def _no_return(sentence: str) -> Invalid:
    return Invalid([Problem("return_url_not_allowed", sentence, ("return_url",))])


def origin(url: str) -> str | None:
    """Scheme, host and port of an address, each written out; None for what has no such thing."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    return f"{parts.scheme}://{parts.hostname}:{port}"


async def ask(
    session: Session, scope: Scope, vault: Vault, *, network: Network, app_id: UUID, return_url: str, now: datetime
) -> Asked:
    """Begin: a state for the browser, and the verifier of PKCE kept sealed."""
    scope.require(KeyScope.CHANNELS, GrantRole.MANAGER)
    assert scope.principal is not None
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    # Drawn by chance alone: this id must not be guessed from those that were made beside it.
    consent_id = uuid4()
    consent = Consent(
        id=consent_id,
        state=_digest(state),
        network=network,
        brand_id=scope.brand_id,
        user_id=scope.principal.user_id,
        api_key_id=scope.principal.key_id,
        app_id=app_id,
        verifier=vault.seal(verifier, verifier_place(consent_id)),
        return_url=return_url,
        created_at=now,
        expires_at=now + ASKED_FOR,
    )
    session.add(consent)
    await session.flush()
    await audit.add(session, scope, "consent.ask", typeid(Prefix.BRAND, scope.brand_id), {"network": network.value})
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return Asked(consent, state, challenge)


def _digest(secret: str) -> bytes:
    """The stored form of a state or a code. Both are long and random, so one fast hash is enough."""
    return hashlib.sha256(b"parvis consent" + secret.encode("utf-8", "surrogatepass")).digest()


async def enter(session: Session, state: str) -> Returned | None:
    """Whoever asked with this state, its brand seen by this transaction; None for a state that nobody gave out."""
    if not 0 < len(state) <= _LONGEST_STATE:
        return None
    row = await (await driver(session)).fetchrow("SELECT * FROM parvis.enter_by_state($1)", _digest(state))
    if row is None:
        return None
    consent = await session.get_one(Consent, row["consent_id"])
    return Returned(consent, _scope(row))


def _scope(row: Mapping[str, Any]) -> Scope | None:
    if row["key_id"] is None or row["role"] is None:
        return None
    role = GrantRole(row["role"])
    principal = Principal(
        row["key_id"],
        row["user_id"],
        row["organization_id"],
        frozenset(KeyScope(scope) for scope in row["scopes"]),
        {row["brand_id"]: role},
        row["key_brand_id"],
    )
    return Scope(row["brand_id"], principal, role)


async def use_up(session: Session, consent: Consent, *, code: str, now: datetime) -> bool:
    """Use the state, once, with what the browser brought along: false where somebody else has."""
    used = await session.execute(
        update(Consent)
        .where(col(Consent.id) == consent.id, col(Consent.returned_at).is_(None))
        .values(returned_at=now, code=_digest(code))
        .returning(col(Consent.id))
        .execution_options(synchronize_session=False)
    )
    return used.scalar_one_or_none() is not None


def is_the_same_return(consent: Consent, *, code: str) -> bool:
    """Whether the browser that came back brings the same code again, as in a reload.

    Whoever asked knows the state. The code is known to the person's browser alone.
    """
    return bool(code) and consent.code is not None and hmac.compare_digest(consent.code, _digest(code))


def verifier(vault: Vault, consent: Consent) -> str:
    """The PKCE verifier. Raises UnknownKey."""
    return vault.open(consent.verifier, verifier_place(consent.id))


async def keep(
    session: Session, scope: Scope, vault: Vault, consent: Consent, *, given: Sequence[Choice], now: datetime
) -> None:
    """Keep what the person gave, sealed, until somebody has chosen."""
    consent.choices = vault.seal(json.dumps([_written(one) for one in given]), choices_place(consent.id))
    consent.expires_at = now + CHOICES_STAY
    await session.flush()
    details = {"network": consent.network.value, "choices": len(given)}
    await audit.add(session, scope, "consent.give", typeid(Prefix.BRAND, scope.brand_id), details)


async def fail(session: Session, consent: Consent, *, error: str) -> None:
    """Keep why nothing came of it."""
    consent.error = error
    await session.flush()


async def get(session: Session, scope: Scope, consent_id: UUID, *, now: datetime, for_update: bool = False) -> Consent:
    """The principal's own consent on this brand. Raises NotFound, also for one whose time is over."""
    scope.require(KeyScope.CHANNELS, GrantRole.MANAGER)
    query = select(Consent).where(
        col(Consent.id) == consent_id, col(Consent.brand_id) == scope.brand_id, col(Consent.expires_at) > now
    )
    if scope.principal is not None:
        query = query.where(col(Consent.user_id) == scope.principal.user_id)
    found: Consent | None = await session.scalar(query.with_for_update() if for_update else query)
    if found is None:
        raise NotFound(f"there is no consent with the id {typeid(Prefix.CONSENT, consent_id)!r}, or its time is over")
    return found


def choices(vault: Vault, consent: Consent) -> list[Choice]:
    """What the person gave; empty where nothing (yet) came of it. Raises Conflict where the vault has no key for it."""
    if consent.choices is None:
        return []
    try:
        opened = vault.open(consent.choices, choices_place(consent.id))
    except UnknownKey:
        sentence = "this consent was sealed with a key that is no longer there: ask again"
        raise Conflict(sentence, code="unknown_key") from None
    return [_read(one) for one in json.loads(opened)]


def choice(vault: Vault, consent: Consent, external_id: str | None) -> Choice:
    """One of them; without a name the only one. Raises Conflict where there are none (yet), Invalid for another."""
    given = choices(vault, consent)
    if not given:
        raise Conflict(
            "nothing came of this consent, or not yet: there is nothing to connect", code="consent_not_given"
        )
    if external_id is None and len(given) == 1:
        return given[0]
    found = next((one for one in given if one.external_id == external_id), None)
    if found is None:
        names = ", ".join(repr(one.external_id[:100]) for one in given[:20])
        raise Invalid([Problem("unknown_choice", f"choose one of what was given: {names}", ("external_id",))])
    return found


def error_of(consent: Consent, *, now: datetime) -> str | None:
    """Why nothing came of it. An exchange that takes too long has died with its process, and the code with it."""
    if consent.error is not None or consent.choices is not None or consent.returned_at is None:
        return consent.error
    return "interrupted" if consent.returned_at + EXCHANGE_TAKES < now else None


def status_of(consent: Consent, *, now: datetime) -> ConsentStatus:
    """How far it has come."""
    if consent.choices is not None:
        return ConsentStatus.GIVEN
    if error_of(consent, now=now) is not None:
        return ConsentStatus.FAILED
    return ConsentStatus.ASKED if consent.returned_at is None else ConsentStatus.RETURNED


async def connected(session: Session, scope: Scope, consent: Consent) -> dict[str, Channel]:
    """The brand's channels on the consent's network, by the network's id."""
    query = select(Channel).where(
        col(Channel.brand_id) == scope.brand_id,
        col(Channel.network) == consent.network,
        col(Channel.removed_at).is_(None),
    )
    return {channel.external_id: channel for channel in (await session.execute(query)).scalars()}


async def forget(session: Session) -> int:
    """Let consents go whose time is over, over the worker's connection; how many that were."""
    return int((await session.execute(text("SELECT parvis.forget_consents()"))).scalar_one())


def _written(one: Choice) -> dict[str, Any]:
    return {**asdict(one), "expires_at": one.expires_at.isoformat() if one.expires_at is not None else None}


def _read(value: Mapping[str, Any]) -> Choice:
    expires_at = datetime.fromisoformat(value["expires_at"]) if value["expires_at"] is not None else None
    return Choice(**{**value, "missing": tuple(value["missing"]), "expires_at": expires_at})
