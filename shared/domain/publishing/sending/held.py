"""Effects with what stands around them, read once what they belong to is ours, and put where they stand now."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from shared.contract import OutgoingMedia
from shared.db import Session
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.publishing import reading, transitions
from shared.domain.scope import Scope
from shared.models.channel import Channel
from shared.models.enums import EventType, OutgoingState
from shared.models.mention import Identity, Mention, Thread
from shared.models.post import Attempt, Outgoing, Post, Variant

_ENDS = frozenset({OutgoingState.LIVE, OutgoingState.REFUSED, OutgoingState.UNCERTAIN, OutgoingState.DROPPED})


@dataclass(frozen=True, slots=True)
class Form:
    """The variant that an effect belongs to. `siblings` are all of its post's variants, itself included; `effects` its
    own effects, in the order in which they were made."""

    variant: Variant
    post: Post
    siblings: Sequence[Variant]
    effects: Sequence[Outgoing]


@dataclass(slots=True)
class Held:
    """One effect, its attempts in order, and what it belongs to: the form of a post, a mention or an identity."""

    outgoing: Outgoing
    channel: Channel
    tried: list[Attempt]
    form: Form | None = None
    mention: Mention | None = None
    identity: Identity | None = None
    root: str | None = None  # the external id of what stands at the top of the mention's thread
    undoes: str | None = None  # the external id that the effect got which this one takes back
    media: tuple[OutgoingMedia, ...] = ()  # what goes with it, where it is to be sent
    changed: bool = field(default=False, init=False)

    def put(
        self,
        state: OutgoingState,
        code: str | None = None,
        message: str | None = None,
        *,
        now: datetime,
        waits: bool = False,
    ) -> bool:
        """Put the effect and what it belongs to where they stand now; whether that is news. `waits`: for something that
        a person can end."""
        outgoing = self.outgoing
        before = (outgoing.state, outgoing.problem)
        outgoing.state = state
        outgoing.problem = {"code": code, "message": message} if code is not None else None
        outgoing.settled_at = now if state in _ENDS else None
        news = (outgoing.state, outgoing.problem) != before
        if self.form is not None:
            news = show(self.form, now=now, waits=waits) or news
            if news:
                self.form.post.version += 1
        if news:
            outgoing.version += 1
            self.changed = True
        return news


def show(form: Form, *, now: datetime, waits: bool = False) -> bool:
    """Let the variant and its post stand as its effects do; whether the variant stands otherwise than before."""
    variant, effects = form.variant, transitions.standing(form.effects)
    before = (variant.status, variant.problems)
    if not effects:
        return False
    main = effects[0]
    variant.status = transitions.variant_status_of([one.state for one in effects], held=waits)
    variant.problems = [_problem(one) for one in effects if one.problem is not None]
    if main.state is OutgoingState.LIVE:
        variant.external_id, variant.url = main.external_id, main.url
        variant.published_at = variant.published_at or now
    if (variant.status, variant.problems) == before:
        return False
    form.post.status = transitions.post_status_of(form.siblings)
    return True


def _problem(outgoing: Outgoing) -> dict[str, Any]:
    """What is wrong with an effect, and which one it is where that is not the post itself."""
    problem: dict[str, Any] = dict(outgoing.problem or {})
    place = transitions.place_of(outgoing)
    return {**problem, "path": list(place)} if place else problem


async def post_ids(session: Session, scope: Scope, outgoing_ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
    """The post behind each effect of the brand; None for one that belongs to none."""
    wanted = (
        select(Outgoing.id, Variant.post_id)
        .outerjoin(
            Variant,
            (col(Variant.brand_id) == col(Outgoing.brand_id)) & (col(Variant.id) == col(Outgoing.variant_id)),
        )
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.id).in_(outgoing_ids))
    )
    return {row[0]: row[1] for row in (await session.execute(wanted))}


async def hold(session: Session, scope: Scope, behind: Mapping[UUID, UUID | None]) -> dict[UUID, Held]:
    """The effects of `behind`, which names each one's post if it has one, and what stands around them.

    The posts' rows, and those of effects without a post, are this transaction's until it ends, taken in order so that
    two never wait for each other.
    """
    posts = await _locked_posts(session, scope, {post_id for post_id in behind.values() if post_id is not None})
    await _lock_alone(session, scope, [one for one, post_id in behind.items() if post_id is None])
    siblings = await reading.variants_of(session, scope, posts)
    rows = await _with_channels(session, scope, behind)
    tried = await reading.attempts_of(session, scope, [outgoing.id for outgoing, _ in rows])
    variants = {variant.id: variant for found in siblings.values() for variant in found}
    chained = [v.id for v in variants.values() if v.first_comment or v.parts]
    effects = await reading.outgoing_of(session, scope, chained) if chained else {}
    found = {}
    for outgoing, channel in rows:
        one = found[outgoing.id] = Held(outgoing, channel, tried.get(outgoing.id, []))
        if outgoing.variant_id is not None:
            variant = variants[outgoing.variant_id]
            own = effects.get(variant.id) or [outgoing]
            one.form = Form(variant, posts[variant.post_id], siblings[variant.post_id], own)
    await _targets(session, scope, list(found.values()))
    return found


async def _locked_posts(session: Session, scope: Scope, ids: set[UUID]) -> dict[UUID, Post]:
    if not ids:
        return {}
    wanted = (
        select(Post)
        .where(col(Post.brand_id) == scope.brand_id, col(Post.id).in_(ids))
        .order_by(col(Post.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {post.id: post for post in (await session.execute(wanted)).scalars()}


async def _lock_alone(session: Session, scope: Scope, ids: Sequence[UUID]) -> None:
    if ids:
        wanted = (
            select(Outgoing.id)
            .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.id).in_(ids))
            .order_by(col(Outgoing.id))
            .with_for_update()
        )
        await session.execute(wanted)


async def _with_channels(session: Session, scope: Scope, ids: Iterable[UUID]) -> list[tuple[Outgoing, Channel]]:
    wanted = (
        select(Outgoing, Channel)
        .join(
            Channel,
            (col(Channel.brand_id) == col(Outgoing.brand_id)) & (col(Channel.id) == col(Outgoing.channel_id)),
        )
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.id).in_(list(ids)))
        .execution_options(populate_existing=True)
    )
    return [(outgoing, channel) for outgoing, channel in (await session.execute(wanted))]


async def _targets(session: Session, scope: Scope, found: Sequence[Held]) -> None:
    """Read what effects answer or act on."""
    mention_ids = {one.outgoing.mention_id for one in found if one.outgoing.mention_id is not None}
    mentions = await _mentions(session, scope, mention_ids)
    roots = await _roots(session, scope, {one.thread_id for one in mentions.values() if one.thread_id is not None})
    people = {one.author_id for one in mentions.values() if one.author_id is not None}
    people |= {one.outgoing.identity_id for one in found if one.outgoing.identity_id is not None}
    identities = await _identities(session, scope, people)
    undone = await _external_ids(
        session, scope, {one.outgoing.undoes_id for one in found if one.outgoing.undoes_id is not None}
    )
    for one in found:
        one.undoes = undone.get(one.outgoing.undoes_id) if one.outgoing.undoes_id is not None else None
        if one.outgoing.mention_id is not None:
            mention = one.mention = mentions[one.outgoing.mention_id]
            one.identity = identities.get(mention.author_id) if mention.author_id is not None else None
            one.root = roots.get(mention.thread_id) if mention.thread_id is not None else None
        elif one.outgoing.identity_id is not None:
            one.identity = identities[one.outgoing.identity_id]


async def _mentions(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Mention]:
    wanted = select(Mention).where(col(Mention.brand_id) == scope.brand_id, col(Mention.id).in_(ids))
    return {one.id: one for one in (await session.execute(wanted)).scalars()} if ids else {}


async def _identities(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, Identity]:
    wanted = select(Identity).where(col(Identity.brand_id) == scope.brand_id, col(Identity.id).in_(ids))
    return {one.id: one for one in (await session.execute(wanted)).scalars()} if ids else {}


async def _external_ids(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, str | None]:
    """Under which ids the network knows what these effects brought about."""
    if not ids:
        return {}
    wanted = select(Outgoing.id, Outgoing.external_id).where(
        col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.id).in_(ids)
    )
    return {row[0]: row[1] for row in (await session.execute(wanted))}


async def _roots(session: Session, scope: Scope, ids: Collection[UUID]) -> dict[UUID, str]:
    """The external id at the top of each thread, where it is known."""
    if not ids:
        return {}
    wanted = (
        select(Thread.id, Mention.external_id)
        .join(Mention, (col(Mention.brand_id) == col(Thread.brand_id)) & (col(Mention.key) == col(Thread.key)))
        .where(col(Thread.brand_id) == scope.brand_id, col(Thread.id).in_(ids))
    )
    return {row[0]: row[1] for row in (await session.execute(wanted))}


async def tell(session: Session, scope: Scope, changed: Iterable[Held], *, now: datetime) -> None:
    """Write what changed, and the fact that these effects or their posts did."""
    effects = {one.outgoing.id: one for one in changed}.values()
    await tell_posts(session, scope, [one.form.post for one in effects if one.form is not None], now=now)
    facts = [_effect_changed(one) for one in effects if one.form is None]
    await events.add(session, scope.brand_id, facts, now=now)


async def tell_posts(session: Session, scope: Scope, changed: Iterable[Post], *, now: datetime) -> None:
    """Write what changed, and the fact that these posts did."""
    posts = {post.id: post for post in changed}
    for post in posts.values():
        post.updated_at = now
    await session.flush()
    await events.add(session, scope.brand_id, [reading.post_changed(post) for post in posts.values()], now=now)


def _effect_changed(one: Held) -> NewEvent:
    outgoing = one.outgoing
    payload = {"state": outgoing.state.value, "kind": outgoing.kind.value}
    return NewEvent(EventType.OUTGOING_CHANGED, outgoing.id, outgoing.version, payload)
