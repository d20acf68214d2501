"""One try at a webhook: begun and committed before the call, settled after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain import turns
from shared.domain.events import events
from shared.domain.notifying import endpoints
from shared.domain.scope import Scope
from shared.domain.turns import Turn
from shared.models.enums import EventType, WebhookState
from shared.models.webhook import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from shared.vault import Vault

_GONE = 410
_ANSWER = 500  # characters of an answer that are kept

_IS_WELL = "UPDATE webhook_endpoint SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL"
_FAILS = """
UPDATE webhook_endpoint SET failing_since = coalesce(failing_since, $2) WHERE id = $1 RETURNING failing_since
"""
_DISABLE = """
UPDATE webhook_endpoint SET disabled_at = $2, disabled_reason = $3, version = version + 1
 WHERE id = $1 AND disabled_at IS NULL RETURNING user_id, url, version
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait after the first, second … failure in a row, and after how long of them an endpoint is let be."""

    waits: Sequence[timedelta]
    disable_after: timedelta


@dataclass(frozen=True, slots=True)
class Shot:
    """A try that may be made: once it is committed, its call may have left."""

    turn: Turn
    number: int
    url: str
    secrets: list[str]
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to: a status, or none where no answer came; `after` where the receiver asks for patience."""

    status: int | None
    text: str
    after: timedelta | None = None

    @property
    def is_well(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


async def begin(session: Session, scope: Scope, vault: Vault, turn: Turn, *, now: datetime) -> Shot | None:
    """Begin a try; None where there is nothing to send any more, or the endpoint is switched off."""
    delivery = await _held(session, scope, turn.id)
    endpoint = await session.get(WebhookEndpoint, turn.channel_id)
    if delivery is None:
        await turns.end(session, turn)
        return None
    if endpoint is None or endpoint.removed_at is not None or endpoint.disabled_at is not None:
        delivery.state, delivery.next_at, delivery.settled_at = WebhookState.FAILED, None, now
        await turns.end(session, turn)
        await session.flush()
        return None
    delivery.tries += 1
    delivery.state = WebhookState.SENDING
    session.add(WebhookAttempt(brand_id=scope.brand_id, delivery_id=delivery.id, number=delivery.tries, started_at=now))
    await session.flush()
    secrets = endpoints.secrets(vault, endpoint, now=now)
    return Shot(turn, delivery.tries, endpoint.url, secrets, delivery.payload)


async def settle(
    session: Session, scope: Scope, shot: Shot, answer: Answer, *, pace: Pace, now: datetime
) -> WebhookState:
    """Keep the answer, and say when to try again. One that comes after another try began changes only its own try."""
    delivery = await _held(session, scope, shot.turn.id)
    tried = await session.get(WebhookAttempt, (scope.brand_id, shot.turn.id, shot.number))
    if delivery is None or tried is None:
        return WebhookState.FAILED
    tried.ended_at, tried.status, tried.answer = now, answer.status, answer.text[:_ANSWER].replace("\x00", "")
    if delivery.tries != shot.number:
        await session.flush()
        return delivery.state
    if answer.is_well:
        await _let_be(session, shot.turn, delivery, WebhookState.DELIVERED, now)
        await (await driver(session)).execute(_IS_WELL, shot.turn.channel_id)
        return delivery.state
    failures = shot.turn.failures + 1
    is_off = await _fails(session, scope, shot, answer, pace=pace, now=now)
    if is_off or failures > len(pace.waits):
        await _let_be(session, shot.turn, delivery, WebhookState.FAILED, now)
        return delivery.state
    wait = max(pace.waits[failures - 1], answer.after or timedelta(0))
    delivery.state, delivery.next_at = WebhookState.RETRYING, now + wait
    await session.flush()
    await turns.again(session, shot.turn, wait=wait, failures=failures)
    return delivery.state


async def _let_be(session: Session, turn: Turn, delivery: WebhookDelivery, state: WebhookState, now: datetime) -> None:
    delivery.state, delivery.next_at, delivery.settled_at = state, None, now
    await session.flush()
    await turns.end(session, turn)


async def _fails(session: Session, scope: Scope, shot: Shot, answer: Answer, *, pace: Pace, now: datetime) -> bool:
    """Count it against the endpoint; whether that switched it off, which its people are told."""
    connection, endpoint_id = await driver(session), shot.turn.channel_id
    since = await connection.fetchval(_FAILS, endpoint_id, now)
    if since is None or not (answer.status == _GONE or now - since >= pace.disable_after):
        return False
    reason = "it said that it is gone" if answer.status == _GONE else f"it has failed since {since:%Y-%m-%d %H:%M} UTC"
    row = await connection.fetchrow(_DISABLE, endpoint_id, now, reason)
    if row is not None:
        owner = str(row["user_id"]) if row["user_id"] else None
        told = {"address": urlsplit(row["url"]).hostname, "user_id": owner}
        fact = events.NewEvent(EventType.ENDPOINT_DISABLED, endpoint_id, row["version"], told)
        await events.add(session, scope.brand_id, [fact], now=now)
    return True


async def _held(session: Session, scope: Scope, delivery_id: UUID) -> WebhookDelivery | None:
    wanted = (
        select(WebhookDelivery)
        .where(col(WebhookDelivery.brand_id) == scope.brand_id, col(WebhookDelivery.id) == delivery_id)
        .with_for_update()
    )
    return (await session.execute(wanted)).scalar_one_or_none()
