"""Rules of every kind at work, so that everything that they say to PostgreSQL is said once."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from services.ingest import handlers
from services.scheduler.house import House as SchedulersHouse
from services.scheduler.watching import Watching
from shared.ids import Prefix
from shared.models.enums import AlertKind
from tests.tenancy.tenants import Tenant, World


async def watch(world: World, tenant: Tenant, scheduler: SchedulersHouse) -> None:
    """Rules of each kind look at a storm, at what follows it, and at what is left of it; one of them is taken away."""
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}/alert-rules"
    for kind in AlertKind:
        for where in ({}, {"networks": ["generic"]}):
            body = {"name": kind.value, "kind": kind.value, "sensitivity": "high", "where": where}
            more = {"hold_posts": True} if kind is AlertKind.COPIES else {}
            answer = await world.api.post(place, json=body | more, headers=tenant.headers)
            assert answer.status_code == 201, answer.text
    # What was said before a rule was made is not its business.
    await world.eye.execute("UPDATE alert_rule SET created_at = created_at - interval '1 day'")
    now = datetime.now(UTC)
    mentions = [
        {"id": f"storm-{n}", "kind": "comment", "text": f"everybody says that the lanterns went out {n}",
         "published_at": (now - timedelta(seconds=n)).isoformat(), "author": {"id": f"u-{n}"}}
        for n in range(40)
    ]  # fmt: skip
    answer = await world.door.knock(tenant.channels[0], json.dumps({"mentions": mentions}).encode())
    assert answer.status_code == 200, answer.text
    await handlers.drain(world.worker)
    for hours in (0, 1, 26):
        at = now + timedelta(hours=hours, minutes=1)
        await Watching(replace(scheduler, clock=partial(_always, at))).round()
        if hours == 0:
            assert await world.eye.fetchval("SELECT count(*) FROM alert WHERE seen >= 40 AND closed_at IS NULL")
    assert await world.eye.fetchval("SELECT count(*) FROM alert WHERE closed_at IS NOT NULL")
    await world.eye.execute("UPDATE alert_rule SET removed_at = now()")
    await Watching(replace(scheduler, clock=partial(_always, now + timedelta(hours=27)))).round()
    assert await world.eye.fetchval("SELECT count(*) FROM due_alert") == 0
    await world.eye.execute("UPDATE alert_rule SET removed_at = NULL")
    await _release(world, tenant)


def _always(at: datetime) -> datetime:
    return at


async def _release(world: World, tenant: Tenant) -> None:
    place = f"/v1/brands/{tenant.id(Prefix.BRAND)}/hold/release"
    answer = await world.api.post(place, json={"missed": "ask"}, headers=tenant.headers)
    assert answer.status_code == 200, answer.text
