"""A rule held against what there is now: what is found, and whether what is open still goes on."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from shared.db import Session
from shared.domain.insight.alerting import memory, reading, rules
from shared.domain.insight.alerting.memory import Known, Memory
from shared.domain.insight.watching import counting, negative, phrases, single
from shared.domain.insight.watching.counting import Told
from shared.domain.insight.watching.findings import Driver, DriverKind, Finding
from shared.domain.insight.watching.naming import HEARD, Named
from shared.domain.insight.watching.negative import Feelings, Shares
from shared.domain.insight.watching.phrases import Tally
from shared.domain.insight.watching.sensitivity import CARES, Care
from shared.domain.insight.watching.single import Said
from shared.domain.insight.watching.unfolding import Course
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.models.alert import AlertRule
from shared.models.brand import Brand
from shared.models.enums import AlertKind

_NEEDED = max(counting.QUIET)  # hours
SINGLE = timedelta(hours=2)  # for which an alert goes on after the last mention of its own was heard
ALONE = frozenset({AlertKind.URGENT_MENTION, AlertKind.FAR_REACHING_AUTHOR})  # kinds that one mention is enough for
RISING = timedelta(hours=6)
_BEFORE_DAYS, _A_DAY = 14, 200  # what is usually said: so many mentions of each of so many days
_MOST_SAID = 3000
_FEWEST = {AlertKind.RISING_PHRASE: 3}
_WEEK = timedelta(days=7)
_SLIDING = 2.5
_PHRASES, _MENTIONS, _NETWORKS = 5, 3, 3
_TELLING = 2.0  # deviations of the log-odds, from which on a phrase explains something


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule with what is needed to look: its brand, and what was told before of it and of the brand.

    `named` and `drivers` are of rules that one mention is enough for: what they named, what an open alert shows.
    """

    rule: AlertRule
    brand: Brand
    course: Course | None
    told: Told | None
    spoken: list[Told]
    named: Named = field(default_factory=Named)
    drivers: tuple[Driver, ...] = ()

    @property
    def where(self) -> MentionFilter:
        return rules.meant(self.rule.where)

    @property
    def care(self) -> Care:
        return CARES[self.rule.sensitivity]


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to find, and whether what is open goes on by the looser measure of what has begun.

    `fresh`: the single mentions of the finding that are not named yet.
    """

    finding: Finding | None
    goes_on: bool
    fresh: Sequence[Said] = ()


async def detect(session: Session, scope: Scope, watched: Watched, keeps: Memory, now: datetime) -> Found:
    """Hold the rule against what there is now."""
    kind = watched.rule.kind
    match kind:
        case AlertKind.VOLUME_SPIKE | AlertKind.SILENCE | AlertKind.NEGATIVE_SPIKE:
            feelings = kind is AlertKind.NEGATIVE_SPIKE
            known = await keeps.know(
                session, scope, watched.where, watched.brand, watched.spoken, now, feelings=feelings
            )
            return Found(
                *_counted(watched, known, await memory.look(session, scope, watched.where, known, _NEEDED, now))
            )
        case AlertKind.RISING_PHRASE:
            finding = await _rising(session, scope, watched, now)
        case AlertKind.URGENT_MENTION | AlertKind.FAR_REACHING_AUTHOR:
            return await _single(session, scope, watched, now)
        case AlertKind.COPIES:
            start = _start(watched, now, single.COPIED)
            said = await reading.said(session, scope, watched.where, start, now, limit=_MOST_SAID)
            finding = single.copies(said, watched.care, start=start, end=now)
        case _:
            assert_never(kind)
    return Found(finding, finding is not None)


def _counted(watched: Watched, known: Known, seen: memory.Now) -> tuple[Finding | None, bool]:
    care, course = watched.care, watched.course
    rhythm = known.rhythms["said"]
    match watched.rule.kind:
        case AlertKind.SILENCE:
            return counting.silence(rhythm, seen.said, care), not counting.speaks_again(rhythm, seen.said)
        case AlertKind.NEGATIVE_SPIKE:
            if seen.negative is None or seen.analysed is None:
                return None, False
            rhythm, ledger = known.rhythms["negative"], known.ledger
            before = Shares(sum(ledger.analysed[:-24]), sum(ledger.negative[:-24]))
            finding = negative.spike(rhythm, Feelings(seen.negative, seen.analysed), before, care, watched.told)
            return finding, course is not None and counting.goes_on(rhythm, seen.negative, course.length)
        case _:
            finding = counting.spike(rhythm, seen.said, care, watched.told)
            return finding, course is not None and counting.goes_on(rhythm, seen.said, course.length)


async def _rising(session: Session, scope: Scope, watched: Watched, now: datetime) -> Finding | None:
    start = _start(watched, now, RISING)
    said = await reading.said(session, scope, watched.where, start, now, limit=_MOST_SAID)
    tally = await _tally(said)
    before = await usual(session, scope, watched.where, start)
    care = watched.care
    chance = care.alarms / (_WEEK / RISING * _SLIDING)
    fewest = max(care.fewest, _FEWEST[AlertKind.RISING_PHRASE])
    found = phrases.rising(tally, before, chance=chance, ratio=care.ratio, fewest=fewest, voices=fewest)
    if not found:
        return None
    first = found[0]
    drivers = tuple(one.driver() for one in found[:_PHRASES])
    since = min(one.published_at for one in said if first.phrase in phrases.phrases_of(one.text))
    return Finding(
        AlertKind.RISING_PHRASE, start, now, since, first.seen, float(first.seen), first.expected,
        chance=first.chance, drivers=drivers,
    )  # fmt: skip


async def _single(session: Session, scope: Scope, watched: Watched, now: datetime) -> Found:
    named, course = watched.named, watched.course
    since = max(now - HEARD, watched.rule.created_at)
    if watched.rule.kind is AlertKind.URGENT_MENTION:
        fresh = await reading.unnamed(
            session, scope, watched.where, named, since, limit=_MOST_SAID, urgent_from=watched.care.urgency
        )
        finding = single.urgent(fresh, watched.care, now=now)
    else:
        reach = watched.rule.reach or single.REACH
        fresh = await reading.unnamed(session, scope, watched.where, named, since, limit=_MOST_SAID, reach_from=reach)
        finding = single.far_reaching(fresh, reach, now=now)
    if finding is None:
        return Found(None, named.last is not None and now - named.last <= SINGLE)
    if course is not None:
        finding = single.joined(finding, watched.drivers, course.told_weight, course.since)
    return Found(finding, goes_on=True, fresh=fresh)


def _start(watched: Watched, now: datetime, length: timedelta) -> datetime:
    """What an alert has spoken of that is over is not news again; nor is what was said before the rule was made."""
    starts = [now - length, watched.rule.created_at]
    if watched.told is not None:
        starts.append(watched.told.until)
    return min(max(starts), now)


async def usual(session: Session, scope: Scope, where: MentionFilter, until: datetime) -> Tally:
    """What is usually said: some of each of the last days, up to the same time of day."""
    found: list[Said] = []
    for day in range(_BEFORE_DAYS):
        end = until - timedelta(days=day)
        found += await reading.said(session, scope, where, end - timedelta(days=1), end, limit=_A_DAY)
    return await _tally(found)


async def _tally(said: Sequence[Said]) -> Tally:
    """Aside, because it takes a moment in which others have something to send."""
    return await asyncio.to_thread(phrases.counted, [(one.text, one.author_id) for one in said])


async def explained(session: Session, scope: Scope, watched: Watched, finding: Finding) -> Finding:
    """The finding with what drives it: phrases that rise in its window, the mentions that weigh most, networks."""
    if finding.kind in {AlertKind.SILENCE, AlertKind.RISING_PHRASE} or finding.drivers:
        return finding
    start = min(finding.start, finding.since)
    said = await reading.said(session, scope, watched.where, start, finding.end, limit=_MOST_SAID)
    if finding.kind is AlertKind.NEGATIVE_SPIKE:
        said = [one for one in said if one.negative]
    tally = await _tally(said)
    rises = phrases.rises(tally, await usual(session, scope, watched.where, start))
    drivers = [one.driver() for one in rises if one.z >= _TELLING][:_PHRASES]
    return finding.driven_by((*drivers, *_weightiest(said), *_networks(said)))


def _weightiest(said: list[Said]) -> list[Driver]:
    ranked = sorted(said, key=lambda one: (-one.interactions, -(one.reach or 0), one.published_at, one.id))
    return [Driver(DriverKind.MENTION, str(one.id), weight=float(one.interactions)) for one in ranked[:_MENTIONS]]


def _networks(said: list[Said]) -> list[Driver]:
    counts: dict[str, int] = {}
    for one in said:
        counts[one.network] = counts.get(one.network, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Driver(DriverKind.NETWORK, name, count) for name, count in ranked[:_NETWORKS]]
