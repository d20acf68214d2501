"""Which queries a mention matches, kept with it: found when it is recorded, again when it changes, and gone with it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import ARRAY, Uuid, any_, bindparam
from sqlmodel import col, select

from shared.analysis.matcher import Found, Matcher
from shared.analysis.queries.evaluating import Span
from shared.analysis.queries.subject import Subject
from shared.db import Session, driver
from shared.domain.insight import voices
from shared.domain.insight.rollups import Counts, counts_of
from shared.domain.insight.voices import NONE, Counted, Queries
from shared.domain.listening.ears import Asking, Ears
from shared.domain.listening.merge import MentionState
from shared.domain.listening.rows import IdentityState
from shared.domain.scope import Scope
from shared.ids import Prefix, typeid
from shared.log import logger
from shared.models.query import Match

_log = logger("domain.matches")
MOST_SPANS = 100
MOST_SECONDS = 15.0  # for the queries of one batch: what is not asked by then is recorded without matches, and said
Author = tuple[str | None, str | None]  # handle and name

_PUT = (
    "INSERT INTO match (brand_id, query_id, mention_id, version, spans)"
    " SELECT $1, r.query_id, r.mention_id, r.version, r.spans::jsonb"
    " FROM unnest($2::uuid[], $3::uuid[], $4::int4[], $5::text[]) AS r (query_id, mention_id, version, spans)"
    " ON CONFLICT (brand_id, query_id, mention_id) DO UPDATE SET version = excluded.version, spans = excluded.spans"
)


async def keep(
    session: Session,
    brand_id: UUID,
    zone: ZoneInfo,
    ears: Ears | None,
    changed: Sequence[MentionState],
    before: Mapping[UUID, MentionState],
    authors: Iterable[IdentityState],
) -> None:
    """Bring the matches of changed mentions, written already, up to date, and the sums of what queries matched. Without
    ears nothing new is matched.

    The brand's row is locked: its queries do not change meanwhile.
    """
    different = [s for s in changed if _asked(s) != _asked(before.get(s.key))]
    recounted = [s for s in changed if s.listed and _is_recounted(s, before.get(s.key))]
    retimed = [s for s in changed if s.listed and _is_retimed(s, before.get(s.key))]
    is_asked = ears is not None and (recounted or retimed or any(s.listed for s in different))
    matcher = await ears.of(session, brand_id) if ears is not None and is_asked else None
    if matcher is not None and matcher.asks_reach:
        different += recounted
    if matcher is not None and matcher.asks_author:
        known = {s.key for s in different}
        different += [s for s in retimed if s.key not in known]
    again = [s for s in different if s.listed]
    forgotten = [s.id for s in different if s.key in before and (not s.listed or ears is not None)]
    listed = [(s, old) for s in changed if (old := before.get(s.key)) is not None and old.listed]
    moved = [s.id for s, old in listed if counts_of(old) != counts_of(s)]
    stood = await _queries_of(session, brand_id, {*forgotten, *moved})
    stands = {id_: queries for id_, queries in stood.items() if id_ not in set(forgotten)}
    if forgotten and stood:
        await (await driver(session)).execute(
            "DELETE FROM match WHERE brand_id = $1 AND mention_id = ANY ($2)", brand_id, forgotten
        )
    if matcher is not None and again:
        stands |= await _ask(session, brand_id, matcher, again, authors)
    if stood or stands:
        gone = [(counts_of(before[s.key]), stood[s.id]) for s in changed if s.id in stood]
        came = [(counts_of(s), stands[s.id]) for s in changed if s.id in stands]
        await voices.add(session, brand_id, zone, gone, came)


async def _ask(
    session: Session,
    brand_id: UUID,
    matcher: Matcher[Asking],
    again: Sequence[MentionState],
    authors: Iterable[IdentityState],
) -> dict[UUID, Queries]:
    """Ask the brand's queries of these mentions, and write what matched; which queries, by mention."""
    known = {one.id: (one.handle, one.name) for one in authors}
    missing = {s.author_id for s in again if s.author_id is not None} - known.keys()
    known |= await _authors(session, brand_id, missing)
    subjects = [subject_of(s, known.get(s.author_id) if s.author_id is not None else None) for s in again]
    # In a thread and not for ever: queries may be monsters, and other brands wait for this loop.
    found = await asyncio.to_thread(matcher.match, subjects, until=time.monotonic() + MOST_SECONDS)
    if len(found) < len(again):
        _log.error("matches.not_asked", brand=typeid(Prefix.BRAND, brand_id), mentions=len(again) - len(found))
    ids = [s.id for s in again[: len(found)]]
    await _put(session, brand_id, zip(ids, found, strict=True))
    return _matched(ids, found)


def _asked(state: MentionState | None) -> tuple[object, ...] | None:
    """What queries ask of a mention; None where it is not listed."""
    if state is None or not state.listed:
        return None
    return (state.text, state.language, state.url, state.kind, state.author_id, state.sentiment, state.intents)


def _is_recounted(state: MentionState, old: MentionState | None) -> bool:
    """Whether nothing but its reach is different of what queries ask: that is asked again where one asks for it."""
    return old is not None and old.reach != state.reach and _asked(old) == _asked(state)


def _is_retimed(state: MentionState, old: MentionState | None) -> bool:
    """Whether it stands elsewhere in time and is otherwise the same: what asks again for a renamed author, page by page
    from the newest back, may have gone past there."""
    return old is not None and old.published_at != state.published_at and _asked(old) == _asked(state)


def subject_of(state: MentionState, author: Author | None) -> Subject:
    """A mention as queries see it."""
    handle, name = author or (None, None)
    return Subject(
        state.text or "",
        language=state.language,
        network=state.network.value,
        author_handle=handle,
        author_name=name,
        url=state.url,
        kind=state.kind.value,
        sentiment=state.sentiment.value if state.sentiment is not None else None,
        intents=state.intents,
        reach=state.reach,
    )


async def _authors(session: Session, brand_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Author]:
    wanted = list(ids)
    if not wanted:
        return {}
    rows = await (await driver(session)).fetch(
        "SELECT id, handle, name FROM identity WHERE brand_id = $1 AND id = ANY ($2)", brand_id, wanted
    )
    return {row["id"]: (row["handle"], row["name"]) for row in rows}


async def _put(session: Session, brand_id: UUID, found: Iterable[tuple[UUID, Sequence[Found[Asking]]]]) -> int:
    """Write what mentions matched; how many rows."""
    rows = [
        (one.key[0], mention_id, one.key[1], orjson.dumps(one.spans[:MOST_SPANS]).decode())
        for mention_id, each in found
        for one in each
    ]
    if rows:
        await (await driver(session)).execute(_PUT, brand_id, *map(list, zip(*rows, strict=True)))
    return len(rows)


def _matched(ids: Sequence[UUID], found: Sequence[Sequence[Found[Asking]]]) -> dict[UUID, Queries]:
    """Which queries matched, by mention; those that none matched are left out."""
    return {id_: frozenset(one.key[0] for one in each) for id_, each in zip(ids, found, strict=True) if each}


async def _queries_of(session: Session, brand_id: UUID, ids: Collection[UUID]) -> dict[UUID, Queries]:
    """Which queries these mentions stand matched by; those that none matched are left out."""
    if not ids:
        return {}
    rows = await (await driver(session)).fetch(
        "SELECT mention_id, query_id FROM match WHERE brand_id = $1 AND mention_id = ANY ($2)", brand_id, list(ids)
    )
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for row in rows:
        found[row["mention_id"]].add(row["query_id"])
    return {id_: frozenset(queries) for id_, queries in found.items()}


async def forget_query(session: Session, brand_id: UUID, zone: ZoneInfo, query_id: UUID) -> None:
    """A query has matched nothing. The brand's row is locked."""
    await voices.forget(session, brand_id, zone, query_id)
    await (await driver(session)).execute("DELETE FROM match WHERE brand_id = $1 AND query_id = $2", brand_id, query_id)


async def replace(
    session: Session,
    brand_id: UUID,
    zone: ZoneInfo,
    query_ids: Collection[UUID],
    asked: Mapping[UUID, Counts],
    found: Sequence[Sequence[Found[Asking]]],
) -> int:
    """What these queries match of these mentions is `found`, in their order, and no longer what it was; how many
    matches that are. The brand's row is locked."""
    ids = list(asked)
    stood = await _queries_of(session, brand_id, ids)
    await (await driver(session)).execute(
        "DELETE FROM match WHERE brand_id = $1 AND query_id = ANY ($2) AND mention_id = ANY ($3)",
        brand_id,
        list(query_ids),
        ids,
    )
    count = await _put(session, brand_id, zip(ids, found, strict=True))
    matched = _matched(ids, found)
    stands = {id_: stood.get(id_, NONE).difference(query_ids) | matched.get(id_, NONE) for id_ in ids}
    gone: list[Counted] = [(asked[id_], queries) for id_, queries in stood.items()]
    await voices.add(session, brand_id, zone, gone, [(asked[id_], queries) for id_, queries in stands.items()])
    return count


async def of_mentions(session: Session, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, list[Match]]:
    """The matches of each mention, by query."""
    found = await session.execute(
        select(Match)
        .where(
            col(Match.brand_id) == scope.brand_id,
            col(Match.mention_id) == any_(bindparam("ids", list(ids), type_=ARRAY(Uuid))),
        )
        .order_by(col(Match.query_id))
    )
    matches: dict[UUID, list[Match]] = {}
    for one in found.scalars():
        matches.setdefault(one.mention_id, []).append(one)
    return matches


def spans_of(row: Match) -> list[Span]:
    """Where in the text it matched."""
    return [(start, end) for start, end in row.spans]
