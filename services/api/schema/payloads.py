"""What mutations answer: the thing, named after its type, or why not."""

import strawberry

from services.api.schema.arrival import Arrival
from services.api.schema.channel import Channel
from services.api.schema.operation import Operation
from services.api.schema.outgoing import Problem
from services.api.schema.post import Post


@strawberry.type
class UpdateChannelPayload:
    channel: Channel | None
    errors: list[Problem]


@strawberry.type
class PauseChannelPayload:
    channel: Channel | None
    errors: list[Problem]


@strawberry.type
class ResumeChannelPayload:
    channel: Channel | None
    errors: list[Problem]


@strawberry.type
class RemoveChannelPayload:
    channel: Channel | None
    errors: list[Problem]


@strawberry.type(description="`secret` is what the sender signs with, where we made it; it is shown this once.")
class ConnectChannelPayload:
    channel: Channel | None
    secret: str | None
    verify_token: str | None
    errors: list[Problem]


@strawberry.type(description="`authorizeUrl` is where to send the person's browser; it holds ten minutes, once.")
class AuthorizeChannelPayload:
    authorize_url: str | None
    errors: list[Problem]


@strawberry.type
class BackfillChannelPayload:
    operation: Operation | None
    errors: list[Problem]


@strawberry.type
class CancelOperationPayload:
    operation: Operation | None
    errors: list[Problem]


@strawberry.type
class ReplayArrivalPayload:
    arrival: Arrival | None
    errors: list[Problem]


@strawberry.type
class CreatePostPayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type
class UpdatePostPayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type
class SchedulePostPayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type
class PublishPostPayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type
class CancelPostPayload:
    post: Post | None
    errors: list[Problem]


@strawberry.type(description="`post` is the post as it was.")
class DeletePostPayload:
    post: Post | None
    deleted_id: strawberry.ID | None
    errors: list[Problem]
