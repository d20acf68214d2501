"""A client's word by a link, for the page and for frontends. The token is the key: none other is asked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from itertools import count
from uuid import UUID

from starlette.requests import Request

from services.api.context import Services, Tries
from services.api.limits import Allowance
from shared.connectors.registry import CARDS
from shared.db import Session
from shared.domain.publishing.agreeing import approvals, links, showing
from shared.domain.publishing.agreeing.showing import View
from shared.domain.scope import Scope
from shared.errors import NotFound, Stale
from shared.ids import Prefix, parse_typeid
from shared.models.approval import ApprovalLink
from shared.models.enums import ApprovalKind
from shared.queues import SendOutgoing

A_MINUTE = 60  # looks and words by one link
FROM_ONE_ADDRESS = 10  # times as much, over all links: many clients may sit behind one
_SEEN_AGAIN = timedelta(minutes=5)


async def spend(request: Request, token: str) -> None:
    """Count one request by this link, and one from where it comes. Raises TooMany."""
    allowance: Allowance = request.app.state.by_link
    await allowance.spend("link:" + sha256(token.encode("utf-8", "surrogatepass")).hexdigest())
    if request.client is not None:
        asked = await allowance.ask(f"from:{request.client.host}")
        refusal = asked.refuse(allowance.limit, more=allowance.limit * (FROM_ONE_ADDRESS - 1))
        if refusal is not None:
            raise refusal


@asynccontextmanager
async def _entered(services: Services, token: str) -> AsyncIterator[tuple[Session, Scope, ApprovalLink]]:
    async with services.db.session() as session:
        scope, link = await links.enter(session, token, now=services.clock())
        yield session, scope, link


async def look(services: Services, token: str) -> View:
    """What the link opens. Raises NotFound, Over."""
    tries, now = Tries.begin(services.settings), services.clock()
    for attempt in count(1):
        try:
            async with _entered(services, token) as (session, scope, link):
                if link.last_seen_at is None or link.last_seen_at < now - _SEEN_AGAIN:
                    await links.seen(session, scope, link, now=now)
                return await showing.view(session, scope, link, address=services.addresses.at(services.clock()))
        except Exception as error:
            if not tries.go_on(attempt, error):
                raise
    raise AssertionError


async def say(
    services: Services, token: str, *, post: str, content: str, kind: ApprovalKind, name: str, comment: str | None
) -> None:
    """A client's word on one version of a post.

    Raises NotFound, Over, Stale where it is another version by now, Conflict where it is not theirs, Invalid.
    """
    post_id = parse_typeid(Prefix.POST, post)
    try:
        digest = bytes.fromhex(content)
    except ValueError:
        raise Stale("this is no version of the post: look at it again") from None
    async with _entered(services, token) as (session, scope, link):
        await approvals.answer(
            session, scope, link, post_id,
            digest=digest, kind=kind, name=name, comment=comment, cards=CARDS, now=services.clock(),
        )  # fmt: skip
    services.queues.ring(SendOutgoing())


def seal(services: Services, link: ApprovalLink, post_id: UUID, content: bytes) -> str:
    """What only a form of ours has: it was made for this link, this post and this version of it."""
    return services.vault.sign(b"\x00".join([b"approve", link.id.bytes, post_id.bytes, content]))


def require_seal(services: Services, link: ApprovalLink, *, post: str, content: str, given: str) -> None:
    """Raise NotFound unless the form is one of ours."""
    try:
        message = b"\x00".join(
            [b"approve", link.id.bytes, parse_typeid(Prefix.POST, post).bytes, bytes.fromhex(content)]
        )
    except ValueError:
        raise NotFound("this form is not of this page") from None
    if not given.isascii() or not services.vault.is_signed(message, given):
        raise NotFound("this form is not of this page")
