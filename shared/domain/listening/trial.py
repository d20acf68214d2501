"""A query tried over what the brand has heard, before it is saved: nothing is written."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlmodel import col

from shared.analysis.matcher import Found, Matcher, listening, portions
from shared.analysis.queries.evaluating import Span
from shared.analysis.queries.explaining import explain
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.printing import canonical
from shared.analysis.queries.problems import QueryProblem, QueryRefused
from shared.analysis.queries.subject import Subject
from shared.db import Session
from shared.domain.insight.rollups import Counts
from shared.domain.listening import mentions
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.searching import Place
from shared.domain.scope import Scope
from shared.models import Identity, Mention
from shared.models.enums import AuthorKind, MentionKind, MentionOrder, Network

MOST_READ = 50_000
MOST_SECONDS = 3.0
SAMPLE = 20
_AT_ONCE = 2_000
_COLUMNS: list[Any] = [
    col(Mention.id), col(Mention.published_at), col(Mention.text), col(Mention.language), col(Mention.network),
    col(Mention.url), col(Mention.kind), col(Mention.sentiment), col(Mention.intents), col(Mention.reach),
    col(Mention.channel_id), col(Mention.author_kind), col(Identity.handle), col(Identity.name),
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
    asking = _Asking(trial, Matcher([listening(0, node)]), clock, clock() + MOST_SECONDS)
    while True:
        rows = await stored(session, scope, asking.place, min(_AT_ONCE, MOST_READ - trial.asked))
        is_through = await asking.ask(rows)
        if is_through and len(rows) < _AT_ONCE:
            break
        if not is_through or trial.asked >= MOST_READ or asking.is_late:
            trial.is_complete = False
            break
    known = await mentions.by_ids(session, scope, [id_ for id_, _ in asking.wanted])
    trial.sample = [Sample(known[id_], spans) for id_, spans in asking.wanted if id_ in known]
    return trial


@dataclass(slots=True)
class _Asking:
    trial: Trial
    matcher: Matcher[int]
    clock: Callable[[], float]
    ends: float
    place: Place | None = None
    wanted: list[tuple[Any, list[Span]]] = field(default_factory=list)
    is_late: bool = False

    async def ask(self, rows: list[Any]) -> bool:
        """Ask the query of these, as long as there is time; whether there was enough.

        In a thread: a query may be a monster, and others wait for this loop.
        """
        at = 0
        for some in portions([subject(row) for row in rows]):
            if self.is_late:
                return False
            found = await asyncio.to_thread(self.matcher.match, some)
            for row, each in zip(rows[at : at + len(some)], found, strict=True):
                self._count(row, each)
            at += len(some)
            self.is_late = self.clock() >= self.ends
        return True

    def _count(self, row: Any, found: list[Found[int]]) -> None:
        self.trial.asked += 1
        self.trial.since = row.published_at
        self.place = Place(row.published_at, row.id)
        if found:
            self.trial.matched += 1
            self.trial.languages[row.language] += 1
            self.trial.networks[row.network] += 1
            if len(self.wanted) < SAMPLE:
                self.wanted.append((row.id, found[0].spans))


async def stored(
    session: Session,
    scope: Scope,
    place: Place | None,
    limit: int,
    *,
    since: datetime | None = None,
    author_id: UUID | None = None,
) -> list[Any]:
    """What queries ask of mentions, from the newest listed one on, or from `place`, back to `since`; of one author's
    where one is given."""
    where = MentionFilter(since=since, author_id=author_id)
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
        sentiment=row.sentiment.value if row.sentiment is not None else None,
        intents=row.intents,
        reach=row.reach,
    )


def counts(row: Any) -> Counts:
    """What a row of these adds to the sums that are kept."""
    is_own = row.kind is MentionKind.POST and row.author_kind is AuthorKind.BRAND
    return Counts(row.channel_id, row.kind, row.published_at, is_own, row.sentiment)
