"""The scheduler watches: schedulers side by side tell of a storm once, and one rule that breaks stops no other."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from shared.models.enums import EventType, NotificationKind
from tests.domain.insight.alerting.conftest import Lookout, lookout
from tests.domain.notifying.conftest import Desk
from tests.services.scheduler.conftest import Yard, until

__all__ = ["lookout"]


async def test_a_storm_is_told_once_by_two_schedulers(yard: Yard, desk: Desk, lookout: Lookout) -> None:
    await _move_to_now(lookout)
    async with yard.scheduler(), yard.scheduler():
        await lookout.rule(now=datetime.now(UTC))

        async def is_told() -> bool:
            return NotificationKind.ALERT_OPENED in await desk.told()

        await until(is_told)
    assert await lookout.told() == [EventType.ALERT_OPENED]
    assert (await desk.told()).count(NotificationKind.ALERT_OPENED) == 1
    due_at = await lookout.due_at()
    assert due_at is not None
    assert due_at > datetime.now(UTC)


async def test_a_rule_that_cannot_be_looked_at_stops_no_other(yard: Yard, lookout: Lookout) -> None:
    await _move_to_now(lookout)
    broken = await lookout.rule(now=datetime.now(UTC))
    async with lookout.at() as (session, scope):
        await session.execute(
            text("""UPDATE alert_rule SET "where" = '{"networks": ["smoke"]}' WHERE brand_id = :b AND id = :i"""),
            {"b": scope.brand_id, "i": broken.id},
        )
    await lookout.rule(now=datetime.now(UTC))
    async with yard.scheduler():

        async def is_told() -> bool:
            return bool(await lookout.told())

        await until(is_told)


async def _move_to_now(lookout: Lookout) -> None:
    """The brand has been watched until now, and there is a storm."""
    now = datetime.now(UTC)
    await lookout.storm(now - timedelta(seconds=5), count=80)
