"""What a brand's corrections move, and how far."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from services.language.judging import calibration_error
from shared.analysis import calibration
from shared.analysis.calibration import BOUND, MOST, NONE, STEP, Shift, Word
from shared.analysis.explaining import explain
from shared.analysis.reading import LABELS, Reading, Text, read

TRUE = np.array([1.2, -0.4, -0.8])
"""By how much the log-odds of a brand's moods are other than the model takes them to be."""


def _word(said: str, right: str, shift: tuple[int, ...] = NONE.moods) -> Word:
    return Word(said, right, shift)


def _neutral_taken_for_negative(count: int) -> list[Word]:
    return [_word("neutral", "negative")] * count


def test_three_corrections_move_nothing() -> None:
    assert calibration.learned(LABELS, _neutral_taken_for_negative(3)) == (0, 0, 0)


def test_corrections_of_one_kind_move_a_label_ahead_of_the_one_that_it_replaces() -> None:
    negative, neutral, positive = calibration.learned(LABELS, _neutral_taken_for_negative(30))
    assert negative > positive == 0 > neutral


def test_corrections_both_ways_move_nothing() -> None:
    words = [_word("neutral", "negative"), _word("negative", "neutral")] * 50
    assert calibration.learned(LABELS, words) == (0, 0, 0)


def test_confirmations_move_nothing() -> None:
    assert calibration.learned(LABELS, [_word("negative", "negative")] * 50) == (0, 0, 0)


def test_more_corrections_of_a_kind_never_move_less() -> None:
    moved = [calibration.learned(LABELS, _neutral_taken_for_negative(count))[0] for count in range(10, 400, 10)]
    assert moved == sorted(moved)


def test_no_number_of_corrections_moves_beyond_the_bound() -> None:
    words = _neutral_taken_for_negative(100_000)
    assert max(map(abs, calibration.learned(LABELS, words))) <= MOST == round(BOUND / STEP)


def test_the_order_of_corrections_is_nothing() -> None:
    words = [*_neutral_taken_for_negative(40), *[_word("positive", "neutral", (4, 0, -4))] * 25]
    mixed = words.copy()
    Random(1).shuffle(mixed)
    assert calibration.learned(LABELS, mixed) == calibration.learned(LABELS, words)


def test_corrections_both_ways_of_moved_readings_keep_what_moved_them() -> None:
    shift = calibration.learned(LABELS, _neutral_taken_for_negative(60))
    later = [_word("neutral", "negative", shift), _word("negative", "neutral", shift)] * 200
    assert calibration.learned(LABELS, [*_neutral_taken_for_negative(60), *later])[0] >= shift[0] - 1


@pytest.mark.parametrize("shift", [Shift((3, -1, -2), (0, 5, 0, -7, 0)), Shift((0, 0, 0), (1, 0, 0, 0, 0)), NONE])
def test_a_version_says_the_shift(shift: Shift) -> None:
    assert calibration.of_version(shift.named("fast-0123456789")) == shift


def test_a_reading_without_a_shift_is_the_model_s() -> None:
    (found,) = read([Text("Bravo pour le retard")])
    assert calibration.shifted(found, NONE) is found


def test_a_shift_moves_chances_by_as_much_as_it_says() -> None:
    (found,) = read([Text("Le bus passe à 8 heures")])
    moved = calibration.shifted(found, Shift((10, 0, -10), (0, 20, 0, 0, 0)))
    assert _odds(moved)[0] - _odds(found)[0] == pytest.approx(20 * STEP)
    assert _odds(moved)[1] - _odds(found)[1] == pytest.approx(20 * STEP)


def _odds(found: Reading) -> tuple[float, float]:
    """The log-odds of negative against positive, and of a question."""
    assert found.sentiment_chances is not None
    assert found.intent_scores is not None
    negative, _, positive = found.sentiment_chances
    asked = found.intent_scores["question"]
    return float(np.log(negative / positive)), float(np.log(asked / (1.0 - asked)))


def test_the_brand_s_shift_is_one_of_the_parts_of_a_score() -> None:
    shift = Shift((10, 0, -10), (0, 20, 0, 0, 0))
    found = explain(Text("Le bus passe à 8 heures ?"), shift=shift)
    for name, steps in (("negative", 10), ("question", 20)):
        parts = {part.name: part.value for part in found.scores[name].parts}
        assert parts["the brand's corrections"] == pytest.approx(steps * STEP)
        assert sum(parts.values()) == pytest.approx(found.scores[name].total)
    assert found.reading.model.endswith("+10.0.-10/0.20.0.0.0")


def _softmax(odds: np.ndarray) -> np.ndarray:
    found = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _brand(count: int, seed: int) -> tuple[list[Reading], list[int]]:
    """What the model reads of a brand whose moods are others than it takes them to be, and what they are."""
    random = np.random.default_rng(seed)
    odds = random.normal(0.0, 1.2, (count, 3))
    (pattern,) = read([Text("Le bus passe à 8 heures")])
    readings = [
        replace(pattern, sentiment=LABELS[int(row.argmax())], sentiment_chances=tuple(row.tolist()))
        for row in _softmax(odds)
    ]
    return readings, [int(random.choice(3, p=row)) for row in _softmax(odds + TRUE)]


def _error(readings: list[Reading], truth: list[int]) -> float:
    chances = np.array([one.sentiment_chances for one in readings])
    return calibration_error(chances.max(axis=1), chances.argmax(axis=1) == np.array(truth))


def test_the_calibration_error_falls_for_a_brand_whose_moods_are_others() -> None:
    readings, truth = _brand(400, 1)
    # Only what is wrong is corrected, as people do.
    words = [
        _word(one.sentiment, LABELS[right])
        for one, right in zip(readings, truth, strict=True)
        if one.sentiment is not None and one.sentiment != LABELS[right]
    ]
    shift = Shift(calibration.learned(LABELS, words))
    later, right = _brand(5000, 2)
    assert _error([calibration.shifted(one, shift) for one in later], right) < 0.6 * _error(later, right)
