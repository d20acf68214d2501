"""Effects with what stands around them, read once their posts' rows are ours, and put where they stand now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.publishing import reading, transitions
from shared.domain.scope import Scope
from shared.models.channel import Channel
from shared.models.enums import EventType, OutgoingState
from shared.models.post import Attempt, Outgoing, Post, Variant

_ENDS = frozenset({OutgoingState.LIVE, OutgoingState.REFUSED, OutgoingState.UNCERTAIN, OutgoingState.DROPPED})


@dataclass(frozen=True, slots=True)
class Held:
    """One effect. `siblings` are all of its post's variants, its own included; `tried` its attempts, in order."""

    outgoing: Outgoing
    variant: Variant
    channel: Channel
    post: Post
    siblings: list[Variant]
    tried: list[Attempt]

    def put(
        self,
        state: OutgoingState,
        code: str | None = None,
        message: str | None = None,
        *,
        now: datetime,
        waits: bool = False,
    ) -> bool:
        """Put effect, variant and post where they stand now; whether that is news. `waits`: for its channel."""
        outgoing, variant = self.outgoing, self.variant
        before = (outgoing.state, variant.status, variant.problems)
        outgoing.state = state
        outgoing.problem = {"code": code, "message": message} if code is not None else None
        outgoing.settled_at = now if state in _ENDS else None
        variant.status = transitions.variant_status(state, held=waits)
        variant.problems = [outgoing.problem] if outgoing.problem is not None else []
        if state is OutgoingState.LIVE:
            variant.external_id, variant.url, variant.published_at = outgoing.external_id, outgoing.url, now
        if (outgoing.state, variant.status, variant.problems) == before:
            return False
        self.post.status = transitions.post_status([one.status for one in self.siblings])
        self.post.version += 1
        return True


async def post_ids(session: Session, scope: Scope, outgoing_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The post behind each effect of the brand."""
    wanted = (
        select(Outgoing.id, Variant.post_id)
        .join(
            Variant,
            (col(Variant.brand_id) == col(Outgoing.brand_id)) & (col(Variant.id) == col(Outgoing.variant_id)),
        )
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.id).in_(outgoing_ids))
    )
    return {row[0]: row[1] for row in (await session.execute(wanted))}


async def hold(session: Session, scope: Scope, behind: Mapping[UUID, UUID]) -> dict[UUID, Held]:
    """The effects of `behind`, which names each one's post, and what stands around them.

    The posts' rows are this transaction's until it ends, taken in order so that two never wait for each other.
    """
    wanted_posts = (
        select(Post)
        .where(col(Post.brand_id) == scope.brand_id, col(Post.id).in_(set(behind.values())))
        .order_by(col(Post.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    posts = {post.id: post for post in (await session.execute(wanted_posts)).scalars()}
    siblings = await reading.variants_of(session, scope, posts)
    wanted = (
        select(Outgoing, Channel)
        .join(
            Channel,
            (col(Channel.brand_id) == col(Outgoing.brand_id)) & (col(Channel.id) == col(Outgoing.channel_id)),
        )
        .where(col(Outgoing.brand_id) == scope.brand_id, col(Outgoing.id).in_(behind))
        .execution_options(populate_existing=True)
    )
    rows = (await session.execute(wanted)).all()
    tried = await reading.attempts_of(session, scope, [outgoing.id for outgoing, _ in rows])
    found = {}
    for outgoing, channel in rows:
        post = posts[behind[outgoing.id]]
        own = next(variant for variant in siblings[post.id] if variant.id == outgoing.variant_id)
        found[outgoing.id] = Held(outgoing, own, channel, post, siblings[post.id], tried.get(outgoing.id, []))
    return found


async def tell(session: Session, scope: Scope, changed: Iterable[Post], *, now: datetime) -> None:
    """Write what changed, and the fact that these posts did."""
    posts = {post.id: post for post in changed}
    for post in posts.values():
        post.updated_at = now
    await session.flush()
    facts = [NewEvent(EventType.POST_CHANGED, p.id, p.version, {"status": p.status.value}) for p in posts.values()]
    await events.add(session, scope.brand_id, facts, now=now)
