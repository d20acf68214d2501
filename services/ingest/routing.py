"""What comes by an app's hook speaks for several channels: it is cut."""

from collections.abc import Sequence
from datetime import datetime

from services.ingest import reading
from shared.connectors.registry import connector
from shared.contract import Part, RawArrival
from shared.db import Session
from shared.domain.listening import inbox
from shared.domain.listening.inbox import Claimed, Settled, Target
from shared.errors import BadPayload
from shared.models.enums import ArrivalState


async def route(session: Session, claimed: Sequence[Claimed], *, now: datetime) -> list[Settled]:
    """Cut deliveries to an app's hook into one arrival a channel; the next round of the drain settles those."""
    bodies = await inbox.bodies(session, [one.id for one in claimed])
    settled = []
    for one in claimed:
        raw = bodies.get(one.id)
        if raw is None:
            continue
        try:
            parts = connector(one.network).route(RawArrival("", raw.body, one.stamp))
        except BadPayload as error:
            settled.append(reading.settled(one, error, {}, []))
            continue
        settled.append(await _cut(session, one, parts))
    await inbox.settle(session, settled, now=now)
    return settled


async def _cut(session: Session, one: Claimed, parts: Sequence[Part]) -> Settled:
    targets = await inbox.targets(session, one, [part.channel_external_id for part in parts])
    claimed_parts: list[tuple[Part, Target]] = []
    ignored = []
    for part in parts:
        found = targets.get(part.channel_external_id, [])
        claimed_parts += [(part, target) for target in found]
        if not found:
            ignored.append(
                {"reason": f"no channel that knows this app's key goes by the id {part.channel_external_id[:200]}"}
            )
    if claimed_parts:
        await inbox.cut(session, one, claimed_parts)
    state = ArrivalState.SETTLED if claimed_parts else ArrivalState.IGNORED
    return Settled(one.id, state, ignored=ignored, unattributed=bool(ignored))
