"""Reading anew what another model has read, or none: a batch a turn, over all that was said on a channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.analysis.calibration import shifted
from shared.analysis.reading import Text
from shared.db import Session, driver
from shared.domain.brands import audit
from shared.domain.listening import backfills, calibrations, readings, record
from shared.domain.listening.ears import Ears
from shared.domain.listening.merge import MentionState
from shared.domain.listening.readings import Readings
from shared.domain.scope import Scope
from shared.errors import Conflict, NotFound
from shared.ids import Prefix, typeid
from shared.models.channel import Channel
from shared.models.enums import GrantRole, KeyScope, MentionKind, Network, OperationKind, OperationStatus
from shared.models.operation import Operation
from shared.models.turn import DueOperation

AT_ONCE = 500
EVER = datetime(1970, 1, 1, tzinfo=UTC)
LANE = "reading"  # of no network: it holds nobody up who waits for one


@dataclass(frozen=True, slots=True)
class Stale:
    """A mention that the model which reads now has not read."""

    id: UUID
    key: UUID
    text: Text


async def start(session: Session, scope: Scope, channel_id: UUID, *, since: datetime, now: datetime) -> Operation:
    """Begin to read anew what was published on the channel from `since` on, and is not read by the model of now.

    Raises NotFound, and Conflict where that is under way.
    """
    scope.require(KeyScope.CHANNELS, GrantRole.EDITOR)
    channel = await session.get(Channel, (scope.brand_id, channel_id), with_for_update=True)
    if channel is None:
        raise NotFound(f"there is no channel with the id {typeid(Prefix.CHANNEL, channel_id)!r}")
    under_way = await backfills.unfinished(session, scope, channel_id, OperationKind.READING)
    if under_way is not None:
        message = f"this channel is already read anew, by {typeid(Prefix.OPERATION, under_way.id)}"
        raise Conflict(message, code="already_running")
    made = Operation(
        brand_id=scope.brand_id, kind=OperationKind.READING, channel_id=channel_id, since=since, created_at=now
    )
    session.add(made)
    await session.flush()
    session.add(
        DueOperation(operation_id=made.id, brand_id=scope.brand_id, channel_id=channel_id, lane=LANE, due_at=now)
    )
    await session.flush()
    await audit.add(session, scope, "channel.reread", typeid(Prefix.CHANNEL, channel_id))
    return made


async def stale(session: Session, scope: Scope, operation: Operation, *, version: str) -> list[Stale]:
    """The next mentions that are not read by this version of the model and the brand's calibration, in the order of
    their ids, at most 500."""
    version = (await calibrations.of(session, scope.brand_id)).named(version)
    rows = await (await driver(session)).fetch(
        "SELECT id, key, text, said_language, kind, network FROM mention"
        " WHERE brand_id = $1 AND id > $2 AND channel_id = $3 AND published_at >= $4 AND heard AND deleted_at IS NULL"
        " AND text <> '' AND read_by IS DISTINCT FROM $5 ORDER BY id LIMIT $6",
        scope.brand_id,
        UUID(operation.cursor) if operation.cursor else UUID(int=0),
        operation.channel_id,
        operation.since,
        version,
        AT_ONCE,
    )
    return [
        Stale(
            row["id"],
            row["key"],
            readings.text_as(row["text"], row["said_language"], MentionKind(row["kind"]), Network(row["network"])),
        )
        for row in rows
    ]


async def advance(
    session: Session,
    scope: Scope,
    operation: Operation,
    found: Sequence[Stale],
    read: Readings,
    *,
    ears: Ears,
    now: datetime,
) -> Operation | None:
    """Let a batch's readings stand, and the operation go on behind it; after the last one it has succeeded.

    What changed meanwhile is read as it now is. None where the operation was called off, or somebody else has brought
    this batch.
    """
    held = await backfills.held(session, scope, operation.id)
    if held is None or held.is_over or held.cursor != operation.cursor:
        return None

    shift = await calibrations.of(session, scope.brand_id)

    def change(state: MentionState) -> None:
        text = readings.text_of(state)
        if text is not None:
            held.mentions += 1
            held.changed += readings.take_anew(state, shifted(read.of([text])[0], shift))

    if found:
        await record.rewrite(session, scope, [one.key for one in found], change, now=now, ears=ears)
        held.cursor = str(found[-1].id)
    held.pages += 1
    held.version += 1
    if len(found) < AT_ONCE:
        backfills.end(held, OperationStatus.SUCCEEDED, now)
    await session.flush()
    return held
