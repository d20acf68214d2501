"""The practice network: everything that a real one does, on the same machine."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote, urlencode

import httpx
import orjson

from shared.connectors import outcome, sandbox_changes, sandbox_looking, sandbox_sending
from shared.connectors.reading import identifier, name, number, web_address
from shared.connectors.sandbox_calls import age, answer, bearer, failure, place, posted, read
from shared.connectors.sandbox_looking import PAGE_SIZE, shown
from shared.contract import (
    Answer,
    Capability,
    Card,
    Certainty,
    Choice,
    Counted,
    Files,
    Finding,
    HookAddress,
    Length,
    Login,
    OutgoingEffect,
    Page,
    Parsed,
    Part,
    Pointer,
    Prepared,
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
    Sent,
    Subscription,
)
from shared.errors import BadSignature, LoginDead, LoginExpired, NetworkError, Unavailable, Uncertain
from shared.models.enums import Network

MAX_TEXT = 10_000
MAX_MEDIA = 10
# The network may show a post some seconds after it took it: not found before that is no proof of absence.
SHOWS_WITHIN = timedelta(seconds=8)


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
                Capability.FETCH,
                Capability.RENEW,
                Capability.IDENTIFY,
                Capability.RECHECK,
                Capability.BACKFILL,
                Capability.SEARCH,
            }
        ),
        credentials_required=("access_token",),
        credentials_optional=("refresh_token",),
        needs_base_url=True,
        most_media=MAX_MEDIA,
        effects=sandbox_sending.EFFECTS,
        audiences=("everyone", "followers"),
        keeps_time=True,
        follows_terms=True,
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
        """The post as it stands. Raises Refused where there is none to be seen."""
        post = await read(http, login, f"posts/{quote(pointer.external_id, safe='')}")
        return shown(login, [post])

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        """The change log from `cursor` on, a page of 100 as one arrival in the shape of a webhook's delivery."""
        query = [("limit", str(PAGE_SIZE)), *(("follow", term) for term in login.terms)]
        if cursor is not None:
            query.append(("after", cursor))
        log = await read(http, login, f"posts?{urlencode(query)}")
        changes, after = log.get("changes"), identifier(log.get("cursor"))
        if not isinstance(changes, list) or after is None:
            raise Unavailable("sandbox", "the change log has no changes and cursor", unsent=True)
        seconds = number(log.get("wait"))
        wait = timedelta(seconds=seconds) if seconds is not None and 0 < seconds <= 86_400 else None
        page = Page((), after, log.get("more") is True, wait, web_address(log.get("moved")))
        if not changes:
            return page
        body = orjson.dumps({"object": "sandbox", "account": login.channel_external_id, "changes": changes})
        return replace(page, arrivals=(RawArrival(f"log:{cursor or 0}-{after}", body, datetime.now(UTC)),))

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        """The page that the token speaks for. A login that runs out is renewed at once: only then it says when."""
        if login.credentials.get("refresh_token"):
            login = await self.renew(http, login)
        try:
            me = await read(http, login, "me")
        except LoginExpired as error:
            raise LoginDead("sandbox", "the token has run out") from error
        account = identifier(me.get("account"))
        if account is None:
            raise Unavailable("sandbox", "the network does not say whose token this is", unsent=True)
        return Choice(
            account, name(me.get("name")) or account, login.credentials, login.base_url, login.expires_at
        )  # fmt: skip

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        return await sandbox_looking.backfill(http, login, since, cursor)

    async def search(
        self, http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
    ) -> Page:
        return await sandbox_looking.search(http, login, words, cursor, since)

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        """The posts as they stand, as one arrival. The network lists deleted ones as such."""
        posts = (await read(http, login, f"posts?{urlencode({'ids': ','.join(external_ids)})}")).get("posts")
        if not isinstance(posts, list):
            raise Unavailable("sandbox", "the look-up was answered without a list of posts", unsent=True)
        return [shown(login, posts)] if posts else []

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        raise outcome.cannot(self.card, Capability.PUBLISH)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        if self.card.effects[outgoing.kind] is Certainty.LOOKED_UP:
            return await sandbox_sending.say(http, login, outgoing)
        return await sandbox_sending.act(http, login, outgoing)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        """Look what was said up by its client_id. Uncertain, too, while the network may not show it yet."""
        try:
            found = await posted(http, login, outgoing)
        except LoginExpired:
            raise
        except NetworkError as error:
            raise Uncertain("sandbox", f"it could not be looked up: {error.message}") from error
        if found is None and age(outgoing) < SHOWS_WITHIN:
            raise Uncertain("sandbox", "it is not there, and may be shown some seconds late: look again")
        return found

    async def clock(self, http: httpx.AsyncClient, base_url: str) -> datetime:
        """What the time is on this network, which anybody can move there."""
        response = await outcome.ask(http, "sandbox", f"{base_url.rstrip('/')}/api/clock")
        now = sandbox_changes.moment(answer(response).get("now")) if response.status_code == 200 else None
        if now is None:
            raise Unavailable("sandbox", "the network does not say what the time is there", unsent=True)
        return now

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        """Counters now; what the network does not know (any more) is left out."""
        found = []
        for external_id in external_ids:
            response = await outcome.ask(
                http, "sandbox", place(login, f"posts/{quote(external_id, safe='')}"), headers=bearer(login)
            )
            if response.status_code == 404:
                continue
            if response.status_code != 200:
                raise failure(response)
            counted = sandbox_changes.counted(external_id, answer(response).get("counters"), datetime.now(UTC))
            if counted is not None:
                found.append(counted)
        return found

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        """The next access token. The network takes a refresh token once, and gives the next one with the answer."""
        again = login.credentials.get("refresh_token")
        if not again:
            raise LoginDead("sandbox", "the token has run out, and there is none to renew it with")
        response = await outcome.act(
            http,
            "sandbox",
            "POST",
            place(login, "tokens"),
            headers={"content-type": "application/json"},
            content=orjson.dumps({"refresh_token": again}),
        )
        if response.status_code == 400:
            raise LoginDead("sandbox", "the network no longer takes the refresh token")
        if not response.is_success:
            raise failure(response)
        pair = answer(response)
        access, following, seconds = (pair.get(key) for key in ("access_token", "refresh_token", "expires_in"))
        if not isinstance(access, str) or not isinstance(following, str) or not isinstance(seconds, int | float):
            raise Unavailable("sandbox", "the network took the refresh token and gave no tokens for it")
        fresh = {**login.credentials, "access_token": access, "refresh_token": following}
        return replace(login, credentials=fresh, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        """Name our hook and its secret to the network; saying it again replaces what it knew."""
        response = await outcome.act(
            http,
            "sandbox",
            "PUT",
            place(login, "webhook"),
            headers={**bearer(login), "content-type": "application/json"},
            content=orjson.dumps({"url": hook.url, "secret": hook.secret}),
        )
        if not response.is_success:
            raise failure(response)
        ends_in = number(answer(response).get("ends_in"))
        return Subscription(hook.url, renew_after=None if ends_in is None else timedelta(seconds=ends_in * 0.8))

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        try:
            me = await read(http, login, "me")
        except LoginExpired:
            raise
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
