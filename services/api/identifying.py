"""Whom credentials speak for: asked of their network before a channel is connected by them. Never in a transaction."""

import asyncio
from dataclasses import replace

from services.api.self_test import Means
from shared.connectors.registry import connector
from shared.contract import Capability, Card, Choice, Login
from shared.domain.brands import connecting, logins, terms
from shared.errors import Gone, Invalid, LoginDead, LoginExpired, NetworkError, Problem, Refused, Unavailable
from shared.models.channel import Channel, ChannelDraft

_SECONDS = 20.0


def is_needed(card: Card, draft: ChannelDraft) -> bool:
    """Whether the network is to say what is connected: it can, and the person has not."""
    return card.can(Capability.IDENTIFY) and draft.external_id is None


async def of_draft(services: Means, draft: ChannelDraft, credentials: dict[str, str]) -> Choice:
    """What these credentials speak for. Raises Invalid where that is nothing, Unavailable where nobody can say now."""
    card = connector(draft.network).card
    connecting.validate(draft, credentials, card)
    login = Login("", draft.base_url, credentials, tuple(terms.checked(card, draft.terms)))
    return await _ask(services, card, login)


async def of_channel(
    services: Means, channel: Channel, base_url: str | None, credentials: dict[str, str]
) -> Choice | None:
    """What a channel's new credentials speak for; None where its network can't say. Raises as `of_draft`."""
    card = connector(channel.network).card
    if not card.can(Capability.IDENTIFY):
        return None
    logins.validate(card, credentials)
    login = Login("", base_url or channel.base_url, credentials, tuple(channel.terms))
    return await _ask(services, card, login)


async def _ask(services: Means, card: Card, login: Login) -> Choice:
    try:
        async with asyncio.timeout(_SECONDS):
            found = await connector(card.network).identify(services.http, login)
    except (LoginDead, LoginExpired) as error:
        message = f"{card.label} does not take these credentials: {error.message}"
        raise Invalid([Problem("login_refused", message, ("credentials",))]) from error
    except (Refused, Gone) as error:
        raise Invalid([Problem(error.code, f"{card.label} says no: {error.message}")]) from error
    except (NetworkError, TimeoutError) as error:
        said = error.message if isinstance(error, NetworkError) else "it gave no answer in time"
        message = f"{card.label} can't be asked now ({said}); nothing was changed, try again"
        raise Unavailable(card.network.value, message, unsent=True) from error
    return replace(found, external_id=found.external_id[:500])
