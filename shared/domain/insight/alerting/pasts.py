"""What a rule would have told of a brand's stored past."""

import asyncio
from datetime import UTC, datetime, timedelta

from shared.db import Session
from shared.domain.brands import brands
from shared.domain.insight.alerting import reading, rules
from shared.domain.insight.watching import replaying
from shared.domain.insight.watching.learning import LEARNT
from shared.domain.insight.watching.replaying import REPLAYED, STEP, Firing, Past, Series
from shared.domain.insight.watching.rhythm import HOUR
from shared.domain.insight.watching.sensitivity import CARES
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.models.alert import AlertRule
from shared.models.enums import AlertKind

MOST_DAYS = 366


async def backtest(session: Session, scope: Scope, rule: AlertRule, *, days: int, now: datetime) -> list[Firing]:
    """Every turn that the rule's alerts would have had in the last `days`, looked for every five minutes.

    What is stored is counted as it is known now: late mentions, edits and deletions included. Raises Invalid for a kind
    that is not of counts, and for more than a year.
    """
    if rule.kind not in REPLAYED:
        kinds = ", ".join(sorted(REPLAYED))
        raise Invalid([Problem("not_replayable", f"only rules of counts can be run over a past: {kinds}", ("kind",))])
    if not 1 <= days <= MOST_DAYS:
        raise Invalid([Problem("out_of_range", f"days is from 1 to {MOST_DAYS}", ("days",))])
    if rule.kind is AlertKind.NEGATIVE_SPIKE and not reading.is_analysed():
        raise Invalid([Problem("not_analysed", "mentions are not analysed here yet", ("kind",))])
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    since = until - timedelta(days=days)
    past, first = await _past(session, scope, rule, since - LEARNT, until)
    zone = (await brands.get(session, scope)).zone
    since = max(since, first)
    found = replaying.replay(past, zone, rule.kind, CARES[rule.sensitivity], since=since, until=until)
    return await asyncio.to_thread(list, found)


async def _past(
    session: Session, scope: Scope, rule: AlertRule, since: datetime, until: datetime
) -> tuple[Past, datetime]:
    """The counts from the first hour on in which anything was said, and that hour."""
    where = rules.meant(rule.where)
    counts = await reading.by_step(session, scope, where, since, until, STEP)
    first = min(counts, default=until)
    first = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    steps = [first + number * STEP for number in range((until - first) // STEP)]
    posts = await reading.own_posts(session, scope, first, until)
    # Posts are kept by the hour: within it, they stand at its beginning.
    own = [posts.get(step, 0) if step.minute == 0 else 0 for step in steps]
    nothing = reading.Count()
    said = [counts.get(step, nothing) for step in steps]
    if rule.kind is not AlertKind.NEGATIVE_SPIKE:
        return Past(Series(first, [one.said for one in said], own)), first + HOUR
    analysed = Series(first, [one.analysed or 0 for one in said], own)
    return Past(analysed, Series(first, [one.negative or 0 for one in said], own)), first + HOUR
