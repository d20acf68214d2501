"""How long to wait before asking again what did not answer."""

import random
from datetime import timedelta

LONGEST = timedelta(hours=1)
_SHORTEST_ASKED, _LONGEST_ASKED = timedelta(seconds=1), timedelta(days=1)
_SPREAD = 0.2


def spread(wait: timedelta, by: float = _SPREAD) -> timedelta:
    """About `wait`: what began together does not come back together."""
    return wait * random.uniform(1 - by, 1 + by)


def asked(wait: timedelta) -> timedelta:
    """A wait that a network asks for, between a second and a day: nobody is left alone for ever because it says so."""
    return min(max(wait, _SHORTEST_ASKED), _LONGEST_ASKED)


def growing(first: timedelta, failures: int, longest: timedelta = LONGEST) -> timedelta:
    """About `first` after one failure, twice as long after each more, up to `longest`."""
    return spread(min(first * 2 ** min(max(failures - 1, 0), 20), longest))
