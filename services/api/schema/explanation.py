"""Why a mention is read as it is."""

from typing import Any

import strawberry

from services.api import loaders
from services.api.schema.connection import FIRST, Info, requested
from services.api.schema.saved_query import Span
from shared import models
from shared.domain.listening import explanations
from shared.models import enums
from shared.models.enums import ExplainedKind, Intent


@strawberry.type(
    description="What adds `weight` to a score. `spans`: its first 100 places in the mention's `text`; none where it is"
    " something that stands at no place."
)
class ExplainedPart:
    name: str
    kind: ExplainedKind
    weight: float
    spans: list[Span]


def _parts(root: strawberry.Parent[explanations.Score], first: int | None = FIRST) -> Any:
    return root.parts[: requested(first, None).limit]


def _part_count(root: strawberry.Parent[explanations.Score]) -> int:
    return len(root.parts)


@strawberry.type(
    description="`total` is the sum of the weights of all `partCount` parts, as log-odds (of a mood a logit: the"
    " softmax of the three are their chances), and `chance` what follows from it. `parts` are the greatest, either way."
)
class ExplainedScore:
    total: float
    chance: float
    part_count: int = strawberry.field(resolver=_part_count)
    parts: list[ExplainedPart] = strawberry.field(resolver=_parts)


@strawberry.type(description="The score of one mood.")
class ExplainedMood(ExplainedScore):
    label: enums.Sentiment


@strawberry.type(description="The score of one intent.")
class ExplainedIntent(ExplainedScore):
    label: Intent


@strawberry.type(
    description="`label` is what stands. The scores are the fast model's and come to `fastLabel`; `deepVersion` is the"
    " deep model's where its label stands. A person's word has no scores."
)
class ExplainedSentiment:
    label: enums.Sentiment | None
    by_person: bool
    deep_version: str | None
    fast_label: enums.Sentiment | None
    scores: list[ExplainedMood]


@strawberry.type(
    description="`labels` are what stands; the scores come to `fastLabels`. A person's word has no scores."
)
class ExplainedIntents:
    labels: list[Intent]
    by_person: bool
    fast_labels: list[Intent]
    scores: list[ExplainedIntent]


@strawberry.type(description="How likely the model holds a language for.")
class LanguageChance:
    language: str
    chance: float


@strawberry.type(
    description="`language` is what stands: a person's word, else the model's, else, where that is unsure, the"
    " network's. `likely` are the three that the model holds for likeliest; a person's word has none."
)
class ExplainedLanguage:
    language: str | None
    by_person: bool
    likely: list[LanguageChance]


@strawberry.type(
    description="What the scores of a mention's standing text are the sum of, by `modelVersion`; `current`: by that it"
    " was read. Where there is no word and no picture, `urgency` and `offence` are null and the others without scores."
)
class Explanation:
    model_version: str
    current: bool
    sentiment: ExplainedSentiment
    intents: ExplainedIntents
    urgency: ExplainedScore | None
    offence: ExplainedScore | None
    language: ExplainedLanguage


async def explanation(root: strawberry.Parent[models.Mention], info: Info) -> Any:
    """Made anew each time, when the transaction is nobody's turn."""
    if explanations.unexplained(root) is not None:
        return None
    home = await loaders.languages(info.context, root.brand_id)
    return await info.context.services.explainer.explain(root, home)
