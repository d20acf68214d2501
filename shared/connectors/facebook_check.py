"""Which Page a login speaks for, what it may do, and what the network pushes, in words."""

from collections.abc import Mapping
from urllib.parse import quote

from shared.connectors import graph_findings
from shared.connectors.graph import Graph, Value
from shared.connectors.reading import identifier, name
from shared.contract import Choice, Finding, HookAddress, Login, Subscription
from shared.errors import NetworkError, Refused

_PUBLIC = "feed,mention,ratings"
# What a Page does by which right, in words.
_DOING = (
    ("publishing", "pages_manage_posts", "publish and delete posts"),
    ("moderating", "pages_manage_engagement", "comment, answer, hide, like and block"),
    ("answering", "pages_messaging", "answer private messages"),
)
_PRIVATE = "messages,message_echoes,message_edits,message_reactions,messaging_postbacks,standby"


async def identify(graph: Graph, login: Login) -> Choice:
    """The Page that the token speaks for. Raises Refused for a person's token."""
    page = await _page(graph)
    external_id = identifier(page.get("id"))
    if external_id is None:
        raise Refused(graph.network, "the token speaks for nobody")
    return Choice(external_id, name(page.get("name")) or external_id, login.credentials, login.base_url)


async def _page(graph: Graph) -> Value:
    try:
        # Only a Page has a category: a person's token is refused here, and would fail at everything else.
        return (await graph.get("me", fields="id,name,category")).value
    except Refused as error:
        message = f"the token does not speak for a Page; give the Page's own token ({error.message})"
        raise Refused(graph.network, message) from error


async def subscribe(graph: Graph, login: Login, hook: HookAddress) -> Subscription:
    """Let Meta send this Page's events to the app. Where to, the app's dashboard says, not we.

    An app without the right to messages is sent everything else.
    """
    path = f"{quote(login.channel_external_id, safe='')}/subscribed_apps"
    try:
        await graph.post(path, subscribed_fields=f"{_PUBLIC},{_PRIVATE}")
    except Refused:
        await graph.post(path, subscribed_fields=_PUBLIC)
    return Subscription(hook.url)


async def check(graph: Graph | None, login: Login) -> list[Finding]:
    """Whether deliveries can be verified; and by asking: the Page, what may be read and done, what is pushed."""
    findings = [graph_findings.secret(login), graph_findings.external_id(login, "page")]
    if graph is None:
        return [*findings, graph_findings.no_token("webhooks alone are heard, and what they miss is missed")]
    try:
        page = await _page(graph)
    except NetworkError as error:
        return [*findings, graph_findings.failed("login", error)]
    findings.append(_login(page, login))
    owner = quote(login.channel_external_id, safe="")
    for code, path, fields in (
        ("posts", f"{owner}/feed", "id"),
        ("comments", f"{owner}/feed", "id,comments.limit(1){id,from}"),
        ("reviews", f"{owner}/ratings", "created_time"),
        ("messages", f"{owner}/conversations", "id"),
    ):
        findings.append(await graph_findings.may_read(graph, code, path, code, fields=fields))
    findings += await _doing(graph)
    findings.append(await graph_findings.subscription(graph, owner, "feed"))
    return [*findings, graph_findings.token_end(login, renews=False)]


async def _doing(graph: Graph) -> list[Finding]:
    """What the token may do, where the network tells of its rights: it does not have to."""
    try:
        told = (await graph.get("debug_token", input_token=graph.token)).value.get("data")
    except NetworkError:
        return []
    scopes = told.get("scopes") if isinstance(told, Mapping) else None
    if not isinstance(scopes, list):
        return []
    found = []
    for code, right, words in _DOING:
        if right in scopes:
            found.append(Finding(True, code, f"the Page may {words}"))
        else:
            mend = f"give the app the right {right}, and connect the channel again"
            found.append(Finding(False, code, f"the Page may not {words}: {right} was not given", mend))
    return found


def _login(page: Value, login: Login) -> Finding:
    label = name(page.get("name")) or "a Page without a name"
    if login.channel_external_id and identifier(page.get("id")) != login.channel_external_id:
        message = f"the token speaks for {label}, which is not {login.channel_external_id}"
        return Finding(False, "login", message, "connect the channel with the Page's own token")
    return Finding(True, "login", f"the token is valid, for {label}")
