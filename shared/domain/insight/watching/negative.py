"""Crisis: more negative mentions than the brand usually has, and a greater share of them among what is said.

Both are asked, one strictly and one loosely. Twice the mentions with the usual share of negative ones is a success, and
half of two mentions is no crisis; a share that trebles while the volume stays is one that the volume doesn't show.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.insight.watching.counting import Counted, Told, began, windows
from shared.domain.insight.watching.findings import Finding
from shared.domain.insight.watching.rhythm import HOUR, Rhythm
from shared.domain.insight.watching.sensitivity import Care
from shared.domain.insight.watching.tails import Expected
from shared.models.enums import AlertKind

_LOOSELY = 0.05
_SHARE_SPREAD = 0.1  # how much the share differs from day to day, as its squared coefficient of variation
_BELIEF = 10.0  # mentions' worth of belief in a share that is not known yet
_FIRST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Shares:
    """Of what was analysed before: how many mentions, and how many of them were negative."""

    analysed: int
    negative: int

    @property
    def share(self) -> float:
        return (self.negative + _BELIEF * _FIRST_SHARE) / (self.analysed + _BELIEF)


@dataclass(frozen=True, slots=True)
class Feelings:
    """The negative mentions that are counted now, and all analysed ones, in the same windows."""

    negative: Counted
    analysed: Counted


def spike(rhythm: Rhythm, feelings: Feelings, before: Shares, care: Care, told: Told | None = None) -> Finding | None:
    """`rhythm` is of the negative mentions."""
    best: tuple[float, Finding] | None = None
    for window in windows(rhythm, feelings.negative, told, fewest=care.fewest):
        if window.ratio < care.ratio:
            continue
        all_ = _seen(feelings.analysed, window.start, feelings.negative.now)
        share = _of(all_, before)
        by_share, strictly = share.at_least(window.seen), window.chance(care.alarms)
        if max(window.more, by_share) > _LOOSELY or min(window.more, by_share) > strictly:
            continue
        since = began(rhythm, feelings.negative, window)
        low, high = window.expected.usual()
        chance = min(window.more, by_share)
        finding = Finding(
            AlertKind.NEGATIVE_SPIKE, window.start, window.end, since, window.seen, window.ratio, window.expected.mean,
            low, high, chance, window.seen / max(all_, 1), before.share,
        )  # fmt: skip
        if best is None or chance * window.looks < best[0]:
            best = chance * window.looks, finding
    return best[1] if best is not None else None


def _of(all_: int, before: Shares) -> Expected:
    """How many of so many are negative where the share is as before; as a count of its own, it is somewhat too wide."""
    return Expected(all_ * before.share, _SHARE_SPREAD + 1 / max(before.share * (before.analysed + _BELIEF), 1.0))


def _seen(counted: Counted, start: datetime, now: datetime) -> int:
    length = now - start
    if length < HOUR:
        return counted.quarter
    if length == HOUR:
        return counted.hour
    return sum(hour.count for hour in counted.hours if hour.at >= start)
