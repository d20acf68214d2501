"""WebSub (W3C, 2018): a feed's hub is found, asked to push, answered when it asks back, believed by its signature."""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urljoin

import httpx

from shared.connectors import feed_fetching, outcome
from shared.connectors.feed_fetching import NETWORK, Fetched
from shared.connectors.reading import web_address
from shared.contract import Answer, HookAddress, Login, RawRequest, Secret, Subscription
from shared.errors import BadPayload, BadSignature, NetworkError, Refused, Unavailable, Uncertain

# A hub may give a shorter lease than we ask for, and tells it only when it asks back. Renewed at 60 % of ours.
LEASE = timedelta(days=10)
RENEW_AFTER = LEASE * 0.6
MOST_HUBS = 3
MOST_HOPS = 3

# What the callback's address carries to show that it was we who asked for this topic.
PROOF = "parvis.topic"

_METHODS = frozenset({"sha1", "sha256", "sha384", "sha512"})
_LINK = re.compile(r"<([^<>]{1,4000})>([^<]{0,1000})")
_REL = re.compile(r";\s{0,9}rel\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Push:
    """Who pushes a feed, and under which name the hub knows it."""

    hubs: tuple[str, ...]
    topic: str


def offered(fetched: Fetched) -> Push | None:
    """What the feed says of its hubs: in its Link headers first, else in itself. None where it names none."""
    links = _header_links(fetched.reached.response, fetched.reached.url)
    if not _by_rel(links, "hub"):
        links += fetched.feed.links
    hubs = _by_rel(links, "hub")
    topics = _by_rel(links, "self")
    return Push(tuple(hubs[:MOST_HUBS]), topics[0] if topics else fetched.reached.url) if hubs else None


def _by_rel(links: list[tuple[str, str]], rel: str) -> list[str]:
    return list(dict.fromkeys(href for told, href in links if told == rel))


def _header_links(response: httpx.Response, base: str) -> list[tuple[str, str]]:
    """Each relation that a Link header (RFC 8288) names, with its address."""
    found = []
    for header in response.headers.get_list("link"):
        for target, parameters in _LINK.findall(header):
            rel = _REL.search(parameters)
            href = _joined(base, target)
            if rel is not None and href is not None:
                found += [(word, href) for word in (rel[1] or rel[2] or "").lower().split()]
    return found


def _joined(base: str, target: str) -> str | None:
    try:
        whole = urljoin(base, target.strip())
    except ValueError:
        return None
    return web_address(whole) if whole.startswith(("http://", "https://")) else None


async def subscribe(http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription | None:
    """Ask the feed's hub to push to our hook; None where the feed names no hub. A renewal is the same request.

    That the hub takes the request (202) is not yet that it pushes: it asks back first, perhaps before it answers here.
    """
    try:
        push = offered(await feed_fetching.fetch(http, login, feed_fetching.address(login)))
    except BadPayload as error:
        raise Unavailable(NETWORK, f"there is no feed now: {error.message}", unsent=True) from None
    if push is None:
        return None
    failure: NetworkError | None = None
    for hub in push.hubs:
        try:
            await _ask(http, hub, push.topic, hook)
        except NetworkError as error:
            failure = failure or error
        else:
            return Subscription(hook.url, verify_token=push.topic, renew_after=RENEW_AFTER)
    assert failure is not None
    raise failure


async def _ask(http: httpx.AsyncClient, hub: str, topic: str, hook: HookAddress) -> None:
    """Raises Refused where the hub says no, and Unavailable where it says nothing: asking again does no harm."""
    form = {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": f"{hook.url}?{urlencode({PROOF: _proof(hook.secret, topic)})}",
        "hub.secret": hook.secret,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "text/plain, */*;q=0.1"}
    for _ in range(MOST_HOPS + 1):
        try:
            response = await outcome.act(
                http, NETWORK, "POST", hub, headers=headers, content=urlencode(form).encode("ascii")
            )
        except Uncertain as error:
            raise Unavailable(NETWORK, f"the hub gave no answer: {error.message}", unsent=True) from error
        if response.status_code not in {307, 308}:
            break
        hub = str(outcome.next_hop(NETWORK, response))
    if response.is_success:
        return
    why = (
        " ".join(response.text[:200].split())
        if response.headers.get("content-type", "").startswith("text/plain")
        else ""
    )
    said = f"the feed's hub answered with status {response.status_code}{': ' if why else ''}{why}"
    if 400 <= response.status_code < 500 and response.status_code not in {408, 425, 429}:
        raise Refused(NETWORK, said)
    raise Unavailable(NETWORK, said, unsent=True)


def handshake(request: RawRequest, secret: Secret) -> Answer | None:
    """The challenge, where the hub asks back for what we asked for; 404 for any other topic, and for unsubscribing,
    which we never ask for: a removed hook answers no push. A denial is acknowledged."""
    if request.method != "GET" or "hub.mode" not in request.query:
        return None
    mode, topic = request.query["hub.mode"], request.query.get("hub.topic", "")
    if not _asked_for(topic, request, secret):
        return Answer(404, b"this is no topic that was asked for here")
    if mode == "denied":
        return Answer(200, b"")
    challenge = request.query.get("hub.challenge", "")
    if mode != "subscribe" or not challenge:
        return Answer(404, b"this was not asked for here")
    return Answer(200, challenge.encode("utf-8", "replace"))


def _asked_for(topic: str, request: RawRequest, secret: Secret) -> bool:
    """By the topic that is kept, or by the proof in the callback: a hub may ask back before anything is kept."""
    if not topic:
        return False
    given = topic.encode("utf-8", "surrogatepass")
    if secret.verify_token and hmac.compare_digest(given, secret.verify_token.encode()):
        return True
    proof = request.query.get(PROOF, "").encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(_proof(key, topic).encode(), proof) for key in secret.keys)


def _proof(key: str, topic: str) -> str:
    return hmac.digest(key.encode(), b"topic\n" + topic.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def signature(key: str, body: bytes, method: str = "sha256") -> str:
    """The X-Hub-Signature that a hub puts over these bytes."""
    return f"{method}={hmac.digest(key.encode(), body, method).hex()}"


def verify(request: RawRequest, secret: Secret) -> datetime | None:
    """None, since no time is signed. Raises BadSignature unless X-Hub-Signature fits, by any of WebSub's methods."""
    given = request.headers.get("x-hub-signature", "")
    method, _, digest = given.partition("=")
    method = method.strip().lower()
    if method not in _METHODS:
        raise BadSignature("X-Hub-Signature by sha1, sha256, sha384 or sha512 is required")
    told = digest.strip().lower().encode("utf-8", "surrogatepass")
    for key in secret.keys:
        if hmac.compare_digest(hmac.digest(key.encode(), request.body, method).hex().encode(), told):
            return None
    raise BadSignature("the signature does not fit")
