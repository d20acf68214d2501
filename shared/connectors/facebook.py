"""Facebook Pages: what is said on one, by Meta's webhooks and by asking, and what the Page says and does itself."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import httpx

from shared.connectors import (
    facebook_check,
    facebook_finding,
    facebook_polling,
    facebook_sending,
    graph,
    graph_rounds,
    meta_hooks,
    outcome,
)
from shared.connectors.facebook_answers import hear_any
from shared.connectors.facebook_answers import read as read_answer
from shared.connectors.facebook_feed import hear_change
from shared.connectors.graph import Graph
from shared.connectors.graph_rounds import SOURCE
from shared.connectors.meta_events import Entry
from shared.connectors.meta_messages import FIELDS as MESSAGE_FIELDS
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
)
from shared.models.enums import MentionKind, Network, OutgoingKind

MAX_TEXT = 63_206
_NETWORK = Network.FACEBOOK.value
_NOTHING_TO_ASK_WITH = timedelta(hours=1)
_PICTURE = MediaLimit(
    frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff"}),
    most_bytes=10_000_000,
)
_FILM = MediaLimit(
    frozenset({"video/mp4", "video/quicktime"}),
    most_bytes=1_000_000_000,
    length=(timedelta(seconds=1), timedelta(minutes=20)),
)


class Facebook:
    """A Page's feed, mentions, ratings and messages."""

    network: ClassVar[Network] = Network.FACEBOOK
    card: ClassVar[Card] = Card(
        network=Network.FACEBOOK,
        label="Facebook Page",
        capabilities=frozenset(
            {
                Capability.WEBHOOKS,
                Capability.APP_WEBHOOKS,
                Capability.POLL,
                Capability.FETCH,
                Capability.PUBLISH,
                Capability.FIND,
                Capability.MEASURE,
                Capability.SUBSCRIBE,
                Capability.CHECK,
                Capability.IDENTIFY,
                Capability.RECHECK,
                Capability.BACKFILL,
            }
        ),
        shared_ids=True,
        credentials_required=("app_secret",),
        credentials_optional=("access_token", "verify_token"),
        secret_keyword="app_secret",  # noqa: S106 - the name of a credential, not one
        hears=frozenset(
            {
                MentionKind.POST,
                MentionKind.COMMENT,
                MentionKind.REPLY,
                MentionKind.MESSAGE,
                MentionKind.REVIEW,
                MentionKind.STORY,
            }
        ),
        poll_every=timedelta(minutes=5),
        asks_with="access_token",
        most_media=facebook_sending.MOST_PHOTOS,
        effects={
            OutgoingKind.PUBLISH: Certainty.LOOKED_UP,
            OutgoingKind.FIRST_COMMENT: Certainty.LOOKED_UP,
            OutgoingKind.REPLY: Certainty.LOOKED_UP,
            OutgoingKind.DELETE: Certainty.LOOKED_UP,
            OutgoingKind.HIDE: Certainty.REPEATED,
            OutgoingKind.UNHIDE: Certainty.REPEATED,
            OutgoingKind.LIKE: Certainty.REPEATED,
            OutgoingKind.UNLIKE: Certainty.REPEATED,
            OutgoingKind.BLOCK: Certainty.REPEATED,
            OutgoingKind.UNBLOCK: Certainty.REPEATED,
        },
        prepares=Preparing.WITH_MEDIA,
        media={"image": _PICTURE, "gif": _PICTURE, "video": _FILM},
        mixes_media=False,
        link_apart=True,
    )

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        return meta_hooks.handshake(request, secret)

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """None: Meta signs the raw body by the app secret, and no time."""
        meta_hooks.verify(request, secret)
        return None

    def key(self, request: RawRequest) -> str:
        return meta_hooks.key(request)

    def route(self, arrival: RawArrival) -> list[Part]:
        return meta_hooks.route(meta_hooks.entries(arrival.body, "page"), "page")

    def parse(self, part: RawPart) -> Parsed:
        """A webhook's delivery, or the answer to a question of ours, which its headers name."""
        if SOURCE in part.headers:
            return read_answer(part)
        return meta_hooks.read(meta_hooks.entries(part.body, "page"), part, hear_change, MESSAGE_FIELDS)

    def new_secret(self) -> str:
        """The form of an app secret; a real one comes from Meta."""
        return secrets.token_hex(16)

    def count(self, text: str) -> Length:
        return Length(len(text), MAX_TEXT, "characters")

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival:
        """A post or comment in which the Page was mentioned, where the webhook left its text out."""
        return await facebook_polling.fetch(_graph(http, login), login, pointer)

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        """New posts, tags, comments, reviews and messages; nothing where there is no token."""
        if not login.credentials.get("access_token"):
            return Page((), cursor, wait=_NOTHING_TO_ASK_WITH)
        way = _graph(http, login)
        return await graph_rounds.poll(
            _NETWORK, cursor, facebook_polling.SOURCES,
            lambda state, step: facebook_polling.take(way, login, state, step),
        )  # fmt: skip

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        way = _graph(http, login)
        return await graph_rounds.backfill(
            _NETWORK, since, cursor, facebook_polling.FILLING,
            lambda state, step: facebook_polling.take(way, login, state, step),
        )  # fmt: skip

    async def search(
        self, http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
    ) -> Page:
        raise outcome.cannot(self.card, Capability.SEARCH)

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        if not login.credentials.get("access_token"):
            return ()
        return await facebook_polling.recheck(_graph(http, login), login, external_ids)

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]:
        """Counters now; what is not there (any more) is left out."""
        looked = await facebook_polling.look(_graph(http, login), login, external_ids)
        place = Entry(frozenset({login.channel_external_id}), looked.asked_at)
        told = [fact for item in looked.found.values() for fact in hear_any(place, item)]
        return [fact for fact in told if isinstance(fact, Counted)]

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        return await facebook_check.identify(_graph(http, login), login)

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription:
        return await facebook_check.subscribe(_graph(http, login), login, hook)

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]:
        asking = _graph(http, login) if login.credentials.get("access_token") else None
        return await facebook_check.check(asking, login)

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        raise outcome.cannot(self.card, Capability.RENEW)

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        """Upload the pictures of a post by their addresses, unpublished."""
        return await facebook_sending.prepare(_graph(http, login), login, outgoing)

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        if outgoing.kind not in self.card.effects:
            raise outcome.cannot(self.card, outgoing.kind)
        return await facebook_sending.send(_graph(http, login), login, outgoing)

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        if outgoing.kind not in self.card.effects:
            raise outcome.cannot(self.card, outgoing.kind)
        return await facebook_finding.find(_graph(http, login), login, outgoing)


def _graph(http: httpx.AsyncClient, login: Login) -> Graph:
    return graph.of(http, _NETWORK, login, graph.FACEBOOK)
