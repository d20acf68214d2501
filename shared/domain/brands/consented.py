"""Connecting what a person gave: a new channel, or another login for one that the brand has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from shared.contract import Card, Choice, Secret
from shared.db import Session
from shared.domain.brands import apps, channels, connecting, consents, hooks
from shared.domain.brands.connecting import Connected, Through
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, Problem
from shared.models.channel import Channel, ChannelDraft
from shared.models.consent import Consent
from shared.models.enums import Network
from shared.vault import Vault


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which of the things that a person gave is to be connected, and what a person calls it."""

    consent_id: UUID
    external_id: str | None
    name: str | None = None


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
        draft=_draft(consent, choice, chosen.name),
        credentials=dict(choice.credentials),
        card=card,
        new_secret=new_secret(consent.network),
        hook_base_url=hook_base_url,
        now=now,
        through=through,
    )


def _draft(consent: Consent, choice: Choice, name: str | None) -> ChannelDraft:
    try:
        return ChannelDraft(
            network=consent.network,
            name=name or choice.name[:200],
            external_id=choice.external_id,
            base_url=choice.base_url,
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
    channel = await channels.reconnect(
        session,
        scope,
        vault,
        known.id,
        credentials=dict(choice.credentials),
        key=choice.credentials.get(card.secret_keyword) if card.secret_keyword else None,
        through=through,
        now=now,
    )
    return Connected(channel, hooks.url(hook_base_url, channel.hook_id), None, Secret(()), is_new=False)
