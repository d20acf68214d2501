"""What is the same in all of Graph's answers: times, counters, and how a body of several things is read."""

from collections.abc import Callable, Mapping
from datetime import datetime

from shared.connectors.graph import listed, moment
from shared.connectors.meta_events import Entry, Told, Unusable, Value
from shared.connectors.meta_hooks import Tally
from shared.connectors.reading import identifier
from shared.contract import Deleted

Hear = Callable[[Entry, Value], Told]


def text(value: object) -> str | None:
    """What somebody wrote; Graph writes an empty text where a webhook has none."""
    return value or None if isinstance(value, str) else None


def amount(value: object) -> int | None:
    """A counter; None where it is not told."""
    return value if type(value) is int and 0 <= value < 2**63 else None


def total(edge: object) -> int | None:
    """The counter in an edge's summary, or beside it."""
    if not isinstance(edge, Mapping):
        return None
    summary = edge.get("summary")
    counted = summary.get("total_count") if isinstance(summary, Mapping) else None
    return amount(counted if counted is not None else edge.get("total_count", edge.get("count")))


def oldest(items: list[Value], field: str) -> datetime | None:
    """The earliest time among these things."""
    return min((found for item in items if (found := moment(item.get(field))) is not None), default=None)


def needed_id(value: Value, what: str) -> str:
    """The id of a thing. Raises Unusable."""
    found = identifier(value.get("id"))
    if found is None:
        raise Unusable(f"a {what} needs an id", "id")
    return found


def hear_each(tally: Tally, place: Entry, items: object, hear: Hear, *path: str | int) -> None:
    """Hear every thing of a list; a bad one is a problem and takes no neighbour with it."""
    if not isinstance(items, list):
        tally.wrong("data is a list", *path)
        return
    for index, item in enumerate(items):
        hear_one(tally, place, item, hear, *path, index)


def hear_one(tally: Tally, place: Entry, item: object, hear: Hear, *path: str | int) -> None:
    """Hear one thing, if it is one."""
    if not isinstance(item, Mapping):
        tally.wrong("this is no object", *path)
        return
    try:
        tally.add(hear(place, item))
    except Unusable as error:
        tally.wrong(error.message, *path, *error.path)


def hear_inner(place: Entry, edge: object, hear: Hear) -> Told:
    """What is told of an edge along with its thing. Bad things in it are told as passed over."""
    told: Told = []
    for item in listed(edge):
        try:
            told += hear(place, item)
        except Unusable as error:
            told.append(f"a thing inside another was unusable: {error.message}")
    return told


def hear_looked(tally: Tally, place: Entry, value: Value, hear: Hear) -> None:
    """What was looked at again: what is shown, and what is gone."""
    shown, gone = value.get("shown"), value.get("gone")
    for external_id, item in shown.items() if isinstance(shown, Mapping) else ():
        hear_one(tally, place, item, hear, "shown", external_id)
    known = [identifier(one) for one in gone] if isinstance(gone, list) else []
    tally.heard += [Deleted(one, place.stamp) for one in known if one is not None]
