"""What a notification's sentence is made of, read while it is made: the thing may change or go later."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import channels
from shared.domain.excerpts import excerpt
from shared.domain.notifying import alert_facts, quotes
from shared.domain.notifying.kinds import Rule
from shared.domain.publishing import reading
from shared.domain.publishing.agreeing import reviews
from shared.domain.scope import Scope
from shared.ids import Prefix
from shared.models.brand import Brand
from shared.models.enums import EventType, NotificationKind, OutgoingKind, OutgoingState, Reviewer, VariantStatus
from shared.models.event import Event
from shared.models.mention import Mention
from shared.models.post import Outgoing, Post, Variant

_EXCERPT = 80
_K = NotificationKind
_STANDING = {
    _K.POST_FAILED: frozenset({VariantStatus.FAILED}),
    _K.POST_UNCERTAIN: frozenset({VariantStatus.UNCERTAIN}),
    _K.POST_PUBLISHED: frozenset({VariantStatus.PUBLISHED}),
}
# A deletion that we asked for, or may have brought about.
_OURS = frozenset(OutgoingState) - {OutgoingState.REFUSED, OutgoingState.DROPPED}


@dataclass(frozen=True, slots=True)
class News:
    """An event that is told: as what, about which thing, with which facts; `beside` are those whom it asks nothing."""

    event: Event
    rule: Rule
    thing_id: UUID
    facts: dict[str, Any] = field(default_factory=dict)
    beside: frozenset[UUID] = frozenset()


async def gather(session: Session, scope: Scope, found: Sequence[tuple[Event, Rule]], brand: Brand) -> list[News]:
    """The news among these events, in their order: a deletion that is not of a post of ours is none."""
    removed = await _removed(session, scope, [event.thing_id for event, rule in found if _is_removal(rule)])
    about: list[tuple[Event, Rule, UUID]] = []
    for event, rule in found:
        if not _is_removal(rule):
            about.append((event, rule, _thing(event, rule)))
        elif event.thing_id in removed:
            about.append((event, rule, removed[event.thing_id].post_id))
    known = await _known(session, scope, about, brand)
    return [
        News(
            event,
            rule,
            thing_id,
            {"brand": brand.name, **known.facts(event, rule, thing_id, removed)},
            await _beside(session, scope, event, rule, known, thing_id),
        )
        for event, rule, thing_id in about
    ]


async def _beside(
    session: Session, scope: Scope, event: Event, rule: Rule, known: "_Known", post_id: UUID
) -> frozenset[UUID]:
    """Who has nothing to say of a post that waits for people: those who wrote it, and those who have agreed."""
    post = known.posts.get(post_id)
    if rule.kind is not _K.APPROVAL_WAITING or event.payload.get("waits_for") == Reviewer.CLIENT.value or post is None:
        return frozenset()
    policy = await reviews.policy(session, scope)
    stands = await reviews.standing(session, scope, post, known.variants.get(post_id, []), policy)
    return await reviews.authors(session, scope, post) | frozenset(stands.people)


def _is_removal(rule: Rule) -> bool:
    return rule.event is EventType.MENTION_DELETED


def _thing(event: Event, rule: Rule) -> UUID:
    """What the event is about; a hold is its brand's."""
    return event.brand_id if rule.about is Prefix.BRAND else event.thing_id


async def _removed(session: Session, scope: Scope, mention_ids: Sequence[UUID]) -> dict[UUID, Variant]:
    """Of these mentions, our own posts that somebody else took down, each with its variant."""
    if not mention_ids:
        return {}
    wanted = (
        select(Mention.id, Variant)
        .join(Variant, (col(Variant.brand_id) == col(Mention.brand_id)) & (col(Variant.id) == col(Mention.variant_id)))
        .where(col(Mention.brand_id) == scope.brand_id, col(Mention.id).in_(mention_ids))
    )
    found: dict[UUID, Variant] = {row[0]: row[1] for row in (await session.execute(wanted))}
    if not found:
        return {}
    asked = select(Outgoing.mention_id, Outgoing.variant_id).where(
        col(Outgoing.brand_id) == scope.brand_id,
        col(Outgoing.kind) == OutgoingKind.DELETE,
        col(Outgoing.state).in_(_OURS),
        col(Outgoing.mention_id).in_(found) | col(Outgoing.variant_id).in_([one.id for one in found.values()]),
    )
    ours = {id_ for row in (await session.execute(asked)) for id_ in row}
    return {mention: variant for mention, variant in found.items() if not {mention, variant.id} & ours}


@dataclass(slots=True)
class _Known:
    posts: dict[UUID, Post]
    variants: dict[UUID, list[Variant]]
    effects: dict[UUID, Outgoing]
    names: dict[UUID, tuple[str, str | None]]  # a channel's name, and why it stands still
    alerts: dict[UUID, dict[str, Any]]
    quotes: dict[UUID, dict[str, Any]]  # mentions that alerts name

    def facts(self, event: Event, rule: Rule, thing_id: UUID, removed: dict[UUID, Variant]) -> dict[str, Any]:
        payload = event.payload
        match rule.about:
            case Prefix.POST:
                return self._of_post(event, rule, thing_id, removed)
            case Prefix.CHANNEL:
                name, reason = self.names.get(thing_id, ("", None))
                return {"channels": [name] if name else [], "reason": reason}
            case Prefix.OUTGOING:
                effect = self.effects.get(thing_id)
                where = [self._name(effect.channel_id)] if effect is not None else []
                problem = (effect.problem or {}) if effect is not None and rule.kind is _K.EFFECT_REFUSED else {}
                return {"effect": payload.get("kind"), "channels": where, "reason": problem.get("message")}
            case Prefix.ALERT:
                told = {name: alert_facts.shown(payload.get(name)) for name in ("seen", "expected")}
                named = [self.quotes[one] for one in quotes.named(event) if one in self.quotes]
                return {**self.alerts.get(thing_id, {}), **told, **({"mentions": named} if named else {})}
            case Prefix.BRAND:
                return {"held": payload.get("state") != "off"}
            case _:
                return {"address": payload.get("address")}

    def _of_post(self, event: Event, rule: Rule, post_id: UUID, removed: dict[UUID, Variant]) -> dict[str, Any]:
        post = self.posts.get(post_id)
        said: dict[str, Any] = {"post": excerpt(post.text, _EXCERPT) if post is not None else ""}
        if _is_removal(rule):
            return said | {"channels": [self._name(removed[event.thing_id].channel_id)]}
        if rule.kind in _STANDING:
            return said | self._standing(post_id, rule.kind)
        if rule.kind is _K.APPROVAL_DECIDED:
            return said | {"decision": event.payload.get("kind")}
        return said | {"waits_for": event.payload.get("waits_for")}

    def _standing(self, post_id: UUID, kind: NotificationKind) -> dict[str, Any]:
        """Where the post stands so, and the first reason that is known."""
        concerned = [one for one in self.variants.get(post_id, []) if one.status in _STANDING[kind]]
        reasons = [problem.get("message") for one in concerned for problem in one.problems if problem]
        names = sorted({self._name(one.channel_id) for one in concerned})
        return {"channels": names, "reason": next((reason for reason in reasons if reason), None)}

    def _name(self, channel_id: UUID) -> str:
        return self.names.get(channel_id, ("", None))[0]


async def _known(
    session: Session, scope: Scope, about: Sequence[tuple[Event, Rule, UUID]], brand: Brand
) -> _Known:  # fmt: skip
    ids = {prefix: {thing for _, rule, thing in about if rule.about is prefix} for prefix in Prefix}
    posts: dict[UUID, Post] = {}
    variants: dict[UUID, list[Variant]] = {}
    if wanted := ids[Prefix.POST]:
        rows = await session.execute(select(Post).where(Post.brand_id == scope.brand_id, col(Post.id).in_(wanted)))
        posts = {post.id: post for post in rows.scalars()}
        variants = await reading.variants_of(session, scope, list(posts))
    effects: dict[UUID, Outgoing] = {}
    if wanted := ids[Prefix.OUTGOING]:
        found = await session.execute(
            select(Outgoing).where(Outgoing.brand_id == scope.brand_id, col(Outgoing.id).in_(wanted))
        )
        effects = {one.id: one for one in found.scalars()}
    needed = ids[Prefix.CHANNEL] | {one.channel_id for some in variants.values() for one in some}
    needed |= {one.channel_id for one in effects.values()}
    named = await channels.by_ids(session, scope, needed) if needed else {}
    wanted_alerts = ids[Prefix.ALERT]
    alerts = await alert_facts.of_alerts(session, scope, wanted_alerts, brand.zone) if wanted_alerts else {}
    named_mentions = {one for event, rule, _ in about if rule.about is Prefix.ALERT for one in quotes.named(event)}
    quoted = await quotes.of_mentions(session, scope, named_mentions)
    names = {id_: (one.name, one.status_reason) for id_, one in named.items()}
    return _Known(posts, variants, effects, names, alerts, quoted)
