"""One look at one rule: what opens, what is followed up, what closes, and what is told of it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.domain.insight.alerting import alerts, rules, watch
from shared.domain.insight.alerting.memory import Memory
from shared.domain.insight.watching.unfolding import CALM, Turn
from shared.domain.listening import queries
from shared.domain.listening.queries import QueryDraft
from shared.domain.publishing.agreeing import holds
from shared.errors import Conflict
from shared.models.enums import AlertState, EventType, HoldSource
from tests.conftest import NOW
from tests.domain.insight.alerting.conftest import MINUTE, Lookout

OPENED, FOLLOWED, CLOSED = EventType.ALERT_OPENED, EventType.ALERT_FOLLOWED, EventType.ALERT_CLOSED


async def test_a_usual_day_opens_nothing(lookout: Lookout) -> None:
    rule = await lookout.rule()
    looked = await lookout.look(rule, NOW)
    assert looked is not None
    assert looked.turn is None
    assert await lookout.alerts() == []


async def test_a_storm_opens_one_alert_that_explains_itself(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    drivers = {(one["what"], one["key"]) for one in alert.evidence["drivers"]}
    assert (alert.state, alert.rule_id, alert.opened_at) == (AlertState.OPEN, rule.id, NOW)
    assert alert.expected is not None
    assert alert.seen > 10 * alert.expected
    assert NOW - timedelta(hours=2) <= alert.since < NOW
    assert ("network", "generic") in drivers
    assert any(what == "phrase" and "rappel" in key for what, key in drivers)
    assert sum(what == "mention" for what, _ in drivers) == 3
    assert await lookout.told() == [OPENED]


async def test_looking_again_opens_no_second_one(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    for minute in range(5):
        await lookout.look(rule, NOW + minute * MINUTE)
    assert len(await lookout.alerts()) == 1
    assert await lookout.told() == [OPENED]


async def test_two_schedulers_that_look_at_once_open_one_alert(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await asyncio.gather(*(lookout.look(rule, NOW, Memory()) for _ in range(3)))
    assert len(await lookout.alerts()) == 1
    assert await lookout.told() == [OPENED]


async def test_it_is_followed_up_when_something_new_drives_it(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    later = NOW + timedelta(minutes=40)
    await lookout.storm(later, count=150, words="Plainte collective déposée")
    looked = await lookout.look(rule, later)
    assert looked is not None
    assert looked.turn is Turn.FOLLOWED
    (alert,) = await lookout.alerts()
    assert alert.followed_at == later
    assert await lookout.told() == [OPENED, FOLLOWED]


async def test_it_closes_by_itself_after_calm_and_what_it_spoke_of_opens_none_again(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    for minutes in range(5, 10 * 60, 30):
        await lookout.look(rule, NOW + minutes * MINUTE)
    (alert,) = await lookout.alerts()
    assert alert.state is AlertState.CLOSED
    assert alert.closed_at is not None
    assert alert.closed_at >= NOW + CALM
    assert await lookout.told() == [OPENED, CLOSED]


async def test_one_that_a_person_closed_opens_none_again_before_it_was_calm(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    async with lookout.at(lookout.app) as (session, scope):
        await alerts.close(session, scope, alert.id, now=NOW + MINUTE)
    await lookout.look(rule, NOW + 2 * MINUTE)
    assert len(await lookout.alerts()) == 1
    for minutes in range(5, 10 * 60, 30):
        await lookout.look(rule, NOW + minutes * MINUTE)
    again = NOW + timedelta(hours=30)
    await lookout.storm(again, count=90)
    await lookout.look(rule, again)
    assert len(await lookout.alerts()) == 2
    assert await lookout.told() == [OPENED, CLOSED, OPENED]


async def test_a_closed_alert_is_not_closed_again(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    async with lookout.at(lookout.app) as (session, scope):
        await alerts.close(session, scope, alert.id, now=NOW)
        with pytest.raises(Conflict):
            await alerts.close(session, scope, alert.id, now=NOW)


async def test_while_it_is_snoozed_nothing_opens_and_after_that_it_does(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    async with lookout.at(lookout.app) as (session, scope):
        await rules.snooze(session, scope, rule.id, until=NOW + timedelta(minutes=20), now=NOW - MINUTE)
    await lookout.look(rule, NOW)
    assert await lookout.alerts() == []
    await lookout.look(rule, NOW + timedelta(minutes=21))
    assert len(await lookout.alerts()) == 1


async def test_a_rule_that_is_removed_has_its_open_alert_closed(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    async with lookout.at(lookout.app) as (session, scope):
        await rules.remove(session, scope, rule.id, now=NOW, if_version=None)
    await lookout.look(rule, NOW + MINUTE)
    assert await lookout.told() == [OPENED, CLOSED]


async def test_a_rule_may_hold_what_is_planned_and_says_by_which_hold(lookout: Lookout) -> None:
    rule = await lookout.rule(hold_posts=True)
    await lookout.storm(NOW)
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    async with lookout.at(lookout.app) as (session, scope):
        hold = await holds.current(session, scope)
    assert hold is not None
    assert (hold.id, hold.source, hold.reason) == (alert.hold_id, HoldSource.ALERT, rule.name)


async def test_where_everything_is_held_already_the_alert_opens_without_a_hold_of_its_own(lookout: Lookout) -> None:
    rule = await lookout.rule(hold_posts=True)
    await lookout.storm(NOW)
    async with lookout.at(lookout.app) as (session, scope):
        await holds.hold(session, scope, reason="by hand", now=NOW)
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    assert alert.hold_id is None


async def test_a_rule_speaks_only_of_what_its_filter_lets_through(lookout: Lookout) -> None:
    deaf = await lookout.rule(where={"networks": ["mastodon"]})
    hears = await lookout.rule(where={"networks": ["generic"], "channel_ids": [str(lookout.channel.id)]})
    await lookout.storm(NOW)
    await lookout.look(deaf, NOW)
    await lookout.look(hears, NOW)
    assert [one.rule_id for one in await lookout.alerts()] == [hears.id]


async def test_silence_is_told_where_there_is_usually_something(lookout: Lookout) -> None:
    rule = await lookout.rule("silence")
    await lookout.look(rule, NOW)
    assert await lookout.alerts() == []
    await lookout.look(rule, NOW + timedelta(hours=14))
    (alert,) = await lookout.alerts()
    assert alert.since <= NOW + timedelta(hours=1)
    assert alert.expected is not None
    assert alert.seen <= 0.1 * alert.expected


async def test_a_rising_phrase_is_told_by_its_name(lookout: Lookout) -> None:
    rule = await lookout.rule("rising_phrase", now=NOW - timedelta(days=2))
    await lookout.look(rule, NOW)
    assert await lookout.alerts() == []
    later = NOW + timedelta(hours=1)
    await lookout.storm(later, count=9, words="Odeur bizarre du savon")
    await lookout.look(rule, later)
    (alert,) = await lookout.alerts()
    assert alert.evidence["drivers"][0]["key"] in {"odeur bizarre", "bizarre du", "du savon"}


async def test_the_same_from_many_is_told_with_its_first_mention(lookout: Lookout) -> None:
    rule = await lookout.rule("copies", now=NOW - timedelta(days=2))
    await lookout.storm(NOW, count=14, words="Ne plus jamais acheter chez cette marque, faites passer")
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    assert [one["what"] for one in alert.evidence["drivers"]] == ["copies", "mention"]
    assert alert.seen == 14


async def test_somebody_with_many_followers_is_far_reaching_where_no_views_are_told(lookout: Lookout) -> None:
    rule = await lookout.rule("far_reaching_author", now=NOW - timedelta(days=2))
    await lookout.hear(NOW - 2 * MINUTE, followers=200)
    await lookout.look(rule, NOW - MINUTE)
    assert await lookout.alerts() == []
    await lookout.hear(NOW - MINUTE, followers=80_000)
    await lookout.look(rule, NOW)
    assert [one.seen for one in await lookout.alerts()] == [1]


async def test_what_is_not_analysed_has_no_crisis_and_no_urgency(lookout: Lookout) -> None:
    for kind in ("negative_spike", "urgent_mention"):
        rule = await lookout.rule(kind, now=NOW - timedelta(days=2))
        await lookout.storm(NOW)
        await lookout.look(rule, NOW)
    assert await lookout.alerts() == []


async def test_a_look_that_dies_before_its_commit_leaves_nothing_and_the_next_opens_one(lookout: Lookout) -> None:
    rule = await lookout.rule(hold_posts=True)
    await lookout.storm(NOW)
    async with lookout.at() as (session, scope):
        await watch.look(session, scope, rule.id, memory=lookout.memory, now=NOW)
        await session.rollback()
    assert await lookout.alerts() == []
    assert await lookout.told() == []
    await lookout.look(rule, NOW + MINUTE)
    assert await lookout.told() == [OPENED]


async def test_hours_that_are_known_already_are_counted_again_when_late_mentions_come(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.look(rule, NOW)
    await lookout.storm(NOW - timedelta(minutes=70), count=120)
    looked = await lookout.look(rule, NOW + MINUTE)
    assert looked is not None
    assert looked.turn is Turn.OPENED


async def test_what_a_process_has_learnt_another_learns_again(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.storm(NOW)
    for _ in range(2):
        await lookout.look(rule, NOW, Memory())
    assert await lookout.told() == [OPENED]


async def test_a_rule_may_speak_of_what_a_query_matches(lookout: Lookout) -> None:
    async with lookout.at(lookout.app) as (session, scope):
        draft = QueryDraft(name="Recalls", expression="rappel")
        query = await queries.create(session, scope, draft=draft, now=NOW)
    rule = await lookout.rule(where={"query_ids": [str(query.id)]})
    await lookout.storm(NOW, words="Toujours bien reçu")
    await lookout.look(rule, NOW)
    assert await lookout.alerts() == []
    await lookout.storm(NOW, words="Rappel produit")
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    assert alert.seen == 60


async def test_criticism_that_is_more_than_usual_is_told_with_its_share(lookout: Lookout) -> None:
    rule = await lookout.rule("negative_spike")
    await lookout.storm(NOW, count=40)
    async with lookout.at() as (session, scope):
        await session.execute(
            text(
                "UPDATE mention SET sentiment = CASE WHEN text LIKE 'Rappel%' THEN 'negative' ELSE 'neutral' END"
                " WHERE brand_id = :b"
            ),
            {"b": scope.brand_id},
        )
    await lookout.look(rule, NOW)
    (alert,) = await lookout.alerts()
    assert (alert.seen, alert.evidence["share"] > 0.8, alert.evidence["share_expected"] < 0.1) == (40, True, True)
