"""What people say of a post before it goes out: they agree, want changes, or remark on something.

Each word is about exactly one version. Managers and owners agree, each once, and never to what they wrote themselves;
the client comes after them, by a link.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.db import Session
from shared.domain.brands import audit
from shared.domain.publishing import plans, reading, transitions
from shared.domain.publishing.agreeing import contents, locked, reviews
from shared.domain.publishing.agreeing.reviews import Standing
from shared.domain.publishing.fitting import Cards
from shared.domain.publishing.sending import held
from shared.domain.publishing.transitions import Verb
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, NotAllowed, Problem, Stale
from shared.ids import Prefix, typeid
from shared.models.approval import Approval, ApprovalLink
from shared.models.enums import ApprovalKind, GrantRole, KeyScope, PostStatus, Reviewer
from shared.models.post import Post, Variant

LONGEST_COMMENT = 10_000
LONGEST_PLACE = 200
LONGEST_NAME = 200


async def submit(
    session: Session, scope: Scope, post_id: UUID, *, cards: Cards, now: datetime, if_version: int | None = None
) -> Post:
    """Put a post before those who must agree, with the time that it has, or without one.

    Raises NotFound, Stale, Conflict, and Invalid where it could not go out as it is.
    """
    post, found = await locked.take(session, scope, post_id, Verb.SUBMIT, if_version=if_version)
    waits_for = await plans.submit(session, scope, post, found, cards=cards, now=now)
    return await _told(session, scope, post, "post.submit", now, waits_for=waits_for)


async def approve(
    session: Session,
    scope: Scope,
    post_id: UUID,
    *,
    if_version: int,
    comment: str | None = None,
    cards: Cards,
    now: datetime,
) -> Post:
    """Agree to the post as it is at `if_version`. With the last word that it needs it goes its way by itself.

    Raises NotAllowed for its authors and below manager, Stale, and Conflict where it waits for nobody, for the client,
    or has this user's word.
    """
    post, found = await locked.take(
        session, scope, post_id, Verb.APPROVE, if_version=if_version, role=GrantRole.MANAGER
    )
    user_id = _user(scope)
    stands = await _standing(session, scope, post, found)
    if user_id in await reviews.authors(session, scope, post):
        raise NotAllowed("nobody agrees to what they wrote themselves: it takes another person", code="own_post")
    if user_id in stands.people:
        raise Conflict("you have agreed to this version already: it takes another person", code="already_approved")
    if stands.waits_for is Reviewer.CLIENT:
        raise Conflict("the people have agreed: it waits for the client now", code="not_your_turn")
    said = await _say(
        session, scope, post, found, ApprovalKind.APPROVED, text=_text(comment, needed=False), user_id=user_id, now=now
    )
    return await _agreed(session, scope, post, found, said, "post.approve", cards=cards, now=now)


async def request_changes(
    session: Session, scope: Scope, post_id: UUID, *, if_version: int, comment: str, now: datetime
) -> Post:
    """Give the post back to its author, with what is wrong; what was planned is called off, its time is kept.

    Raises NotAllowed below manager, Invalid without a comment, Stale, and Conflict where some of it may be out.
    """
    post, found = await locked.take(
        session, scope, post_id, Verb.REQUEST_CHANGES, if_version=if_version, role=GrantRole.MANAGER
    )
    said = await _say(
        session, scope, post, found, ApprovalKind.CHANGES_REQUESTED, text=_text(comment, needed=True),
        user_id=_user(scope), now=now,
    )  # fmt: skip
    await plans.back_to_draft(session, scope, post, found, now)
    return await _told(session, scope, post, "post.request_changes", now, said=said)


async def comment(
    session: Session,
    scope: Scope,
    post_id: UUID,
    *,
    text: str,
    variant_id: UUID | None = None,
    place: str | None = None,
    now: datetime,
) -> Approval:
    """Remark on the post as it is now, on one of its variants, or on a place such as `text` or `media/0`.

    Nothing of the post changes. Raises NotFound, Invalid.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.RESPONDER)
    post, found = await locked.look(session, scope, post_id)
    if variant_id is not None and variant_id not in {variant.id for variant in found}:
        raise Invalid([Problem("unknown_variant", "this post has no such variant", ("variant_id",))])
    if place is not None and not 0 < len(place) <= LONGEST_PLACE:
        raise Invalid([Problem("invalid", f"a place has 1 to {LONGEST_PLACE} characters", ("place",))])
    said = await _say(
        session, scope, post, found, ApprovalKind.COMMENT, text=_text(text, needed=True, field="text"),
        user_id=_user(scope), variant_id=variant_id, place=place, now=now,
    )  # fmt: skip
    await reviews.tell(session, scope, post, now=now, approval_id=reviews.public(said), kind=said.kind.value)
    await audit.add(session, scope, "post.comment", typeid(Prefix.POST, post.id))
    return said


async def answer(
    session: Session,
    scope: Scope,
    link: ApprovalLink,
    post_id: UUID,
    *,
    digest: bytes,
    kind: ApprovalKind,
    name: str,
    comment: str | None,
    cards: Cards,
    now: datetime,
) -> Post:
    """A client's word on the version `digest` of a post of their link.

    The same word again changes nothing. Raises NotFound, Stale where the post is another by now, Invalid, and Conflict
    where it does not wait for the client.
    """
    if post_id not in link.post_ids:
        raise reading.unknown(post_id)
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise Invalid([Problem("required", "say who you are", ("name",))])
    text = _text(comment, needed=kind is not ApprovalKind.APPROVED)
    post, found = await locked.look(session, scope, post_id)
    if contents.digest(post, found) != digest:
        raise Stale("the post has been changed since you saw it: look at it again")
    stands = await _standing(session, scope, post, found)
    if kind is ApprovalKind.APPROVED and stands.client and post.status is not PostStatus.DRAFT:
        return post
    if post.status is not PostStatus.IN_REVIEW or stands.waits_for is not Reviewer.CLIENT:
        raise Conflict("this post does not wait for you", code="not_your_turn")
    said = await _say(
        session, scope, post, found, kind, text=text, link_id=link.id, name=name.strip(), now=now
    )  # fmt: skip
    if kind is ApprovalKind.APPROVED:
        return await _agreed(session, scope, post, found, said, "post.approve_by_link", cards=cards, now=now)
    await plans.back_to_draft(session, scope, post, found, now)
    return await _told(session, scope, post, "post.request_changes_by_link", now, said=said)


async def _standing(session: Session, scope: Scope, post: Post, found: Sequence[Variant]) -> Standing:
    rule = (await reviews.policy(session, scope)).or_one()
    return await reviews.standing(session, scope, post, found, rule)


async def _agreed(
    session: Session,
    scope: Scope,
    post: Post,
    found: Sequence[Variant],
    said: Approval,
    action: str,
    *,
    cards: Cards,
    now: datetime,
) -> Post:
    """After a word of agreement: on to the next whose turn it is, or on its way."""
    waits_for = (await _standing(session, scope, post, found)).waits_for
    if waits_for is None:
        await plans.agreed(session, scope, post, found, Verb.APPROVE, cards=cards, now=now)
    else:
        transitions.go(post, Verb.APPROVE, PostStatus.IN_REVIEW)
    return await _told(session, scope, post, action, now, said=said, waits_for=waits_for)


async def _say(
    session: Session,
    scope: Scope,
    post: Post,
    found: Sequence[Variant],
    kind: ApprovalKind,
    *,
    text: str | None,
    now: datetime,
    user_id: UUID | None = None,
    link_id: UUID | None = None,
    name: str | None = None,
    variant_id: UUID | None = None,
    place: str | None = None,
) -> Approval:
    said = Approval(
        brand_id=scope.brand_id,
        post_id=post.id,
        kind=kind,
        digest=contents.digest(post, found),
        version=post.version,
        user_id=user_id,
        link_id=link_id,
        name=name,
        text=text,
        variant_id=variant_id,
        place=place,
        created_at=now,
    )
    session.add(said)
    await session.flush()
    return said


async def _told(
    session: Session,
    scope: Scope,
    post: Post,
    action: str,
    now: datetime,
    *,
    said: Approval | None = None,
    waits_for: Reviewer | None = None,
) -> Post:
    post.version += 1
    await held.tell_posts(session, scope, [post], now=now)
    await reviews.tell(
        session, scope, post, now=now,
        approval_id=reviews.public(said) if said is not None else None,
        kind=said.kind.value if said is not None else None,
        by=None if said is None else (Reviewer.CLIENT if said.link_id is not None else Reviewer.PEOPLE).value,
        waits_for=waits_for.value if waits_for is not None else None,
    )  # fmt: skip
    await audit.add(session, scope, action, typeid(Prefix.POST, post.id), {"status": post.status.value})
    return post


def _text(value: str | None, *, needed: bool, field: str = "comment") -> str | None:
    text = (value or "").strip()
    if (needed and not text) or len(text) > LONGEST_COMMENT:
        raise Invalid([Problem("required", f"say what, in at most {LONGEST_COMMENT} characters", (field,))])
    return text or None


def _user(scope: Scope) -> UUID:
    if scope.principal is None:
        raise NotAllowed("only a person can do this")
    return scope.principal.user_id
