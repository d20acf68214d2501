"""What single mentions can be: urgent, from somebody far-reaching, or the same from many."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import regex

from shared.domain.insight.watching.findings import Driver, DriverKind, Finding
from shared.domain.insight.watching.sensitivity import Care
from shared.models.enums import AlertKind

REACH = 10_000  # views or followers, from which on an author is far-reaching where a rule says nothing
COPIED = timedelta(hours=6)
_SHORTEST = 25  # letters and spaces of a text that a campaign would have
_LONGEST = 4000
_DRIVERS = 5
_NAMED, _AUTHORS = 20, 10  # of what is told by itself
_NO_WORDS = regex.compile(r"https?://\S+|www\.\S+|@[\p{L}\p{N}_.@-]+|[^\p{L}]+")


@dataclass(frozen=True, slots=True)
class Said:
    """A mention as it is looked at here. None: not known, or not analysed."""

    id: UUID
    published_at: datetime
    observed_at: datetime
    author_id: UUID | None = None
    text: str = ""
    network: str = ""
    urgency: float | None = None
    reach: int | None = None
    negative: bool | None = None
    interactions: int = 0
    cluster: UUID | None = None


def urgent(said: Sequence[Said], care: Care, *, now: datetime) -> Finding | None:
    """A mention that is urgent enough, the most urgent first; `weight` is how many there are."""
    found = sorted(
        (one for one in said if one.urgency is not None and one.urgency >= care.urgency),
        key=lambda one: (-(one.urgency or 0), one.published_at),
    )
    if not found:
        return None
    drivers = tuple(Driver(DriverKind.MENTION, str(one.id), weight=one.urgency or 0) for one in found[:_NAMED])
    return _alone(AlertKind.URGENT_MENTION, found, now, drivers)


def far_reaching(said: Sequence[Said], reach: int, *, now: datetime) -> Finding | None:
    """Somebody whom at least `reach` people read, the widest read first; `weight` is how many mentions of such."""
    found = sorted(
        (one for one in said if one.reach is not None and one.reach >= reach),
        key=lambda one: (-(one.reach or 0), one.published_at),
    )
    if not found:
        return None
    authors = {one.author_id: one for one in reversed(found) if one.author_id is not None}
    ranked = sorted(authors.values(), key=lambda one: -(one.reach or 0))[:_AUTHORS]
    drivers = [Driver(DriverKind.MENTION, str(one.id), weight=float(one.reach or 0)) for one in found[:_NAMED]]
    drivers += [Driver(DriverKind.AUTHOR, str(one.author_id), weight=float(one.reach or 0)) for one in ranked]
    return _alone(AlertKind.FAR_REACHING_AUTHOR, found, now, tuple(drivers))


def copies(said: Sequence[Said], care: Care, *, start: datetime, end: datetime) -> Finding | None:
    """The same from many, more often and by more people than a rule puts up with; `weight` is how often.

    The same, exactly or nearly, is of one cluster. What is too short to be a campaign is left out.
    """
    clusters: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        if one.cluster is not None and len(_NO_WORDS.sub(" ", one.text[:_LONGEST]).strip()) >= _SHORTEST:
            clusters[str(one.cluster)].append(one)
    found = {
        name: ones
        for name, ones in clusters.items()
        if len(ones) >= care.copies and len({one.author_id for one in ones}) >= care.voices
    }
    if not found:
        return None
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    drivers = [Driver(DriverKind.COPIES, name, len(ones)) for name, ones in ranked[:_DRIVERS]]
    drivers += [Driver(DriverKind.MENTION, str(min(ones, key=_when).id), len(ones)) for _, ones in ranked[:_DRIVERS]]
    everything = [one for _, ones in ranked for one in ones]
    return _of(AlertKind.COPIES, everything, start, end, tuple(drivers))


def joined(fresh: Finding, before: Sequence[Driver], count: float, since: datetime | None) -> Finding:
    """What is new of an alert, with what it spoke of already: `count` mentions, the first of them from `since` on, of
    which `before` are kept as its drivers. What is new comes first."""
    new = {(one.what, one.key) for one in fresh.drivers}
    drivers = [*fresh.drivers, *(one for one in before if (one.what, one.key) not in new)]
    kept = [
        one
        for what, most in ((DriverKind.MENTION, _NAMED), (DriverKind.AUTHOR, _AUTHORS))
        for one in [each for each in drivers if each.what is what][:most]
    ]
    first = fresh.since if since is None else min(fresh.since, since)
    return replace(
        fresh, start=first, since=first, seen=count + fresh.seen, weight=count + fresh.weight, drivers=tuple(kept)
    )


def _when(one: Said) -> tuple[datetime, UUID]:
    return one.published_at, one.id


def _alone(kind: AlertKind, found: Sequence[Said], now: datetime, drivers: tuple[Driver, ...]) -> Finding:
    """What is told by itself, from its publication on; a network's clock may be ahead of ours."""
    since = min(now, *(one.published_at for one in found))
    return Finding(kind, since, now, since, len(found), float(len(found)), drivers=drivers)


def _of(kind: AlertKind, found: Sequence[Said], start: datetime, end: datetime, drivers: tuple[Driver, ...]) -> Finding:
    since = min(one.published_at for one in found)
    return Finding(kind, start, end, since, len(found), float(len(found)), drivers=drivers)
