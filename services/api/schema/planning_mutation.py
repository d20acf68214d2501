"""Verbs of planning: slots, the queue, days of silence, and addresses of the calendar."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

import strawberry
from pydantic import TypeAdapter

from services.api.calendar_view import feed_url
from services.api.mutating import Outcome, Target, mutate
from services.api.schema.acting import errors_of, key_of, on
from services.api.schema.connection import Info, given
from services.api.schema.planning import MovedPost, MovedPosts
from services.api.schema.planning_inputs import (
    CreateBlackoutInput,
    CreateCalendarFeedInput,
    CreateSlotInput,
    DeleteBlackoutInput,
    RemoveSlotInput,
    ReorderQueueInput,
    RevokeCalendarFeedInput,
    UpdateBlackoutInput,
    UpdateSlotInput,
)
from services.api.schema.planning_payloads import (
    CreateBlackoutPayload,
    CreateCalendarFeedPayload,
    CreateSlotPayload,
    DeleteBlackoutPayload,
    RemoveSlotPayload,
    ReorderQueuePayload,
    RevokeCalendarFeedPayload,
    UpdateBlackoutPayload,
    UpdateSlotPayload,
)
from shared import models
from shared.db import Session
from shared.domain.publishing.planning import blackouts, calendar_feeds, queue, slots
from shared.domain.publishing.planning.slots import Moved
from shared.domain.scope import Scope
from shared.errors import Invalid, NotFound, Problem
from shared.ids import Prefix, parse_typeid, typeid
from shared.queues import SendOutgoing

P = TypeVar("P")
M = TypeVar("M", models.Blackout, models.CalendarFeed)
Changed = tuple[models.Slot, list[Moved]]


_MOVED = TypeAdapter(list[Moved])


def _shown(moved: Sequence[Moved] | None) -> MovedPosts | None:
    return MovedPosts(posts=[_moved(one) for one in moved]) if moved is not None else None


def _moved(one: Moved) -> MovedPost:
    return MovedPost(
        post_id=strawberry.ID(typeid(Prefix.POST, one.post_id)),
        before=one.before,
        after=one.after,
        slot_id=strawberry.ID(typeid(Prefix.SLOT, one.slot_id)) if one.slot_id is not None else None,
    )


async def _made(info: Info, brand_id: str, act: Callable[[Session, Scope], Awaitable[Any]], get: Any) -> Outcome[Any]:
    """Make a thing of the brand. A repeat reads it as it now is."""

    async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> Any:
        return await get(session, scope, UUID(kept["id"]))

    return await mutate(
        info.context,
        key_of(info),
        Target(Prefix.BRAND, brand_id),
        act,
        kept=lambda thing: {"id": str(thing.id)},
        again=again,
    )


async def _on_slot(
    info: Info, payload: Callable[..., P], id_: str, act: Callable[[Session, Scope, UUID], Awaitable[Changed]]
) -> P:
    async def run(session: Session, scope: Scope) -> Changed:
        return await act(session, scope, parse_typeid(Prefix.SLOT, id_))

    async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> Changed:
        slot = await session.get_one(models.Slot, (scope.brand_id, UUID(kept["id"])))
        return slot, _MOVED.validate_python(kept["moved"])

    outcome = await mutate(
        info.context,
        key_of(info),
        Target(Prefix.SLOT, id_),
        run,
        kept=lambda found: {"id": str(found[0].id), "moved": _MOVED.dump_python(found[1], mode="json")},
        again=again,
        bells=[SendOutgoing()],
    )
    slot, moved = outcome.thing or (None, None)
    return payload(slot=slot, moved=_shown(moved), errors=errors_of(outcome.problems))


async def _gone(
    info: Info, kind: type[M], prefix: Prefix, id_: str, act: Callable[[Session, Scope, UUID], Awaitable[M]]
) -> Outcome[M]:
    """Let a thing go. A repeat is answered with it as it was."""

    async def run(session: Session, scope: Scope) -> M:
        return await act(session, scope, parse_typeid(prefix, id_))

    async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> M:
        return kind.model_validate(kept["thing"])

    return await mutate(
        info.context,
        key_of(info),
        Target(prefix, id_),
        run,
        kept=lambda thing: {"thing": thing.model_dump(mode="json", exclude={"digest"}) | _digest(thing)},
        again=again,
    )


def _digest(thing: Any) -> dict[str, str]:
    """A feed's digest is no text, and nothing is shown of it."""
    return {"digest": ""} if isinstance(thing, models.CalendarFeed) else {}


@strawberry.type
class PlanningMutation:
    @strawberry.mutation
    async def create_slot(self, info: Info, input: CreateSlotInput) -> CreateSlotPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Slot:
            return await slots.create(session, scope, draft=input.draft(), now=now)

        outcome = await _made(info, input.brand_id, act, slots.get)
        return CreateSlotPayload(slot=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation(description="Changes a slot; what stands in it is placed again.")  # type: ignore[untyped-decorator]
    async def update_slot(self, info: Info, input: UpdateSlotInput) -> UpdateSlotPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope, id_: UUID) -> Changed:
            version = given(input.if_version)
            return await slots.update(session, scope, id_, changes=input.changes(), now=now, if_version=version)

        return await _on_slot(info, UpdateSlotPayload, input.id, act)

    @strawberry.mutation(description="Ends a slot; what stands in it moves through the others.")  # type: ignore[untyped-decorator]
    async def remove_slot(self, info: Info, input: RemoveSlotInput) -> RemoveSlotPayload:
        now, version = info.context.services.clock(), given(input.if_version)
        return await _on_slot(
            info,
            RemoveSlotPayload,
            input.id,
            lambda session, scope, id_: slots.remove(session, scope, id_, now=now, if_version=version),
        )

    @strawberry.mutation(description="Lets posts that wait in slots go out in another order.")  # type: ignore[untyped-decorator]
    async def reorder_queue(self, info: Info, input: ReorderQueueInput) -> ReorderQueuePayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> list[Moved]:
            return await queue.reorder(session, scope, post_ids=_posts(input.post_ids), now=now)

        async def again(_session: Session, _scope: Scope, kept: dict[str, Any]) -> list[Moved]:
            return _MOVED.validate_python(kept["moved"])

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda moved: {"moved": _MOVED.dump_python(moved, mode="json")}, again=again, bells=[SendOutgoing()],
        )  # fmt: skip
        return ReorderQueuePayload(moved=_shown(outcome.thing), errors=errors_of(outcome.problems))

    @strawberry.mutation
    async def create_blackout(self, info: Info, input: CreateBlackoutInput) -> CreateBlackoutPayload:
        now = info.context.services.clock()

        async def act(session: Session, scope: Scope) -> models.Blackout:
            return await blackouts.create(session, scope, draft=input.draft(), now=now)

        outcome = await _made(info, input.brand_id, act, blackouts.get)
        return CreateBlackoutPayload(blackout=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation
    async def update_blackout(self, info: Info, input: UpdateBlackoutInput) -> UpdateBlackoutPayload:
        async def act(session: Session, scope: Scope, id_: UUID) -> models.Blackout:
            version = given(input.if_version)
            return await blackouts.update(session, scope, id_, changes=input.changes(), if_version=version)

        outcome = await on(info, Prefix.BLACKOUT, input.id, act, blackouts.get)
        return UpdateBlackoutPayload(blackout=outcome.thing, errors=errors_of(outcome.problems))

    @strawberry.mutation
    async def delete_blackout(self, info: Info, input: DeleteBlackoutInput) -> DeleteBlackoutPayload:
        version = given(input.if_version)
        outcome = await _gone(
            info,
            models.Blackout,
            Prefix.BLACKOUT,
            input.id,
            lambda session, scope, id_: blackouts.delete(session, scope, id_, if_version=version),
        )
        gone = strawberry.ID(typeid(Prefix.BLACKOUT, outcome.thing.id)) if outcome.thing is not None else None
        return DeleteBlackoutPayload(
            blackout=cast(Any, outcome.thing), deleted_id=gone, errors=errors_of(outcome.problems)
        )

    @strawberry.mutation(description="Makes an address for your calendar program.")  # type: ignore[untyped-decorator]
    async def create_calendar_feed(self, info: Info, input: CreateCalendarFeedInput) -> CreateCalendarFeedPayload:
        services = info.context.services

        async def act(session: Session, scope: Scope) -> tuple[models.CalendarFeed, str]:
            return await calendar_feeds.create(session, scope, draft=input.draft(), now=services.clock())

        async def again(session: Session, scope: Scope, kept: dict[str, Any]) -> tuple[models.CalendarFeed, str]:
            return await calendar_feeds.get(session, scope, UUID(kept["id"])), kept["token"]

        outcome = await mutate(
            info.context, key_of(info), Target(Prefix.BRAND, input.brand_id), act,
            kept=lambda made: {"id": str(made[0].id), "token": made[1]}, again=again,
        )  # fmt: skip
        feed, token = outcome.thing or (None, None)
        return CreateCalendarFeedPayload(
            calendar_feed=cast(Any, feed),
            url=feed_url(services, token) if token is not None else None,
            errors=errors_of(outcome.problems),
        )

    @strawberry.mutation(description="Lets an address of yours lead nowhere.")  # type: ignore[untyped-decorator]
    async def revoke_calendar_feed(self, info: Info, input: RevokeCalendarFeedInput) -> RevokeCalendarFeedPayload:
        outcome = await _gone(info, models.CalendarFeed, Prefix.CALENDAR_FEED, input.id, calendar_feeds.revoke)
        gone = strawberry.ID(typeid(Prefix.CALENDAR_FEED, outcome.thing.id)) if outcome.thing is not None else None
        return RevokeCalendarFeedPayload(
            calendar_feed=cast(Any, outcome.thing), revoked_id=gone, errors=errors_of(outcome.problems)
        )


def _posts(ids: Sequence[str]) -> list[UUID]:
    """Raises Invalid, naming the place of one that is no post's id."""
    found, problems = [], []
    for n, id_ in enumerate(ids):
        try:
            found.append(parse_typeid(Prefix.POST, id_))
        except NotFound as error:
            problems.append(Problem("not_in_queue", error.message, ("post_ids", n)))
    if problems:
        raise Invalid(problems)
    return found
