"""What a connector must be able to do. Each is one file in `shared/connectors`."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Protocol

import httpx

from shared.contract.card import Card, Length
from shared.contract.incoming import Answer, Counted, Parsed, Part, Pointer, RawArrival, RawPart, RawRequest, Secret
from shared.contract.outgoing import (
    AppLogin,
    Choice,
    Consent,
    Consented,
    Files,
    Finding,
    HookAddress,
    Login,
    OutgoingEffect,
    Page,
    Prepared,
    Sent,
    Subscription,
)
from shared.models.enums import Network


class Hears(Protocol):
    """The pure half: bytes to facts. No network, no clock, no state."""

    network: ClassVar[Network]
    card: ClassVar[Card]

    def handshake(self, request: RawRequest, secret: Secret) -> Answer | None:
        """The answer to a subscription's challenge; None where this request is none."""
        ...

    def verify(self, request: RawRequest, secret: Secret) -> datetime | None:
        """Check the signature over the raw bytes; the signed time where the scheme signs one. Raises BadSignature."""
        ...

    def key(self, request: RawRequest) -> str:
        """The delivery's own identity: equal for a repeat, different for anything else."""
        ...

    def route(self, arrival: RawArrival) -> list[Part]:
        """Which channel speaks in which slice, for deliveries to an app's hook. Raises BadPayload."""
        ...

    def parse(self, part: RawPart) -> Parsed:
        """The facts in a slice. Raises BadPayload where nothing in it is usable."""
        ...

    def new_secret(self) -> str:
        """A fresh signing key, in the form that this network's signature wants."""
        ...


class Speaks(Protocol):
    """The half that talks to the network, through the client it is handed. Failures are `NetworkError`s."""

    def count(self, text: str) -> Length: ...

    async def fetch(self, http: httpx.AsyncClient, login: Login, pointer: Pointer) -> RawArrival: ...

    async def identify(self, http: httpx.AsyncClient, login: Login) -> Choice:
        """Whom these credentials speak for, and the credentials to keep. Raises LoginDead where nobody takes them."""
        ...

    async def poll(self, http: httpx.AsyncClient, login: Login, cursor: str | None) -> Page:
        """What is new since `cursor`; without one, the newest that a page holds. Raises LoginExpired, Gone."""
        ...

    async def backfill(self, http: httpx.AsyncClient, login: Login, since: datetime, cursor: str | None) -> Page:
        """What was said from `since` on, newest first, a page a call; the cursor is the backfill's own."""
        ...

    async def search(
        self, http: httpx.AsyncClient, login: Login, words: Sequence[str], cursor: str | None, since: datetime
    ) -> Page:
        """A page of what anybody said there from `since` on that holds all of these words or phrases, newest first.

        `reached` is the moment back to which everything was shown, None where that can't be told. Raises Refused where
        this server searches nothing.
        """
        ...

    async def recheck(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> Sequence[RawArrival]:
        """What the network shows now of these things. `parse` hears edits in it, counters, and what is gone."""
        ...

    async def prepare(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect, files: Files) -> Prepared:
        """Lay ready what the effect needs, to be seen by nobody: called before `send` where the card says so.

        It may be repeated at any point: `outgoing.marks` is what came of it so far. Raises Refused where the network
        will not take it.
        """
        ...

    async def send(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent:
        """Bring the effect about, once, by one call that has an effect. Raises Uncertain where it may have happened,
        Unprepared where what was laid ready is no longer there."""
        ...

    async def find(self, http: httpx.AsyncClient, login: Login, outgoing: OutgoingEffect) -> Sent | None:
        """Settle an uncertain send: what is live, or None where it certainly is not. Raises Uncertain."""
        ...

    async def measure(self, http: httpx.AsyncClient, login: Login, external_ids: Sequence[str]) -> list[Counted]: ...

    async def renew(self, http: httpx.AsyncClient, login: Login) -> Login:
        """The same login with fresh credentials. Called by one at a time. Raises LoginDead where only a person can."""
        ...

    async def subscribe(self, http: httpx.AsyncClient, login: Login, hook: HookAddress) -> Subscription | None:
        """Ask the network to push to our hook; None where this channel has nothing that would push."""
        ...

    async def check(self, http: httpx.AsyncClient, login: Login) -> list[Finding]: ...


class Connector(Hears, Speaks, Protocol):
    """A whole network."""


class Revokes(Protocol):
    """A network that tells us when a person takes their consent back, or wants what we keep of them erased."""

    network: ClassVar[Network]

    def revoked(self, app: AppLogin, body: bytes) -> str:
        """Who it is, by the network's id, out of its signed request's body.

        Raises BadSignature where it was not signed for this app, BadPayload where nobody is named in it.
        """
        ...


class KeepsTime(Protocol):
    """A network, to practise on, that has a clock of its own which can be moved."""

    network: ClassVar[Network]

    async def clock(self, http: httpx.AsyncClient, base_url: str) -> datetime:
        """What the time is there. Raises Unavailable."""
        ...


class Consents(Protocol):
    """A network that asks its people whether we may act for them (OAuth 2)."""

    network: ClassVar[Network]
    scopes: ClassVar[tuple[str, ...]]

    async def register(self, http: httpx.AsyncClient, base_url: str, redirect_uri: str) -> AppLogin:
        """Register with one server of the network. Raises Refused where apps are registered by hand."""
        ...

    async def is_registered(self, http: httpx.AsyncClient, app: AppLogin) -> bool:
        """Whether the server still knows the app that `register` made: some forget those that nobody uses."""
        ...

    def authorize(self, app: AppLogin, consent: Consent) -> str:
        """The address to which the person's browser goes."""
        ...

    async def exchange(self, http: httpx.AsyncClient, app: AppLogin, consented: Consented) -> list[Choice]:
        """What the consent lets us speak for. Raises LoginDead where the code is not taken (any more)."""
        ...
