"""Verbs on many posts, and the copy of one."""

from typing import Any, cast
from uuid import UUID

import strawberry

from services.api import loaders
from services.api.mutating import Target, mutate
from services.api.schema.acting import errors_of, key_of
from services.api.schema.connection import Info
from services.api.schema.inputs import BatchPostsInput, DuplicatePostInput
from services.api.schema.outgoing import Problem
from services.api.schema.post import Post
from shared import models
from shared.connectors.registry import CARDS
from shared.db import Session
from shared.domain.publishing import many, posts
from shared.domain.publishing.many import Done
from shared.domain.scope import Scope
from shared.errors import Problem as Wrong
from shared.ids import Prefix, parse_typeid, typeid
from shared.queues import SendOutgoing


async def _there(root: strawberry.Parent[Any], info: Info) -> Any:
    """The post as it stands now."""
    brand_id, post_id = root.place
    return await loaders.post(info.context, brand_id, post_id) if post_id is not None else None


@strawberry.type(description="What came of one: its post (a copy, where it was duplicated), null where it is gone.")
class BatchResult:
    asked_id: strawberry.ID
    post: Post | None = strawberry.field(resolver=_there)
    errors: list[Problem]
    place: strawberry.Private[tuple[UUID, UUID | None]]


@strawberry.type
class BatchPostsPayload:
    results: list[BatchResult]
    errors: list[Problem]


@strawberry.type
class DuplicatePostPayload:
    post: Post | None
    errors: list[Problem]


def _kept(done: list[Done]) -> dict[str, Any]:
    return {
        "done": [
            {
                "asked": str(one.asked_id),
                "post": str(one.post_id) if one.post_id is not None else None,
                "problems": [[found.code, found.message, list(found.path)] for found in one.problems],
            }
            for one in done
        ]
    }


def _again(kept: dict[str, Any]) -> list[Done]:
    return [
        Done(
            UUID(one["asked"]),
            UUID(one["post"]) if one["post"] is not None else None,
            [Wrong(code, message, tuple(path)) for code, message, path in one["problems"]],
        )
        for one in kept["done"]
    ]


@strawberry.type
class ManyMutation:
    @strawberry.mutation(description="Does the same to up to 100 posts, each as if asked alone.")  # type: ignore[untyped-decorator]
    async def batch_posts(self, info: Info, input: BatchPostsInput) -> BatchPostsPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> list[Done]:
            return await many.each(session, scope, many=input.many(), cards=CARDS, now=now)

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> list[Done]:
            return _again(kept)

        target = Target(Prefix.BRAND, input.brand_id)
        outcome = await mutate(
            info.context, key_of(info), target, act, kept=_kept, again=again, bells=[SendOutgoing()]
        )  # fmt: skip
        brand_id = parse_typeid(Prefix.BRAND, input.brand_id) if outcome.thing is not None else UUID(int=0)
        results = [
            BatchResult(
                asked_id=strawberry.ID(typeid(Prefix.POST, one.asked_id)),
                errors=errors_of(one.problems),
                place=(brand_id, one.post_id),
            )
            for one in outcome.thing or []
        ]
        return BatchPostsPayload(results=results, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Writes a new draft that says the same on the same channels.")  # type: ignore[untyped-decorator]
    async def duplicate_post(self, info: Info, input: DuplicatePostInput) -> DuplicatePostPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Post:
            return await many.duplicate(session, scope, parse_typeid(Prefix.POST, input.id), cards=CARDS, now=now)

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> models.Post:
            return await posts.get(session, scope, UUID(kept["id"]))

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.POST, input.id), act,
            kept=lambda post: {"id": str(post.id)}, again=again,
        )  # fmt: skip
        return DuplicatePostPayload(post=cast(Any, outcome.thing), errors=errors_of(outcome.problems))
