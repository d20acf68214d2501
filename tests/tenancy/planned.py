"""When a tenant speaks."""

from uuid import UUID

import httpx

from shared.ids import Prefix, typeid


async def plan(api: httpx.AsyncClient, brand_id: UUID, channel_id: UUID, headers: dict[str, str], name: str) -> None:
    """When the tenant speaks: two slots, days of silence, two recurrences, two feeds of the calendar."""
    place = f"/v1/brands/{typeid(Prefix.BRAND, brand_id)}"
    recurring = {"text": f"{name} comes again", "rule": "FREQ=DAILY;COUNT=300", "local_time": "10:00",
        "channel_ids": [typeid(Prefix.CHANNEL, channel_id)]}  # fmt: skip
    for where, body in (
        ("slots", {"weekday": "monday", "local_time": "10:00", "label": f"{name} monday"}),
        ("slots", {"weekday": "friday", "local_time": "10:00", "label": f"{name} friday"}),
        ("blackouts", {"starts_on": "2026-11-20", "label": f"{name} silence"}),
        ("recurrences", {**recurring, "starts_on": "2027-02-01"}),
        ("recurrences", {**recurring, "starts_on": "2027-02-01"}),
        ("calendar/feeds", {"label": f"{name} phone"}),
        ("calendar/feeds", {"label": f"{name} desk"}),
    ):
        answer = await api.post(f"{place}/{where}", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
