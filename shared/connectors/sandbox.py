"""The practice network: everything that a real one does, on the same machine."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote, urlencode

import httpx
import orjson

from shared.connectors import outcome, sandbox_changes
from shared.connectors.reading import identifier, name, web_address
from shared.contract import (
    Answer,
    Capability,
    Card,
    Choice,
    Counted,
    Finding,
    HookAddress,
    Length,
    Login,
    OutgoingEffect,
    Page,
    Parsed,
    Part,
    Pointer,
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
    Sent,
    Subscription,
    read_json,
)
from shared.errors import BadPayload, BadSignature, NetworkError, Refused, Unavailable, Uncertain
from shared.models.enums import Network

MAX_TEXT = 10_000
PAGE_SIZE = 100
# The network may show a post some seconds after it took it: not found before that is no proof of absence.
SHOWS_WITHIN = timedelta(seconds=8)
# Later than this after the first attempt, a send is a repeat and looks first.
REPEATS_AFTER = timedelta(seconds=0.25)

# By these, in the body of an error, the network says that it checked and did nothing. Statuses prove less.
_REFUSALS = frozenset({"empty", "invalid", "parent_deleted", "too_large", "too_long", "unknown_parent", "wrong_kind"})


class Sandbox:
    """The network of `services/sandbox`, over its public protocol only."""

    network: ClassVar[Network] = Network.SANDBOX
    card: ClassVar[Card] = Card(
        network=Network.SANDBOX,
        label="Practice network",
        capabilities=frozenset(
            {
                Capability.WEBHOOKS,
                Capability.POLL,
                Capability.PUBLISH,
                Capability.FIND,
                Capability.MEASURE,
                Capability.SUBSCRIBE,
                Capability.CHECK,
            }
        ),
        credentials_required=("access_token",),
        needs_base_url=True,
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        return None

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """None: the practice network signs the raw body, and no time."""
        given = request.headers.get("x-sandbox-signature", "").encode("utf-8", "surrogatepass")
        for key in secret.keys:
            expected = b"sha256=" + hmac.digest(key.encode(), request.body, "sha256").hex().encode()
            if hmac.compare_digest(expected, given):
                return None
        raise BadSignature("X-Sandbox-Signature is missing or does not fit")

    def key(self, request: RawRequest) -> str:
        """The delivery's id, which is the same for every retry; the body's digest where there is none."""
        delivery = request.headers.get("x-sandbox-delivery", "")
        if delivery.isascii() and 0 < len(delivery) <= 200:
            return delivery
        return "sha256:" + hashlib.sha256(request.body).hexdigest()

    def route(self, arrival: RawArrival) -> list[Part]:
        account, _ = sandbox_changes.envelope(arrival.body)
        return [Part(account, arrival.body)]

    def parse(self, part: RawPart) -> Parsed:
        return sandbox_changes.read(part.body, part.stamp)

    def new_secret(self) -> str:
        return secrets.token_hex(32)

    def count(self, text: str) -> Length:
        return Length(len(text), MAX_TEXT, "characters")

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
        raise outcome.cannot(self.card, Capability.FETCH)

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        """The change log from `cursor` on, a page of 100 as one arrival in the shape of a webhook's delivery."""
        query = {"limit": str(PAGE_SIZE)} if cursor is None else {"after": cursor, "limit": str(PAGE_SIZE)}
        log = await _read(http, login, f"posts?{urlencode(query)}")
        changes, after = log.get("changes"), identifier(log.get("cursor"))
        if not isinstance(changes, list) or after is None:
            raise Unavailable("sandbox", "the change log has no changes and cursor", unsent=True)
        more = log.get("more") is True and after != cursor
        if not changes:
            return Page((), after, more)
        body = orjson.dumps({"object": "sandbox", "account": login.channel_external_id, "changes": changes})
        return Page((RawArrival(f"log:{cursor or 0}-{after}", body, datetime.now(UTC)),), after, more)

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        raise outcome.cannot(self.card, Capability.IDENTIFY)

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        raise outcome.cannot(self.card, Capability.BACKFILL)

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        raise outcome.cannot(self.card, Capability.RECHECK)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        """Post it. The network is not idempotent, so a repeat looks for the earlier try first."""
        if _age(outgoing) > REPEATS_AFTER:
            found = await _posted(http, login, outgoing)
            if found is not None:
                return found
        post = {
            "text": outgoing.text,
            "media": [{"url": item.url, "kind": item.kind, "alt": item.alt} for item in outgoing.media],
            "parent_id": outgoing.parent_external_id,
            "client_id": outgoing.id,
        }
        response = await outcome.act(
            http,
            "sandbox",
            "POST",
            _place(login, "posts"),
            headers={**_bearer(login), "content-type": "application/json"},
            content=orjson.dumps(post),
        )
        if not response.is_success:
            raise _send_failure(response)
        answer = _answer(response)
        external_id = identifier(answer.get("id"))
        if external_id is None:
            raise Uncertain("sandbox", "the network took the post and gave no id for it")
        return Sent(external_id, web_address(answer.get("url")))

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        """Look the post up by its client_id. Uncertain, too, while the network may not show it yet."""
        try:
            found = await _posted(http, login, outgoing)
        except NetworkError as error:
            raise Uncertain("sandbox", f"it could not be looked up: {error.message}") from error
        if found is None and _age(outgoing) < SHOWS_WITHIN:
            raise Uncertain("sandbox", "it is not there, and may be shown some seconds late: look again")
        return found

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        """Counters now; what the network does not know (any more) is left out."""
        found = []
        for external_id in external_ids:
            response = await outcome.ask(
                http, "sandbox", _place(login, f"posts/{quote(external_id, safe='')}"), headers=_bearer(login)
            )
            if response.status_code == 404:
                continue
            if response.status_code != 200:
                raise outcome.reading_failure("sandbox", response)
            counted = sandbox_changes.counted(external_id, _answer(response).get("counters"), datetime.now(UTC))
            if counted is not None:
                found.append(counted)
        return found

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        raise outcome.cannot(self.card, Capability.RENEW)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        """Name our hook and its secret to the network; saying it again replaces what it knew."""
        response = await outcome.act(
            http,
            "sandbox",
            "PUT",
            _place(login, "webhook"),
            headers={**_bearer(login), "content-type": "application/json"},
            content=orjson.dumps({"url": hook.url, "secret": hook.secret}),
        )
        if not response.is_success:
            raise outcome.reading_failure("sandbox", response)
        return Subscription(hook.url)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        try:
            me = await _read(http, login, "me")
        except NetworkError as error:
            return [Finding(False, error.code, error.message, "check the channel's base_url and access_token")]
        account = name(me.get("account")) or "an unnamed account"
        findings = [Finding(True, "login", f"the token is valid, for {account}")]
        if login.channel_external_id and login.channel_external_id != account:
            message = f"the token speaks for {account}, and the channel is named {login.channel_external_id}"
            findings.append(Finding(False, "account", message, "connect the channel with its own token"))
        may = me.get("may")
        publishes = isinstance(may, list) and "publish" in may
        findings.append(Finding(publishes, "publish", "it may publish" if publishes else "it may not publish"))
        findings.append(_webhook_finding(me.get("webhook")))
        return findings


def _webhook_finding(webhook: object) -> Finding:
    if not isinstance(webhook, Mapping):
        return Finding(False, "webhook", "the network pushes nowhere", "subscribe; until then the channel is polled")
    waiting, given_up = webhook.get("waiting"), webhook.get("given_up")
    message = f"the network pushes to {name(webhook.get('url'))}: {waiting} waiting, {given_up} given up"
    return Finding(not given_up, "webhook", message, "poll once to catch up" if given_up else None)


def _age(outgoing: OutgoingEffect) -> timedelta:
    if outgoing.first_attempt_at is None:
        return timedelta(0)
    return datetime.now(UTC) - outgoing.first_attempt_at


def _place(login: Login, path: str) -> str:
    if not login.base_url:
        raise Refused("sandbox", "the channel has no base_url")
    return f"{login.base_url.rstrip('/')}/api/v1/{path}"


def _bearer(login: Login) -> dict[str, str]:
    return {"authorization": f"Bearer {login.credentials.get('access_token', '')}"}


def _answer(response: httpx.Response) -> Mapping[str, object]:
    try:
        answer = read_json(response.content)
    except BadPayload:
        return {}
    return answer if isinstance(answer, dict) else {}


async def _read(http: httpx.AsyncClient, login: Login, path: str) -> Mapping[str, object]:
    response = await outcome.ask(http, "sandbox", _place(login, path), headers=_bearer(login))
    if response.status_code != 200:
        raise outcome.reading_failure("sandbox", response)
    return _answer(response)


async def _posted(http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
    """The first post with our client_id; one that was deleted since was live all the same."""
    posts = (await _read(http, login, f"posts?{urlencode({'client_id': outgoing.id})}")).get("posts")
    if not isinstance(posts, list):
        raise Unavailable("sandbox", "the look-up was answered without a list of posts", unsent=True)
    for post in posts:
        external_id = identifier(post.get("id")) if isinstance(post, dict) else None
        if external_id is not None:
            return Sent(external_id, web_address(post.get("url")))
    return None


def _send_failure(response: httpx.Response) -> NetworkError:
    error = _answer(response).get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    if response.status_code in {413, 422} and code in _REFUSALS:
        return Refused("sandbox", f"the network refused it: {code}")
    return outcome.failure("sandbox", response, frozenset())
