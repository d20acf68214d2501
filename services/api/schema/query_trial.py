"""What a query means and would have matched."""

from datetime import datetime
from typing import Any

import strawberry

from services.api.schema.mention import Mention
from services.api.schema.saved_query import Span, spans
from shared.domain.listening.trial import Sample, Trial
from shared.models.enums import Network


@strawberry.type(description="Why a query means nothing, and where in it: code points, the end exclusive.")
class QueryProblem:
    code: str
    start: int
    end: int
    message: str


def _spans(root: strawberry.Parent[Sample]) -> Any:
    return spans(root.spans)


@strawberry.type(description="A mention that matches, and where in its text.")
class QuerySample:
    mention: Mention
    spans: list[Span] = strawberry.field(resolver=_spans)


@strawberry.type(description="How many of the matches are in a language; null is not known.")
class LanguageShare:
    language: str | None
    count: int


@strawberry.type(description="How many of the matches are on a network.")
class NetworkShare:
    network: Network
    count: int


def _languages(root: strawberry.Parent[Trial]) -> Any:
    return [LanguageShare(language=name, count=count) for name, count in root.languages.most_common()]


def _networks(root: strawberry.Parent[Trial]) -> Any:
    return [NetworkShare(network=name, count=count) for name, count in root.networks.most_common()]


@strawberry.type(
    description="What a query means, and what it matches of the `asked` newest mentions, which go back to `since`."
    " `isComplete`: those are all. With a `problem` it means nothing, and nothing was looked at."
)
class QueryTrial:
    problem: QueryProblem | None
    explanation: str | None
    canonical: str | None
    matched: int
    asked: int
    since: datetime | None
    is_complete: bool
    sample: list[QuerySample]
    languages: list[LanguageShare] = strawberry.field(resolver=_languages)
    networks: list[NetworkShare] = strawberry.field(resolver=_networks)
