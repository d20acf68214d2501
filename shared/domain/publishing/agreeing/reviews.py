"""Who must agree to a version of a post before it goes out, who has, and whose turn it is: people, then the client."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from shared.db import Session
from shared.domain.events import events
from shared.domain.events.events import NewEvent
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.publishing import reading
from shared.domain.publishing.agreeing import contents
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.approval import Approval, DueReminder, Review
from shared.models.brand import Brand
from shared.models.enums import ApprovalKind, ApprovalPolicy, EventType, PostStatus, Reviewer
from shared.models.post import Post, Variant

_WAITING = "waiting"
_PEOPLE = {ApprovalPolicy.NONE: 0, ApprovalPolicy.ONE: 1, ApprovalPolicy.TWO: 2}


@dataclass(frozen=True, slots=True)
class Policy:
    """How many people, and whether the client, must agree; when they are reminded, in hours (0: never)."""

    people: int
    client: bool
    reminder: timedelta
    last_call: timedelta

    def or_one(self) -> "Policy":
        """Who puts a post before somebody of their own accord, where nobody must agree, asks one person."""
        return self if self.people or self.client else Policy(1, False, self.reminder, self.last_call)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one version of a post stands before those who must agree."""

    digest: bytes
    policy: Policy
    people: tuple[UUID, ...]  # who have agreed, in that order
    client: bool  # has agreed

    @property
    def waits_for(self) -> Reviewer | None:
        """Whose turn it is; None where all have agreed."""
        if len(self.people) < self.policy.people:
            return Reviewer.PEOPLE
        return Reviewer.CLIENT if self.policy.client and not self.client else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post that waits for somebody, and since when this version of it does."""

    post: Post
    since_at: datetime
    stands: Standing


async def policy(session: Session, scope: Scope) -> Policy:
    """What the brand wants."""
    wanted = select(
        col(Brand.approval),
        col(Brand.client_approval),
        col(Brand.approval_reminder_hours),
        col(Brand.approval_last_call_hours),
    ).where(col(Brand.brand_id) == scope.brand_id)
    people, client, reminder, last_call = (await session.execute(wanted)).one()
    return Policy(_PEOPLE[people], client, timedelta(hours=reminder), timedelta(hours=last_call))


async def standing(session: Session, scope: Scope, post: Post, found: Sequence[Variant], rule: Policy) -> Standing:
    """How the post as it is now stands under `rule`."""
    digest = contents.digest(post, found)
    if not rule.people and not rule.client:
        return Standing(digest, rule, (), client=False)
    wanted = (
        select(Approval)
        .where(col(Approval.brand_id) == scope.brand_id, col(Approval.post_id) == post.id)
        .order_by(col(Approval.id))
    )
    said = list((await session.execute(wanted)).scalars())
    barred = await authors(session, scope, post)
    return weigh(digest, rule, said, barred)


def weigh(digest: bytes, rule: Policy, said: Sequence[Approval], barred: frozenset[UUID]) -> Standing:
    """The standing of the version `digest` from all that was said of the post, the oldest first.

    Only words on exactly this version count, and only those after the last wish for changes. `barred` are its authors.
    """
    of_this = [one for one in said if one.digest == digest]
    since = max((n for n, one in enumerate(of_this) if one.kind is ApprovalKind.CHANGES_REQUESTED), default=-1) + 1
    agreed = [one for one in of_this[since:] if one.kind is ApprovalKind.APPROVED]
    people = dict.fromkeys(one.user_id for one in agreed if one.user_id is not None and one.user_id not in barred)
    return Standing(digest, rule, tuple(people), client=any(one.link_id is not None for one in agreed))


async def authors(session: Session, scope: Scope, post: Post) -> frozenset[UUID]:
    """Who wrote the post, and who changed it last: they don't agree to their own work."""
    review = await session.get(Review, (scope.brand_id, post.id))
    last = review.author_id if review is not None else None
    return frozenset({one for one in (post.created_by, last) if one is not None})


async def said_of(session: Session, scope: Scope, post_ids: Sequence[UUID]) -> dict[UUID, list[Approval]]:
    """All that was said of each post, of every version of it, the oldest first."""
    wanted = (
        select(Approval)
        .where(col(Approval.brand_id) == scope.brand_id, col(Approval.post_id).in_(post_ids))
        .order_by(col(Approval.id))
    )
    found: dict[UUID, list[Approval]] = {}
    for one in (await session.execute(wanted)).scalars():
        found.setdefault(one.post_id, []).append(one)
    return found


async def standings(session: Session, scope: Scope, posts: Sequence[Post]) -> dict[UUID, Standing]:
    """How each of these posts stands before those who must agree."""
    rule = await policy(session, scope)
    ids = [post.id for post in posts]
    variants = await reading.variants_of(session, scope, ids)
    said = await said_of(session, scope, ids)
    wanted = select(Review).where(col(Review.brand_id) == scope.brand_id, col(Review.id).in_(ids))
    authors = {one.id: one.author_id for one in (await session.execute(wanted)).scalars()}
    found = {}
    for post in posts:
        barred = frozenset({one for one in (post.created_by, authors.get(post.id)) if one is not None})
        digest = contents.digest(post, variants.get(post.id, []))
        own = rule.or_one() if post.status is PostStatus.IN_REVIEW else rule
        found[post.id] = weigh(digest, own, said.get(post.id, []), barred)
    return found


async def waiting(session: Session, scope: Scope, *, page: PageRequest, cursors: Cursors) -> Page[Waiting]:
    """The posts that wait for somebody, the longest waiting first."""
    wanted = (
        select(Post, Review.since_at)
        .join(Review, (col(Review.brand_id) == col(Post.brand_id)) & (col(Review.id) == col(Post.id)))
        .where(
            col(Post.brand_id) == scope.brand_id,
            col(Post.status) == PostStatus.IN_REVIEW,
            col(Review.since_at).is_not(None),
        )
    )
    if page.cursor is not None:
        at, id_ = cursors.decode(scope.brand_id, _WAITING, "", page.cursor)
        place = tuple_(col(Review.since_at), col(Review.id))
        wanted = wanted.where(place > tuple_(datetime.fromisoformat(at), UUID(id_)))
    wanted = wanted.order_by(col(Review.since_at), col(Review.id)).limit(page.limit + 1)
    rows = [(row[0], row[1]) for row in await session.execute(wanted)]
    stands = await standings(session, scope, [post for post, _ in rows])
    found = [Waiting(post, since_at, stands[post.id]) for post, since_at in rows]
    return Page.cut(
        found,
        page.limit,
        lambda one: cursors.encode(scope.brand_id, _WAITING, "", [one.since_at.isoformat(), str(one.post.id)]),
    )


async def written(session: Session, scope: Scope, post: Post, found: Sequence[Variant]) -> bool:
    """Note who wrote the version that the post is now; whether it is another than before."""
    digest, author = contents.digest(post, found), _who(scope)
    review = await session.get(Review, (scope.brand_id, post.id))
    if review is None:
        session.add(Review(brand_id=scope.brand_id, id=post.id, digest=digest, author_id=author))
        await session.flush()
        return True
    if review.digest == digest:
        return False
    review.digest, review.author_id = digest, author
    review.since_at = review.reminded_at = review.last_called_at = None
    await session.flush()
    return True


async def ask(session: Session, scope: Scope, post: Post, now_stands: Standing, *, now: datetime) -> None:
    """Let those whose turn it is know that the post waits for them, and be reminded in time."""
    review = await session.get(Review, (scope.brand_id, post.id))
    if review is None:
        review = Review(brand_id=scope.brand_id, id=post.id, digest=now_stands.digest, author_id=post.created_by)
        session.add(review)
    review.digest = now_stands.digest
    review.since_at = review.since_at or scope.now(now)
    await session.flush()
    await remind_at(session, scope, post.id, next_reminder(review, post, now_stands.policy))


def next_reminder(review: Review, post: Post, rule: Policy) -> datetime | None:
    """When somebody is reminded next; None: not any more of this version."""
    moments = []
    if rule.reminder and review.since_at is not None and review.reminded_at is None:
        moments.append(review.since_at + rule.reminder)
    if rule.last_call and post.scheduled_at is not None and review.last_called_at is None:
        moments.append(post.scheduled_at - rule.last_call)
    return min(moments, default=None)


async def remind_at(
    session: Session, scope: Scope, post_id: UUID, moment: datetime | None, *, leased: bool = False
) -> None:
    """Set when somebody is reminded of a post, by the brand's time; None: never. `leased`: it stays in this hand."""
    if moment is None:
        await forget_reminder(session, scope, post_id)
        return
    due_at = scope.real(moment)
    made = insert(DueReminder).values(post_id=post_id, brand_id=scope.brand_id, due_at=due_at)
    changed = {"due_at": due_at} if leased else {"due_at": due_at, "leased_until": None}
    await session.execute(made.on_conflict_do_update(index_elements=["post_id"], set_=changed))


async def forget_reminder(session: Session, scope: Scope, post_id: UUID) -> None:
    """Nobody is reminded of this post."""
    gone = delete(DueReminder).where(col(DueReminder.brand_id) == scope.brand_id, col(DueReminder.post_id) == post_id)
    await session.execute(gone.execution_options(synchronize_session=False))


async def tell(session: Session, scope: Scope, post: Post, *, now: datetime, **said: str | None) -> None:
    """Write the fact that somebody said something of a post, or that it now waits for somebody."""
    facts = {name: value for name, value in said.items() if value is not None}
    fact = NewEvent(EventType.APPROVAL_CHANGED, post.id, post.version, {"status": post.status.value, **facts})
    await events.add(session, scope.brand_id, [fact], now=now)


def public(approval: Approval) -> str:
    return typeid(Prefix.APPROVAL, approval.id)


def _who(scope: Scope) -> UUID | None:
    return scope.principal.user_id if scope.principal is not None else None
