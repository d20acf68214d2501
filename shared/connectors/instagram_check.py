"""Who an Instagram login is, how its token is kept alive, and what it may do, in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from shared.connectors import graph_findings, instagram_containers
from shared.connectors.graph import Graph, Value
from shared.connectors.reading import identifier, name
from shared.contract import Choice, Finding, HookAddress, Login, Subscription
from shared.errors import LoginDead, NetworkError, Refused, Unavailable

# The account receives every field that the app was given in its dashboard; Meta wants some to be named all the same.
_FIELDS = "comments,live_comments,messages,message_reactions,messaging_postbacks"
_PAGE_FIELDS = "feed"  # by a Page, any of the Page's fields switches the account's webhooks on
_LASTS = timedelta(days=60)
_OLD_ENOUGH = timedelta(hours=24)
_PROFESSIONAL = frozenset({"BUSINESS", "MEDIA_CREATOR", "CREATOR"})


async def identify(graph: Graph, login: Login) -> Choice:
    """The account that the token speaks for. Its own token is renewed at once, to learn when it ends."""
    account = await _account(graph)
    external_id = identifier(account.get("user_id")) or identifier(account.get("id"))
    if external_id is None:
        raise Refused(graph.network, "the token speaks for no Instagram professional account")
    handle = name(account.get("username"))
    renewed = login if graph.by_page else await _renewed(graph, login)
    label = f"@{handle}" if handle else name(account.get("name")) or external_id
    return Choice(external_id, label, renewed.credentials, login.base_url, renewed.expires_at)


async def _account(graph: Graph) -> Value:
    if not graph.by_page:
        return (await graph.get("me", fields="id,user_id,username,name,account_type")).value
    page = (await graph.get("me", fields="id,instagram_business_account{id,username,name}")).value
    account = page.get("instagram_business_account")
    return account if isinstance(account, dict) else {}


async def renew(graph: Graph, login: Login) -> Login:
    """The same account with a token for 60 more days. Raises LoginDead where only a person can give one."""
    if graph.by_page:
        raise LoginDead(graph.network, "a Page's token is given by a person: connect the account again")
    now = datetime.now(UTC)
    if login.expires_at is not None and login.expires_at > now + _LASTS - _OLD_ENOUGH:
        return login  # Meta renews no token in its first 24 hours
    return await _renewed(graph, login)


async def _renewed(graph: Graph, login: Login) -> Login:
    """A token that is too young is not renewed, and its age is not told: it is asked for again tomorrow."""
    now = datetime.now(UTC)
    try:
        answer = await graph.get_at_root("refresh_access_token", grant_type="ig_refresh_token")
    except (Refused, Unavailable) as error:
        if isinstance(error, Unavailable) and login.expires_at is not None:
            raise
        return replace(login, expires_at=now + _OLD_ENOUGH + timedelta(hours=1))
    token, seconds = identifier(answer.get("access_token")), answer.get("expires_in")
    if token is None:
        raise Unavailable(graph.network, "the token was renewed and not told", unsent=True)
    lasts = timedelta(seconds=seconds) if type(seconds) is int and 0 < seconds < 10**9 else _LASTS
    return replace(login, credentials={**login.credentials, "access_token": token}, expires_at=now + lasts)


async def subscribe(graph: Graph, hook: HookAddress) -> Subscription:
    """Let Meta send this account's events to the app. Where to, the app's dashboard says, not we."""
    await graph.post("me/subscribed_apps", subscribed_fields=_PAGE_FIELDS if graph.by_page else _FIELDS)
    return Subscription(hook.url)


async def check(graph: Graph | None, login: Login) -> list[Finding]:
    """Whether deliveries can be verified; and by asking: the account, its rights, what is pushed, the token's end."""
    findings = [graph_findings.secret(login), graph_findings.external_id(login, "account")]
    if graph is None:
        return [*findings, graph_findings.no_token("webhooks alone are heard: mentions and deletions are not")]
    try:
        account = await _account(graph)
    except NetworkError as error:
        return [*findings, graph_findings.failed("login", error)]
    findings.append(_login(account, login))
    kind = account.get("account_type")
    if isinstance(kind, str):
        mend = None if kind in _PROFESSIONAL else "turn it into a professional account, in Instagram's settings"
        findings.append(Finding(mend is None, "account_type", f"Instagram calls it a {kind.lower()} account", mend))
    owner = quote(login.channel_external_id, safe="") if graph.by_page else "me"
    for code, path, fields, words in (
        ("comments", f"{owner}/media", "id,comments.limit(1){id}", "comments"),
        ("messages", "me/conversations", "id", "messages"),
    ):
        platform = "instagram" if code == "messages" else None
        findings.append(await graph_findings.may_read(graph, code, path, words, fields=fields, platform=platform))
    findings.append(await _publishing(graph, owner))
    findings.append(await graph_findings.subscription(graph, "me", "comments" if not graph.by_page else None))
    return [*findings, graph_findings.token_end(login, renews=not graph.by_page)]


async def _publishing(graph: Graph, owner: str) -> Finding:
    """Whether posts may be published, and how many of a day's there are."""
    try:
        answer = await graph.get(f"{owner}/content_publishing_limit", fields="config,quota_usage")
    except NetworkError as error:
        right = "instagram_content_publish" if graph.by_page else "instagram_business_content_publish"
        mend = f"give the app the right {right}, and connect the account again"
        return Finding(False, "publishing", f"posts can't be published: {error.message}", mend)
    used, total = instagram_containers.quota(answer.items)
    if used is None or total is None:
        return Finding(True, "publishing", "posts can be published")
    message = f"posts can be published: {used} of {total} in 24 hours are used"
    return Finding(used < total, "publishing", message, "wait until tomorrow" if used >= total else None)


def _login(account: Value, login: Login) -> Finding:
    handle = name(account.get("username")) or "an account without a name"
    ids = {identifier(account.get("user_id")), identifier(account.get("id"))} - {None}
    if not ids:
        return Finding(False, "login", "the token speaks for no Instagram account", "connect the account again")
    if login.channel_external_id and login.channel_external_id not in ids:
        message = f"the token speaks for @{handle}, which is not {login.channel_external_id}"
        return Finding(False, "login", message, "connect the channel with the account's own token")
    return Finding(True, "login", f"the token is valid, for @{handle}")
