"""Boolean queries that listen: saved, tried before that, and what they matched."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from fastapi import Body as FromBody
from pydantic import Field

from services.api.rest import mentions as mention_shapes
from services.api.rest import operations as operation_shapes
from services.api.rest.call import Calling, InBrand, TransactedRoute
from services.api.rest.etags import IfMatch, meant, require_version
from services.api.rest.ids import MentionPath, QueryPath, QueryRef, UserRef
from services.api.rest.mentions import MentionRead, SpanRead
from services.api.rest.operations import OperationRead
from services.api.rest.shapes import Body, ListRead, Moment, Read, Text, whole
from shared.analysis.queries.lexing import MOST_CHARACTERS
from shared.connectors.registry import CARDS
from shared.domain.listening import clusters, identities, matches, mentions, queries, recall_pages, recalls, trial
from shared.domain.listening.queries import QueryChanges, QueryDraft
from shared.domain.listening.trial import Trial
from shared.ids import Prefix, typeid
from shared.models.enums import Network, QueryGroup, RecallOver
from shared.models.query import Match, SavedQuery, SavedQueryVersion

router = APIRouter(prefix="/v1/brands/{brand_id}/queries", route_class=TransactedRoute, tags=["queries"])
matching = APIRouter(prefix="/v1/brands/{brand_id}/mentions", route_class=TransactedRoute, tags=["queries"])


class QueryRead(Read):
    """A boolean search that listens. `is_broad`: nothing in it can be waited for, so each mention is asked."""

    id: QueryRef
    name: str
    expression: str
    group: QueryGroup
    terms: int
    is_broad: bool
    created_by: UserRef | None
    updated_by: UserRef | None
    created_at: datetime
    updated_at: datetime
    version: int


class QueryList(ListRead[QueryRead]):
    pass


class QueryVersionRead(Read):
    """A query as it was saved once."""

    version: int
    name: str
    expression: str
    group: QueryGroup
    saved_by: UserRef | None
    saved_at: datetime


class QueryVersionList(ListRead[QueryVersionRead]):
    pass


class MatchRead(Read):
    """A query that matched, in which version of it, and what in the text made it: the first hundred places."""

    query_id: QueryRef
    version: int
    spans: list[SpanRead]


class MatchList(ListRead[MatchRead]):
    pass


class QueryProblemRead(Read):
    """Why a query means nothing: from `start` to `end` in it, in code points, the end exclusive."""

    code: str
    start: int
    end: int
    message: str


class SampleRead(Read):
    mention: MentionRead
    spans: list[SpanRead]


class LanguageShareRead(Read):
    """`language` is null where it is not known."""

    language: str | None
    count: int


class NetworkShareRead(Read):
    network: Network
    count: int


class QueryTrialRead(Read):
    """What a query means, and what it matches of the `asked` newest mentions, which go back to `since`.

    `is_complete`: those are all. With a `problem` it means nothing, and nothing was looked at.
    """

    problem: QueryProblemRead | None
    explanation: str | None
    canonical: str | None
    matched: int
    asked: int
    since: datetime | None
    is_complete: bool
    sample: list[SampleRead]
    languages: list[LanguageShareRead]
    networks: list[NetworkShareRead]


class Tried(Body):
    """A query to try."""

    expression: Annotated[Text, Field(max_length=MOST_CHARACTERS + 1)]


class Recall(Body):
    """From when on (without it, all), and over what: what is `stored`, and `networks` that can search."""

    since: Moment | None = None
    over: list[RecallOver] = Field(default=[RecallOver.STORED], min_length=1, max_length=2)


def _read(row: SavedQuery) -> QueryRead:
    return QueryRead(**{name: getattr(row, name) for name in QueryRead.model_fields})


def _version(row: SavedQueryVersion) -> QueryVersionRead:
    return QueryVersionRead(**{name: getattr(row, name) for name in QueryVersionRead.model_fields})


def _spans(spans: Any) -> list[SpanRead]:
    return [SpanRead(start=start, end=end) for start, end in spans]


def _match(row: Match) -> MatchRead:
    return MatchRead(query_id=row.query_id, version=row.version, spans=_spans(row.spans))


@router.get("", response_model=QueryList, summary="The brand's queries, in the order in which they were made")
async def list_queries(call: Calling, scope: InBrand) -> dict[str, Any]:
    return whole([_read(row) for row in await queries.list_(call.session, scope)])


@router.post("", status_code=201, response_model=QueryRead, summary="Save a query: it listens from now on")
async def create_query(
    call: Calling, scope: InBrand, body: Annotated[QueryDraft, FromBody()], response: Response
) -> QueryRead:
    made = await queries.create(call.session, scope, draft=body, now=call.services.clock())
    brand, own = typeid(Prefix.BRAND, scope.brand_id), typeid(Prefix.QUERY, made.id)
    response.headers["location"] = f"/v1/brands/{brand}/queries/{own}"
    return _read(made)


@router.post("/try", summary="Try a query over what the brand has heard; nothing is saved")
async def try_query(call: Calling, scope: InBrand, body: Annotated[Tried, FromBody()]) -> QueryTrialRead:
    tried = await trial.try_out(call.session, scope, body.expression)
    wanted = {one.mention.author_id for one in tried.sample if one.mention.author_id is not None}
    authors = await identities.by_ids(call.session, scope, wanted) if wanted else {}
    originals = await clusters.originals(call.session, scope, [one.mention for one in tried.sample])
    sample = [
        SampleRead(
            mention=mention_shapes.read(
                one.mention,
                authors.get(one.mention.author_id) if one.mention.author_id is not None else None,
                originals.get(one.mention.id),
            ),
            spans=_spans(one.spans),
        )
        for one in tried.sample
    ]
    return _tried(tried, sample)


def _tried(tried: Trial, sample: list[SampleRead]) -> QueryTrialRead:
    problem = tried.problem
    return QueryTrialRead(
        problem=QueryProblemRead(code=problem.code.value, start=problem.start, end=problem.end, message=problem.message)
        if problem is not None
        else None,
        explanation=tried.explanation,
        canonical=tried.canonical,
        matched=tried.matched,
        asked=tried.asked,
        since=tried.since,
        is_complete=tried.is_complete,
        sample=sample,
        languages=[LanguageShareRead(language=name, count=count) for name, count in tried.languages.most_common()],
        networks=[NetworkShareRead(network=name, count=count) for name, count in tried.networks.most_common()],
    )


@router.get("/{query_id}", summary="One query")
async def get_query(call: Calling, scope: InBrand, query_id: QueryPath) -> QueryRead:
    return _read(await queries.get(call.session, scope, query_id))


@router.patch("/{query_id}", summary="Save another version of a query")
async def update_query(
    call: Calling,
    scope: InBrand,
    query_id: QueryPath,
    body: Annotated[QueryChanges, FromBody()],
    if_match: IfMatch = None,
) -> QueryRead:
    current = (await queries.get(call.session, scope, query_id)).version
    require_version(if_match, current)
    return _read(
        await queries.change(call.session, scope, query_id, changes=body, now=call.services.clock(), if_version=current)
    )


@router.delete("/{query_id}", status_code=204, response_class=Response, summary="Listen no longer")
async def delete_query(call: Calling, scope: InBrand, query_id: QueryPath, if_match: IfMatch = None) -> None:
    version = meant(if_match, (await queries.get(call.session, scope, query_id)).version)
    await queries.delete(call.session, scope, query_id, if_version=version)


@router.post(
    "/{query_id}/recall",
    status_code=202,
    response_model=OperationRead,
    summary="Ask a query of what is stored, and of networks, in the background",
)
async def recall_query(
    call: Calling, scope: InBrand, query_id: QueryPath, body: Annotated[Recall, FromBody()]
) -> Response:
    made = await recalls.start(
        call.session,
        scope,
        query_id,
        since=body.since or recall_pages.ALL_TIME,
        over=body.over,
        cards=CARDS,
        now=call.services.clock(),
    )
    shown = await operation_shapes.whole(call, scope, made)
    where = f"/v1/operations/{typeid(Prefix.OPERATION, made.id)}"
    return Response(shown.model_dump_json(), 202, {"location": where}, "application/json")


@router.get("/{query_id}/versions", response_model=QueryVersionList, summary="Every version of it, the newest first")
async def list_query_versions(call: Calling, scope: InBrand, query_id: QueryPath) -> dict[str, Any]:
    query = await queries.get(call.session, scope, query_id)
    found = (await queries.versions(call.session, scope, [query.id]))[query.id]
    return whole([_version(row) for row in found])


@matching.get("/{mention_id}/matches", response_model=MatchList, summary="The queries that a mention matches")
async def list_mention_matches(call: Calling, scope: InBrand, mention_id: MentionPath) -> dict[str, Any]:
    mention = await mentions.get(call.session, scope, mention_id)
    found = await matches.of_mentions(call.session, scope, [mention.id])
    return whole([_match(row) for row in found.get(mention.id, [])])
