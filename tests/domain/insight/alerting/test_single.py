"""Single mentions: each is told once, by when it was heard, however late and whatever else is open or was closed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from shared.analysis.reading import Reading, Text
from shared.domain.insight.alerting import alerts, rules
from shared.domain.insight.watching.unfolding import APART
from shared.models import Alert, AlertRule
from shared.models.enums import AlertState, EventType
from tests.conftest import NOW
from tests.domain.insight.alerting.conftest import MINUTE, Lookout
from tests.domain.listening import words

OPENED, FOLLOWED, CLOSED = EventType.ALERT_OPENED, EventType.ALERT_FOLLOWED, EventType.ALERT_CLOSED
HOUR = timedelta(hours=1)


def read(batch: Sequence[Text]) -> list[Reading]:
    """Fire is urgent, and nothing else is."""
    readings = words.read(batch)
    urgencies = [0.95 if "fire" in (said.text or "") else 0.1 for said in batch]
    return [replace(one, urgency=urgency) for one, urgency in zip(readings, urgencies, strict=True)]


async def hear(watch: Lookout, said: datetime, heard: datetime | None = None, words: str = "fire", **more: Any) -> None:
    """A mention that was said then, and heard then or later."""
    await watch.hear(said, heard_at=heard or said, words=words, read=read, **more)


async def rule_of(watch: Lookout, kind: str = "urgent_mention", **more: Any) -> AlertRule:
    return await watch.rule(kind, **({"now": NOW - timedelta(days=30)} | more))


async def until_calm(watch: Lookout, rule: AlertRule, since: datetime) -> datetime:
    """Looks until nothing is open any more; when that was."""
    for minutes in range(1, 6 * 60, 10):
        await watch.look(rule, since + minutes * MINUTE)
        if all(one.state is AlertState.CLOSED for one in await watch.alerts()):
            return since + minutes * MINUTE
    raise AssertionError("it never closed")


def mentioned(alert: Alert) -> list[str]:
    return [one["key"] for one in alert.evidence["drivers"] if one["what"] == "mention"]


@pytest.mark.parametrize("late", [MINUTE, 3 * HOUR, 23 * HOUR])
async def test_an_urgent_mention_is_told_however_late_it_is_heard_within_a_day(
    newcomer: Lookout, late: timedelta
) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW - late, NOW)
    await newcomer.look(rule, NOW + MINUTE)
    (alert,) = await newcomer.alerts()
    assert (alert.seen, alert.since) == (1, NOW - late)
    assert await newcomer.told() == [OPENED]


async def test_what_was_a_day_old_already_when_it_was_heard_alerts_nobody(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    for days in (1.05, 2, 400):
        await hear(newcomer, NOW - timedelta(days=days), NOW, followers=90_000)
    await newcomer.look(rule, NOW + MINUTE)
    await newcomer.look(await rule_of(newcomer, "far_reaching_author"), NOW + MINUTE)
    assert await newcomer.alerts() == []


async def test_of_what_was_heard_before_the_rule_was_made_it_says_nothing(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer, now=NOW)
    await hear(newcomer, NOW - MINUTE)
    await newcomer.look(rule, NOW + MINUTE)
    assert await newcomer.alerts() == []
    await hear(newcomer, NOW - 2 * MINUTE, NOW + MINUTE)
    await newcomer.look(rule, NOW + 2 * MINUTE)
    assert await newcomer.named() == [["fire 2"]]


async def test_a_mention_that_comes_after_an_alert_closed_is_told_though_it_is_older_than_that(
    newcomer: Lookout,
) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    await newcomer.look(rule, NOW)
    closed = await until_calm(newcomer, rule, NOW)
    await hear(newcomer, NOW + MINUTE, closed + MINUTE)
    await newcomer.look(rule, closed + 2 * MINUTE)
    assert await newcomer.named() == [["fire 1"], [], ["fire 2"]]


async def test_a_mention_is_told_once_and_never_again(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    for minutes in range(0, 50 * 60, 25):
        await newcomer.look(rule, NOW + minutes * MINUTE)
    assert await newcomer.told() == [OPENED, CLOSED]


async def test_what_an_earlier_alert_told_a_later_one_tells_not_again(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    at = NOW
    for _ in range(3):
        await hear(newcomer, at)
        await newcomer.look(rule, at)
        at = await until_calm(newcomer, rule, at) + MINUTE
    assert await newcomer.named() == [["fire 1"], [], ["fire 2"], [], ["fire 3"], []]


async def test_one_that_is_committed_after_a_look_that_was_later_is_not_lost(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    await newcomer.look(rule, NOW + MINUTE)
    await hear(newcomer, NOW - MINUTE, NOW - MINUTE)
    await newcomer.look(rule, NOW + MINUTE + APART)
    assert await newcomer.named() == [["fire 1"], ["fire 2"]]


async def test_one_that_is_read_hours_after_it_was_heard_is_told_then(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    await newcomer.hear(NOW, words="fire")
    await newcomer.look(rule, NOW)
    assert await newcomer.alerts() == []
    async with newcomer.at() as (session, scope):
        await session.execute(text("UPDATE mention SET urgency = 0.9 WHERE brand_id = :b"), {"b": scope.brand_id})
    await newcomer.look(rule, NOW + 5 * HOUR)
    assert await newcomer.named() == [["fire 1"]]


async def test_a_mention_that_many_read_by_and_by_is_told_once_they_do(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer, "far_reaching_author")
    await hear(newcomer, NOW, words="calm")
    await newcomer.look(rule, NOW)
    assert await newcomer.alerts() == []
    async with newcomer.at() as (session, scope):
        await session.execute(text("UPDATE mention SET views = 40000 WHERE brand_id = :b"), {"b": scope.brand_id})
    await newcomer.look(rule, NOW + 5 * HOUR)
    await newcomer.look(rule, NOW + 6 * HOUR)
    assert await newcomer.told() == [OPENED]


async def test_a_further_mention_is_shown_at_once_and_told_after_half_an_hour(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    await newcomer.look(rule, NOW)
    await hear(newcomer, NOW + MINUTE)
    await newcomer.look(rule, NOW + 2 * MINUTE)
    (alert,) = await newcomer.alerts()
    assert (alert.seen, len(mentioned(alert))) == (2, 2)
    assert await newcomer.told() == [OPENED]
    for minutes in range(3, 120, 3):
        await newcomer.look(rule, NOW + minutes * MINUTE)
    (alert,) = await newcomer.alerts()
    assert (alert.followed_at, alert.seen, len(mentioned(alert))) == (NOW + APART, 2, 2)
    assert await newcomer.named() == [["fire 1"], ["fire 2"]]


async def test_every_further_mention_is_followed_up_however_many_there_were_before(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    for number in range(6):
        at = NOW + number * (APART + MINUTE)
        await hear(newcomer, at)
        await newcomer.look(rule, at)
    assert await newcomer.named() == [[f"fire {number}"] for number in range(1, 7)]
    assert await newcomer.told() == [OPENED, *[FOLLOWED] * 5]


async def test_a_storm_is_told_by_turns_half_an_hour_apart_and_leaves_no_mention_out(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    for minute in range(60):
        at = NOW + minute * MINUTE
        await hear(newcomer, at)
        await hear(newcomer, at - MINUTE, at)
        await newcomer.look(rule, at)
    (alert,) = await newcomer.alerts()
    assert await newcomer.told() == [OPENED, FOLLOWED]
    assert (alert.seen, len(mentioned(alert))) == (120, 20)
    await newcomer.look(rule, NOW + 2 * APART)
    assert await newcomer.told() == [OPENED, FOLLOWED, FOLLOWED]
    assert all(0 < len(some) <= 3 for some in await newcomer.named())
    await until_calm(newcomer, rule, NOW + 2 * APART)
    assert await newcomer.told() == [OPENED, FOLLOWED, FOLLOWED, CLOSED]


async def test_more_than_are_kept_by_name_are_not_told_again_either(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    for batch in range(4):
        at = NOW + batch * MINUTE
        moments = [at - timedelta(seconds=n / 10) for n in range(200)]
        await newcomer.hear(*moments, heard_at=at, words="fire", read=read)
    for minutes in range(4, 30 * 60, 40):
        await newcomer.look(rule, NOW + minutes * MINUTE)
    assert await newcomer.told() == [OPENED, CLOSED]


async def test_the_next_mention_after_a_person_closed_opens_another_alert_and_the_same_one_none(
    newcomer: Lookout,
) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    await newcomer.look(rule, NOW)
    (alert,) = await newcomer.alerts()
    async with newcomer.at(newcomer.app) as (session, scope):
        await alerts.close(session, scope, alert.id, now=NOW + MINUTE)
    await newcomer.look(rule, NOW + 2 * MINUTE)
    assert await newcomer.told() == [OPENED, CLOSED]
    await hear(newcomer, NOW, NOW + 3 * MINUTE)
    await newcomer.look(rule, NOW + 3 * MINUTE)
    assert await newcomer.named() == [["fire 1"], [], ["fire 2"]]


async def test_what_nobody_was_told_of_before_a_person_closed_is_told_by_another_alert(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    for minute in (0, 1):
        await hear(newcomer, NOW + minute * MINUTE)
        await newcomer.look(rule, NOW + minute * MINUTE)
    (alert,) = await newcomer.alerts()
    async with newcomer.at(newcomer.app) as (session, scope):
        await alerts.close(session, scope, alert.id, now=NOW + 2 * MINUTE)
    await newcomer.look(rule, NOW + 3 * MINUTE)
    assert await newcomer.named() == [["fire 1"], [], ["fire 2"]]


async def test_what_is_heard_while_the_rule_is_snoozed_is_told_after_that(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    await newcomer.look(rule, NOW)
    async with newcomer.at(newcomer.app) as (session, scope):
        await rules.snooze(session, scope, rule.id, until=NOW + 8 * HOUR, now=NOW)
    await hear(newcomer, NOW + HOUR)
    for hours in range(1, 8):
        await newcomer.look(rule, NOW + hours * HOUR)
    assert await newcomer.told() == [OPENED]
    await newcomer.look(rule, NOW + 8 * HOUR)
    assert await newcomer.named() == [["fire 1"], ["fire 2"]]


async def test_what_is_heard_while_the_rule_is_paused_is_told_after_that(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    await newcomer.look(rule, NOW)
    await newcomer.change(rule, paused=True)
    await hear(newcomer, NOW + HOUR)
    await newcomer.look(rule, NOW + HOUR)
    await newcomer.change(rule, paused=False)
    await newcomer.look(rule, NOW + 2 * HOUR)
    assert await newcomer.named() == [["fire 1"], [], ["fire 2"]]


async def test_an_alert_that_does_not_say_which_it_named_has_spoken_of_all_that_was_heard_until_then(
    newcomer: Lookout,
) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    await newcomer.look(rule, NOW)
    async with newcomer.at() as (session, scope):
        await session.execute(
            text("UPDATE alert SET course = course - 'named' WHERE brand_id = :b"), {"b": scope.brand_id}
        )
    await newcomer.look(rule, NOW + APART)
    assert await newcomer.told() == [OPENED]
    await hear(newcomer, NOW - MINUTE, NOW + APART)
    await newcomer.look(rule, NOW + APART + MINUTE)
    assert await newcomer.named() == [["fire 1"], ["fire 2"]]


async def test_a_deleted_mention_alerts_nobody(newcomer: Lookout) -> None:
    rule = await rule_of(newcomer)
    await hear(newcomer, NOW)
    async with newcomer.at() as (session, scope):
        await session.execute(
            text("UPDATE mention SET deleted_at = observed_at WHERE brand_id = :b"), {"b": scope.brand_id}
        )
    await newcomer.look(rule, NOW + MINUTE)
    assert await newcomer.alerts() == []
