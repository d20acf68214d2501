"""What verbs about effects are given."""

import strawberry
from strawberry import UNSET

from services.api.schema.inputs import MediaInput, validated
from shared.domain.engagement.acts import ReplyDraft


@strawberry.input
class CancelOutgoingInput:
    id: strawberry.ID


@strawberry.input(description="`id` is the mention that is answered.")
class ReplyToMentionInput:
    id: strawberry.ID
    text: str
    media: list[MediaInput] | None = UNSET

    def draft(self) -> ReplyDraft:
        return validated(ReplyDraft, {"text": self.text, "media": [one.values() for one in self.media or []]})


@strawberry.input
class HideMentionInput:
    id: strawberry.ID


@strawberry.input
class UnhideMentionInput:
    id: strawberry.ID


@strawberry.input
class DeleteMentionInput:
    id: strawberry.ID


@strawberry.input
class LikeMentionInput:
    id: strawberry.ID


@strawberry.input
class UnlikeMentionInput:
    id: strawberry.ID


@strawberry.input(description="`id` is the identity's, `channelId` says from which of the brand's channels.")
class BlockIdentityInput:
    id: strawberry.ID
    channel_id: strawberry.ID


@strawberry.input(description="`id` is the identity's, `channelId` says from which of the brand's channels.")
class UnblockIdentityInput:
    id: strawberry.ID
    channel_id: strawberry.ID
