"""A brand's own calibration: what its people corrected moves what is read for it later, a little, and by their word.

Who corrects looks at what is wrong, so corrections say nothing of how often a reading is right. What they do say is
which of two labels is given too often in place of the other. That is what is learned: a number for each label, added to
its log-odds, by the model of Bradley and Terry (1952) of pairs of labels, held to zero.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from shared.analysis.intent import INTENTS, SAID
from shared.analysis.reading import LABELS, Reading

LEAST = 10
"""Corrections of a field before anything of it moves."""

HELD = 10.0
"""How strongly shifts are held to zero: 1/HELD is the variance that is expected of them."""

BOUND = 1.5
"""The greatest shift of a label, either way: odds of 4.5 to 1."""

STEP = 0.05
"""Shifts are multiples of this, so that the version of a reading can say them and does not change with each word."""

MOST = round(BOUND / STEP)
"""The same as a number of steps."""

_NAME = re.compile(r"\+(?P<moods>-?\d+(?:\.-?\d+){2})/(?P<intents>-?\d+(?:\.-?\d+){4})$")
_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Shift:
    """What a brand adds to the log-odds of LABELS and of INTENTS, in steps of STEP."""

    moods: tuple[int, ...] = (0,) * len(LABELS)
    intents: tuple[int, ...] = (0,) * len(INTENTS)

    @property
    def is_none(self) -> bool:
        """Whether nothing is moved."""
        return not any(self.moods) and not any(self.intents)

    def named(self, version: str) -> str:
        """The version of what this shift makes of a model's readings: the model's own, and the shift itself."""
        if self.is_none:
            return version
        return f"{version}+{'.'.join(map(str, self.moods))}/{'.'.join(map(str, self.intents))}"


NONE = Shift()


def of_version(version: str) -> Shift:
    """The shift that a reading of this version was made with."""
    found = _NAME.search(version)
    if found is None:
        return NONE
    moods, intents = (tuple(map(int, found[name].split("."))) for name in ("moods", "intents"))
    return Shift(moods, intents)


@dataclass(frozen=True, slots=True)
class Word:
    """What the model said, in steps of which shift, and what a person says."""

    said: str
    right: str
    shift: tuple[int, ...]


def shifted(found: Reading, shift: Shift) -> Reading:
    """A reading as the brand has it. Language, urgency and offence stay."""
    if shift.is_none:
        return found
    model = shift.named(found.model)
    if found.sentiment_chances is None or found.intent_scores is None:
        return replace(found, model=model)
    odds = np.log(np.maximum(found.sentiment_chances, 1e-12)) + np.array(shift.moods) * STEP
    chances = np.exp(odds - odds.max())
    negative, neutral, positive = (chances / chances.sum()).tolist()
    best = int(chances.argmax())
    by_intent = {
        name: _moved(found.intent_scores[name], steps * STEP)
        for name, steps in zip(INTENTS, shift.intents, strict=True)
    }
    return replace(
        found,
        sentiment=LABELS[best],
        sentiment_score=(negative, neutral, positive)[best],
        sentiment_chances=(negative, neutral, positive),
        polarity=positive - negative,
        intents=tuple(name for name, chance in by_intent.items() if chance > SAID),
        intent_scores=by_intent,
        model=model,
    )


def _moved(chance: float, by: float) -> float:
    """A chance whose log-odds are moved."""
    if not by:
        return chance
    kept = min(max(chance, 1e-12), 1.0 - 1e-12)
    return float(1.0 / (1.0 + (1.0 - kept) / kept * np.exp(-by)))


def learned(labels: Sequence[str], words: Iterable[Word]) -> tuple[int, ...]:
    """The shift of each label, in steps, that these words make likeliest; the order of the words is nothing. `shift` of
    a word is that of its reading, by which the label had an advantage already."""
    counts = Counter((labels.index(one.said), labels.index(one.right), one.shift) for one in words)
    if sum(counts.values()) < LEAST:
        return (0,) * len(labels)
    pairs = sorted((key, count) for key, count in counts.items() if key[0] != key[1])
    point = np.zeros(len(labels))
    for _ in range(_ROUNDS):
        gradient, curvature = HELD * point, HELD * np.eye(len(labels))
        for (said, right, before), count in pairs:
            way = np.zeros(len(labels))
            way[right], way[said] = 1.0, -1.0
            chance = 1.0 / (1.0 + np.exp(-float(way @ (point - np.array(before) * STEP))))
            gradient -= count * (1.0 - chance) * way
            curvature += count * chance * (1.0 - chance) * np.outer(way, way)
        # Steps of one at most: far out a curvature is small, and a whole step would leap.
        step = np.linalg.solve(curvature, gradient)
        point = point - step / max(1.0, float(np.abs(step).max()))
    steps = np.round(np.clip(point, -BOUND, BOUND) / STEP).astype(int)
    return tuple(int(step) for step in steps)
