"""How easily a rule speaks: the false alarms a week that are put up with, and what is too little to speak of."""

from dataclasses import dataclass

from shared.models.enums import AlertSensitivity


@dataclass(frozen=True, slots=True)
class Care:
    """What a sensitivity means. Shares are of one rule, before anything has happened.

    `alarms`: false alarms a week, as the chances are worked out. `ratio`: how many times what is expected must be seen.
    `fewest`: mentions, below which nothing is a spike. `urgency`: from 0 to 1, from which on one mention is enough.
    `copies`, `voices`: how often the same is said, and by how many, until it is a campaign.
    """

    alarms: float
    ratio: float
    fewest: int
    urgency: float
    copies: int
    voices: int


CARES = {
    AlertSensitivity.LOW: Care(alarms=0.02, ratio=3.0, fewest=10, urgency=0.9, copies=20, voices=8),
    AlertSensitivity.MEDIUM: Care(alarms=0.1, ratio=2.0, fewest=5, urgency=0.8, copies=10, voices=5),
    AlertSensitivity.HIGH: Care(alarms=0.5, ratio=1.5, fewest=3, urgency=0.7, copies=5, voices=3),
}
