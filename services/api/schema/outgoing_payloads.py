"""What verbs about effects answer."""

import strawberry

from services.api.schema.outgoing import Outgoing, Problem


@strawberry.type
class SettleOutgoingPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class CancelOutgoingPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class ReplyToMentionPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class HideMentionPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class UnhideMentionPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class DeleteMentionPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class LikeMentionPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class UnlikeMentionPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class BlockIdentityPayload:
    outgoing: Outgoing | None
    errors: list[Problem]


@strawberry.type
class UnblockIdentityPayload:
    outgoing: Outgoing | None
    errors: list[Problem]
