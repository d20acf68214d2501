"""Reading who says the same: a mention's original, and the cluster of an original with its copies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, tuple_, type_coerce
from sqlmodel import col, select

from shared.db import Session, driver
from shared.domain.listening import mentions
from shared.domain.page import Cursors, Page, PageRequest
from shared.domain.scope import Scope
from shared.errors import NotFound
from shared.models import Brand, Mention
from shared.models.enums import Interval, Network

_KIND = "copies"
MOST_AUTHORS = 10
_BY_HOUR = timedelta(days=3)  # up to which a cluster's spread is shown by the hour

_ORIGINALS = (
    "SELECT m.id, o.id FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::uuid[]) AS m (id, cluster, at, key),"
    " LATERAL (SELECT id FROM mention WHERE brand_id = $1 AND cluster = m.cluster AND NOT is_copy"
    " AND (published_at, key) < (m.at, m.key) ORDER BY published_at DESC, key DESC LIMIT 1) o"
)
_NEXT = (
    "SELECT published_at, key FROM mention WHERE brand_id = $1 AND cluster = $2 AND NOT is_copy"
    " AND (published_at, key) > ($3, $4) ORDER BY published_at, key LIMIT 1"
)
_WITHIN = (
    " FROM mention WHERE brand_id = $1 AND cluster = $2 AND (published_at, key) >= ($3, $4)"
    " AND ($5::timestamptz IS NULL OR (published_at, key) < ($5, $6))"
)
_ALL = f"SELECT count(*), max(published_at), count(DISTINCT author_id){_WITHIN}"
_NETWORKS = f"SELECT network, count(*){_WITHIN} GROUP BY 1 ORDER BY 2 DESC, 1"
_AUTHORS = f"SELECT author_id, count(*){_WITHIN} AND author_id IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $7"
_SPREAD = f"SELECT date_trunc($7, published_at, $8), count(*){_WITHIN} GROUP BY 1 ORDER BY 1"


@dataclass(frozen=True, slots=True)
class Burst:
    """How many of a cluster were published in an hour or a day of the brand's zone that begins at `start`."""

    start: datetime
    count: int


@dataclass(frozen=True, slots=True)
class NetworkShare:
    """How many of a cluster a network carries."""

    network: Network
    count: int


@dataclass(frozen=True, slots=True)
class AuthorShare:
    """How many of a cluster somebody said."""

    brand_id: UUID
    author_id: UUID
    count: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """An original and its copies: one mention, where it has none. Deleted mentions are not of it.

    `spread` is by `interval`, hour or day, without the empty ones; `authors` are the ten that said it most often.
    """

    original: Mention
    count: int
    first_at: datetime
    last_at: datetime
    interval: Interval
    spread: list[Burst]
    networks: list[NetworkShare]
    author_count: int
    authors: list[AuthorShare]


async def originals(session: Session, scope: Scope, copies: Iterable[Mention]) -> dict[UUID, UUID]:
    """The id of each copy's original, by the copy's; of those that are copies."""
    asked = [one for one in copies if one.is_copy and one.cluster is not None]
    if not asked:
        return {}
    found = await (await driver(session)).fetch(
        _ORIGINALS,
        scope.brand_id,
        [one.id for one in asked],
        [one.cluster for one in asked],
        [one.published_at for one in asked],
        [one.key for one in asked],
    )
    return dict(found)


async def of(session: Session, scope: Scope, mention: Mention) -> Cluster:
    """The cluster that a mention is of."""
    brand = await session.get(Brand, scope.brand_id)
    if brand is None:
        raise NotFound("the brand of this mention is gone")
    original = await _original(session, scope, mention)
    if original.cluster is None:
        return _alone(original)
    connection = await driver(session)
    within = await _bounds(session, scope, original)
    ((count, last_at, author_count),) = await connection.fetch(_ALL, *within)
    interval = Interval.HOUR if last_at - original.published_at <= _BY_HOUR else Interval.DAY
    return Cluster(
        original,
        count,
        original.published_at,
        last_at,
        interval,
        [Burst(*row) for row in await connection.fetch(_SPREAD, *within, interval.value, brand.timezone)],
        [NetworkShare(Network(name), number) for name, number in await connection.fetch(_NETWORKS, *within)],
        author_count,
        [AuthorShare(scope.brand_id, *row) for row in await connection.fetch(_AUTHORS, *within, MOST_AUTHORS)],
    )


async def page_of(
    session: Session, scope: Scope, mention: Mention, *, page: PageRequest, cursors: Cursors
) -> Page[Mention]:
    """A page of the mentions of a cluster, the original first, then its copies as they were published."""
    original = await _original(session, scope, mention)
    bound = str(mention.id)
    found: list[Mention] = []
    after: tuple[datetime, UUID] = (original.published_at, original.key)
    if page.cursor is None:
        found.append(original)
    else:
        at, key = cursors.decode(scope.brand_id, _KIND, bound, page.cursor)
        after = (datetime.fromisoformat(at), UUID(key))
    if original.cluster is not None:
        found += await _copies(session, scope, original, after, page.limit + 1 - len(found))

    def written(one: Mention) -> str:
        return cursors.encode(scope.brand_id, _KIND, bound, [one.published_at.isoformat(), str(one.key)])

    return Page.cut(found, page.limit, written)


async def _original(session: Session, scope: Scope, mention: Mention) -> Mention:
    found = (await originals(session, scope, [mention])).get(mention.id)
    return mention if found is None else await mentions.get(session, scope, found)


async def _bounds(session: Session, scope: Scope, original: Mention) -> list[Any]:
    """Where an original's cluster begins and where the next one of the same words does, if there is one."""
    begun = [scope.brand_id, original.cluster, original.published_at, original.key]
    following = await (await driver(session)).fetchrow(_NEXT, *begun)
    return [*begun, *(following or (None, None))]


async def _copies(
    session: Session, scope: Scope, original: Mention, after: tuple[datetime, UUID], limit: int
) -> Sequence[Mention]:
    *_, until, key = await _bounds(session, scope, original)
    place = tuple_(col(Mention.published_at), col(Mention.key))
    statement = select(Mention).where(
        Mention.brand_id == scope.brand_id,
        col(Mention.cluster) == original.cluster,
        type_coerce(Mention.is_copy, Boolean),
        place > after,
    )
    if until is not None:
        statement = statement.where(place < (until, key))
    ordered = statement.order_by(col(Mention.published_at), col(Mention.key)).limit(limit)
    return (await session.execute(ordered)).scalars().all()


def _alone(mention: Mention) -> Cluster:
    """What nobody else can be said to say."""
    at = mention.published_at
    authors = [AuthorShare(mention.brand_id, mention.author_id, 1)] if mention.author_id is not None else []
    shares = [NetworkShare(mention.network, 1)]
    hour = at.replace(minute=0, second=0, microsecond=0)
    return Cluster(mention, 1, at, at, Interval.HOUR, [Burst(hour, 1)], shares, len(authors), authors)
