"""Why a mention is read as it is."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.api.rest.call import SteppedRoute, Stepping
from services.api.rest.etags import tagged, unless_known
from services.api.rest.ids import BrandId, MentionPath
from services.api.rest.mentions import SpanRead
from services.api.rest.shapes import Read
from shared.domain.brands import brands
from shared.domain.listening import explanations, mentions
from shared.domain.listening.explanations import Explanation, Score
from shared.domain.page import MOST, PageRequest
from shared.models.enums import ExplainedKind, Intent, Sentiment, Unexplained

router = APIRouter(prefix="/v1/brands/{brand_id}/mentions", route_class=SteppedRoute, tags=["mentions"])


class ExplainedPartRead(Read):
    """What adds `weight` to a score. `spans`: its first 100 places in the mention's `text`; none where it is something
    that stands at no place."""

    name: str
    kind: ExplainedKind
    weight: float
    spans: list[SpanRead]


class ExplainedScoreRead(Read):
    """`total` is the sum of the weights of all `part_count` parts, as log-odds (of a mood a logit: the softmax of the
    three are their chances), and `chance` what follows from it. `parts` are the greatest, either way."""

    total: float
    chance: float
    part_count: int
    parts: list[ExplainedPartRead]


class ExplainedMoodRead(ExplainedScoreRead):
    label: Sentiment


class ExplainedIntentRead(ExplainedScoreRead):
    label: Intent


class ExplainedSentimentRead(Read):
    """`label` is what stands. The scores are the fast model's and come to `fast_label`; `deep_version` is the deep
    model's where its label stands. A person's word has no scores."""

    label: Sentiment | None
    by_person: bool
    deep_version: str | None
    fast_label: Sentiment | None
    scores: list[ExplainedMoodRead]


class ExplainedIntentsRead(Read):
    """`labels` are what stands; the scores come to `fast_labels`. A person's word has no scores."""

    labels: list[Intent]
    by_person: bool
    fast_labels: list[Intent]
    scores: list[ExplainedIntentRead]


class LanguageChanceRead(Read):
    language: str
    chance: float


class ExplainedLanguageRead(Read):
    """`language` is what stands: a person's word, else the model's, else, where that is unsure, the network's. `likely`
    are the three that the model holds for likeliest; a person's word has none."""

    language: str | None
    by_person: bool
    likely: list[LanguageChanceRead]


class ExplanationRead(Read):
    """What the scores of a mention's standing text are the sum of, by `model_version`; `current`: by that it was read.
    Where there is no word and no picture, `urgency` and `offence` are null and the others without scores."""

    model_version: str
    current: bool
    sentiment: ExplainedSentimentRead
    intents: ExplainedIntentsRead
    urgency: ExplainedScoreRead | None
    offence: ExplainedScoreRead | None
    language: ExplainedLanguageRead


class MentionExplanationRead(Read):
    """`unexplained` says why there is no explanation, and is null where there is one."""

    explanation: ExplanationRead | None
    unexplained: Unexplained | None


def _score(found: Score, most: int) -> dict[str, Any]:
    return {
        "total": found.total,
        "chance": found.chance,
        "part_count": len(found.parts),
        "parts": [ExplainedPartRead.model_validate(part, from_attributes=True) for part in found.parts[:most]],
    }


def _scores(found: Sequence[Any], most: int) -> list[dict[str, Any]]:
    return [{**_score(one, most), "label": one.label} for one in found]


def _read(found: Explanation, most: int) -> ExplanationRead:
    mood, intents = found.sentiment, found.intents
    return ExplanationRead.model_validate(
        {
            "model_version": found.model_version,
            "current": found.current,
            "sentiment": {
                "label": mood.label,
                "by_person": mood.by_person,
                "deep_version": mood.deep_version,
                "fast_label": mood.fast_label,
                "scores": _scores(mood.scores, most),
            },
            "intents": {
                "labels": intents.labels,
                "by_person": intents.by_person,
                "fast_labels": intents.fast_labels,
                "scores": _scores(intents.scores, most),
            },
            "urgency": _score(found.urgency, most) if found.urgency is not None else None,
            "offence": _score(found.offence, most) if found.offence is not None else None,
            "language": ExplainedLanguageRead.model_validate(found.language, from_attributes=True),
        }
    )


@router.get(
    "/{mention_id}/explanation", response_model=MentionExplanationRead, summary="Why a mention is read as it is"
)
async def explain_mention(
    request: Request,
    steps: Stepping,
    brand_id: BrandId,
    mention_id: MentionPath,
    limit: Annotated[
        int,
        Query(
            description=f"How many parts of each score, 1 to {MOST}.", json_schema_extra={"minimum": 1, "maximum": MOST}
        ),
    ] = 20,
) -> Response:
    most = PageRequest(limit).limit
    async with steps.reading(brand_id) as (session, scope):
        mention = await mentions.get(session, scope, mention_id)
        home = await brands.languages(session, scope.brand_id)
    found = await steps.services.explainer.explain(mention, home)
    answer = MentionExplanationRead(
        explanation=_read(found, most) if found is not None else None,
        unexplained=explanations.unexplained(mention),
    )
    return unless_known(request, tagged(Response(answer.model_dump_json(), media_type="application/json")))
