"""Connecting a channel: the row, its hook and its first interval of coverage, in one transaction."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from shared.contract import Capability, Card, Choice, Secret
from shared.db import Session
from shared.domain.brands import audit, coverage, hooks, logins, terms, upkeep
from shared.domain.brands.lanes import lane_of
from shared.domain.events import events
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.ids import Prefix, new_uuid, typeid
from shared.models.channel import Channel, ChannelDraft, Hook
from shared.models.enums import EventType, GrantRole, KeyScope
from shared.models.turn import DuePoll
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Connected:
    """A channel and what its network must be told.

    `secret` is set where we made it: it is shown this once. `shared` is what the hook holds. `is_new` is false where
    the brand had the channel, and it was given another login.
    """

    channel: Channel
    webhook_url: str
    secret: str | None
    shared: Secret
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Through:
    """The app by which a person consented, and who that was: the channel gets its part of what the app is told."""

    app_id: UUID
    granted_by: str | None


async def connect(
    session: Session,
    scope: Scope,
    vault: Vault,
    *,
    draft: ChannelDraft,
    credentials: dict[str, str],
    card: Card,
    new_secret: str,
    hook_base_url: str,
    choice: Choice | None = None,
    now: datetime,
    through: Through | None = None,
) -> Connected:
    """Connect a channel, by token or `through` a consent. Raises Invalid, and Conflict where the brand has it already.

    `choice` is what the network said that the credentials speak for, and which ones are to be kept. What came out of a
    consent is the network's own and is taken as it is.
    """
    scope.require(KeyScope.CHANNELS, GrantRole.MANAGER)
    if choice is not None:
        draft = named_by(draft, choice)
    if through is None:
        validate(draft, credentials, card)
    if card.needs_external_id and draft.external_id is None:
        raise Invalid([Problem("required", f"{card.label} needs the external_id of what to connect", ("external_id",))])
    channel_id, hook_id = new_uuid(), new_uuid()
    external_id = draft.external_id or secrets.token_hex(8)
    own_key = credentials.get(card.secret_keyword) if card.secret_keyword else None
    shared = Secret((own_key or new_secret,), _verify_token(credentials, card))
    await _refuse_twice(session, scope, draft, external_id)
    channel = Channel.model_validate(
        draft,
        update={
            "brand_id": scope.brand_id,
            "id": channel_id,
            "external_id": external_id,
            "name": draft.name or f"{card.label} {external_id}"[:200],
            "terms": terms.checked(card, draft.terms),
            "hook_id": hook_id,
            "credentials": logins.seal(vault, channel_id, choice.credentials if choice is not None else credentials),
            "login_expires_at": choice.expires_at if choice is not None else None,
            "created_at": now,
        },
    )
    hook = Hook(
        id=hook_id,
        network=draft.network,
        brand_id=scope.brand_id,
        channel_id=channel_id,
        external_id=external_id,
        key_digests=hooks.digests(shared.keys),
        secret=hooks.seal(vault, hook_id, shared),
        through_app_id=through.app_id if through is not None else None,
        granted_by=through.granted_by if through is not None else None,
        granted_at=now if through is not None else None,
        created_at=now,
    )
    session.add_all([channel, hook])
    try:
        await session.flush()
    except IntegrityError as error:
        raise _twice(draft, external_id) from error
    await _begin(session, scope, channel, card, now)
    return Connected(channel, hooks.url(hook_base_url, hook_id), None if own_key else new_secret, shared)


async def _begin(session: Session, scope: Scope, channel: Channel, card: Card, now: datetime) -> None:
    if card.can(Capability.WEBHOOKS) and card.pushes_everything:
        await coverage.begin(session, scope, channel.id, via="webhook", now=now)
    if card.can(Capability.POLL):
        lane = lane_of(channel, card)
        session.add(DuePoll(channel_id=channel.id, brand_id=scope.brand_id, lane=lane, due_at=now))
        await session.flush()
    await upkeep.plan_login(session, scope, channel, card, now=now)
    payload = {"status": channel.status.value, "action": "channel.connect"}
    fact = events.NewEvent(EventType.CHANNEL_CHANGED, channel.id, channel.version, payload)
    await events.add(session, scope.brand_id, [fact], now=now)
    details = {"network": channel.network.value, "external_id": channel.external_id[:200]}
    await audit.add(session, scope, "channel.connect", typeid(Prefix.CHANNEL, channel.id), details)


def named_by(draft: ChannelDraft, choice: Choice) -> ChannelDraft:
    """The draft with what its network says of itself: a person's own name for the channel stands."""
    return draft.model_copy(
        update={
            "external_id": choice.external_id,
            "name": draft.name or choice.name[:200] or None,
            "base_url": choice.base_url or draft.base_url,
        }
    )


def validate(draft: ChannelDraft, given: dict[str, str], card: Card) -> None:
    """Raise Invalid unless the draft and the credentials are what the network's card asks for.

    What is connected need not be named yet: the network may say it.
    """
    if card.needs_base_url and draft.base_url is None:
        raise Invalid([Problem("required", f"{card.label} needs the base_url of its server", ("base_url",))])
    logins.validate(card, given)


def _verify_token(given: dict[str, str], card: Card) -> str | None:
    if logins.VERIFY_TOKEN not in (*card.credentials_required, *card.credentials_optional):
        return None
    return given.get(logins.VERIFY_TOKEN) or secrets.token_urlsafe(24)


async def _refuse_twice(session: Session, scope: Scope, draft: ChannelDraft, external_id: str) -> None:
    query = select(Channel.id).where(  # type: ignore[call-overload]
        Channel.brand_id == scope.brand_id,
        Channel.network == draft.network,
        Channel.external_id == external_id,
        Channel.removed_at.is_(None),  # type: ignore[union-attr]
    )
    if (await session.execute(query)).first() is not None:
        raise _twice(draft, external_id)


def _twice(draft: ChannelDraft, external_id: str) -> Conflict:
    return Conflict(
        f"this brand already has the {draft.network.value} channel {external_id[:200]!r}; remove it first",
        code="channel_exists",
    )
