"""Regressions over hashed n-grams and figures, fitted by L-BFGS in numpy alone."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]


def _direction(gradient: Array, steps: deque[tuple[Array, Array, float]]) -> Array:
    """The two-loop recursion (Nocedal and Wright, Numerical Optimization, algorithm 7.4)."""
    found = -gradient
    shares: list[float] = []
    for step, change, curvature in reversed(steps):
        share = float(step @ found) / curvature
        shares.append(share)
        found -= share * change
    if steps:
        step, change, curvature = steps[-1]
        found *= curvature / float(change @ change)
    for (step, change, curvature), share in zip(steps, reversed(shares), strict=True):
        found += step * (share - float(change @ found) / curvature)
    return found


def minimised(objective: Objective, start: Array, *, rounds: int, memory: int = 8, tolerance: float = 1e-5) -> Array:
    """Where `objective` (its value and gradient) is least: L-BFGS with halved steps (Armijo), at most `rounds` of them,
    or until the value falls by less than `tolerance` of itself."""
    point = start
    value, gradient = objective(point)
    steps: deque[tuple[Array, Array, float]] = deque(maxlen=memory)
    for number in range(rounds):
        direction = _direction(gradient, steps)
        slope = float(gradient @ direction)
        if slope >= 0.0:
            steps.clear()
            direction, slope = -gradient, -float(gradient @ gradient)
        stride = 1.0 if number else min(1.0, 1.0 / max(float(np.abs(gradient).sum()), 1e-12))
        for _ in range(20):
            reached = point + stride * direction
            new_value, new_gradient = objective(reached)
            if new_value <= value + 1e-4 * stride * slope:
                break
            stride /= 2.0
        else:
            return point
        step, change = reached - point, new_gradient - gradient
        curvature = float(step @ change)
        if curvature > 1e-12:
            steps.append((step, change, curvature))
        fallen = value - new_value
        point, value, gradient = reached, new_value, new_gradient
        if fallen < tolerance * abs(value):
            break
    return point


@dataclass(frozen=True)
class Rows:
    """Texts as a model sees them. `column` and `text` have an entry for each n-gram in the order of the texts, columns
    counting the kinds one after the other; `first` (texts) is the place of each text's first; `by_column` has the texts
    in the order of the columns; `columns` are those that occur, in order, and `begins` where each begins there. `scale`
    (texts) multiplies a text's n-grams; `figures` (texts, figures) has the constant last; `group` (texts) is its row of
    own weights."""

    column: NDArray[np.int32]
    text: NDArray[np.int32]
    first: NDArray[np.int64]
    by_column: NDArray[np.int32]
    columns: NDArray[np.int64]
    begins: NDArray[np.int64]
    scale: NDArray[np.float32]
    figures: Array
    group: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        column: NDArray[np.int64],
        sizes: NDArray[np.int64],
        figures: Array,
        group: NDArray[np.int64],
        *,
        least: int = 1,
    ) -> "Rows":
        """Of texts with `sizes` n-grams each; n-grams of columns that occur fewer than `least` times are left out, but
        count in the scale."""
        scale = (STRENGTH / np.sqrt(np.maximum(sizes, 1))).astype(np.float32)
        text = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        common = np.bincount(column)[column] >= least
        kept, text = column[common].astype(np.int32), text[common]
        order = np.argsort(kept, kind="stable")
        begins = np.flatnonzero(np.diff(kept[order], prepend=-1))
        return cls(
            column=kept,
            text=text,
            first=np.searchsorted(text, np.arange(len(sizes))),
            by_column=text[order],
            columns=kept[order][begins].astype(np.int64),
            begins=begins,
            scale=scale,
            figures=figures,
            group=group,
        )

    @property
    def count(self) -> int:
        """How many texts there are."""
        return len(self.scale)

    def forward(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sums of a table (columns, outputs) over each text's n-grams, scaled."""
        found = np.zeros((self.count, table.shape[1]), dtype=np.float32)
        filled = np.flatnonzero(np.diff(np.append(self.first, len(self.column))))
        for output in range(table.shape[1] if len(filled) else 0):
            each = np.ascontiguousarray(table[:, output])[self.column]
            found[filled, output] = np.add.reduceat(each, self.first[filled])
        return found * self.scale[:, None]

    def backward(self, error: NDArray[np.float32]) -> NDArray[np.float32]:
        """For each of `columns` the sum of the errors (texts, outputs) of the texts that have it, scaled."""
        pulled = error * self.scale[:, None]
        found = np.zeros((len(self.columns), error.shape[1]), dtype=np.float32)
        for output in range(error.shape[1]):
            found[:, output] = np.add.reduceat(np.ascontiguousarray(pulled[:, output])[self.by_column], self.begins)
        return found


STRENGTH = 6.0
"""What n-grams are multiplied by beside figures: they converge about as fast."""


@dataclass(frozen=True)
class Sizes:
    """How many there are of each: buckets, kinds of n-grams' weights, figures (with the constant), groups of figures'
    weights, outputs."""

    buckets: int
    kinds: int
    figures: int
    groups: int
    outputs: int

    @property
    def layers(self) -> int:
        """The tables of n-grams' weights: the common one, and those of each kind where there are several."""
        return 1 + self.kinds if self.kinds > 1 else 1

    def parts(self, point: Array) -> tuple[Array, Array]:
        """The weights of n-grams (layers, buckets, outputs) and of figures (1 + groups, outputs, figures)."""
        cut = self.layers * self.buckets * self.outputs
        return (
            point[:cut].reshape(self.layers, self.buckets, self.outputs),
            point[cut:].reshape(1 + self.groups, self.outputs, self.figures),
        )

    def start(self) -> Array:
        """All zero."""
        return np.zeros(self.layers * self.buckets * self.outputs + (1 + self.groups) * self.outputs * self.figures)

    def table(self, point: Array) -> Array:
        """The weights of n-grams as texts of each kind have them: (kinds, buckets, outputs)."""
        grams, _ = self.parts(point)
        return grams if self.layers == 1 else grams[0] + grams[1:]

    def own(self, point: Array) -> Array:
        """The weights of figures as texts of each group have them: (groups, outputs, figures)."""
        _, figures = self.parts(point)
        return np.asarray(figures[0] + figures[1:])


def logits(rows: Rows, sizes: Sizes, point: Array) -> Array:
    """The outputs of each text: shape (texts, outputs)."""
    own = sizes.own(point)
    found = rows.forward(sizes.table(point).reshape(-1, sizes.outputs).astype(np.float32)).astype(np.float64)
    for group in range(sizes.groups):
        chosen = rows.group == group
        found[chosen] += rows.figures[chosen] @ own[group].T
    return found


def _gradient(rows: Rows, sizes: Sizes, error: Array) -> Array:
    """The gradient of the weights, given that of the outputs."""
    point = sizes.start()
    grams, figures = sizes.parts(point)
    for group in range(sizes.groups):
        chosen = rows.group == group
        figures[1 + group] = error[chosen].T @ rows.figures[chosen]
    figures[0] = figures[1:].sum(axis=0)
    flat = np.zeros((sizes.kinds * sizes.buckets, sizes.outputs))
    flat[rows.columns] = rows.backward(error.astype(np.float32))
    by_kind = flat.reshape(sizes.kinds, sizes.buckets, sizes.outputs)
    if sizes.layers > 1:
        grams[1:] = by_kind
    grams[0] = by_kind.sum(axis=0)
    return point


@dataclass(frozen=True)
class Penalty:
    """How strongly weights are held to zero: of n-grams in common and by kind, of figures in common and by group."""

    grams: float
    kind: float
    figures: float
    group: float

    def vector(self, sizes: Sizes) -> Array:
        """A number for each weight; the constants are nearly free."""
        found = sizes.start()
        grams, figures = sizes.parts(found)
        grams[0], grams[1:] = self.grams, self.kind
        figures[0], figures[1:] = self.figures, self.group
        figures[0, :, -1], figures[1:, :, -1] = 0.0, self.group / 10.0
        return found


def softmax(values: Array) -> Array:
    """Probabilities of logits, row by row."""
    found = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def fitted(rows: Rows, targets: Array, weights: Array, sizes: Sizes, penalty: Penalty, *, rounds: int = 60) -> Array:
    """The weights that make `targets` likely: distributions (texts, outputs) for two or more outputs (softmax), a
    probability for one (logistic). `weights` (texts) say how much each text counts."""
    held = penalty.vector(sizes)
    total = weights.sum()

    def objective(point: Array) -> tuple[float, Array]:
        found = logits(rows, sizes, point)
        if sizes.outputs == 1:
            loss = (np.logaddexp(0.0, found) - targets * found)[:, 0]
            error = 1.0 / (1.0 + np.exp(-found)) - targets
        else:
            chances = softmax(found)
            loss = -(targets * np.log(np.maximum(chances, 1e-12))).sum(axis=1)
            error = chances - targets
        value = float(weights @ loss) / total + 0.5 * float(held @ (point * point)) / total
        return value, _gradient(rows, sizes, error * weights[:, None]) / total + held * point / total

    return minimised(objective, sizes.start(), rounds=rounds)
