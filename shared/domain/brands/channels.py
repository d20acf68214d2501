"""A brand's presences on networks: connecting, pausing, checking, removing."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import SQLModel

from shared.contract import Capability, Card, Choice, Finding, Login
from shared.db import Session
from shared.domain import turns
from shared.domain.brands import audit, coverage, hooks, logins, terms, upkeep
from shared.domain.brands.connecting import Connected, connect
from shared.domain.brands.lanes import lane_of
from shared.domain.events import events
from shared.domain.listening import backfills
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.publishing.sending import due
from shared.domain.scope import Scope
from shared.domain.turns import Queue
from shared.errors import Conflict, Gone, Invalid, LoginDead, NotFound, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.channel import Channel, Hook
from shared.models.enums import ChannelStatus, EventType, GrantRole, KeyScope
from shared.models.turn import DuePoll
from shared.vault import Vault

__all__ = ["ChannelChanges", "Connected", "connect"]

_KIND = "channels"


class ChannelChanges(SQLModel):
    """What may change of a channel; what is not set stays. `credentials` replace the ones before, whole."""

    name: str | None = None
    base_url: str | None = None
    credentials: dict[str, str] | None = None
    terms: list[str] | None = None


async def get(session: Session, scope: Scope, channel_id: UUID) -> Channel:
    """One channel that is not removed. Raises NotFound."""
    channel = await session.get(Channel, (scope.brand_id, channel_id))
    if channel is None or channel.removed_at is not None:
        raise _unknown(channel_id)
    return channel


async def list_(session: Session, scope: Scope) -> list[Channel]:
    """The brand's channels that are not removed, newest first."""
    query = (
        select(Channel)
        .where(Channel.brand_id == scope.brand_id, Channel.removed_at.is_(None))  # type: ignore[arg-type, union-attr]
        .order_by(Channel.id.desc())  # type: ignore[attr-defined]
    )
    return list((await session.execute(query)).scalars())


async def page(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[Channel]:
    """One page of `list_`."""
    query = select(Channel).where(Channel.brand_id == scope.brand_id, Channel.removed_at.is_(None))  # type: ignore[arg-type, union-attr]
    if page.cursor is not None:
        query = query.where(Channel.id < UUID(cursors.decode(scope.brand_id, _KIND, "", page.cursor)[0]))  # type: ignore[arg-type]
    query = query.order_by(Channel.id.desc()).limit(page.limit + 1)  # type: ignore[attr-defined]
    rows = list((await session.execute(query)).scalars())
    return Page.cut(rows, page.limit, lambda channel: cursors.encode(scope.brand_id, _KIND, "", [str(channel.id)]))


async def by_ids(session: Session, scope: Scope, channel_ids: Collection[UUID]) -> dict[UUID, Channel]:
    """The brand's channels among these ids, removed ones too: what they heard is still there."""
    query = select(Channel).where(Channel.brand_id == scope.brand_id, Channel.id.in_(channel_ids))  # type: ignore[arg-type, attr-defined]
    return {channel.id: channel for channel in (await session.execute(query)).scalars()}


async def login(session: Session, scope: Scope, vault: Vault, channel: Channel) -> Login:
    """What the channel's connector needs to act for it. Raises UnknownKey."""
    assert channel.brand_id == scope.brand_id
    return logins.login(vault, channel)


async def update(
    session: Session,
    scope: Scope,
    vault: Vault,
    channel_id: UUID,
    *,
    changes: ChannelChanges,
    card: Card,
    choice: Choice | None = None,
    if_version: int | None = None,
    now: datetime,
) -> Channel:
    """Rename a channel, move it, let it follow other terms, or give it new credentials, which wake a dead login.

    New signing keys go in front of the old one, which holds until the network has changed over. `choice` is what the
    network said that the credentials speak for: Invalid where that is another channel.
    """
    channel = await held(session, scope, channel_id, if_version)
    given = changes.model_fields_set
    if "name" in given:
        if not (changes.name or "").strip() or len(changes.name or "") > 200:
            raise Invalid([Problem("invalid", "a channel's name has 1 to 200 characters", ("name",))])
        channel.name = (changes.name or "").strip()
    if "base_url" in given:
        if changes.base_url is None and card.needs_base_url:
            raise Invalid([Problem("required", f"{card.label} needs a base_url", ("base_url",))])
        channel.base_url = changes.base_url
    if "terms" in given:
        channel.terms = terms.checked(card, changes.terms or [])
    if "credentials" in given:
        await _renew_credentials(session, scope, vault, channel, changes.credentials or {}, card, choice, now)
    return await changed(session, scope, channel, "channel.update", now=now, details={"changed": sorted(given)})


async def _renew_credentials(
    session: Session,
    scope: Scope,
    vault: Vault,
    channel: Channel,
    given: dict[str, str],
    card: Card,
    choice: Choice | None,
    now: datetime,
) -> None:
    logins.validate(card, given)
    if choice is not None and choice.external_id != channel.external_id:
        message = (
            f"these credentials speak for {choice.external_id[:200]}, and this channel is {channel.external_id[:200]}"
        )
        raise Invalid([Problem("other_account", message, ("credentials",))])
    channel.credentials = logins.seal(vault, channel.id, choice.credentials if choice is not None else given)
    channel.login_expires_at = choice.expires_at if choice is not None else None
    await upkeep.plan_login(session, scope, channel, card, now=now)
    await wake(session, scope, channel, now=now)
    if card.can(Capability.POLL) and channel.status is ChannelStatus.ACTIVE:
        await turns.poll(session, scope.brand_id, channel.id, lane_of(channel, card))
    hook = (await hooks.by_ids(session, scope, [channel.hook_id]))[channel.hook_id]
    hooks.renew_secret(
        vault,
        hook,
        key=given.get(card.secret_keyword) if card.secret_keyword else None,
        verify_token=given.get(logins.VERIFY_TOKEN),
    )


async def pause(
    session: Session, scope: Scope, channel_id: UUID, *, if_version: int | None = None, now: datetime
) -> Channel:
    """Stop polling and sending; hearing goes on. Pausing a paused channel changes nothing."""
    channel = await held(session, scope, channel_id, if_version)
    if channel.status is ChannelStatus.PAUSED:
        return channel
    if channel.status is ChannelStatus.LOGIN_DEAD:
        raise Conflict("this channel already stands still: its login is dead. Give it new credentials first")
    channel.status = ChannelStatus.PAUSED
    await _stop_polling(session, scope, channel, "the channel is paused", now)
    return await changed(session, scope, channel, "channel.pause", now=now)


async def resume(
    session: Session, scope: Scope, channel_id: UUID, *, card: Card, if_version: int | None = None, now: datetime
) -> Channel:
    """Poll and send again. Resuming an active channel changes nothing; a dead login needs new credentials first."""
    channel = await held(session, scope, channel_id, if_version)
    if channel.status is ChannelStatus.ACTIVE:
        return channel
    if channel.status is ChannelStatus.LOGIN_DEAD:
        raise Conflict("the network no longer takes this channel's login: give it new credentials instead")
    channel.status, channel.status_reason = ChannelStatus.ACTIVE, None
    if card.can(Capability.POLL):
        lane = lane_of(channel, card)
        session.add(DuePoll(channel_id=channel.id, brand_id=scope.brand_id, lane=lane, due_at=now))
    await due.release(session, scope, channel_id, now=now)
    return await changed(session, scope, channel, "channel.resume", now=now)


async def login_died(session: Session, scope: Scope, channel_id: UUID, *, reason: str, now: datetime) -> None:
    """The network no longer takes the channel's login: polling and sending stop, once said; hearing goes on.

    Its turns to be polled go on too, and do nothing until the login lives again.
    """
    channel = await held(session, scope, channel_id)
    if channel.status is not ChannelStatus.ACTIVE:
        return
    channel.status, channel.status_reason = ChannelStatus.LOGIN_DEAD, reason
    await _interrupt(session, scope, channel, reason, now)
    await changed(session, scope, channel, "channel.login_dead", now=now)


async def gone(session: Session, scope: Scope, channel_id: UUID, *, reason: str, now: datetime) -> None:
    """What the channel was connected to is no longer there: it pauses itself and says why, once; hearing goes on."""
    channel = await held(session, scope, channel_id)
    if channel.status is not ChannelStatus.ACTIVE:
        return
    channel.status, channel.status_reason = ChannelStatus.PAUSED, reason
    mend = "connect what has taken its place; where it is back, resume this channel"
    kept = [finding for finding in channel.findings if finding["code"] != Gone.code]
    channel.findings = [*kept, asdict(Finding(False, Gone.code, reason, mend))]
    channel.checked_at = now
    await _stop_polling(session, scope, channel, reason, now)
    await changed(session, scope, channel, "channel.gone", now=now)


async def moved(session: Session, scope: Scope, channel_id: UUID, *, base_url: str, now: datetime) -> None:
    """The network says that the channel is found at another address from now on."""
    channel = await held(session, scope, channel_id)
    if channel.base_url != base_url:
        details: dict[str, object] = {"from": channel.base_url, "to": base_url}
        channel.base_url = base_url
        await changed(session, scope, channel, "channel.moved", now=now, details=details)


async def wake(session: Session, scope: Scope, channel: Channel, *, now: datetime) -> None:
    """A login that was dead is taken to live again: what waited for it is looked at at once."""
    if channel.status is ChannelStatus.LOGIN_DEAD:
        channel.status, channel.status_reason = ChannelStatus.ACTIVE, None
        await turns.at_once(session, Queue.POLL, channel.id)
        await due.release(session, scope, channel.id, now=now)


async def remove(
    session: Session, scope: Scope, channel_id: UUID, *, if_version: int | None = None, now: datetime
) -> Channel:
    """End a channel: its hook answers 404, its credentials are gone, its mentions stay."""
    channel = await held(session, scope, channel_id, if_version)
    channel.status, channel.removed_at, channel.credentials = ChannelStatus.REMOVED, now, None
    hook = await session.get(Hook, channel.hook_id)
    if hook is not None:
        hook.removed_at = now
    await coverage.end(session, scope, channel_id, now=now)
    await backfills.call_off(session, scope, channel_id, now=now)
    await turns.drop(session, scope.brand_id, channel_id, list(Queue))
    return await changed(session, scope, channel, "channel.remove", now=now)


async def check(
    session: Session, scope: Scope, channel_id: UUID, *, findings: Sequence[Finding], now: datetime
) -> Channel:
    """Keep what a channel's self-test found; the test itself is made by the edge, outside any transaction.

    A login that the network no longer takes puts the channel to sleep; a test without a fault wakes it.
    """
    channel = await held(session, scope, channel_id)
    channel.findings = [asdict(finding) for finding in findings]
    channel.checked_at = now
    dead = next((finding for finding in findings if not finding.ok and finding.code == LoginDead.code), None)
    if dead is not None and channel.status is ChannelStatus.ACTIVE:
        channel.status, channel.status_reason = ChannelStatus.LOGIN_DEAD, dead.message
        await _interrupt(session, scope, channel, dead.message, now)
    elif findings and all(finding.ok for finding in findings):
        await wake(session, scope, channel, now=now)
    return await changed(session, scope, channel, "channel.check", now=now)


async def changed(
    session: Session,
    scope: Scope,
    channel: Channel,
    action: str,
    *,
    now: datetime,
    details: dict[str, object] | None = None,
) -> Channel:
    """Count the channel's version up, and tell those who listen and those who audit."""
    channel.version += 1
    await session.flush()
    fact = events.NewEvent(
        EventType.CHANNEL_CHANGED, channel.id, channel.version, {"status": channel.status.value, "action": action}
    )
    await events.add(session, scope.brand_id, [fact], now=now)
    await audit.add(session, scope, action, typeid(Prefix.CHANNEL, channel.id), details)
    return channel


def require(scope: Scope) -> None:
    """Raise NotAllowed unless the principal may connect, change and remove channels."""
    scope.require(KeyScope.CHANNELS, GrantRole.MANAGER)


async def held(session: Session, scope: Scope, channel_id: UUID, if_version: int | None = None) -> Channel:
    """One channel that is not removed, its row locked, for who may change it.

    Raises NotFound, NotAllowed, and Stale where it is not at `if_version`.
    """
    require(scope)
    channel = await session.get(Channel, (scope.brand_id, channel_id), with_for_update=True)
    if channel is None or channel.removed_at is not None:
        raise _unknown(channel_id)
    if if_version is not None and channel.version != if_version:
        raise Stale("the channel has changed since you read it; read it again")
    return channel


async def _stop_polling(session: Session, scope: Scope, channel: Channel, reason: str, now: datetime) -> None:
    await turns.drop(session, scope.brand_id, channel.id, [Queue.POLL])
    await _interrupt(session, scope, channel, reason, now)


async def _interrupt(session: Session, scope: Scope, channel: Channel, reason: str, now: datetime) -> None:
    """Nobody looks any more: what was said since the last look is not seen either."""
    since = channel.last_polled_at or now
    await coverage.interrupted(session, scope, channel.id, via="poll", reason=reason, now=since)


def _unknown(channel_id: UUID) -> NotFound:
    return NotFound(f"there is no channel with the id {typeid(Prefix.CHANNEL, channel_id)!r}")
