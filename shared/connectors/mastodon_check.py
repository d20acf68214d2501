"""Who a token speaks for, and what a channel can and can't do on its instance, in words."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from shared.connectors import mastodon_calls as calls
from shared.connectors.mastodon_sources import NOTIFICATIONS, OWN, Source, ask, sources_of
from shared.connectors.mastodon_statuses import account_id, full_handle
from shared.connectors.reading import identifier, name
from shared.contract import Choice, Finding, Login
from shared.errors import LoginDead, NetworkError, RateLimited, Refused, Unavailable

# What hearing needs, and what speaking does. A token that may `read` and `write` may all of them.
NEEDED = (
    *("read:accounts", "read:notifications", "read:search", "read:statuses"),
    *("write:blocks", "write:favourites", "write:media", "write:statuses"),
)
Value = Mapping[str, object]


async def identify(http: httpx.AsyncClient, login: Login) -> Choice:
    """The account that the token speaks for, at its instance. Raises LoginDead where the token is not taken."""
    base_url = calls.origin(login.base_url)
    account = await me(http, login)
    external_id = identifier(account.get("id"))
    if external_id is None:
        raise Unavailable(calls.NETWORK, "the instance names no account for the token", unsent=True)
    handle = full_handle(account)
    kept = {"access_token": login.credentials.get("access_token", "")}
    place = f"{external_id}@{urlsplit(base_url).netloc}"
    named = f"@{handle}" if handle else f"account {external_id}"
    return Choice(place, named, kept, base_url, limits=await _taken(http, login))


async def _taken(http: httpx.AsyncClient, login: Login) -> dict[str, int]:
    """What the instance takes in one status; what it does not say is as on the card."""
    try:
        instance = await described(http, login)
    except (Refused, Unavailable, RateLimited):
        return {}
    told = {"text": limits(instance)[0], "media": _statuses(instance).get("max_media_attachments")}
    return {what: most for what, most in told.items() if type(most) is int and 0 <= most < 2**31}


async def me(http: httpx.AsyncClient, login: Login) -> Value:
    account = await calls.read(http, login, "/api/v1/accounts/verify_credentials")
    if not isinstance(account, Mapping):
        raise Unavailable(calls.NETWORK, "the instance names no account for the token", unsent=True)
    return account


def missing(granted: str) -> tuple[str, ...]:
    """The scopes that a channel needs and that are not among those given, which may be wider."""
    given = set(granted.split())
    return tuple(scope for scope in NEEDED if not given & {scope, scope.partition(":")[0]})


async def check(http: httpx.AsyncClient, login: Login) -> list[Finding]:
    """One finding each: the login, the account, the scopes, the instance, its rate limit, every source."""
    try:
        account = await me(http, login)
    except NetworkError as error:
        return [Finding(False, error.code, error.message, "check the channel's base_url and access_token")]
    findings = [Finding(True, "login", f"the token is valid, for @{full_handle(account)}"), *_account(account, login)]
    findings += await _scopes(http, login)
    findings += await _instance(http, login)
    for source in sources_of(login):
        findings += await _source(http, login, source)
    return findings


def _account(account: Value, login: Login) -> list[Finding]:
    external_id = identifier(account.get("id"))
    if external_id == account_id(login.channel_external_id):
        return []
    message = f"the token speaks for account {external_id}, and the channel is account {login.channel_external_id}"
    return [Finding(False, "account", message, "connect the channel with its own token")]


async def _scopes(http: httpx.AsyncClient, login: Login) -> list[Finding]:
    """What the app was registered for, where the instance says it (Mastodon 4.3 and newer)."""
    try:
        app = await calls.read(http, login, "/api/v1/apps/verify_credentials")
    except NetworkError as error:
        return [Finding(True, "scopes", f"the instance does not say what the token may do: {error.message}")]
    given = app.get("scopes") if isinstance(app, Mapping) else None
    if not isinstance(given, list):
        return [Finding(True, "scopes", "the instance does not say what the token may do")]
    told = " ".join(scope for scope in given if isinstance(scope, str))
    lacking = missing(told)
    if not lacking:
        return [Finding(True, "scopes", f"the app may {told}")]
    message = f"the app may {told or 'nothing'}, and not {', '.join(lacking)}"
    return [Finding(False, "scopes", message, "connect the channel again with the scopes “read write”")]


async def _instance(http: httpx.AsyncClient, login: Login) -> list[Finding]:
    """What the instance says of itself: what it runs, and how long a post may be there."""
    try:
        instance = await described(http, login)
    except NetworkError as error:
        return [Finding(True, "instance", f"the instance does not describe itself: {error.message}")]
    runs = name(instance.get("version")) or "an unnamed version"
    most, each = limits(instance)
    text = f"a post may have {most} characters there" if most else "it does not say how long a post may be"
    address = f", and an address counts as {each}" if each else ""
    return [Finding(True, "instance", f"the instance runs {runs}; {text}{address}")]


async def described(http: httpx.AsyncClient, login: Login) -> Value:
    """The instance's own description: its second version, else the first (before Mastodon 4.0, and on some kin)."""
    try:
        value = await calls.read(http, login, "/api/v2/instance")
    except (Refused, Unavailable):
        value = await calls.read(http, login, "/api/v1/instance")
    if not isinstance(value, Mapping):
        raise Unavailable(calls.NETWORK, "the description is no object", unsent=True)
    return value


def limits(instance: Value) -> tuple[int | None, int | None]:
    """The characters that a post may have and that an address counts for; Pleroma says `max_toot_chars`."""
    told = _statuses(instance)
    most = told.get("max_characters", instance.get("max_toot_chars"))
    each = told.get("characters_reserved_per_url")
    return (most if type(most) is int else None), (each if type(each) is int else None)


def _statuses(instance: Value) -> Value:
    configuration = instance.get("configuration")
    statuses = configuration.get("statuses") if isinstance(configuration, Mapping) else None
    return statuses if isinstance(statuses, Mapping) else {}


async def _source(http: httpx.AsyncClient, login: Login, source: Source) -> list[Finding]:
    code = {NOTIFICATIONS: "notifications", OWN: "own_statuses"}.get(source.name, f"term {source.name}"[:200])
    try:
        sheet = await ask(http, login, source, ())
    except LoginDead as error:
        return [Finding(False, code, error.message, "connect the channel again")]
    except RateLimited as error:
        return [Finding(True, code, f"not looked at: {error.message} ({_minutes(error.after)})")]
    except NetworkError as error:
        mend = "take the term off this channel" if source.asked_for and source.name != OWN else "give the scope “read”"
        return [Finding(False, code, f"{source.name} can't be read: {error.message}", mend)]
    findings = [Finding(True, code, _found(source, len(sheet.items)))]
    return [*findings, _rate(sheet.room)] if source.name == NOTIFICATIONS else findings


def _found(source: Source, count: int) -> str:
    if source.offset and not count:
        # An instance without full-text search answers like one that finds nothing.
        return f"{source.name} found nothing now: either nobody wrote it, or the instance has no full-text search"
    return f"{source.name} can be read"


def _rate(room: calls.Room) -> Finding:
    if room.left is None:
        return Finding(True, "rate", "the instance does not say how many requests it allows")
    of = f" of {room.limit}" if room.limit is not None else ""
    then = f"; more in {_minutes(room.resets_in)}" if room.resets_in is not None else ""
    mend = "poll less often, or follow fewer terms on this account" if room.wait else None
    return Finding(room.wait is None, "rate", f"{room.left}{of} requests are left{then}", mend)


def _minutes(wait: timedelta) -> str:
    seconds = round(wait.total_seconds())
    return f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
