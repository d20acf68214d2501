"""Many posts at once: each as if asked alone, told of alone, and none in the way of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select

from shared.db import Session
from shared.domain.publishing import posts, reading
from shared.domain.publishing.drafts import PostDraft, PostId, Timing
from shared.domain.publishing.fitting import Cards
from shared.domain.publishing.variants import as_draft, channels_there
from shared.domain.scope import Scope
from shared.errors import Conflict, Invalid, ParvisError, Problem
from shared.models.enums import GrantRole, KeyScope, VariantStatus
from shared.models.post import Post

MOST = 100


class Manner(StrEnum):
    """What is done to each: `move` shifts its time, the wall clock where one was meant."""

    SCHEDULE = "schedule"
    MOVE = "move"
    PUBLISH = "publish"
    CANCEL = "cancel"
    DELETE = "delete"
    DUPLICATE = "duplicate"


class Many(Timing):
    """Up to 100 posts and what is done to each. `by_seconds` is how far `move` shifts them."""

    do: Manner
    post_ids: list[PostId] = Field(min_length=1, max_length=MOST)
    by_seconds: int | None = Field(default=None, ge=-366 * 86_400, le=366 * 86_400)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one: the post that there is now (a copy's, where it was duplicated), or what was wrong."""

    asked_id: UUID
    post_id: UUID | None
    problems: Sequence[Problem] = ()


async def each(session: Session, scope: Scope, *, many: Many, cards: Cards, now: datetime) -> list[Done]:
    """Do it to each in the order given, each in a savepoint of its own. Raises Invalid for an unknown one."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    if many.do is Manner.MOVE and many.by_seconds is None:
        raise Invalid([Problem("required", "say by how many seconds they are moved", ("by_seconds",))])
    await _refuse_unknown(session, scope, many.post_ids)
    found = []
    for post_id in dict.fromkeys(many.post_ids):
        try:
            async with session.begin_nested():
                there = await _one(session, scope, post_id, many, cards, now)
        except ParvisError as error:
            found.append(Done(post_id, None, _problems(error)))
        else:
            found.append(Done(post_id, there))
    return found


async def _refuse_unknown(session: Session, scope: Scope, post_ids: Sequence[UUID]) -> None:
    wanted = select(Post.id).where(col(Post.brand_id) == scope.brand_id, col(Post.id).in_(post_ids))
    there = set((await session.execute(wanted)).scalars())
    problems = [
        Problem("unknown_post", "this brand has no such post", ("post_ids", index))
        for index, post_id in enumerate(post_ids)
        if post_id not in there
    ]
    if problems:
        raise Invalid(problems)


async def _one(session: Session, scope: Scope, post_id: UUID, many: Many, cards: Cards, now: datetime) -> UUID | None:
    match many.do:
        case Manner.SCHEDULE:
            await posts.schedule(
                session, scope, post_id, at=many.scheduled_at, local_time=many.local_time, timezone=many.timezone,
                cards=cards, now=now,
            )  # fmt: skip
        case Manner.MOVE:
            await _move(session, scope, post_id, timedelta(seconds=many.by_seconds or 0), cards, now)
        case Manner.PUBLISH:
            await posts.publish(session, scope, post_id, cards=cards, now=now)
        case Manner.CANCEL:
            await posts.cancel(session, scope, post_id, now=now)
        case Manner.DELETE:
            await posts.delete(session, scope, post_id, now=now)
            return None
        case Manner.DUPLICATE:
            return (await duplicate(session, scope, post_id, cards=cards, now=now)).id
        case _:
            assert_never(many.do)
    return post_id


async def _move(session: Session, scope: Scope, post_id: UUID, by: timedelta, cards: Cards, now: datetime) -> None:
    post = await reading.get(session, scope, post_id)
    if post.scheduled_at is None:
        raise Conflict("it has no time that could be moved: schedule it", code="wrong_state")
    if post.local_time is None:
        await posts.schedule(session, scope, post_id, at=post.scheduled_at + by, cards=cards, now=now)
        return
    local = datetime.fromisoformat(post.local_time) + by
    kept = local.isoformat(timespec="seconds" if local.second else "minutes")
    await posts.schedule(
        session, scope, post_id, local_time=kept, timezone=post.timezone, cards=cards, now=now
    )  # fmt: skip


async def duplicate(session: Session, scope: Scope, post_id: UUID, *, cards: Cards, now: datetime) -> Post:
    """A new draft that says the same on those of its channels that are still there; it has no time and no history."""
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    post = await reading.get(session, scope, post_id)
    found = (await reading.variants_of(session, scope, [post_id])).get(post_id, [])
    there = await channels_there(session, scope, [variant.channel_id for variant in found])
    wanted = [v for v in found if v.status is not VariantStatus.CANCELLED and v.channel_id in there]
    draft = PostDraft.model_validate(
        {
            "text": post.text,
            "media": post.media,
            "link": post.link,
            "campaign_id": post.campaign_id,
            "variants": [as_draft(one) for one in wanted],
        }
    )
    return await posts.create(session, scope, draft=draft, cards=cards, now=now)


def _problems(error: ParvisError) -> Sequence[Problem]:
    return error.problems if isinstance(error, Invalid) else [Problem(error.code, error.message)]
