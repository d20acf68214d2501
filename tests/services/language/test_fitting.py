"""The regression finds what it should."""

import numpy as np
import pytest

from services.language import fitting
from services.language.fitting import Array, Penalty, Rows, Sizes


def test_a_bowl_is_followed_to_its_bottom() -> None:
    bottom = np.arange(5.0)
    scales: Array = np.power(10.0, np.arange(5))

    def bowl(point: Array) -> tuple[float, Array]:
        away = point - bottom
        return float(scales @ (away * away)), np.asarray(2.0 * scales * away)

    assert fitting.minimised(bowl, np.zeros(5), rounds=100, tolerance=1e-14) == pytest.approx(bottom, abs=1e-4)


def _rows(kinds: int) -> tuple[Rows, Sizes, Array]:
    """Sixty texts of three n-grams out of eight, in one of three classes by their first."""
    random = np.random.default_rng(7)
    labels = random.integers(0, 3, 60)
    column = np.stack([labels, random.integers(3, 8, 60), random.integers(3, 8, 60)], axis=1)
    kind = random.integers(0, kinds, 60)
    figures = np.append(random.normal(size=(60, 2)), np.ones((60, 1)), axis=1)
    flat = (column + kind[:, None] * 8).ravel()
    rows = Rows.of(flat, np.full(60, 3), figures, random.integers(0, 2, 60))
    return rows, Sizes(buckets=8, kinds=kinds, figures=3, groups=2, outputs=3), np.eye(3)[labels]


@pytest.mark.parametrize("kinds", [1, 2])
def test_classes_that_can_be_told_are_told(kinds: int) -> None:
    rows, sizes, targets = _rows(kinds)
    point = fitting.fitted(rows, targets, np.ones(60), sizes, Penalty(0.01, 0.01, 0.01, 0.01))
    said = fitting.logits(rows, sizes, point).argmax(axis=1)
    assert (said == targets.argmax(axis=1)).all()


def test_a_stronger_penalty_leaves_smaller_weights() -> None:
    rows, sizes, targets = _rows(2)
    free, held = (
        np.abs(fitting.fitted(rows, targets, np.ones(60), sizes, Penalty(by, by, by, by))).sum() for by in (0.01, 10.0)
    )
    assert held < free / 2


def test_rare_n_grams_are_left_out_but_counted_in_the_scale() -> None:
    rows = Rows.of(np.array([0, 1, 0, 2]), np.array([2, 2]), np.ones((2, 1)), np.zeros(2, dtype=np.int64), least=2)
    assert rows.columns.tolist() == [0]
    assert rows.scale.tolist() == pytest.approx([fitting.STRENGTH / np.sqrt(2)] * 2)
