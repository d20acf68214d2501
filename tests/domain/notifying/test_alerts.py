"""What is told of alerts: the rule, the counts, since when, and the phrases that drive it."""

from shared.domain.notifying import words
from shared.ids import Prefix
from shared.models.enums import NotificationKind
from tests.conftest import NOW
from tests.domain.insight.alerting.conftest import Lookout, lookout
from tests.domain.notifying.conftest import Desk, desk

__all__ = ["desk", "lookout"]


async def test_an_alert_that_opens_is_told_with_its_rule_its_counts_and_its_phrases(
    lookout: Lookout, desk: Desk
) -> None:
    rule = await lookout.rule(name="Storms at sea")
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    await desk.happens()
    await desk.tell()
    (alert,) = await lookout.alerts()
    (row,) = await desk.list(desk.owner)
    said = words.say(row.kind, row.facts, "en")
    assert (row.kind, row.thing_prefix, row.thing_id) == (NotificationKind.ALERT_OPENED, Prefix.ALERT, alert.id)
    assert said.title == "More is said than usual"
    assert said.sentence.startswith(f"Storms at sea: {row.facts['seen']} mentions since 2026-11-20 ")
    assert "It is about: " in said.sentence
    assert "rappel" in said.sentence
