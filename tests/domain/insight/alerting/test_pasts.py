"""A rule run over what is stored says when it would have fired."""

from datetime import timedelta

import pytest

from shared.domain.insight.alerting import pasts
from shared.domain.insight.watching.unfolding import Turn
from shared.errors import Invalid
from tests.conftest import NOW
from tests.domain.insight.alerting.conftest import Lookout


async def test_a_storm_of_last_week_would_have_been_told_of_within_the_hour_and_closed(lookout: Lookout) -> None:
    rule = await lookout.rule()
    storm = NOW - timedelta(days=3)
    await lookout.storm(storm)
    async with lookout.at() as (session, scope):
        found = await pasts.backtest(session, scope, rule, days=5, now=NOW)
    assert [one.turn for one in found if one.turn is not Turn.FOLLOWED] == [Turn.OPENED, Turn.CLOSED]
    assert storm - timedelta(hours=1) < found[0].at <= storm
    assert found[0].finding is not None
    assert found[0].finding.expected is not None
    assert await lookout.alerts() == []


async def test_a_rule_that_is_not_of_counts_and_a_past_of_years_are_refused(lookout: Lookout) -> None:
    copies, silence = await lookout.rule("copies"), await lookout.rule("silence")
    async with lookout.at() as (session, scope):
        with pytest.raises(Invalid):
            await pasts.backtest(session, scope, copies, days=5, now=NOW)
        with pytest.raises(Invalid):
            await pasts.backtest(session, scope, silence, days=400, now=NOW)
