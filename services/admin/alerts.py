"""`parvis alerts …`"""

from datetime import datetime
from typing import Annotated

import typer

from services.admin.house import House, moment, now, run, say
from shared.domain.insight.alerting import pasts, rules
from shared.domain.insight.watching.replaying import Firing
from shared.domain.insight.watching.unfolding import Turn
from shared.ids import Prefix, parse_typeid

alerts = typer.Typer(no_args_is_help=True, help="What brands are watched for.")


@alerts.callback()
def _alerts() -> None:
    """What brands are watched for."""


@alerts.command("backtest")
def backtest(
    brand: Annotated[str, typer.Option(help="brand_….")],
    rule: Annotated[str, typer.Option(help="The rule to run, arule_….")],
    days: Annotated[int, typer.Option(help="How many days back.")] = 28,
) -> None:
    """Run a rule over stored history and say when it would have fired."""

    async def act(house: House) -> dict[str, object]:
        brand_id, rule_id = parse_typeid(Prefix.BRAND, brand), parse_typeid(Prefix.ALERT_RULE, rule)
        async with house.on_brand(brand_id) as (session, scope):
            found = await rules.get(session, scope, rule_id)
            fired = await pasts.backtest(session, scope, found, days=days, now=now())
        opened = sum(one.turn is Turn.OPENED for one in fired)
        return {
            "rule": found.name,
            "kind": found.kind.value,
            "sensitivity": found.sensitivity.value,
            "days": days,
            "opened": opened,
            "turns": [_told(one) for one in fired],
        }

    say(run(act))


def _told(one: Firing) -> dict[str, object]:
    told: dict[str, object] = {"at": moment(one.at), "turn": one.turn.value}
    if one.finding is None:
        return told
    since: datetime = one.finding.since
    expected = one.finding.expected
    return {
        **told,
        "since": moment(since),
        "seen": one.finding.seen,
        "expected": None if expected is None else round(expected, 2),
        "window_hours": round(one.finding.length, 2),
        "chance": one.finding.chance,
    }
