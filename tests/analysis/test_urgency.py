"""How soon somebody should look."""

import pytest

from shared.analysis.reading import Text, read


def _urgency(text: str) -> float:
    found = read([Text(text)])[0].urgency
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("urgent", "calm"),
    [
        ("Mon fils a été blessé par votre jouet, c'est dangereux", "Mon fils a reçu votre jouet, il est content"),
        ("Er hangt een gaslek in jullie winkel, bel de brandweer!", "Er hangt een mooie lamp in jullie winkel"),
        ("Ich gehe zum Anwalt, wenn ich heute keine Antwort bekomme", "Ich gehe zum Bäcker, wie jeden Tag"),
        ("There is glass in my yoghurt, a journalist is calling me", "There is fruit in my yoghurt"),
    ],
)
def test_danger_law_and_press_are_urgent(urgent: str, calm: str) -> None:
    assert _urgency(urgent) > 0.4 > _urgency(calm)


def test_what_is_denied_is_less_urgent() -> None:
    assert _urgency("It was not dangerous") < _urgency("It was dangerous")
