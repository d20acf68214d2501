"""A calendar as both doors show it: plain values, with public ids."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any
from uuid import UUID

from services.api.context import Services
from shared.domain.publishing.planning import templates
from shared.domain.publishing.planning.calendar import BEGINNING, Calendar, Day, PostOn
from shared.domain.publishing.planning.repeats import Occurrence
from shared.ids import Prefix, typeid, typeids

Plain = dict[str, Any]
_Named = Callable[[UUID], str]


class _Known:
    """Public ids of the few that many name. A cache for each prefix: hashing a prefix costs more than looking up."""

    __slots__ = ("channel", "recurrence", "slot")

    def __init__(self) -> None:
        self.channel: _Named = cache(partial(typeid, Prefix.CHANNEL))
        self.slot: _Named = cache(partial(typeid, Prefix.SLOT))
        self.recurrence: _Named = cache(partial(typeid, Prefix.RECURRENCE))


def view(found: Calendar) -> Plain:
    """The whole of it; enumerations are their members still."""
    known = _Known()
    return {"timezone": found.timezone, "days": [_day(day, known) for day in found.days]}


def _day(day: Day, known: _Known) -> Plain:
    return {
        "date": day.date,
        "blackouts": [
            {
                "id": typeid(Prefix.BLACKOUT, one.id),
                "starts_on": one.starts_on,
                "ends_on": one.ends_on,
                "label": one.label,
            }
            for one in day.blackouts
        ],
        "posts": _posts(day.posts, known),
        "slots": [
            {
                "slot_id": known.slot(one.slot.id),
                "label": one.slot.label,
                **_when(one.occurrence),
                "channel_ids": [known.channel(id_) for id_ in one.slot.channel_ids],
            }
            for one in day.slots
        ],
        "previews": [
            {
                "recurrence_id": known.recurrence(one.recurrence.id),
                "text": one.recurrence.template["text"][:BEGINNING],
                "day": one.occurrence.on,
                **_when(one.occurrence),
                "channel_ids": [known.channel(id_) for id_ in templates.channels_of(one.recurrence)],
            }
            for one in day.previews
        ],
    }


def _posts(posts: Sequence[PostOn], known: _Known) -> list[Plain]:
    channel = known.channel
    ids = typeids(Prefix.POST, [one.id for one in posts])
    forms = iter(typeids(Prefix.VARIANT, [id_ for one in posts for id_ in one.variant_ids]))
    return [
        {
            "id": id_,
            "status": one.status,
            "text": one.text,
            "at": one.at,
            "local_time": one.local_time,
            "timezone": one.timezone,
            "slot_id": known.slot(one.slot_id) if one.slot_id is not None else None,
            "recurrence_id": known.recurrence(one.recurrence_id) if one.recurrence_id is not None else None,
            "variants": [
                {"id": next(forms), "channel_id": channel(channel_id), "status": status, "url": url}
                for channel_id, status, url in zip(one.channel_ids, one.statuses, one.urls, strict=True)
            ],
        }
        for id_, one in zip(ids, posts, strict=True)
    ]


def _when(one: Occurrence) -> Plain:
    return {"at": one.at, "local_time": one.local.isoformat(timespec="minutes"), "timezone": one.zone}


def feed_url(services: Services, token: str) -> str:
    """Where a calendar program finds the feed of this token."""
    return f"{services.settings.api_base_url}/calendar/{token}.ics"


def shaped(value: Any, made: Mapping[str, type[Any]], name: str = "") -> Any:
    """The same as objects of the types in `made`, by the name of the field that they stand in."""
    if isinstance(value, list):
        return [shaped(item, made, name) for item in value]
    if isinstance(value, dict):
        return made[name](**{key: shaped(item, made, key) for key, item in value.items()})
    return value
