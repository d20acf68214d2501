"""Media that leave for good: removed ones that nothing names any more, and files that never became any."""

from collections.abc import Collection

from sqlalchemy import delete
from sqlmodel import col, select

from shared.db import Session
from shared.domain.scope import Scope
from shared.models.brand import Brand
from shared.models.media import Media, MediaUse


async def unclaimed(session: Session, scope: Scope, keys: Collection[str]) -> set[str]:
    """Those of these keys that no row of the brand has; none where the brand is not here.

    Another installation may keep its own in the same bucket: what is not of a brand of ours is none of our business.
    """
    brand = select(Brand.brand_id).where(col(Brand.brand_id) == scope.brand_id)
    if (await session.execute(brand)).scalar_one_or_none() is None:
        return set()
    claimed = select(Media.key).where(col(Media.brand_id) == scope.brand_id, col(Media.key).in_(keys))
    return set(keys) - set((await session.execute(claimed)).scalars())


async def forget(session: Session, scope: Scope, *, limit: int) -> list[str]:
    """Let removed media go that no post names any more; the keys of their files, to be deleted after the commit."""
    used = select(MediaUse.media_id).where(
        col(MediaUse.brand_id) == scope.brand_id, col(MediaUse.media_id) == col(Media.id)
    )
    wanted = (
        select(Media.id)
        .where(col(Media.brand_id) == scope.brand_id, col(Media.removed_at).is_not(None), ~used.exists())
        .order_by(col(Media.id))
        .limit(limit)
        .with_for_update()
    )
    ids = list((await session.execute(wanted)).scalars())
    if not ids:
        return []
    gone = delete(Media).where(col(Media.brand_id) == scope.brand_id, col(Media.id).in_(ids)).returning(col(Media.key))
    return list((await session.execute(gone.execution_options(synchronize_session=False))).scalars())
