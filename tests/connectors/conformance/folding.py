"""What stands at the end of everything that was heard, by the house's own rules for merging it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

from shared.contract import Counted, Deleted, Heard, Hidden, RawPart, Reacted, Said
from shared.domain.listening import border, counters, merge
from shared.domain.listening.merge import MentionState
from shared.models.enums import Network
from tests.connectors.conformance.specimen import NOW, Event, Specimen

_CHANNEL = UUID(int=1)
_SHOWN = (
    "heard", "kind", "visibility", "url", "text", "said_language", "media", "rating", "author_kind", "published_at",
    "edited_at", "deleted_at", "hidden_at", "parent_external_id", "likes", "replies", "shares", "views",
)  # fmt: skip


def fold(network: Network, facts: Iterable[Heard]) -> dict[str, Any]:
    """The state of each mention, and the reactions that stand."""
    states: dict[str, MentionState] = {}
    reactions: dict[tuple[str, str], tuple[Any, ...]] = {}
    for fact in facts:
        if isinstance(fact, Reacted):
            key = fact.external_id, fact.actor_external_id
            order = counters.reacted_order(fact)
            reactions[key] = max(order, reactions.get(key, order))
            continue
        key_ = merge.thing_key(network, "", fact.external_id)
        state = states.setdefault(
            fact.external_id,
            MentionState(uuid5(key_, "id"), key_, network, fact.external_id, _CHANNEL, fact.stamp, NOW),
        )
        _apply(state, fact)
    told = {one: tuple(getattr(state, name) for name in _SHOWN) for one, state in states.items()}
    return {"mentions": told, "reactions": reactions}


def _apply(state: MentionState, fact: Said | Deleted | Hidden | Counted) -> None:
    match fact:
        case Said():
            said = border.at_the_border(fact)
            parent = said.parent_external_id
            merge.apply_said(
                state, said, author_id=None, author_keys={}, channel_id=_CHANNEL, now=NOW,
                parent_key=None if parent is None else merge.thing_key(state.network, "", parent),
            )  # fmt: skip
        case Deleted():
            merge.apply_deleted(state, fact)
        case Hidden():
            merge.apply_hidden(state, fact)
        case Counted():
            counters.apply_counted(state, fact)


def texts(network: Network, facts: Iterable[Heard]) -> dict[str, str | None]:
    """The text that stands of each mention that was said; None where it is deleted."""
    found = fold(network, facts)["mentions"]
    return {one: shown[_SHOWN.index("text")] for one, shown in found.items()}


def part(specimen: Specimen, *events: Event) -> RawPart:
    """A payload that tells these, received when the last of them happened."""
    written = specimen.write(events)
    return RawPart(specimen.channel, written.body, events[-1].at, written.headers)


def hear(specimen: Specimen, *events: Event) -> tuple[Heard, ...]:
    """The facts in a payload that tells these, without problems."""
    parsed = specimen.connector.parse(part(specimen, *events))
    assert parsed.problems == ()
    return parsed.heard
