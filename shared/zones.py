"""The zones that people may name: those whose rules are installed, and mean the same on every machine."""

from zoneinfo import available_timezones

# What the machine itself is set to, and what it is before anybody has set it.
_OF_THE_MACHINE = frozenset({"localtime", "Factory"})


def known() -> frozenset[str]:
    """Their names, read from the disk at each call."""
    return frozenset(available_timezones()) - _OF_THE_MACHINE
