"""Sending a person to a network for their consent, and connecting what they gave there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.api import self_test
from services.api.context import Context, Services
from shared.connectors.registry import CONNECTORS, CONSENTS, connector
from shared.contract import Consent, Consents
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.brands import apps, channels, consented, consents
from shared.domain.brands.connecting import Connected
from shared.domain.brands.consented import Chosen
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem, Refused, Unavailable
from shared.log import logger
from shared.models.channel import App
from shared.models.enums import Network
from shared.vault import UnknownKey

_log = logger("consent")
NETWORK_SECONDS = 20.0
_REGISTERING = timedelta(seconds=NETWORK_SECONDS + 10)
_GLANCE_SECONDS = 0.2
CARDS = {network: known.card for network, known in CONNECTORS.items()}

Opening = Callable[[], AbstractAsyncContextManager[tuple[Session, Scope]]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is going to be asked, checked, by which app of ours."""

    network: Network
    return_url: str
    app: App


async def prepare(
    services: Services, opening: Opening, *, network: Network, base_url: str | None, return_url: str
) -> Question:
    """Check the question, and find the app to ask it by, or register one: outside of any transaction.

    Raises Invalid with what is wrong, NotAllowed, Unavailable where a server can't be registered with now.
    """
    known, card = CONSENTS.get(network), connector(network).card
    if known is None:
        sentence = f"{card.label} asks nobody for consent here: connect it by token"
        raise Invalid([Problem("no_consent", sentence, ("network",))])
    named = [one for one in services.settings.cors_origins if one != "*"]
    consents.check_return_url(return_url, [services.settings.api_base_url, *named])
    if base_url is None and card.needs_base_url:
        raise Invalid([Problem("required", f"{card.label} needs the base_url of its server", ("base_url",))])
    await self_test.refuse_address(services, base_url, None)
    server = apps.root(base_url) if base_url is not None else None
    async with opening() as (session, scope):
        channels.require(scope)
        by_hand = await apps.find(session, network, apps.server(base_url)) if base_url is not None else None
        app = by_hand or await apps.find(session, network, server)
    if app is None or not await _holds(services, known, app):
        app = await _registered(services, known, server, app.client_id if app is not None else None)
    return Question(network, return_url, app)


async def _holds(services: Services, known: Consents, app: App) -> bool:
    """Whether the server still knows an app that we registered, and would send people back here."""
    if app.redirect_uri is None:
        return True
    if app.redirect_uri != services.settings.callback_url(app.network.value):
        return False
    try:
        login = apps.login(services.vault, app)
    except UnknownKey:
        return False
    async with _patience(known):
        return await known.is_registered(services.http, login)


@asynccontextmanager
async def _patience(known: Consents) -> AsyncIterator[None]:
    """So long and no longer does a person wait for a server before they are sent there."""
    try:
        async with asyncio.timeout(NETWORK_SECONDS):
            yield
    except TimeoutError:
        label = CARDS[known.network].label
        raise Unavailable(known.network.value, f"{label} gave no answer in time; try again", unsent=True) from None


async def _registered(services: Services, known: Consents, server: str | None, forgotten: str | None) -> App:
    """Our app with a server that registers apps itself: made by one of us, awaited by the others."""
    label = CARDS[known.network].label
    sentence = f"this installation has no app for {label}: `parvis app add` keeps one"
    missing = Invalid([Problem("app_missing", sentence, ("network",))])
    if server is None:
        raise missing
    redirect_uri = services.settings.callback_url(known.network.value)
    try:
        async with _patience(known):
            while True:
                async with services.db.session() as session:
                    mine = await apps.claim_registration(
                        session, network=known.network, base_url=server, name=label, redirect_uri=redirect_uri,
                        lease=_REGISTERING, forgotten=forgotten,
                    )  # fmt: skip
                    app = await apps.find(session, known.network, server)
                if mine is not None:
                    return await _register(services, known, server, redirect_uri, mine)
                if app is not None and app.redirect_uri in {None, redirect_uri} and app.client_id != forgotten:
                    return app
                await asyncio.sleep(_GLANCE_SECONDS)
    except Refused as error:
        _log.info("app.not_registered", network=known.network.value, error=error.code)
        raise missing from error


async def _register(services: Services, known: Consents, server: str, redirect_uri: str, app_id: UUID) -> App:
    try:
        login = await known.register(services.http, server, redirect_uri)
    except BaseException:
        async with services.db.session() as session:
            await apps.give_up(session, app_id)
        raise
    async with services.db.session() as session:
        return await apps.registered(
            session, services.vault, app_id, login=login, scopes=known.scopes, redirect_uri=redirect_uri
        )


async def begin(services: Services, session: Session, scope: Scope, question: Question) -> str:
    """The address to which the person's browser goes. It holds ten minutes, once."""
    network = question.network
    known = CONSENTS[network]
    asked = await consents.ask(
        session,
        scope,
        services.vault,
        network=network,
        app_id=question.app.id,
        return_url=question.return_url,
        now=services.clock(),
    )
    try:
        login = apps.login(services.vault, question.app)
    except UnknownKey:
        sentence = "this installation's app was sealed with a key that is no longer there: `parvis app add` it again"
        raise Invalid([Problem("app_missing", sentence, ("network",))]) from None
    uri = services.settings.callback_url(network.value)
    return known.authorize(login, Consent(asked.state, uri, asked.challenge, tuple(question.app.scopes)))


def chosen(
    *,
    consent_id: UUID | None,
    external_id: str | None,
    name: str | None,
    network: Network | None,
    base_url: str | None,
    credentials: Mapping[str, str],
    terms: Sequence[str] = (),
) -> Chosen | None:
    """What a request to connect means by a consent; None where it means a token. Raises Invalid for both or neither."""
    if consent_id is None:
        if network is None:
            raise Invalid([Problem("required", "say the network, or a consent_id", ("network",))])
        return None
    beside = {"network": network, "base_url": base_url, "credentials": credentials or None}
    sentence = "a consent says this by itself: leave it out beside consent_id"
    problems = [Problem("invalid", sentence, (field,)) for field, value in beside.items() if value is not None]
    if problems:
        raise Invalid(problems)
    return Chosen(consent_id, external_id, name, tuple(terms))


async def connect(services: Services, session: Session, scope: Scope, chosen: Chosen) -> Connected:
    """Connect what a person gave; its self-test is made afterwards, as for any channel."""
    return await consented.connect(
        session,
        scope,
        services.vault,
        chosen=chosen,
        cards=CARDS,
        new_secret=lambda network: connector(network).new_secret(),
        hook_base_url=services.settings.hook_base_url,
        now=services.clock(),
    )


@asynccontextmanager
async def entered(context: Context, brand_id: UUID) -> AsyncIterator[tuple[Session, Scope]]:
    """A transaction of a GraphQL request's own, on one brand."""
    async with context.services.db.session() as session:
        principal = await scopes.enter(session, context.api_key)
        yield session, await scopes.open_brand(session, principal, brand_id)
