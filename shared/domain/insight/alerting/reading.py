"""What the watch reads: counts by hour, the last hour as it slides, and single mentions.

Whether a mention was analysed is known once it has the columns for it; until then none was, and None says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Interval,
    Uuid,
    all_,
    and_,
    bindparam,
    func,
    literal,
    not_,
    null,
    type_coerce,
)
from sqlalchemy import Text as TextType
from sqlmodel import col, select

from shared.db import Session
from shared.domain.insight.watching.naming import OLDEST, Named
from shared.domain.insight.watching.rhythm import HOUR
from shared.domain.insight.watching.single import Said
from shared.domain.listening.filters import MentionFilter, conditions
from shared.domain.scope import Scope
from shared.models import Mention, RollupHour
from shared.models.base import TIME, metadata
from shared.models.enums import AuthorKind, MentionKind

QUARTER = timedelta(minutes=15)
_COLUMNS = metadata.tables["mention"].c
_NEGATIVE = "negative"
_OWN = and_(col(Mention.kind) == MentionKind.POST, col(Mention.author_kind) == AuthorKind.BRAND)


@dataclass(frozen=True, slots=True)
class Count:
    """What was said in a span; `analysed` of it was, `negative` of that. None: nothing is analysed here."""

    said: int = 0
    analysed: int | None = None
    negative: int | None = None


def is_analysed() -> bool:
    """Whether mentions are analysed at all."""
    return "sentiment" in _COLUMNS


async def by_hour(
    session: Session, scope: Scope, where: MentionFilter, since: datetime, until: datetime, *, feelings: bool
) -> dict[datetime, Count]:
    """The hours of [since, until) in which anything was said. Without a filter from the kept sums, else by counting."""
    if where == MentionFilter() and not feelings:
        wanted = select(RollupHour.hour, RollupHour.mentions).where(
            RollupHour.brand_id == scope.brand_id, col(RollupHour.hour) >= since, col(RollupHour.hour) < until
        )
        return {hour: Count(count) for hour, count in (await session.execute(wanted)).all()}
    hour = func.date_trunc("hour", col(Mention.published_at), "UTC")
    found = select(hour, func.count(), *_felt()).where(*_between(where)).group_by(hour)
    rows = (await session.execute(found, _given(scope, where, since, until))).all()
    return {row[0]: _count(row[1:]) for row in rows}


async def by_step(
    session: Session, scope: Scope, where: MentionFilter, since: datetime, until: datetime, step: timedelta
) -> dict[datetime, Count]:
    """The same in steps from `since` on."""
    place = func.date_bin(step, col(Mention.published_at), literal(since, TIME))
    found = select(place, func.count(), *_felt()).where(*_between(where)).group_by(place)
    rows = (await session.execute(found, _given(scope, where, since, until))).all()
    return {row[0]: _count(row[1:]) for row in rows}


async def own_posts(session: Session, scope: Scope, since: datetime, until: datetime) -> dict[datetime, int]:
    """How many posts of the brand's own went out in each hour in which there were any."""
    wanted = select(RollupHour.hour, RollupHour.posts).where(
        RollupHour.brand_id == scope.brand_id,
        col(RollupHour.hour) >= since,
        col(RollupHour.hour) < until,
        col(RollupHour.posts) > 0,
    )
    return {row[0]: row[1] for row in (await session.execute(wanted)).all()}


async def sliding(session: Session, scope: Scope, where: MentionFilter, now: datetime) -> tuple[Count, Count]:
    """The last hour and the last quarter of an hour."""
    is_late = col(Mention.published_at) >= literal(now - QUARTER, TIME)
    columns: list[Any] = [func.count(), *_felt(), func.count().filter(is_late)]
    columns += [column.filter(is_late) for column in _felt()]
    found = select(*columns).where(*_between(where))
    row = (await session.execute(found, _given(scope, where, now - HOUR, now))).one()
    half = len(row) // 2
    return _count(row[:half]), _count(row[half:])


async def said(
    session: Session,
    scope: Scope,
    where: MentionFilter,
    since: datetime,
    until: datetime,
    *,
    limit: int,
) -> list[Said]:
    """The newest mentions of [since, until), at most `limit`."""
    return await _read(session, _between(where), _given(scope, where, since, until), limit)


async def unnamed(
    session: Session,
    scope: Scope,
    where: MentionFilter,
    named: Named,
    since: datetime,
    *,
    limit: int,
    urgent_from: float | None = None,
    reach_from: int | None = None,
) -> list[Said]:
    """What was heard from `since` on, was young then, and is not named yet, the newest and at most `limit` of it; of
    the urgent or the far-reaching ones, where asked."""
    rules = [
        *_of_others(where),
        # The index is by publication, and what was young when it was heard was published no longer before.
        col(Mention.published_at) >= bindparam("range_since", type_=TIME),
        col(Mention.observed_at) >= bindparam("heard_since", type_=TIME),
        col(Mention.observed_at) - col(Mention.published_at) <= literal(OLDEST, Interval),
        col(Mention.id) != all_(bindparam("named", type_=ARRAY(Uuid))),
    ]
    given = {
        "brand_id": scope.brand_id, **where.given(), "range_since": since - OLDEST, "heard_since": since,
        "named": list(named.heard),
    }  # fmt: skip
    if named.until is not None:
        rules.append(col(Mention.observed_at) > bindparam("named_until", type_=TIME))
        given["named_until"] = named.until
    if urgent_from is not None:
        rules.append(_optional("urgency") >= urgent_from)
    if reach_from is not None:
        rules.append(col(Mention.reach) >= reach_from)
    return await _read(session, rules, given, limit)


async def _read(
    session: Session, rules: Sequence[ColumnElement[bool]], given: Mapping[str, Any], limit: int
) -> list[Said]:  # fmt: skip
    wanted = (
        select(  # type: ignore[call-overload]
            Mention.id,
            Mention.published_at,
            Mention.observed_at,
            Mention.author_id,
            Mention.text,
            type_coerce(Mention.network, TextType),
            _optional("urgency"),
            Mention.reach,
            _optional("sentiment"),
            _interactions(),
            Mention.cluster,
        )
        .where(*rules)
        .order_by(col(Mention.published_at).desc(), col(Mention.id).desc())
        .limit(limit)
    )
    rows = (await session.execute(wanted, given)).all()
    return [
        Said(
            id=row[0],
            published_at=row[1],
            observed_at=row[2],
            author_id=row[3],
            text=row[4] or "",
            network=row[5],
            urgency=row[6],
            reach=row[7],
            negative=_is_negative(row[8]),
            interactions=row[9],
            cluster=row[10],
        )
        for row in rows
    ]


def _is_negative(sentiment: str | None) -> bool | None:
    return None if sentiment is None else str(sentiment) == _NEGATIVE


def _felt() -> list[Any]:
    """What is counted of how people feel, where that is known."""
    if not is_analysed():
        return []
    sentiment = type_coerce(_COLUMNS["sentiment"], TextType)
    return [func.count(sentiment), func.count().filter(sentiment == _NEGATIVE)]


def _count(row: Sequence[Any]) -> Count:
    return Count(*(int(value) for value in row))


def _optional(name: str) -> ColumnElement[Any]:
    found: Any = _COLUMNS.get(name)
    return null() if found is None else found


def _interactions() -> ColumnElement[int]:
    return _known(Mention.likes) + _known(Mention.replies) + _known(Mention.shares)


def _known(column: Any) -> ColumnElement[int]:
    return func.coalesce(column, 0)


def _of_others(where: MentionFilter) -> list[ColumnElement[bool]]:
    """What the filter lets through, but for the brand's own posts."""
    return [*conditions(where.shape()), not_(_OWN)]


def _between(where: MentionFilter) -> list[ColumnElement[bool]]:
    return [
        *_of_others(where),
        col(Mention.published_at) >= bindparam("range_since", type_=TIME),
        col(Mention.published_at) < bindparam("range_until", type_=TIME),
    ]


def _given(scope: Scope, where: MentionFilter, since: datetime, until: datetime) -> dict[str, Any]:
    return {"brand_id": scope.brand_id, **where.given(), "range_since": since, "range_until": until}
