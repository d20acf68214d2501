"""A person comes back from a network: their answer becomes logins, and the browser goes on to the frontend."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from prometheus_client import Counter

from services.api.consenting import NETWORK_SECONDS
from services.api.context import Services
from shared.connectors.registry import CONSENTS
from shared.contract import AppLogin, Choice, Consented
from shared.db import Session, is_passing
from shared.domain.brands import apps, channels, consents
from shared.domain.brands.consents import Returned
from shared.errors import LoginDead, NetworkError, NotAllowed, Refused
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.consent import Consent
from shared.models.enums import Network
from shared.vault import UnknownKey

_log = logger("consent")
T = TypeVar("T")
_LONGEST_CODE = 4000
_TRIES, _PAUSE = 6, 0.5

RETURNED = Counter("parvis_consents_total", "People who came back from a network, by what came of it.", ["outcome"])

ERRORS = {
    "access_denied": "the person said no",
    "app_missing": "this installation no longer has the app that asked",
    "consent_expired": "it took longer than ten minutes: begin again",
    "internal": "something broke on our side: begin again",
    "invalid_return": "the network sent no answer along: begin again",
    "network_away": "the network could not be reached, or did not answer in time: begin again in a moment",
    "network_error": "the network did not ask the person: begin again",
    "network_refused": "the network does not take this consent (any more): begin again",
    "not_allowed": "whoever asked may no longer connect channels of this brand",
    "nothing_given": "the person gave no page or account that could be connected",
    "state_used": "this way back was taken before: begin again, unless it named a consent",
    "unknown_state": "nobody was sent to a network with this state, or that was too long ago",
}


@dataclass(frozen=True, slots=True)
class Onward:
    """Where the browser goes: to the frontend that asked, with the code of what went wrong."""

    url: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Stranded:
    """It is not known whom to send the browser to: a plain page says why."""

    code: str


@dataclass(frozen=True, slots=True)
class _Failed:
    code: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """Everything that the exchange needs, read in the transaction that used the state up."""

    app: AppLogin
    consented: Consented


async def came_back(services: Services, name: str, query: Mapping[str, str]) -> Onward | Stranded:
    """Take what the network sent along with the browser. The state is used up before the network is asked."""
    found = await _taken(services, name, query)
    RETURNED.labels(found.code or "given").inc()
    return found


async def _taken(services: Services, name: str, query: Mapping[str, str]) -> Onward | Stranded:
    network, state = _network(name), query.get("state", "")
    if network is None:
        return Stranded("unknown_state")
    async with services.db.session() as session:
        returned = await consents.enter(session, state)
        if returned is None or returned.consent.network is not network:
            return Stranded("unknown_state")
        consent = returned.consent
        code = query.get("code", "")
        if not await consents.use_up(session, consent, code=code, now=services.clock()):
            await session.refresh(consent)
            return _onward(consent, "state_used", names_it=consents.is_the_same_return(consent, code=code))
        ready = await _ready(services, session, returned, query)
        if isinstance(ready, _Failed):
            await consents.fail(session, consent, error=ready.code)
            return _onward(consent, ready.code)
    given = await _exchange(services, network, ready)
    return await _persistently(lambda: _kept(services, state, consent, given))


def _network(name: str) -> Network | None:
    try:
        found = Network(name)
    except ValueError:
        return None
    return found if found in CONSENTS else None


async def _ready(
    services: Services, session: Session, returned: Returned, query: Mapping[str, str]
) -> _Ready | _Failed:
    consent = returned.consent
    refused = _refused(services, returned, query)
    if refused is not None:
        return _Failed(refused)
    app = await apps.get(session, consent.app_id)
    if app is None or app.client_id is None:
        return _Failed("app_missing")
    try:
        login, verifier = apps.login(services.vault, app), consents.verifier(services.vault, consent)
    except UnknownKey as error:
        _log.error("consent.closed", network=consent.network.value, place=str(error))
        return _Failed("internal")
    uri = services.settings.callback_url(consent.network.value)
    return _Ready(login, Consented(query["code"], uri, verifier))


def _refused(services: Services, returned: Returned, query: Mapping[str, str]) -> str | None:
    """Why there is nothing to be exchanged; None where there is."""
    consent, error = returned.consent, query.get("error")
    if consent.expires_at <= services.clock():
        return "consent_expired"
    if not _may(returned):
        return "not_allowed"
    if error:
        _log.info("consent.refused", network=consent.network.value, error=error[:100])
        return "access_denied" if "denied" in error else "network_error"
    return None if 0 < len(query.get("code", "")) <= _LONGEST_CODE else "invalid_return"


def _may(returned: Returned) -> bool:
    if returned.scope is None:
        return False
    try:
        channels.require(returned.scope)
    except NotAllowed:
        return False
    return True


async def _exchange(services: Services, network: Network, ready: _Ready) -> Sequence[Choice] | _Failed:
    """What the person gave, or why not. Never raises: the code is spent either way, and the person waits."""
    try:
        async with asyncio.timeout(NETWORK_SECONDS):
            found = await CONSENTS[network].exchange(services.http, ready.app, ready.consented)
    except (LoginDead, Refused) as error:
        _log.warning("consent.not_taken", network=network.value, error=error.code, why=error.message)
        return _Failed("network_refused")
    except (NetworkError, TimeoutError) as error:
        _log.warning("consent.network_away", network=network.value, error=type(error).__name__)
        return _Failed("network_away")
    except Exception:
        _log.exception("consent.broke", network=network.value)
        return _Failed("internal")
    return found or _Failed("nothing_given")


async def _kept(services: Services, state: str, asked: Consent, given: Sequence[Choice] | _Failed) -> Onward | Stranded:
    async with services.db.session() as session:
        returned = await consents.enter(session, state)
        if returned is None:
            return Stranded("unknown_state")
        if not isinstance(given, _Failed) and not _may(returned):
            given = _Failed("not_allowed")
        if isinstance(given, _Failed) or returned.scope is None:
            code = given.code if isinstance(given, _Failed) else "not_allowed"
            await consents.fail(session, returned.consent, error=code)
            return _onward(asked, code)
        await consents.keep(
            session, returned.scope, services.vault, returned.consent, given=given, now=services.clock()
        )
    return _onward(asked)


async def _persistently(act: Callable[[], Awaitable[T]]) -> T:
    """What the network gave is in this process alone, so a database that is away for a moment is waited for."""
    for _ in range(_TRIES - 1):
        try:
            return await act()
        except Exception as error:
            if not is_passing(error):
                raise
        await asyncio.sleep(_PAUSE)
    return await act()


def _onward(consent: Consent, error: str | None = None, *, names_it: bool = False) -> Onward:
    said: dict[str, str] = {}
    if error is None or names_it:
        said["consent"] = typeid(Prefix.CONSENT, consent.id)
    if error is not None:
        said |= {"error": error, "error_description": ERRORS[error]}
    parts = urlsplit(consent.return_url)
    ours = {"consent", "error", "error_description"}
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ours]
    return Onward(urlunsplit(parts._replace(query=urlencode([*kept, *said.items()]))), error)
