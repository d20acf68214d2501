"""What was counted: the network's own counters, and the reactions that we saw ourselves."""

from datetime import datetime

from shared.contract import Counted, Reacted
from shared.domain.listening.merge import NEVER, MentionState

_COUNTERS = ("likes", "replies", "shares", "views")


def apply_counted(state: MentionState, counted: Counted) -> None:
    """The network's newest counters; at the same moment, the greater ones."""
    values = {name: getattr(counted, name) for name in _COUNTERS if getattr(counted, name) is not None}
    standing = (state.counted_at or NEVER, sorted(state.counted.items()))
    if (counted.stamp, sorted(values.items())) <= standing:
        return
    state.counted, state.counted_at, state.noted = values, counted.stamp, True
    show_counters(state)


def show_counters(state: MentionState) -> None:
    """What a reader sees: the network's counters, else for likes the reactions that we saw ourselves."""
    shown = {name: state.counted.get(name) for name in _COUNTERS}
    if shown["likes"] is None:
        shown["likes"] = state.reactions
    for name, value in shown.items():
        if getattr(state, name) != value:
            setattr(state, name, value)
            state.dirty = True


def reaction_order(stamp: datetime, on: bool, reaction: str) -> tuple[datetime, bool, str]:
    """Of two reactions by one person the greater stands; at the same moment, the one taken back."""
    return (stamp, not on, reaction)


def reacted_order(reacted: Reacted) -> tuple[datetime, bool, str]:
    return reaction_order(reacted.stamp, reacted.on, reacted.reaction)
