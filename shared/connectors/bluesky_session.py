"""Who an account is, where it lives, and the sessions with its host.

A handle is a name that may change; the DID is the account. The DID's document names the person's own host, which may be
anybody's server: it is called through the guarded client like every address that somebody typed in.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, unquote

import httpx

from shared.connectors import outcome
from shared.connectors.bluesky_xrpc import NETWORK, claims, failure, public, session_call, value
from shared.connectors.reading import identifier, name, unix_time
from shared.contract import Choice, Login
from shared.errors import LoginDead, LoginExpired, Refused, Unavailable

HOME = "https://bsky.social"
DIRECTORY = "https://plc.directory"
NO_HANDLE = "handle.invalid"  # what hosts write for a handle that does not lead back to its account

_PRIVATE = "com.atproto.access"  # the scope of a session that was made with the account's own password


@dataclass(frozen=True, slots=True)
class Made:
    """A session that a host gave."""

    did: str
    handle: str | None
    access: str
    refresh: str

    @property
    def expires_at(self) -> datetime | None:
        return unix_time(claims(self.access).get("exp"))


def own_password(login: Login) -> bool:
    """Whether the session was made with the account's own password, where an app password would do."""
    return claims(login.credentials.get("access_jwt", "")).get("scope") == _PRIVATE


async def identify(http: httpx.AsyncClient, login: Login) -> Choice:
    """Whom these credentials speak for: resolve the handle, find the host, make a session there."""
    did, service = await find(http, login)
    made = await _create(http, service, did, login)
    return Choice(
        external_id=did,
        name=made.handle or did,
        credentials=_kept(login, made, service),
        base_url=service,
        expires_at=made.expires_at,
    )


async def renew(http: httpx.AsyncClient, login: Login) -> Login:
    """The same login with a fresh session: by its refresh token, else by the app password, wherever the account lives
    now. Raises LoginDead where neither is taken."""
    service, refresh = login.credentials.get("service"), login.credentials.get("refresh_jwt")
    if service and refresh:
        response = await session_call(http, service, "com.atproto.server.refreshSession", bearer=refresh)
        # An account that is closed here may have moved to another host, which its DID's document tells.
        with suppress(LoginDead, LoginExpired, Refused):
            if response.status_code != 200:
                raise failure(response)
            return _renewed(login, _made(response, login.credentials.get("did")), service)
    did, service = await find(http, login)
    return _renewed(login, await _create(http, service, did, login), service)


async def find(http: httpx.AsyncClient, login: Login) -> tuple[str, str]:
    """The account's DID and its host. A DID that is known is kept: its handle may be somebody else's by now."""
    start = login.base_url or HOME
    who = login.credentials.get("did") or login.credentials.get("identifier", "").strip().removeprefix("@")
    if not who.startswith("did:"):
        who = await _resolve(http, start, who.lower())
    document = await _described(http, start, who) if login.base_url else None
    return who, host(document or await _document(http, who), who)


async def _resolve(http: httpx.AsyncClient, start: str, handle: str) -> str:
    if "@" in handle or "." not in handle:
        raise LoginDead(NETWORK, f"{handle[:100]!r} is no handle: give one such as brand.bsky.social, or the DID")
    response = await public(http, start, "com.atproto.identity.resolveHandle", {"handle": handle})
    did = identifier(value(response).get("did"))
    if response.status_code == 200 and did is not None and did.startswith("did:"):
        return did
    error = failure(response)
    if isinstance(error, Refused):
        raise LoginDead(NETWORK, f"nobody goes by the handle {handle[:100]!r}: check it, or give the DID")
    raise error


async def _described(http: httpx.AsyncClient, start: str, did: str) -> Mapping[str, object] | None:
    """What the given host says of the account, where it has it: a network of its own has a directory of its own."""
    response = await public(http, start, "com.atproto.repo.describeRepo", {"repo": did})
    document = value(response).get("didDoc")
    if response.status_code == 200 and isinstance(document, Mapping) and document.get("id") == did:
        return document
    return None


async def _document(http: httpx.AsyncClient, did: str) -> Mapping[str, object]:
    """The DID's document, from where its method keeps it."""
    if did.startswith("did:plc:"):
        place = f"{DIRECTORY}/{quote(did, safe=':')}"
    elif did.startswith("did:web:") and "/" not in (web := unquote(did.removeprefix("did:web:"))):
        place = f"https://{web}/.well-known/did.json"
    else:
        raise LoginDead(NETWORK, f"{did[:100]!r} is no DID that Bluesky knows: they start with did:plc: or did:web:")
    response = await outcome.ask(http, NETWORK, place)
    found = value(response)
    if response.status_code == 200 and found.get("id") == did:
        return found
    if response.status_code in {404, 410}:
        raise LoginDead(NETWORK, f"there is no account {did}")
    if response.status_code == 429:
        raise failure(response)
    raise Unavailable(NETWORK, f"the document of {did} was not to be had ({response.status_code})", unsent=True)


def host(document: Mapping[str, object], did: str) -> str:
    """The personal data server that a DID's document names. Raises LoginDead where it names none that can be called."""
    services = document.get("service")
    for service in services if isinstance(services, list) else []:
        if not isinstance(service, Mapping) or service.get("id") not in {"#atproto_pds", f"{did}#atproto_pds"}:
            continue
        try:
            found = httpx.URL(str(service.get("serviceEndpoint")))
        except httpx.InvalidURL:
            continue
        if found.scheme in {"https", "http"} and found.host and not found.userinfo:
            return str(found.copy_with(raw_path=b"/", fragment=None)).rstrip("/")
    raise LoginDead(NETWORK, f"the document of {did} names no host: the account is moving, or gone")


async def _create(http: httpx.AsyncClient, service: str, did: str, login: Login) -> Made:
    """A new session by the app password; by DID, so that a handle which changed hands opens nothing."""
    given = {"identifier": did, "password": login.credentials.get("app_password", "")}
    response = await session_call(http, service, "com.atproto.server.createSession", body=given)
    if response.status_code == 200:
        return _made(response, did)
    error = name(value(response).get("error"))
    if error == "AuthFactorTokenRequired":
        message = "the account's own password wants a code by mail: make an app password in its settings"
        raise LoginDead(NETWORK, message)
    found = failure(response)
    if isinstance(found, LoginExpired | Refused) or error == "AuthenticationRequired":
        said = name(value(response).get("message")) or f"status {response.status_code}"
        raise LoginDead(NETWORK, f"the host does not take this app password ({said}): make a new one")
    raise found


def _made(response: httpx.Response, did: str | None) -> Made:
    found = value(response)
    who, handle = identifier(found.get("did")), name(found.get("handle"))
    access, refresh = found.get("accessJwt"), found.get("refreshJwt")
    if not (who and isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        raise Unavailable(NETWORK, "the host answered without a session", unsent=True)
    if did is not None and who != did:
        raise LoginDead(NETWORK, f"the host answered for {who}, and the channel is {did}")
    if found.get("active") is False:
        status = name(found.get("status")) or "not active"
        raise LoginDead(NETWORK, f"the account is {status}: what is said to it can't be read")
    return Made(who, None if handle == NO_HANDLE else handle, access, refresh)


def _kept(login: Login, made: Made, service: str) -> dict[str, str]:
    session = {"did": made.did, "service": service, "access_jwt": made.access, "refresh_jwt": made.refresh}
    return {**login.credentials, **session}


def _renewed(login: Login, made: Made, service: str) -> Login:
    return replace(login, base_url=service, credentials=_kept(login, made, service), expires_at=made.expires_at)
