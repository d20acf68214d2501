"""A calendar as both doors show it: plain values, with public ids."""

from collections.abc import Mapping
from typing import Any

from services.api.context import Services
from shared.domain.publishing import recurrences
from shared.domain.publishing.calendar import BEGINNING, Calendar, Day, PostOn
from shared.domain.publishing.repeats import Occurrence
from shared.ids import Prefix, typeid

Plain = dict[str, Any]


def view(found: Calendar) -> Plain:
    """The whole of it; enumerations are their members still."""
    return {"timezone": found.timezone, "days": [_day(day) for day in found.days]}


def _day(day: Day) -> Plain:
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
        "posts": [_post(one) for one in day.posts],
        "slots": [
            {
                "slot_id": typeid(Prefix.SLOT, one.slot.id),
                "label": one.slot.label,
                **_when(one.occurrence),
                "channel_ids": [typeid(Prefix.CHANNEL, id_) for id_ in one.slot.channel_ids],
            }
            for one in day.slots
        ],
        "previews": [
            {
                "recurrence_id": typeid(Prefix.RECURRENCE, one.recurrence.id),
                "text": one.recurrence.template["text"][:BEGINNING],
                "day": one.occurrence.on,
                **_when(one.occurrence),
                "channel_ids": [typeid(Prefix.CHANNEL, id_) for id_ in recurrences.channels_of(one.recurrence)],
            }
            for one in day.previews
        ],
    }


def _post(one: PostOn) -> Plain:
    return {
        "id": typeid(Prefix.POST, one.id),
        "status": one.status,
        "text": one.text,
        "at": one.at,
        "local_time": one.local_time,
        "timezone": one.timezone,
        "slot_id": typeid(Prefix.SLOT, one.slot_id) if one.slot_id is not None else None,
        "recurrence_id": typeid(Prefix.RECURRENCE, one.recurrence_id) if one.recurrence_id is not None else None,
        "variants": [
            {
                "id": typeid(Prefix.VARIANT, form.id),
                "channel_id": typeid(Prefix.CHANNEL, form.channel_id),
                "status": form.status,
                "url": form.url,
            }
            for form in one.variants
        ],
    }


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
