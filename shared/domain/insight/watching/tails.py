"""How unusual a count is: tails of the negative binomial distribution, of which Poisson's is the limit.

A count with mean m and spread s has variance m + s m²; s is the squared coefficient of variation of its rate. Its tails
are regularized incomplete beta functions (Abramowitz & Stegun 26.5.26), by Lentz's continued fraction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p

_NARROWEST = 1e-4  # a smaller spread tells no difference, and takes ever longer
_TINY = 1e-300
_ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class Expected:
    """A count that is awaited: its mean, and the relative variance of its rate."""

    mean: float
    spread: float

    def at_least(self, count: int) -> float:
        """The chance of `count` or more."""
        if count <= 0:
            return 1.0
        if self.mean <= 0:
            return 0.0
        size, share = self._shape()
        return _beta(share, float(count), size)

    def at_most(self, count: int) -> float:
        """The chance of `count` or fewer."""
        if count < 0:
            return 0.0
        if self.mean <= 0:
            return 1.0
        size, share = self._shape()
        return _beta(1 - share, size, count + 1.0)

    def least_unlikely(self, chance: float) -> int:
        """The least count that comes, or is surpassed, with at most this chance."""
        return _first(lambda count: self.at_least(count) <= chance, int(self.mean))

    def usual(self, chance: float = 0.05) -> tuple[int, int]:
        """The counts within which it stays, but for half of `chance` on each side."""
        low = _first(lambda count: self.at_most(count) > chance / 2, 0)
        return low, max(low, self.least_unlikely(chance / 2) - 1)

    def _shape(self) -> tuple[float, float]:
        size = 1 / max(self.spread, _NARROWEST)
        return size, self.mean / (size + self.mean)


def _first(holds: Callable[[int], bool], start: int) -> int:
    """The first count from `start` on for which it holds, as it then does for all later ones."""
    if holds(start):
        return start
    step = 1
    while not holds(start + step):
        start, step = start + step, step * 2
    low, high = start, start + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return min(1.0, front * _fraction(x, a, b) / a)
    return max(0.0, 1 - front * _fraction(1 - x, b, a) / b)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of Abramowitz & Stegun 26.5.8, by Lentz's method as Thompson and Barnett changed it."""
    c, d = 1.0, _nonzero(1 - (a + b) * x / (a + 1))
    d = 1 / d
    result, before = d, inf
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            result *= c * d
        if abs(result - before) <= 1e-12 * abs(result):
            break
        before = result
    return result


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
