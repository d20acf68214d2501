"""Addresses that are told of notifications: a user's own, or a brand's; made, changed, given another secret, ended."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select

from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.brands import audit
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Principal, Scope
from shared.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, Stale
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import GrantRole, KeyScope, NotificationKind
from shared.models.webhook import WebhookEndpoint
from shared.vault import Vault

MOST = 20  # endpoints of one user, or of one brand
OVERLAP = timedelta(hours=24)  # for how long the secret before is signed with, too
_KIND = "webhook endpoints"
_MANAGERS = (GrantRole.OWNER, GrantRole.MANAGER)


@dataclass(frozen=True, slots=True)
class Opened:
    """An endpoint with the secret that its receiver verifies by; it is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


def place(endpoint_id: UUID) -> str:
    """Where an endpoint's secrets are sealed for."""
    return f"webhook_endpoint:{endpoint_id}:secret"


async def create(
    session: Session,
    principal: Principal,
    vault: Vault,
    *,
    url: str,
    kinds: Sequence[NotificationKind],
    brand_id: UUID | None,
    now: datetime,
) -> Opened:
    """An endpoint of the user's own, for all of its brands; with `brand_id` one of the brand's.

    Raises NotFound for a foreign brand, NotAllowed, Invalid, and Conflict where there are too many.
    """
    if brand_id is None:
        _require_whole(principal)
        mine = WebhookEndpoint.user_id == principal.user_id
    else:
        scope = await scopes.open_brand(session, principal, brand_id)
        scope.require(KeyScope.CHANNELS, GrantRole.MANAGER)
        mine = WebhookEndpoint.brand_id == brand_id
    _check(url, kinds)
    held = select(WebhookEndpoint.id).where(mine, col(WebhookEndpoint.removed_at).is_(None))
    if len((await session.execute(held)).all()) >= MOST:
        raise Conflict(f"there are {MOST} webhook endpoints already: remove one first")
    id_, secret = new_uuid(), _new_secret()
    made = WebhookEndpoint(
        id=id_,
        organization_id=principal.organization_id,
        user_id=principal.user_id if brand_id is None else None,
        brand_id=brand_id,
        url=url,
        kinds=_kept(kinds),
        secret=vault.seal(secret, place(id_)),
        created_at=now,
    )
    session.add(made)
    await session.flush()
    await _note(session, principal, made, "webhook_endpoint.create")
    return Opened(made, secret)


async def page(session: Session, principal: Principal, *, page: PageRequest, cursors: Cursors) -> Page[WebhookEndpoint]:
    """A page of the user's own and of those of the brands that it manages, newest first."""
    managed = sorted(brand for brand, role in principal.brands.items() if role in _MANAGERS)
    await scopes.see(session, managed)
    wanted = select(WebhookEndpoint).where(
        col(WebhookEndpoint.removed_at).is_(None), or_(_own(principal), col(WebhookEndpoint.brand_id).in_(managed))
    )
    if page.cursor is not None:
        before = UUID(cursors.decode(principal.user_id, _KIND, "", page.cursor)[0])
        wanted = wanted.where(col(WebhookEndpoint.id) < before)
    wanted = wanted.order_by(col(WebhookEndpoint.id).desc()).limit(page.limit + 1)
    rows = list((await session.execute(wanted)).scalars())
    return Page.cut(rows, page.limit, lambda one: cursors.encode(principal.user_id, _KIND, "", [str(one.id)]))


async def get(
    session: Session, principal: Principal, id_: UUID, *, locked: bool = False, or_removed: bool = False
) -> WebhookEndpoint:
    """One that `page` shows, or showed; this transaction sees its brand from here on, or all. Raises NotFound."""
    await scopes.see(session, sorted(principal.brands))
    wanted = select(WebhookEndpoint).where(WebhookEndpoint.id == id_)
    if not or_removed:
        wanted = wanted.where(col(WebhookEndpoint.removed_at).is_(None))
    found = (await session.execute(wanted.with_for_update() if locked else wanted)).scalar_one_or_none()
    if found is not None and found.brand_id is not None and principal.brands.get(found.brand_id) in _MANAGERS:
        await scopes.see(session, [found.brand_id])
        return found
    if found is not None and found.brand_id is None and _is_own(principal, found):
        return found
    raise NotFound(f"there is no webhook endpoint with the id {typeid(Prefix.WEBHOOK_ENDPOINT, id_)!r}")


async def update(
    session: Session,
    principal: Principal,
    id_: UUID,
    *,
    url: str | None = None,
    kinds: Sequence[NotificationKind] | None = None,
    is_enabled: bool | None = None,
    if_version: int | None = None,
    now: datetime,
) -> WebhookEndpoint:
    """Move it, let it hear of other kinds, switch it off or on; what is None stays. Raises Stale and as `create`."""
    found = await _held(session, principal, id_, if_version)
    _check(
        url if url is not None else found.url,
        kinds if kinds is not None else [NotificationKind(k) for k in found.kinds],
    )
    found.url = url if url is not None else found.url
    found.kinds = _kept(kinds) if kinds is not None else found.kinds
    if is_enabled and found.disabled_at is not None:
        found.disabled_at = found.disabled_reason = found.failing_since = None
    elif is_enabled is False and found.disabled_at is None:
        found.disabled_at, found.disabled_reason = now, "a person switched it off"
    found.version += 1
    await session.flush()
    await _note(session, principal, found, "webhook_endpoint.update")
    return found


async def rotate(session: Session, principal: Principal, vault: Vault, id_: UUID, *, now: datetime) -> Opened:
    """Another secret; for a day messages are signed with the one before, too."""
    found, secret = await _held(session, principal, id_, None), _new_secret()
    found.secret_before, found.secret_before_until = found.secret, now + OVERLAP
    found.secret = vault.seal(secret, place(found.id))
    found.version += 1
    await session.flush()
    await _note(session, principal, found, "webhook_endpoint.rotate")
    return Opened(found, secret)


async def remove(session: Session, principal: Principal, id_: UUID, *, now: datetime) -> WebhookEndpoint:
    """Nothing is sent there any more, what waited neither. Its secrets go."""
    found = await _held(session, principal, id_, None)
    found.removed_at, found.secret, found.secret_before = now, b"", None
    found.version += 1
    await session.flush()
    await _note(session, principal, found, "webhook_endpoint.remove")
    return found


def secrets(vault: Vault, endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """What messages to it are signed with, the newest first."""
    found = [vault.open(endpoint.secret, place(endpoint.id))]
    if (
        endpoint.secret_before is not None
        and endpoint.secret_before_until is not None
        and endpoint.secret_before_until > now
    ):
        found.append(vault.open(endpoint.secret_before, place(endpoint.id)))
    return found


async def _held(session: Session, principal: Principal, id_: UUID, if_version: int | None) -> WebhookEndpoint:
    found = await get(session, principal, id_, locked=True)
    if found.brand_id is not None:
        role = principal.brands[found.brand_id]
        Scope(found.brand_id, principal, role).require(KeyScope.CHANNELS, GrantRole.MANAGER)
    if if_version is not None and found.version != if_version:
        raise Stale("the webhook endpoint has changed since you read it; read it again")
    return found


def _own(principal: Principal) -> Any:
    # A key for one brand does not reach what is told of all of them.
    whole = principal.key_brand_id is None
    return (col(WebhookEndpoint.user_id) == (principal.user_id if whole else None)) & (
        col(WebhookEndpoint.organization_id) == principal.organization_id
    )


def _is_own(principal: Principal, found: WebhookEndpoint) -> bool:
    is_mine = (found.user_id, found.organization_id) == (principal.user_id, principal.organization_id)
    return is_mine and principal.key_brand_id is None


def _require_whole(principal: Principal) -> None:
    if principal.key_brand_id is not None:
        raise NotAllowed("this key is for one brand: name it as brand_id")
    if not principal.may(KeyScope.READ):
        raise NotAllowed("this key has no 'read' scope")


def _check(url: str, kinds: Sequence[NotificationKind]) -> None:
    problems = []
    if len(url) > 2000:
        problems.append(Problem("too_long", "an address has at most 2,000 characters", ("url",)))
    if not kinds:
        problems.append(Problem("required", "name at least one kind of notification", ("kinds",)))
    if problems:
        raise Invalid(problems)


def _kept(kinds: Sequence[NotificationKind]) -> list[str]:
    return sorted({kind.value for kind in kinds})


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(token_bytes(32)).decode()


async def _note(session: Session, principal: Principal, found: WebhookEndpoint, action: str) -> None:
    if found.brand_id is None:
        return
    scope = Scope(found.brand_id, principal, principal.brands[found.brand_id])
    await audit.add(session, scope, action, typeid(Prefix.WEBHOOK_ENDPOINT, found.id), None)
