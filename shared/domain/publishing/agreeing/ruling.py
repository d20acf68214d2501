"""A brand's settings, and what another rule of approval means for the posts that wait for somebody."""

from datetime import datetime

from sqlmodel import col, select

from shared.db import Session
from shared.domain.brands import audit, brands
from shared.domain.brands.brands import BrandChanges
from shared.domain.publishing import plans
from shared.domain.publishing.agreeing import locked, reviews
from shared.domain.publishing.agreeing.reviews import Policy
from shared.domain.publishing.fitting import Cards
from shared.domain.publishing.sending import held
from shared.domain.publishing.transitions import Verb
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.models.brand import Brand
from shared.models.enums import PostStatus
from shared.models.post import Post


async def change_brand(
    session: Session, scope: Scope, *, changes: BrandChanges, cards: Cards, now: datetime, if_version: int | None = None
) -> Brand:
    """Change the brand's settings; where fewer must agree now, posts that have all their words go their way.

    Raises Invalid, and Stale where `if_version` is not the brand's own.
    """
    before = await reviews.policy(session, scope)
    brand = await brands.update(session, scope, changes=changes, if_version=if_version)
    after = await reviews.policy(session, scope)
    if _is_looser(after, before):
        await _let_go(session, scope, after, cards=cards, now=now)
    return brand


def _is_looser(after: Policy, before: Policy) -> bool:
    return after.people < before.people or (before.client and not after.client)


async def _let_go(session: Session, scope: Scope, rule: Policy, *, cards: Cards, now: datetime) -> None:
    """Every post in review for which nobody's word is missing by `rule`, the oldest first.

    What was put before somebody without a time was meant for their eyes: it goes on waiting for one person at least.
    """
    wanted = select(Post.id).where(col(Post.brand_id) == scope.brand_id, col(Post.status) == PostStatus.IN_REVIEW)
    for post_id in (await session.execute(wanted.order_by(col(Post.id)))).scalars().all():
        post, found = await locked.look(session, scope, post_id)
        own = rule if post.scheduled_at is not None else rule.or_one()
        stands = await reviews.standing(session, scope, post, found, own)
        if post.status is not PostStatus.IN_REVIEW or stands.waits_for is not None:
            continue
        await plans.agreed(session, scope, post, found, Verb.APPROVE, cards=cards, now=now)
        post.version += 1
        await held.tell_posts(session, scope, [post], now=now)
        await reviews.tell(session, scope, post, now=now)
        status = {"status": post.status.value}
        await audit.add(session, scope, "post.released_by_rule", typeid(Prefix.POST, post.id), status)
