"""Whom a brand's events concern, and by which ways each of them wants to be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from shared.db import Session, driver
from shared.domain.notifying import kinds
from shared.domain.notifying.timing import Window, Wishes
from shared.domain.scope import Scope
from shared.models.enums import Digest, GrantRole, NotificationKind, NotificationWay

_RANK = {role: rank for rank, role in enumerate(reversed(GrantRole))}
_PEOPLE = """
SELECT user_id, organization_id, role, language, has_email, timezone, quiet::text AS quiet, urgent_breaks_through,
       digest, digest_time, digest_day, preferences::text AS preferences
  FROM parvis.people_of($1)
"""
Choice = tuple[NotificationKind, NotificationWay]


@dataclass(slots=True)
class Person:
    """A user who may see the brand, through these organizations. A choice for the brand goes before one for all."""

    user_id: UUID
    role: GrantRole
    organizations: set[UUID]
    language: str | None
    has_email: bool
    wishes: Wishes
    for_all: dict[Choice, bool] = field(default_factory=dict)
    for_brand: dict[Choice, bool] = field(default_factory=dict)

    def wants(self, kind: NotificationKind, way: NotificationWay) -> bool:
        """Whether this person is told of this kind by this way."""
        chosen = self.for_brand.get((kind, way), self.for_all.get((kind, way)))
        if chosen is not None:
            return chosen
        return by_habit(self.role, kind, way)


def by_habit(role: GrantRole, kind: NotificationKind, way: NotificationWay) -> bool:
    """What holds where somebody in this role has said nothing."""
    habit = kinds.HABITS[kind]
    return way in habit.ways and _RANK[role] >= _RANK[habit.role]


async def of_brand(session: Session, scope: Scope, *, zone: ZoneInfo) -> list[Person]:
    """Everybody who may see the brand; for the worker's role. `zone` holds for who has chosen none."""
    rows = await (await driver(session)).fetch(_PEOPLE, scope.brand_id)
    found: dict[UUID, Person] = {}
    for row in rows:
        role = GrantRole(row["role"])
        known = found.get(row["user_id"])
        if known is not None:
            known.organizations.add(row["organization_id"])
            known.role = max(known.role, role, key=_RANK.__getitem__)
            continue
        person = Person(
            row["user_id"], role, {row["organization_id"]}, row["language"], row["has_email"], _wishes(row, zone)
        )
        for kind, way, is_for_brand, is_on in orjson.loads(row["preferences"]):
            chosen = person.for_brand if is_for_brand else person.for_all
            chosen[NotificationKind(kind), NotificationWay(way)] = is_on
        found[person.user_id] = person
    return list(found.values())


def _wishes(row: Mapping[str, Any], zone: ZoneInfo) -> Wishes:
    if row["digest"] is None:
        return Wishes(zone)
    return Wishes(
        ZoneInfo(row["timezone"]) if row["timezone"] else zone,
        windows(orjson.loads(row["quiet"])),
        row["urgent_breaks_through"],
        Digest(row["digest"]),
        time.fromisoformat(row["digest_time"]),
        row["digest_day"],
    )


def windows(quiet: list[dict[str, Any]]) -> list[Window]:
    """Quiet hours as they are kept."""
    return [
        Window(frozenset(one["days"]), time.fromisoformat(one["from"]), time.fromisoformat(one["to"])) for one in quiet
    ]
