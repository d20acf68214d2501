"""A channel's self-test: asking the network to push to us, and whether it takes our login. Never in a transaction."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import httpx

from services.logins import Caller, Logins
from shared.connectors.registry import connector
from shared.contract import Capability, Finding, HookAddress, Login, Subscription
from shared.db import Database, Session
from shared.domain.brands import channels, hooks, subscriptions
from shared.domain.scope import Scope
from shared.errors import Invalid, NetworkError, Problem
from shared.http import check_address, own_places
from shared.log import logger
from shared.models.channel import Channel
from shared.settings import Settings
from shared.vault import UnknownKey, Vault

_log = logger("channels")
_SECONDS = 20.0


class Means(Protocol):
    """What a test is made with."""

    @property
    def db(self) -> Database: ...

    @property
    def vault(self) -> Vault: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def http(self) -> httpx.AsyncClient: ...

    @property
    def clock(self) -> Callable[[], datetime]: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tested, read before the test so that no transaction waits on the network."""

    channel: Channel
    login: Login | None
    hook: HookAddress | None


@dataclass(frozen=True, slots=True)
class Result:
    """What the test found, in words."""

    findings: list[Finding] = field(default_factory=list)
    subscription: Subscription | None = None


async def subject(services: Means, session: Session, scope: Scope, channel: Channel) -> Subject:
    """Read what a test of the channel needs."""
    hook = (await hooks.by_ids(session, scope, [channel.hook_id])).get(channel.hook_id)
    try:
        login = await channels.login(session, scope, services.vault, channel)
        secret = hooks.open_secret(services.vault, hook.id, hook.secret) if hook is not None else None
    except UnknownKey:
        return Subject(channel, None, None)
    if hook is None or secret is None:
        return Subject(channel, login, None)
    url = hooks.url(services.settings.hook_base_url, hook.id)
    return Subject(channel, login, HookAddress(url, secret.keys[0], secret.verify_token))


async def examine(services: Means, what: Subject, *, subscribe: bool) -> Result:
    """Talk to the network. What goes wrong is a finding, not an error: the channel stays as it is."""
    if what.login is None:
        message = "this channel's secrets were sealed with a key that is no longer in PARVIS_SECRET_KEYS"
        mend = "put the key back, or give the channel new credentials; where we made its signing key, connect it again"
        return Result([Finding(False, "unknown_key", message, mend)])
    logins = Logins(services.db, services.vault, services.http, services.settings)
    try:
        return await _ask(services, what, await logins.of(what.channel), subscribe=subscribe)
    except NetworkError as error:
        return Result([_failed("login_not_renewed", "the login has run out and could not be renewed", error)])
    finally:
        await logins.finish(_SECONDS)


async def _ask(services: Means, what: Subject, caller: Caller, *, subscribe: bool) -> Result:
    findings, subscription = [], None
    network, hook = connector(what.channel.network), what.hook
    if subscribe and hook is not None and network.card.can(Capability.SUBSCRIBE):
        try:
            async with asyncio.timeout(_SECONDS):
                subscription = await caller.ask(lambda login: network.subscribe(services.http, login, hook))
            if subscription is not None:
                # Taken, and no more: a WebSub hub may still deny it, or ask back in vain.
                message = f"{network.card.label} took our request to push to {hook.url}"
                findings.append(Finding(True, "subscribed", message))
        except (NetworkError, httpx.HTTPError, TimeoutError) as error:
            findings.append(_failed("not_subscribed", "the network was asked to push here and did not agree", error))
    if network.card.can(Capability.CHECK):
        try:
            async with asyncio.timeout(_SECONDS):
                findings += await caller.ask(lambda login: network.check(services.http, login))
        except (NetworkError, httpx.HTTPError, TimeoutError) as error:
            findings.append(_failed("check_failed", "the self-test did not end", error))
    return Result(findings, subscription)


async def store(services: Means, session: Session, scope: Scope, what: Subject, result: Result) -> Channel:
    """Keep what the test found, and what the network brought along where it agreed to push."""
    channel, now = what.channel, services.clock()
    if result.subscription is not None:
        card = connector(channel.network).card
        await subscriptions.keep(
            session, scope, services.vault, channel.id, result.subscription, card=card, now=now
        )  # fmt: skip
    return await channels.check(session, scope, channel.id, findings=result.findings, now=now)


async def refuse_address(services: Means, base_url: str | None, credentials: dict[str, str] | None) -> None:
    """Raise Invalid where the guarded client would not call an address that somebody typed in."""
    typed = [(("base_url",), base_url), (("credentials", "url"), (credentials or {}).get("url"))]
    for path, url in typed:
        if url:
            await refuse_url(services, url, path)


async def refuse_url(services: Means, url: str, path: tuple[str, ...]) -> None:
    """Raise Invalid, at `path`, where the guarded client would not call this address."""
    try:
        await check_address(url, services.settings.private_networks, places=own_places(services.settings))
    except Invalid as error:
        raise Invalid([Problem(p.code, p.message, path) for p in error.problems]) from None


def _failed(code: str, sentence: str, error: Exception) -> Finding:
    said = error.message if isinstance(error, NetworkError) else type(error).__name__
    _log.info("channel.check_failed", code=code, error=type(error).__name__)
    found = error.code if isinstance(error, NetworkError) and error.code == "login_dead" else code
    return Finding(False, found, f"{sentence}: {said}", "look at the address and the credentials, then check again")
