"""What becomes of an effect that nobody could begin in time: the house was down, its channel stood still, all was held.

Pure: no clock, no database.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from shared.models.enums import MissedPolicy


class Fate(StrEnum):
    """Go on, late or not; call it off; put it before a person."""

    GO_ON = "go_on"
    CALL_OFF = "call_off"
    ASK = "ask"


def fate(
    policy: MissedPolicy, *, due_at: datetime, grace: timedelta, now: datetime, was_tried: bool, is_followed: bool
) -> Fate:
    """What becomes of an effect that is begun at `now`.

    One that was tried, or is begun within the brand's grace, goes on. `is_followed`: a later occurrence of the same
    recurrence has come due as well. Then this one is called off, so that a house that was away never bursts.
    """
    if was_tried or now - due_at <= grace:
        return Fate.GO_ON
    match policy:
        case MissedPolicy.FIRE:
            return Fate.CALL_OFF if is_followed else Fate.GO_ON
        case MissedPolicy.SKIP:
            return Fate.CALL_OFF
        case MissedPolicy.ASK:
            return Fate.CALL_OFF if is_followed else Fate.ASK
        case _:
            assert_never(policy)
