"""The measure of alerts, in its short form."""

from shared.models.enums import AlertKind, AlertSensitivity
from tests.benchmarks.alerts.measuring import measure

MEDIUM = AlertSensitivity.MEDIUM


def test_a_great_crisis_is_found_within_two_hours_and_a_quiet_week_stays_quiet() -> None:
    found = measure(200, AlertKind.VOLUME_SPIKE, MEDIUM, [7], 2, [32.0], weeks=1)
    delay, share = found.delay(32.0)
    assert share == 1
    assert delay is not None
    assert 0 < delay < 120
    assert found.false <= 1


def test_silence_is_found_within_days() -> None:
    found = measure(200, AlertKind.SILENCE, MEDIUM, [7], 1, [0.0], weeks=1)
    delay, share = found.delay(0.0)
    assert share == 1
    assert delay is not None
    assert delay < 3 * 24 * 60
