"""A query tried over what the brand has heard, before it is saved: nothing is written."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlmodel import col

from shared.analysis.matcher import Matcher, listening
from shared.analysis.queries.evaluating import Span
from shared.analysis.queries.explaining import explain
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.printing import canonical
from shared.analysis.queries.problems import QueryProblem, QueryRefused
from shared.analysis.queries.subject import Subject
from shared.db import Session
from shared.domain.listening import mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.mentions import Place
from shared.domain.scope import Scope
from shared.models import Identity, Mention
from shared.models.enums import MentionOrder, Network

MOST_READ = 50_000
MOST_SECONDS = 3.0
SAMPLE = 20
_AT_ONCE = 2_000
_COLUMNS: list[Any] = [
    col(Mention.id), col(Mention.published_at), col(Mention.text), col(Mention.language), col(Mention.network),
    col(Mention.url), col(Mention.kind), col(Identity.handle), col(Identity.name),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A mention that matches, and where."""

    mention: Mention
    spans: list[Span]


@dataclass(slots=True)
class Trial:
    """What a query means and would have matched, of the `asked` newest mentions, which go back to `since`.

    `is_complete`: that were all. With a `problem` the query means nothing, and nothing was looked at.
    """

    problem: QueryProblem | None = None
    explanation: str | None = None
    canonical: str | None = None
    matched: int = 0
    asked: int = 0
    since: datetime | None = None
    is_complete: bool = True
    sample: list[Sample] = field(default_factory=list)
    languages: Counter[str | None] = field(default_factory=Counter)
    networks: Counter[Network] = field(default_factory=Counter)


async def try_out(
    session: Session, scope: Scope, expression: str, *, clock: Callable[[], float] = time.monotonic
) -> Trial:
    """Try an expression: 50,000 mentions or three seconds at most, whichever ends first."""
    try:
        node = parse(expression)
    except QueryRefused as refused:
        return Trial(problem=refused.problem)
    trial = Trial(explanation=explain(node), canonical=canonical(node))
    matcher = Matcher([listening(0, node)])
    ends = clock() + MOST_SECONDS
    place: Place | None = None
    wanted: list[tuple[Any, list[Span]]] = []
    while True:
        rows = await stored(session, scope, place, min(_AT_ONCE, MOST_READ - trial.asked))
        for row, found in zip(rows, matcher.match([subject(row) for row in rows]), strict=True):
            if found:
                _count(trial, row)
                if len(wanted) < SAMPLE:
                    wanted.append((row.id, found[0].spans))
        trial.asked += len(rows)
        if rows:
            place = Place(rows[-1].published_at, rows[-1].id)
            trial.since = rows[-1].published_at
        if len(rows) < _AT_ONCE:
            break
        if trial.asked >= MOST_READ or clock() >= ends:
            trial.is_complete = False
            break
    known = await mentions.by_ids(session, scope, [id_ for id_, _ in wanted])
    trial.sample = [Sample(known[id_], spans) for id_, spans in wanted if id_ in known]
    return trial


def _count(trial: Trial, row: Any) -> None:
    trial.matched += 1
    trial.languages[row.language] += 1
    trial.networks[row.network] += 1


async def stored(
    session: Session, scope: Scope, place: Place | None, limit: int, *, since: datetime | None = None
) -> list[Any]:
    """What queries ask of mentions, from the newest listed one on, or from `place`, back to `since`."""
    where = MentionFilter(since=since)
    rules = mentions.rules(where.shape(), MentionOrder.NEWEST, after=place is not None, among=False)
    statement = (
        select(*_COLUMNS)
        .outerjoin(
            Identity, and_(col(Identity.brand_id) == col(Mention.brand_id), col(Identity.id) == col(Mention.author_id))
        )
        .where(*rules)
        .order_by(*mentions.ordering(MentionOrder.NEWEST))
        .limit(limit)
    )
    return list((await session.execute(statement, mentions.parameters(scope, where, place))).all())


def subject(row: Any) -> Subject:
    """A row of these as queries see it."""
    return Subject(
        row.text or "",
        language=row.language,
        network=row.network.value,
        author_handle=row.handle,
        author_name=row.name,
        url=row.url,
        kind=row.kind.value,
    )
