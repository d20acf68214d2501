"""Crisis: the count and the share of what is negative."""

from shared.domain.insight.watching import negative
from shared.domain.insight.watching.counting import Counted
from shared.domain.insight.watching.learning import fit
from shared.domain.insight.watching.negative import Feelings, Shares
from shared.domain.insight.watching.rhythm import HOUR, Hour
from shared.domain.insight.watching.sensitivity import CARES
from shared.models.enums import AlertKind, AlertSensitivity
from tests.domain.insight.watching.weeks import BRUSSELS, after, weeks

CARE = CARES[AlertSensitivity.MEDIUM]
ALL, NEGATIVE = weeks(8, 480), weeks(8, 72, seed=2)
RHYTHM = fit(NEGATIVE, BRUSSELS, after(NEGATIVE))
BEFORE = Shares(sum(one.count for one in ALL), sum(one.count for one in NEGATIVE))
NOW = after(ALL) + 12 * HOUR


def counted(past: list[Hour], usual: int, last: int) -> Counted:
    more = [Hour(after(past) + n * HOUR, usual if n >= 8 else usual // 4) for n in range(11)]
    return Counted(NOW, [*past, *more, Hour(NOW - HOUR, last)], last, last // 4)


def feelings(negative_: int, all_: int) -> Feelings:
    return Feelings(counted(NEGATIVE, 5, negative_), counted(ALL, 40, all_))


def test_an_hour_as_ever_is_no_crisis() -> None:
    assert negative.spike(RHYTHM, feelings(6, 40), BEFORE, CARE) is None


def test_criticism_that_volume_does_not_show_is_one() -> None:
    found = negative.spike(RHYTHM, feelings(32, 45), BEFORE, CARE)
    assert found is not None
    assert found.kind is AlertKind.NEGATIVE_SPIKE
    assert (found.share or 0) > 0.6
    assert found.share_expected is not None
    assert 0.1 < found.share_expected < 0.2


def test_a_success_with_the_usual_share_of_criticism_is_none() -> None:
    assert negative.spike(RHYTHM, feelings(40, 270), BEFORE, CARE) is None


def test_two_of_two_are_none() -> None:
    assert negative.spike(RHYTHM, feelings(2, 2), BEFORE, CARE) is None
