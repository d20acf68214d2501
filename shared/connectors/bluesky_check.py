"""The self-test of a Bluesky channel, in words."""

from collections.abc import Mapping
from dataclasses import replace

import httpx

from shared.connectors.bluesky_lists import sources
from shared.connectors.bluesky_session import identify, own_password
from shared.connectors.bluesky_xrpc import Session, read, session, value
from shared.connectors.reading import name
from shared.contract import Finding, Login
from shared.errors import LoginExpired, NetworkError, Refused, Unavailable

_TRIED = 5  # terms
_HEARD = {"mention": "mentions", "reply": "replies", "quote": "quotes"}


async def check(http: httpx.AsyncClient, login: Login) -> list[Finding]:
    """Whether the login is taken, for whom, and whether what is said to the account can be read."""
    try:
        here, mine = await _open(http, login)
    except NetworkError as error:
        return [Finding(False, error.code, error.message, "check the handle, and connect with a new app password")]
    handle = name(mine.get("handle")) or here.did
    findings = [Finding(True, "login", f"the login is good, for {handle} at {here.service}")]
    if login.channel_external_id.startswith("did:") and login.channel_external_id != here.did:
        message = f"the login speaks for {here.did}, and the channel is {login.channel_external_id}"
        findings.append(Finding(False, "account", message, "connect the channel with its own app password"))
    if mine.get("active") is False:
        message = f"the account is {name(mine.get('status')) or 'not active'}: nobody sees or notifies it"
        findings.append(Finding(False, "inactive", message, "activate the account in the app"))
    if own_password(here.login):
        message = "the account's own password is used, which can do more than Parvis needs"
        findings.append(Finding(False, "own_password", message, "make an app password in the app's settings instead"))
    findings += await _lists(http, here)
    findings += await _filtered(http, here)
    return findings


async def _open(http: httpx.AsyncClient, login: Login) -> tuple[Session, Mapping[str, object]]:
    """The session and what its host says of it; a session of the test's own where the login holds none that is good."""
    method = "com.atproto.server.getSession"
    try:
        here = session(login)
        return here, value(await read(http, here, method, {}))
    except LoginExpired:
        choice = await identify(http, login)
        here = session(replace(login, credentials=choice.credentials))
        return here, value(await read(http, here, method, {}))


async def _lists(http: httpx.AsyncClient, here: Session) -> list[Finding]:
    findings = []
    for source in sources(here, here.login.terms[:_TRIED]):
        try:
            await read(http, here, source.method, {**source.asked, "limit": 1})
        except NetworkError as error:
            mend = "take the term out, or word it otherwise" if isinstance(error, Refused) else "check again later"
            findings.append(Finding(False, "unreadable", f"{source.label} can't be read: {error.message}", mend))
        else:
            findings.append(Finding(True, "readable", f"{source.label} can be read"))
    return findings


async def _filtered(http: httpx.AsyncClient, here: Session) -> list[Finding]:
    """What the account's own settings keep out of its notifications is never heard by polling them."""
    try:
        answer = value(await read(http, here, "app.bsky.notification.getPreferences", {}))
    except (Refused, Unavailable):
        return []  # hosts before 2025 have no such settings
    preferences = answer.get("preferences")
    kept_out = []
    for kind, what in _HEARD.items():
        chosen = preferences.get(kind) if isinstance(preferences, Mapping) else None
        if not isinstance(chosen, Mapping):
            continue
        if chosen.get("list") is False:
            kept_out.append(f"all {what}")
        elif chosen.get("include") == "follows":
            kept_out.append(f"{what} by people whom it does not follow")
    if not kept_out:
        return []
    message = f"the account's settings keep out of its notifications: {', '.join(kept_out)}"
    return [Finding(False, "filtered", message, "allow them in the app, under notifications, or follow a search")]
