"""What mutations about planning answer: the thing, named after its type, or why not."""

import strawberry

from services.api.schema.outgoing import Problem
from services.api.schema.planning import Blackout, CalendarFeed, MovedPosts, Recurrence, RemadePosts, Slot


@strawberry.type
class CreateSlotPayload:
    slot: Slot | None
    errors: list[Problem]


@strawberry.type
class UpdateSlotPayload:
    slot: Slot | None
    moved: MovedPosts | None
    errors: list[Problem]


@strawberry.type
class RemoveSlotPayload:
    slot: Slot | None
    moved: MovedPosts | None
    errors: list[Problem]


@strawberry.type
class ReorderQueuePayload:
    moved: MovedPosts | None
    errors: list[Problem]


@strawberry.type
class CreateBlackoutPayload:
    blackout: Blackout | None
    errors: list[Problem]


@strawberry.type
class UpdateBlackoutPayload:
    blackout: Blackout | None
    errors: list[Problem]


@strawberry.type(description="`blackout` is as it was.")
class DeleteBlackoutPayload:
    blackout: Blackout | None
    deleted_id: strawberry.ID | None
    errors: list[Problem]


@strawberry.type
class CreateRecurrencePayload:
    recurrence: Recurrence | None
    errors: list[Problem]


@strawberry.type(
    description="`replaced` posts were let go or made again; `keptIds` stay, since a person had changed them."
)
class UpdateRecurrencePayload:
    recurrence: Recurrence | None
    remade: RemadePosts | None
    errors: list[Problem]


@strawberry.type(
    description="`replaced` posts were let go or made again; `keptIds` stay, since a person had changed them."
)
class PauseRecurrencePayload:
    recurrence: Recurrence | None
    remade: RemadePosts | None
    errors: list[Problem]


@strawberry.type(
    description="`replaced` posts were let go or made again; `keptIds` stay, since a person had changed them."
)
class ResumeRecurrencePayload:
    recurrence: Recurrence | None
    remade: RemadePosts | None
    errors: list[Problem]


@strawberry.type(
    description="`replaced` posts were let go or made again; `keptIds` stay, since a person had changed them."
)
class EndRecurrencePayload:
    recurrence: Recurrence | None
    remade: RemadePosts | None
    errors: list[Problem]


@strawberry.type(
    description="`replaced` posts were let go or made again; `keptIds` stay, since a person had changed them."
)
class SkipOccurrencePayload:
    recurrence: Recurrence | None
    remade: RemadePosts | None
    errors: list[Problem]


@strawberry.type(description="`url` is shown this once: whoever has it reads the calendar.")
class CreateCalendarFeedPayload:
    calendar_feed: CalendarFeed | None
    url: str | None
    errors: list[Problem]


@strawberry.type(description="`calendarFeed` is as it was.")
class RevokeCalendarFeedPayload:
    calendar_feed: CalendarFeed | None
    revoked_id: strawberry.ID | None
    errors: list[Problem]
