"""Rules as people make, change, snooze and remove them; and the queue that brings them to the scheduler."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.domain.insight.alerting import due, rules
from shared.domain.insight.alerting.rules import LONGEST_SNOOZE, AlertRuleDraft
from shared.errors import Invalid, NotFound, Stale
from tests.conftest import NOW
from tests.domain.insight.alerting.conftest import Lookout

LEASE = timedelta(minutes=2)


async def test_a_new_rule_is_looked_at_with_the_next_round_and_then_each_minute(lookout: Lookout) -> None:
    await lookout.rule()
    async with lookout.worker.session() as session:
        (one,) = await due.claim(session, now=NOW, limit=10, lease=LEASE)
    async with lookout.at() as (session, scope):
        await due.rest(session, scope, one, now=NOW)
    assert await lookout.due_at() == NOW + due.EVERY


async def test_a_claimed_brand_is_nobody_elses_until_its_lease_ends(lookout: Lookout) -> None:
    await lookout.rule()
    async with lookout.worker.session() as session:
        assert len(await due.claim(session, now=NOW, limit=10, lease=LEASE)) == 1
    async with lookout.worker.session() as session:
        assert await due.claim(session, now=NOW + LEASE, limit=10, lease=LEASE) == []
        await session.execute(text("UPDATE due_alert SET leased_until = clock_timestamp() - interval '1 s'"))
        assert len(await due.claim(session, now=NOW, limit=10, lease=LEASE)) == 1


async def test_who_comes_back_after_the_lease_changes_nothing(lookout: Lookout) -> None:
    await lookout.rule()
    async with lookout.worker.session() as session:
        (late,) = await due.claim(session, now=NOW, limit=10, lease=timedelta(0))
        (other,) = await due.claim(session, now=NOW, limit=10, lease=LEASE)
    async with lookout.at() as (session, scope):
        await due.rest(session, scope, late, now=NOW + timedelta(hours=1))
    assert await lookout.due_at() == NOW
    assert other.brand_id == lookout.brand.brand_id


async def test_a_brand_without_rules_is_looked_at_no_longer(lookout: Lookout) -> None:
    rule = await lookout.rule()
    async with lookout.at(lookout.app) as (session, scope):
        await rules.remove(session, scope, rule.id, now=NOW, if_version=None)
    async with lookout.worker.session() as session:
        (one,) = await due.claim(session, now=NOW, limit=10, lease=LEASE)
    async with lookout.at() as (session, scope):
        await due.rest(session, scope, one, now=NOW)
    assert await lookout.due_at() is None


async def test_a_rule_of_another_version_is_not_changed(lookout: Lookout) -> None:
    rule = await lookout.rule()
    await lookout.change(rule, name="Louder")
    async with lookout.at(lookout.app) as (session, scope):
        with pytest.raises(Stale):
            await rules.remove(session, scope, rule.id, now=NOW, if_version=rule.version)


async def test_a_removed_rule_is_not_there(lookout: Lookout) -> None:
    rule = await lookout.rule()
    async with lookout.at(lookout.app) as (session, scope):
        await rules.remove(session, scope, rule.id, now=NOW, if_version=None)
        with pytest.raises(NotFound):
            await rules.get(session, scope, rule.id)


async def test_a_channel_that_the_brand_has_not_is_refused(lookout: Lookout) -> None:
    with pytest.raises(Invalid, match="channel"):
        await lookout.rule(where={"channel_ids": [str(uuid4())]})


async def test_reach_is_of_far_reaching_authors_only(lookout: Lookout) -> None:
    with pytest.raises(Invalid):
        await lookout.rule("silence", reach=500)
    rule = await lookout.rule("far_reaching_author", reach=500)
    assert (await lookout.change(rule, reach=None)).reach is None


async def test_a_snooze_lies_ahead_and_within_a_month(lookout: Lookout) -> None:
    rule = await lookout.rule()
    async with lookout.at(lookout.app) as (session, scope):
        for until in (NOW, NOW + LONGEST_SNOOZE + timedelta(seconds=1)):
            with pytest.raises(Invalid):
                await rules.snooze(session, scope, rule.id, until=until, now=NOW)
        assert (await rules.snooze(session, scope, rule.id, until=None, now=NOW)).snoozed_until is None


def test_a_rule_has_a_name_and_a_known_kind() -> None:
    for wrong in ({"name": "", "kind": "silence"}, {"name": "x", "kind": "weather"}, {"name": "x"}):
        with pytest.raises(ValueError, match=r"name|kind"):
            AlertRuleDraft.model_validate(wrong)
