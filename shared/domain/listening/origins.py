"""Where settled arrivals came from, for those who follow one on its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Session, driver
from shared.models.enums import ArrivalSource


@dataclass(frozen=True, slots=True)
class Origin:
    """An arrival, and the delivery that it is part of: itself, unless it was cut out of an app's."""

    id: UUID
    delivery_id: UUID
    source: ArrivalSource
    network: str
    state: str
    received_at: datetime

    @property
    def came_by_door(self) -> bool:
        return self.source in {ArrivalSource.WEBHOOK, ArrivalSource.PART}


async def of(session: Session, ids: Sequence[UUID]) -> list[Origin]:
    """The origins of these arrivals, over all brands; for the worker's role."""
    rows = await (await driver(session)).fetch(
        "SELECT id, coalesce(part_of, id) AS delivery_id, source, network, state, received_at FROM arrival"
        " WHERE id = ANY ($1)",
        list(ids),
    )
    return [
        Origin(row["id"], row["delivery_id"], ArrivalSource(row["source"]), row["network"], row["state"],
               row["received_at"])
        for row in rows
    ]  # fmt: skip
