"""What the watch keeps in mind between two looks: hours that were counted, and what was learnt from them.

All of it can be read again: a process that begins knows nothing, and two processes know the same.
"""

import asyncio
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlmodel import select

from shared.db import Session
from shared.domain.brands import coverage
from shared.domain.insight.alerting import reading
from shared.domain.insight.alerting.reading import Count
from shared.domain.insight.buckets import observed
from shared.domain.insight.watching.counting import Counted, Told, without
from shared.domain.insight.watching.learning import LEARNT, fit
from shared.domain.insight.watching.rhythm import HOUR, Hour, Rhythm
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.models.brand import Brand
from shared.models.channel import Channel, Coverage
from shared.models.enums import CoverageKind

MOST = 2000  # of brands and filters, what was asked for last is kept
LEARN_EVERY, LEARN_EARLY = timedelta(hours=6), timedelta(hours=1)
_EARLY = 14 * 24  # hours, up to which every hour teaches much
_AGAIN = timedelta(hours=2)  # of what is counted already, so much is counted again with each look


@dataclass(slots=True)
class Ledger:
    """Hours from `start` on, compactly: what was said, analysed, negative, how many own posts, what was observed."""

    start: datetime
    said: "array[int]" = field(default_factory=lambda: array("i"))
    analysed: "array[int]" = field(default_factory=lambda: array("i"))
    negative: "array[int]" = field(default_factory=lambda: array("i"))
    posts: "array[int]" = field(default_factory=lambda: array("i"))
    usual: bytearray = field(default_factory=bytearray)

    def write(
        self,
        since: datetime,
        now: datetime,
        counts: Mapping[datetime, Count],
        posts: Mapping[datetime, int],
        usual: Sequence[bool],
    ) -> None:
        """What is known of the hours from `since` up to and with the one that runs."""
        first = max(0, (since - self.start) // HOUR)
        last = _hours(self.start, now)
        nothing = Count()
        for row in (self.said, self.analysed, self.negative, self.posts):
            del row[first:]
        del self.usual[first:]
        for number in range(first, last):
            hour = self.start + number * HOUR
            count = counts.get(hour, nothing)
            self.said.append(count.said)
            self.analysed.append(count.analysed or 0)
            self.negative.append(count.negative or 0)
            self.posts.append(posts.get(hour, 0))
            self.usual.append(usual[number - first])

    def hours(self, row: "array[int]", last: int | None = None) -> list[Hour]:
        """The last so many; all of them without a number."""
        first = 0 if last is None else max(0, len(row) - last)
        return [
            Hour(self.start + number * HOUR, row[number], self.posts[number], bool(self.usual[number]))
            for number in range(first, len(row))
        ]


@dataclass(slots=True)
class Known:
    """A brand's hours under one filter, and what they teach."""

    ledger: Ledger
    read_at: datetime
    learnt_at: datetime | None = None
    rhythms: dict[str, Rhythm] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Now:
    """What there is to look at: everything that was said, and where it is analysed the analysed and the negative."""

    said: Counted
    analysed: Counted | None
    negative: Counted | None


class Memory:
    """What this process knows of brands; bounded."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[tuple[UUID, str], Known] = OrderedDict()

    async def know(
        self,
        session: Session,
        scope: Scope,
        where: MentionFilter,
        brand: Brand,
        spoken: Sequence[Told],
        now: datetime,
        *,
        feelings: bool = False,
    ) -> Known:
        """What is known of the brand's hours up to `now`, counted anew where it is old, and learnt where it is time.

        `spoken`: hours of alerts, which teach nothing. `feelings`: what is negative is wanted as well, which the kept
        sums do not know.
        """
        feels = feelings and reading.is_analysed()
        key = scope.brand_id, f"{where.digest} {feels}"
        known = self._known.pop(key, None)
        if known is None or now - known.read_at >= LEARN_EVERY or now < known.read_at:
            known = Known(Ledger(_whole(now - LEARNT)), now)
            await _read(session, scope, where, known.ledger, known.ledger.start, now, feels)
        else:
            await _read(session, scope, where, known.ledger, _whole(now - _AGAIN), now, feels)
        self._known[key] = known
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        await self._learn(known, brand, spoken, now, feels)
        return known

    async def _learn(self, known: Known, brand: Brand, spoken: Sequence[Told], now: datetime, feels: bool) -> None:
        every = LEARN_EARLY if sum(known.ledger.usual) < _EARLY else LEARN_EVERY
        if known.learnt_at is not None and now - known.learnt_at < every:
            return
        known.rhythms.clear()
        known.learnt_at = now
        for name, row in (("said", known.ledger.said), ("negative", known.ledger.negative)):
            if name == "said" or feels:
                counted = without(Counted(now, known.ledger.hours(row), 0, 0), spoken)
                # Aside, because it takes a moment in which others have something to send.
                known.rhythms[name] = await asyncio.to_thread(fit, counted.hours, brand.zone, now)


async def look(session: Session, scope: Scope, where: MentionFilter, known: Known, hours: int, now: datetime) -> Now:
    """The last `hours` as they stand now."""
    hour, quarter = await reading.sliding(session, scope, where, now)
    ledger = known.ledger

    def counted(row: "array[int]", in_hour: int | None, in_quarter: int | None) -> Counted:
        return Counted(now, ledger.hours(row, hours + 1), in_hour or 0, in_quarter or 0)

    said = counted(ledger.said, hour.said, quarter.said)
    if not reading.is_analysed():
        return Now(said, None, None)
    return Now(
        said,
        counted(ledger.analysed, hour.analysed, quarter.analysed),
        counted(ledger.negative, hour.negative, quarter.negative),
    )


async def _read(
    session: Session, scope: Scope, where: MentionFilter, ledger: Ledger, since: datetime, now: datetime, feels: bool
) -> None:
    since = max(since, ledger.start)
    counts = await reading.by_hour(session, scope, where, since, now, feelings=feels)
    posts = await reading.own_posts(session, scope, since, now)
    ledger.write(since, now, counts, posts, await _observed(session, scope, where, since, now))


async def _observed(session: Session, scope: Scope, where: MentionFilter, since: datetime, now: datetime) -> list[bool]:
    """Of each hour from `since` on, whether a channel of the filter was watched, or looked back upon, for all of it."""
    wanted = select(Channel.id, Channel.network).where(Channel.brand_id == scope.brand_id)
    channels = [
        id_
        for id_, network in (await session.execute(wanted)).all()
        if (where.channel_ids is None or id_ in where.channel_ids)
        and (where.networks is None or network in where.networks)
    ]
    found = await coverage.intervals(session, scope, channels, since, now)
    count = _hours(since, now)
    edges = [min(since + number * HOUR, now) for number in range(count + 1)]
    marks = bytearray(count)
    for intervals in found.values():
        for number, is_covered in enumerate(observed(map(_as_observed, intervals), now).over(edges).covered):
            marks[number] |= is_covered
    return [bool(mark) for mark in marks]


def _as_observed(interval: Coverage) -> Coverage:
    """What was looked back upon teaches as well."""
    if interval.kind is not CoverageKind.BACKFILLED:
        return interval
    return interval.model_copy(update={"kind": CoverageKind.OBSERVED})


def _hours(since: datetime, now: datetime) -> int:
    """How many hours have begun."""
    return -((since - now) // HOUR)


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
