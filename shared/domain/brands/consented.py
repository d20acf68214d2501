"""Connecting what a person gave: a new channel, or another login for one that the brand has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from shared.contract import Card, Choice, Secret
from shared.db import Session
from shared.domain.brands import apps, channels, connecting, consents, hooks, logins, upkeep
from shared.domain.brands.connecting import Connected, Through
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.models.channel import Channel, ChannelDraft
from shared.models.consent import Consent
from shared.models.enums import Network
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of the things that a person gave is to be connected, what a person calls it, and what it follows."""

    consent_id: UUID
    external_id: str | None
    name: str | None = None
    terms: tuple[str, ...] = ()


async def connect(
    session: Session,
    scope: Scope,
    vault: Vault,
    *,
    chosen: Chosen,
    cards: Mapping[Network, Card],
    new_secret: Callable[[Network], str],
    hook_base_url: str,
    now: datetime,
) -> Connected:
    """Connect the choice. A channel of the same place keeps everything it has, and gets the new login.

    Raises NotFound, Conflict where nothing was given (yet) or the brand has the id on another server, Invalid for a
    choice that is none.
    """
    # Held, so that a choice that is connected twice at once is connected once and then found.
    consent = await consents.get(session, scope, chosen.consent_id, now=now, for_update=True)
    choice = consents.choice(vault, consent, chosen.external_id)
    card = cards[consent.network]
    through = Through(consent.app_id, choice.granted_by)
    known = (await consents.connected(session, scope, consent)).get(choice.external_id)
    if known is not None:
        return await _renew(session, scope, vault, known, choice, card, through, hook_base_url, now)
    return await connecting.connect(
        session,
        scope,
        vault,
        draft=_draft(consent, choice, chosen),
        credentials=dict(choice.credentials),
        card=card,
        new_secret=new_secret(consent.network),
        hook_base_url=hook_base_url,
        choice=choice,
        now=now,
        through=through,
    )


def _draft(consent: Consent, choice: Choice, chosen: Chosen) -> ChannelDraft:
    try:
        return ChannelDraft(
            network=consent.network,
            name=chosen.name or choice.name[:200],
            external_id=choice.external_id,
            base_url=choice.base_url,
            terms=list(chosen.terms),
        )
    except ValidationError as error:
        found = "; ".join(one["msg"] for one in error.errors())
        sentence = f"the network names something that no channel can be made of: {found}"
        raise Invalid([Problem("unusable_choice", sentence, ("external_id",))]) from None


async def _renew(
    session: Session,
    scope: Scope,
    vault: Vault,
    known: Channel,
    choice: Choice,
    card: Card,
    through: Through,
    hook_base_url: str,
    now: datetime,
) -> Connected:
    if known.base_url and choice.base_url and apps.root(known.base_url) != apps.root(choice.base_url):
        raise Conflict(
            f"this brand has the {known.network.value} channel {known.external_id[:200]!r} on another server",
            code="channel_exists",
        )
    channel = await _reconnect(session, scope, vault, known.id, choice, card, through, now)
    return Connected(channel, hooks.url(hook_base_url, channel.hook_id), None, Secret(()), is_new=False)


async def _reconnect(
    session: Session,
    scope: Scope,
    vault: Vault,
    channel_id: UUID,
    choice: Choice,
    card: Card,
    through: Through,
    now: datetime,
) -> Channel:
    """A dead login wakes; what the channel heard and what waits for it stays.

    Its hook gets the signing key that came with the login, if one did, and its part of what the app is told.
    """
    channel = await channels.held(session, scope, channel_id)
    channel.credentials = logins.seal(vault, channel.id, choice.credentials)
    channel.login_expires_at = choice.expires_at
    await upkeep.plan_login(session, scope, channel, card, now=now)
    await channels.wake(session, scope, channel, now=now)
    hook = (await hooks.by_ids(session, scope, [channel.hook_id]))[channel.hook_id]
    hook.through_app_id, hook.granted_by, hook.granted_at = through.app_id, through.granted_by, now
    key = choice.credentials.get(card.secret_keyword) if card.secret_keyword else None
    hooks.renew_secret(vault, hook, key=key, verify_token=None)
    return await channels.changed(session, scope, channel, "channel.reconnect", now=now)
