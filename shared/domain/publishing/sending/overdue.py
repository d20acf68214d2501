"""Effects that are begun too late: what their brand wants of them is done, before anything leaves us."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from shared.contract import Card
from shared.db import Session
from shared.domain.publishing.sending import chains, due, missed
from shared.domain.publishing.sending.due import Claim
from shared.domain.publishing.sending.held import Held
from shared.domain.publishing.sending.missed import Fate
from shared.domain.scope import Scope
from shared.models.brand import Brand
from shared.models.enums import Network, OutgoingKind, OutgoingState, PostStatus
from shared.models.post import Post

# Less than this is how long a claim may take, and no brand is asked about it.
_AT_ONCE = timedelta(seconds=1)
_LATE = "it was due at {due}, and could not go out in time"


async def fates(
    session: Session, scope: Scope, found: Sequence[Held], *, cards: Mapping[Network, Card], now: datetime
) -> dict[UUID, Fate]:
    """What becomes of those of these effects that are late; one that is not named goes on.

    Only a post itself is ever missed: what hangs beneath one that is live belongs to it.
    """
    due_at = {
        one.outgoing.id: due.really(scope, cards.get(one.channel.network), one.outgoing.due_at)
        for one in found
        if one.form is not None and one.outgoing.kind is OutgoingKind.PUBLISH
    }
    late = [one for one in found if now - due_at.get(one.outgoing.id, now) > _AT_ONCE]
    if not late:
        return {}
    brand = await session.get_one(Brand, scope.brand_id)
    last = await _last_due(
        session, scope, [one for one in late if now - due_at[one.outgoing.id] > brand.grace], scope.now(now)
    )
    return {
        one.outgoing.id: missed.fate(
            brand.missed,
            due_at=due_at[one.outgoing.id],
            grace=brand.grace,
            now=now,
            was_tried=one.outgoing.tries > 0,
            is_followed=_is_followed(one, last),
        )
        for one in late
    }


async def ends(session: Session, scope: Scope, one: Held, claim: Claim, fate: Fate, *, now: datetime) -> bool:
    """Whether an effect goes no further by itself; then it is put where its brand wants it, and is in no queue."""
    said = _LATE.format(due=f"{one.outgoing.due_at:%Y-%m-%d %H:%M} UTC")
    match fate:
        case Fate.GO_ON:
            return False
        case Fate.CALL_OFF:
            one.put(OutgoingState.DROPPED, "missed", f"{said}: it was called off", now=scope.now(now))
            await chains.end_beneath(session, scope, one, OutgoingState.DROPPED, now=now)
        case Fate.ASK:
            ask = f"{said}: publish it, give it another time, or call it off"
            one.put(OutgoingState.WAITING, "missed", ask, now=scope.now(now), waits=True)
        case _:
            assert_never(fate)
    await due.end(session, claim)
    return True


async def _last_due(session: Session, scope: Scope, late: Sequence[Held], now: datetime) -> dict[UUID, datetime]:
    """Of each recurrence that a late effect is of: the last moment at which an occurrence came due."""
    ids = {one.form.post.recurrence_id for one in late if one.form is not None and one.form.post.recurrence_id}
    if not ids:
        return {}
    wanted = (
        select(col(Post.recurrence_id), func.max(col(Post.scheduled_at)))
        .where(
            col(Post.brand_id) == scope.brand_id,
            col(Post.recurrence_id).in_(ids),
            col(Post.scheduled_at) <= now,
            col(Post.status) != PostStatus.CANCELLED,
        )
        .group_by(col(Post.recurrence_id))
    )
    rows = await session.execute(wanted)
    return {id_: at for id_, at in rows if id_ is not None and at is not None}


def _is_followed(one: Held, last: dict[UUID, datetime]) -> bool:
    assert one.form is not None
    post = one.form.post
    if post.recurrence_id is None or post.scheduled_at is None:
        return False
    return post.scheduled_at < last.get(post.recurrence_id, post.scheduled_at)
