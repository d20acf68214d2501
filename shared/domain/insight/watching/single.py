"""What single mentions can be: urgent, from somebody far-reaching, or the same from many."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
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
_NO_WORDS = regex.compile(r"https?://\S+|www\.\S+|@[\p{L}\p{N}_.@-]+|[^\p{L}]+")


@dataclass(frozen=True, slots=True)
class Said:
    """A mention as it is looked at here. None: not known, or not analysed."""

    id: UUID
    published_at: datetime
    author_id: UUID | None = None
    text: str = ""
    network: str = ""
    urgency: float | None = None
    reach: int | None = None
    negative: bool | None = None
    interactions: int = 0
    cluster: UUID | None = None


def urgent(said: Sequence[Said], care: Care, *, start: datetime, end: datetime) -> Finding | None:
    """A mention that is urgent enough; `weight` is how many there are."""
    found = sorted(
        (one for one in said if one.urgency is not None and one.urgency >= care.urgency),
        key=lambda one: (-(one.urgency or 0), one.published_at),
    )
    if not found:
        return None
    drivers = tuple(Driver(DriverKind.MENTION, str(one.id), weight=one.urgency or 0) for one in found[:_DRIVERS])
    return _of(AlertKind.URGENT_MENTION, found, start, end, drivers)


def far_reaching(said: Sequence[Said], reach: int, *, start: datetime, end: datetime) -> Finding | None:
    """Somebody whom at least `reach` people read; `weight` is how many such there are."""
    found = sorted(
        (one for one in said if one.reach is not None and one.reach >= reach),
        key=lambda one: (-(one.reach or 0), one.published_at),
    )
    if not found:
        return None
    authors = {one.author_id: one for one in reversed(found) if one.author_id is not None}
    drivers = [Driver(DriverKind.MENTION, str(one.id), weight=float(one.reach or 0)) for one in found[:_DRIVERS]]
    drivers += [Driver(DriverKind.AUTHOR, str(one.author_id), weight=float(one.reach or 0)) for one in authors.values()]
    return _of(AlertKind.FAR_REACHING_AUTHOR, found, start, end, tuple(drivers[: 2 * _DRIVERS]))


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


def _when(one: Said) -> tuple[datetime, UUID]:
    return one.published_at, one.id


def _of(kind: AlertKind, found: Sequence[Said], start: datetime, end: datetime, drivers: tuple[Driver, ...]) -> Finding:
    since = min(one.published_at for one in found)
    return Finding(kind, start, end, since, len(found), float(len(found)), drivers=drivers)
