"""The zones that people may name: those whose rules are installed, and mean the same on every machine."""

from functools import cache
from zoneinfo import available_timezones

# What the machine itself is set to, and what it is before anybody has set it.
_OF_THE_MACHINE = frozenset({"localtime", "Factory"})


@cache
def known() -> frozenset[str]:
    """Their names, read from the disk once: `known.cache_clear()` where rules may have been installed meanwhile."""
    return frozenset(available_timezones()) - _OF_THE_MACHINE
