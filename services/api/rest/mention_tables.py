"""A brand's mentions as tables, as many as there are: page after page, each in a transaction of its own."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.api import tables
from services.api.context import Tries
from services.api.rest.call import SteppedRoute, Stepping, Steps
from services.api.rest.ids import BrandId
from services.api.rest.mentions import MentionRead, Where, read
from services.api.tables import CSV_ANSWER, NDJSON_ANSWER, TableForm
from shared.domain.listening import clusters, identities, mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.searching import Place

router = APIRouter(prefix="/v1/brands/{brand_id}", route_class=SteppedRoute, tags=["mentions"])

AT_ONCE = 100  # texts have up to 100,000 characters
COLUMNS = (
    "id", "network", "kind", "visibility", "external_id", "url", "text", "language", "rating", "published_at",
    "observed_at", "edited_at", "deleted_at", "hidden_at", "author_id", "author_name", "author_handle", "author_kind",
    "channel_id", "parent_id", "thread_id", "variant_id", "likes", "replies", "shares", "views", "sentiment",
    "sentiment_score", "sentiment_source", "model_version", "intents", "urgency", "offence", "topics", "duplicate_of",
    "reach", "version",
)  # fmt: skip
Most = Annotated[
    int | None, Query(description="At most so many rows; without it all.", json_schema_extra={"minimum": 1})
]


@router.get("/mentions.csv", response_class=Response, responses=CSV_ANSWER, summary="Mentions as CSV, newest first")
async def export_mentions_csv(steps: Stepping, brand_id: BrandId, where: Where, limit: Most = None) -> Response:
    return await tables.streamed(_csv(steps, brand_id, where, tables.most(limit)), TableForm.CSV, "mentions")


@router.get(
    "/mentions.ndjson", response_class=Response, responses=NDJSON_ANSWER, summary="Mentions as NDJSON, newest first"
)
async def export_mentions_ndjson(steps: Stepping, brand_id: BrandId, where: Where, limit: Most = None) -> Response:
    return await tables.streamed(_ndjson(steps, brand_id, where, tables.most(limit)), TableForm.NDJSON, "mentions")


async def _csv(steps: Steps, brand_id: UUID, where: MentionFilter, most: int | None) -> AsyncIterator[bytes]:
    head = tables.csv_lines([COLUMNS])
    async for page in _pages(steps, brand_id, where, most):
        yield head + tables.csv_lines(_row(one) for one in page)
        head = b""


async def _ndjson(steps: Steps, brand_id: UUID, where: MentionFilter, most: int | None) -> AsyncIterator[bytes]:
    rows = 0
    async for page in _pages(steps, brand_id, where, most):
        rows += len(page)
        yield b"".join(one.model_dump_json().encode() + b"\n" for one in page)
    yield tables.last_line(rows)


async def _pages(
    steps: Steps, brand_id: UUID, where: MentionFilter, most: int | None
) -> AsyncIterator[list[MentionRead]]:
    """Pages from the newest back, one at least. A key that is revoked meanwhile reads no further."""
    place: Place | None = None
    while True:
        wanted = AT_ONCE if most is None else min(AT_ONCE, most)
        page, place = await _page(steps, brand_id, where, place, wanted)
        yield page
        most = most - len(page) if most is not None else None
        if len(page) < wanted or most == 0:
            return


async def _page(
    steps: Steps, brand_id: UUID, where: MentionFilter, place: Place | None, limit: int
) -> tuple[list[MentionRead], Place | None]:
    """A page, tried again where PostgreSQL was away in passing, and where the next one begins."""
    tries = Tries.begin(steps.services.settings)
    for attempt in count(1):
        try:
            async with steps.reading(brand_id) as (session, scope):
                found = await mentions.behind(session, scope, where=where, place=place, limit=limit)
                wanted = {mention.author_id for mention in found if mention.author_id is not None}
                authors = await identities.by_ids(session, scope, wanted) if wanted else {}
                originals = await clusters.originals(session, scope, found)
                page = [
                    read(one, authors.get(one.author_id) if one.author_id else None, originals.get(one.id))
                    for one in found
                ]
                return page, Place(found[-1].published_at, found[-1].id) if found else place
        except Exception as error:
            if not tries.go_on(attempt, error):
                raise
    raise AssertionError


def _row(one: MentionRead) -> tables.Row:
    told = one.model_dump(mode="json")
    author, mood = told["author"] or {}, told["sentiment"] or {}
    told |= told["engagement"]
    told |= {f"author_{name}": author.get(name) for name in ("id", "name", "handle")}
    told |= {f"sentiment_{name}": mood.get(name) for name in ("score", "source")}
    told |= {"sentiment": mood.get("label"), "model_version": mood.get("model_version")}
    return [told[name] for name in COLUMNS]
