"""A person takes their consent back on the network: received by the api, worked off by the scheduler."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlmodel import col

from shared.db import Session, driver
from shared.domain.brands import channels
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.ids import new_uuid
from shared.models.channel import Channel, Hook
from shared.models.consent import Withdrawal
from shared.models.enums import Network, WithdrawalKind

_REASON = "the person who connected it has taken their consent back on the network: connect it again"


@dataclass(frozen=True, slots=True)
class State:
    """How far a withdrawal is."""

    kind: WithdrawalKind
    received_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Granted:
    """A channel that the person connected."""

    brand_id: UUID
    channel_id: UUID


async def receive(
    session: Session, *, network: Network, app_id: UUID, kind: WithdrawalKind, person: str, signed: bytes
) -> str:
    """Keep a network's verified word, for the scheduler; the code to ask with how far it is.

    The same word again changes nothing and gets the same code.
    """
    digest = hashlib.sha256(f"{network.value} {kind.value} ".encode() + signed).digest()
    code: str = await (await driver(session)).fetchval(
        "SELECT parvis.receive_withdrawal($1, $2, $3, $4, $5, $6, $7)",
        new_uuid(),
        network.value,
        app_id,
        kind.value,
        person,
        digest,
        secrets.token_hex(16),
    )
    return code


async def state(session: Session, code: str) -> State:
    """How far it is. Raises NotFound."""
    row = await (await driver(session)).fetchrow("SELECT * FROM parvis.withdrawal_of($1)", code)
    if row is None:
        raise NotFound("there is no request with this code")
    return State(WithdrawalKind(row["kind"]), row["received_at"], row["done_at"])


async def claim(session: Session, *, lease: timedelta) -> Withdrawal | None:
    """Take one that nobody works on, oldest first."""
    row = await (await driver(session)).fetchrow(
        "WITH x AS MATERIALIZED (SELECT id FROM withdrawal WHERE done_at IS NULL"
        "   AND (leased_until IS NULL OR leased_until < clock_timestamp())"
        "   ORDER BY received_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
        " UPDATE withdrawal w SET leased_until = clock_timestamp() + $1 FROM x WHERE w.id = x.id RETURNING w.id",
        lease,
    )
    return await session.get_one(Withdrawal, row["id"]) if row is not None else None


async def granted(session: Session, one: Withdrawal) -> list[Granted]:
    """The channels, of any brand, that the person connected through the app before they took it back."""
    query = (
        select(col(Hook.brand_id), col(Hook.channel_id))
        .where(
            col(Hook.network) == one.network,
            col(Hook.granted_by) == one.person,
            col(Hook.through_app_id) == one.app_id,
            col(Hook.granted_at) <= one.received_at,
            col(Hook.removed_at).is_(None),
        )
        .order_by(col(Hook.brand_id), col(Hook.channel_id))
    )
    found = await session.execute(query)
    return [Granted(brand_id, channel_id) for brand_id, channel_id in found if brand_id and channel_id]


async def end_login(session: Session, scope: Scope, channel_id: UUID, *, erase: bool, now: datetime) -> bool:
    """A login that a person gave is dead, said once; with `erase` it is not kept. False where its channel is gone."""
    try:
        await channels.login_died(session, scope, channel_id, reason=_REASON, now=now)
    except NotFound:
        return False
    if erase:
        channel = await session.get_one(Channel, (scope.brand_id, channel_id))
        channel.credentials = None
        await session.flush()
        await session.execute(
            update(Hook)
            .where(col(Hook.brand_id) == scope.brand_id, col(Hook.channel_id) == channel_id)
            .values(granted_by=None)
            .execution_options(synchronize_session=False)
        )
    return True


async def finish(session: Session, withdrawal_id: UUID, *, ended: Sequence[Granted], mentions: int) -> None:
    """It is worked off: who it was is no longer kept, what came of it is."""
    await session.execute(
        text(
            "UPDATE withdrawal SET done_at = clock_timestamp(), person = NULL, channels = :channels,"
            " mentions = mentions + :mentions WHERE id = :id AND done_at IS NULL"
        ),
        {"id": withdrawal_id, "channels": len(ended), "mentions": mentions},
    )
