"""What the self-tests of Meta's networks say alike."""

from datetime import UTC, datetime

from shared.connectors.graph import Graph
from shared.contract import Finding, Login
from shared.errors import NetworkError


def secret(login: Login) -> Finding:
    """Whether deliveries could be verified."""
    if login.credentials.get("app_secret"):
        return Finding(True, "app_secret", "deliveries are verified by the app secret")
    mend = "give the app secret of the Meta app that sends to this hook"
    return Finding(False, "app_secret", "there is no app secret: every delivery is refused", mend)


def external_id(login: Login, what: str) -> Finding:
    """Whether deliveries to an app's hook could be attributed."""
    if login.channel_external_id:
        return Finding(True, f"{what}_id", f"what the {what} itself says is told apart")
    message = f"without the {what}'s id an app's hook can't reach this channel"
    return Finding(False, f"{what}_id", message, f"give the {what}'s id as external_id")


def no_token(without: str) -> Finding:
    mend = "give an access_token, or connect the channel by consent"
    return Finding(False, "login", f"there is no access token: {without}", mend)


def failed(code: str, error: NetworkError) -> Finding:
    return Finding(False, code if error.code != "login_dead" else "login_dead", error.message, "connect it again")


async def may_read(
    graph: Graph, code: str, path: str, words: str, *, fields: str, platform: str | None = None
) -> Finding:
    """Whether the network lets this login read something, found out by reading one."""
    try:
        await graph.get(path, fields=fields, limit="1", platform=platform)
    except NetworkError as error:
        mend = f"give the app the right to read {words}, and connect the channel again"
        return Finding(False, code, f"{words} can't be read: {error.message}", mend)
    return Finding(True, code, f"{words} can be read")


async def subscription(graph: Graph, owner: str, wanted: str | None) -> Finding:
    """Whether the network sends this channel's events to an app, and the wanted ones among them."""
    try:
        apps = (await graph.get(f"{owner}/subscribed_apps")).items
    except NetworkError as error:
        return Finding(False, "subscription", f"what is pushed can't be read: {error.message}", "subscribe it again")
    fields = {field for app in apps for field in _names(app.get("subscribed_fields"))}
    if not apps:
        message = "the network pushes nothing of this channel to any app: it is polled only"
        return Finding(False, "subscription", message, "subscribe it")
    if wanted is not None and wanted not in fields:
        message = f"the network pushes {', '.join(sorted(fields)) or 'nothing'}, and not {wanted}"
        return Finding(False, "subscription", message, "subscribe it again")
    return Finding(True, "subscription", f"the network pushes {', '.join(sorted(fields)) or 'what the app was given'}")


def _names(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def token_end(login: Login, *, renews: bool) -> Finding:
    """When the token ends, and what happens then."""
    if login.expires_at is None and renews:
        mend = "give the access_token again without an external_id, or connect the channel by consent"
        return Finding(False, "token", "the token's end is not known, so that it can't be renewed before", mend)
    if login.expires_at is None:
        return Finding(True, "token", "the token's end is not known: it lasts until it is taken back")
    ends = f"the token ends on {login.expires_at:%Y-%m-%d}"
    if login.expires_at < datetime.now(UTC):
        return Finding(False, "token", ends, "connect the channel again")
    return Finding(True, "token", f"{ends}{', and is renewed before' if renews else ''}")
