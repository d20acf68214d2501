"""A post taken to be changed: its row is this transaction's, and what is asked of it may be asked."""

from uuid import UUID

from sqlmodel import col, select

from shared.db import Session
from shared.domain.publishing import reading, transitions
from shared.domain.publishing.agreeing import holds
from shared.domain.publishing.transitions import Verb
from shared.domain.scope import Scope
from shared.errors import Stale
from shared.models.enums import GrantRole, KeyScope
from shared.models.post import Post, Variant

Taken = tuple[Post, list[Variant]]


async def take(
    session: Session,
    scope: Scope,
    post_id: UUID,
    verb: Verb,
    *,
    if_version: int | None = None,
    role: GrantRole = GrantRole.EDITOR,
) -> Taken:
    """The post and its variants as they are now, until the end of this transaction.

    Raises NotAllowed below `role`, NotFound, Stale where `if_version` is not the post's own, and Conflict where the
    post can't be asked that now.
    """
    scope.require(KeyScope.PUBLISH, role)
    post, found = await look(session, scope, post_id)
    if if_version is not None and post.version != if_version:
        raise Stale(f"the post is at version {post.version}, not {if_version}: read it again")
    transitions.require(post.status, verb, [variant.status for variant in found])
    return post, found


async def look(session: Session, scope: Scope, post_id: UUID) -> Taken:
    """The post and its variants, whatever is to be done with them. Raises NotFound."""
    # Whoever holds everything back does it before or after what is done here, never in its middle.
    await holds.current(session, scope)
    wanted = (
        select(Post)
        .where(col(Post.brand_id) == scope.brand_id, col(Post.id) == post_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    post = (await session.execute(wanted)).scalar_one_or_none()
    if post is None:
        raise reading.unknown(post_id)
    return post, (await reading.variants_of(session, scope, [post_id], fresh=True)).get(post_id, [])
