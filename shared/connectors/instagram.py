"""Instagram: what is said to a professional account, by Meta's webhooks and by asking, and what it says itself."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import httpx

from shared.connectors import (
    graph,
    graph_rounds,
    instagram_containers,
    instagram_finding,
    instagram_polling,
    instagram_sending,
    meta_hooks,
    outcome,
)
from shared.connectors.graph import Graph
from shared.connectors.graph_rounds import SOURCE
from shared.connectors.instagram_answers import hear_any
from shared.connectors.instagram_answers import read as read_answer
from shared.connectors.instagram_changes import MESSAGE_FIELDS, hear_change
from shared.connectors.instagram_check import check, identify, renew, subscribe
from shared.connectors.meta_events import Entry
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
    MediaLimit,
    OutgoingEffect,
    Page,
    Parsed,
    Part,
    Pointer,
    Prepared,
    Preparing,
    RawArrival,
    RawPart,
    RawRequest,
    Secret,
    Sent,
    Subscription,
    read_json,
)
from shared.models.enums import MentionKind, Network, OutgoingKind

MAX_TEXT = 2_200
_NETWORK = Network.INSTAGRAM.value
_NOTHING_TO_ASK_WITH = timedelta(hours=1)
_PICTURE = MediaLimit(frozenset({"image/jpeg"}), most_bytes=8 * 1024 * 1024, ratio=(4 / 5, 1.91), longest_alt=1_000)
_FILM = MediaLimit(
    frozenset({"video/mp4", "video/quicktime"}),
    most_bytes=300_000_000,
    length=(timedelta(seconds=3), timedelta(minutes=15)),
)


class Instagram:
    """Comments, mentions and messages of an Instagram professional account, by either kind of login."""

    network: ClassVar[Network] = Network.INSTAGRAM
    card: ClassVar[Card] = Card(
        network=Network.INSTAGRAM,
        label="Instagram account",
        capabilities=frozenset(
            {
                Capability.WEBHOOKS,
                Capability.APP_WEBHOOKS,
                Capability.POLL,
                Capability.FETCH,
                Capability.PUBLISH,
                Capability.FIND,
                Capability.MEASURE,
                Capability.RENEW,
                Capability.SUBSCRIBE,
                Capability.CHECK,
                Capability.IDENTIFY,
                Capability.RECHECK,
                Capability.BACKFILL,
            }
        ),
        credentials_required=("app_secret",),
        credentials_optional=("access_token", "verify_token"),
        secret_keyword="app_secret",  # noqa: S106 - the name of a credential, not one
        hears=frozenset(
            {MentionKind.POST, MentionKind.COMMENT, MentionKind.REPLY, MentionKind.MESSAGE, MentionKind.STORY}
        ),
        poll_every=timedelta(minutes=10),
        asks_with="access_token",
        recheck_at_once=10,
        most_media=instagram_containers.MOST_MEDIA,
        effects={
            OutgoingKind.PUBLISH: Certainty.LOOKED_UP,
            OutgoingKind.FIRST_COMMENT: Certainty.LOOKED_UP,
            OutgoingKind.REPLY: Certainty.LOOKED_UP,
            OutgoingKind.DELETE: Certainty.LOOKED_UP,
            OutgoingKind.HIDE: Certainty.REPEATED,
            OutgoingKind.UNHIDE: Certainty.REPEATED,
        },
        prepares=Preparing.ALWAYS,
        prepares_ahead=timedelta(minutes=10),
        media={"image": _PICTURE, "video": _FILM},
        needs_media=True,
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        return meta_hooks.handshake(request, secret)

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """None: Meta signs the raw body by the (Instagram) app's secret, and no time."""
        meta_hooks.verify(request, secret)
        return None

    def key(self, request: RawRequest) -> str:
        return meta_hooks.key(request)

    def route(self, arrival: RawArrival) -> list[Part]:
        return meta_hooks.route(_entries(arrival.body), "instagram")

    def parse(self, part: RawPart) -> Parsed:
        """A webhook's delivery, or the answer to a question of ours, which its headers name."""
        if SOURCE in part.headers:
            return read_answer(part)
        return meta_hooks.read(_entries(part.body), part, hear_change, MESSAGE_FIELDS)

    def new_secret(self) -> str:
        """The form of an app secret; a real one comes from Meta."""
        return secrets.token_hex(16)

    def count(self, text: str) -> Length:
        return Length(len(text), MAX_TEXT, "characters")

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
        """The comment or medium in which the account was mentioned."""
        return await instagram_polling.fetch(_graph(http, login), login, pointer)

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        """New media, comments where their number changed, tags and messages; nothing where there is no token."""
        if not login.credentials.get("access_token"):
            return Page((), cursor, wait=_NOTHING_TO_ASK_WITH)
        way = _graph(http, login)
        return await graph_rounds.poll(
            _NETWORK, cursor, instagram_polling.sources(way),
            lambda state, step: instagram_polling.take(way, login, state, step),
        )  # fmt: skip

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        way = _graph(http, login)
        return await graph_rounds.backfill(
            _NETWORK, since, cursor, instagram_polling.sources(way),
            lambda state, step: instagram_polling.take(way, login, state, step),
        )  # fmt: skip

    async def search(
        self, http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
    ) -> Page:
        raise outcome.cannot(self.card, Capability.SEARCH)

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        """Deletions are told by no webhook: this is how they are found."""
        if not login.credentials.get("access_token"):
            return ()
        return await instagram_polling.recheck(_graph(http, login), login, external_ids)

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        """Counters now; what is not there (any more) is left out."""
        looked = await instagram_polling.look(_graph(http, login), external_ids)
        place = Entry(frozenset(), looked.asked_at)
        told = [fact for item in looked.found.values() for fact in hear_any(place, item)]
        return [fact for fact in told if isinstance(fact, Counted)]

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        return await identify(_graph(http, login), login)

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        return await renew(_graph(http, login), login)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        return await subscribe(_graph(http, login), hook)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        return await check(_graph(http, login) if login.credentials.get("access_token") else None, login)

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        """Have containers made of a post's media, by their addresses; nothing is laid ready for the rest."""
        if outgoing.kind is not OutgoingKind.PUBLISH:
            return Prepared(dict(outgoing.marks))
        return await instagram_containers.prepare(_graph(http, login), login, outgoing)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        if outgoing.kind not in self.card.effects:
            raise outcome.cannot(self.card, outgoing.kind)
        return await instagram_sending.send(_graph(http, login), login, outgoing)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        if outgoing.kind not in self.card.effects:
            raise outcome.cannot(self.card, outgoing.kind)
        return await instagram_finding.find(_graph(http, login), login, outgoing)


def _graph(http: httpx.AsyncClient, login: Login) -> Graph:
    return graph.of(http, _NETWORK, login, graph.INSTAGRAM)


def _entries(body: bytes) -> list[object]:
    """The entries; the dashboard's test button sends one change without any envelope."""
    envelope = read_json(body)
    if isinstance(envelope, dict) and "object" not in envelope and "entry" not in envelope and "field" in envelope:
        return [envelope]
    return meta_hooks.entries(body, "instagram")
