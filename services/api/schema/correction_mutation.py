"""The verb by which a person says what is right."""

import strawberry
from strawberry import UNSET

from services.api.schema.acting import errors_of, on
from services.api.schema.connection import Info, given
from services.api.schema.mention import Mention
from services.api.schema.outgoing import Problem
from shared.domain.listening import corrections, mentions
from shared.domain.listening.corrections import Said
from shared.ids import Prefix
from shared.models import enums
from shared.models.enums import Intent


@strawberry.input(
    description="What is right, of one field at least. `intents` are all that the writer has, and may be none."
)
class CorrectMentionInput:
    id: strawberry.ID
    sentiment: enums.Sentiment | None = UNSET
    intents: list[Intent] | None = UNSET
    language: str | None = UNSET

    def said(self) -> Said:
        """What a person says."""
        intents = given(self.intents)
        return Said(given(self.sentiment), tuple(intents) if intents is not None else None, given(self.language))


@strawberry.type
class CorrectMentionPayload:
    mention: Mention | None
    errors: list[Problem]


@strawberry.type
class CorrectionMutation:
    @strawberry.mutation(description="Says what is right where a mention was read wrongly; it stands for good.")  # type: ignore[untyped-decorator]
    async def correct_mention(self, info: Info, input: CorrectMentionInput) -> CorrectMentionPayload:
        services = info.context.services
        now = services.clock()
        outcome = await on(
            info,
            Prefix.MENTION,
            input.id,
            lambda session, scope, id_: corrections.correct(
                session, scope, id_, said=input.said(), ears=services.ears, now=now
            ),
            mentions.get,
        )
        return CorrectMentionPayload(mention=outcome.thing, errors=errors_of(outcome.problems))
