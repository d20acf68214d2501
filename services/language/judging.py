"""How well texts are read, by files that somebody labelled."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.language.corpus import BadCorpus, Line, lines
from services.language.sources import SOURCES, TASKS, Kind, Source, Task
from shared.analysis import intent, sentiment
from shared.analysis.deep import Mood
from shared.analysis.reading import Reading, Text, read

Array = NDArray[np.float64]
Tier = Literal["fast", "deep"]
ReadDeep = Callable[[Sequence[Text]], Sequence[Mood | None]]

_NAME = re.compile(r"^(?P<name>[a-zA-Z0-9]+)[_.-](?P<language>[a-z]{2})(?:[_.-].*)?$")
_WORDS = {"negative": 0, "neg": 0, "neutral": 1, "neu": 1, "positive": 2, "pos": 2}
_BINS = 10
_DRAWN = 200
LONG = 4
"""Words from which on a text's language is asked for."""


@dataclass(frozen=True)
class Verdict:
    """How one file was read, by which tier. `f1` is the mean over classes, `error` the expected calibration error (ten
    bins), `error_by_chance` what of it right chances would have as well; these and `accuracy` and `language_accuracy`
    (of texts of LONG words and more, and of all) in per cent. `confusion` has rows by true label, `each` the F1 of each
    class, `auc` of those that have one. What a task does not have is None."""

    file: str
    tier: Tier
    task: Task
    language: str
    texts: int
    classes: tuple[str, ...]
    accuracy: float | None
    f1: float | None
    error: float | None
    error_by_chance: float | None
    each: dict[str, float]
    auc: dict[str, float]
    confusion: tuple[tuple[int, ...], ...]
    language_accuracy: float | None
    language_accuracy_of_all: float | None
    texts_a_second: float


@dataclass(frozen=True)
class Given:
    """One file to be judged by."""

    path: Path
    language: str
    source: Source
    lines: tuple[Line, ...]


def given(
    folder: Path, *, task: Task | None = None, kind: Kind | None = None, language: str | None = None
) -> list[Given]:
    """The files of a folder and of those in it, told by their names (`<task or source>_<language>….tsv`) where it is
    not said; and behind them, of each language that several alike are about, all of these as one. Raises BadCorpus
    where a file's task or language is not to be known, or there is none."""
    found = []
    for path in sorted([*folder.rglob("*.tsv"), *folder.rglob("*.txt")]):
        # `intent/fr.tsv` says as much as `intent_fr.tsv`.
        match = _NAME.match(path.stem) or _NAME.match(f"{path.resolve().parent.name}_{path.stem}")
        name = match["name"].lower() if match else path.stem
        source = {**SOURCES, **TASKS}.get(name)
        spoken = language or (match["language"] if match else None)
        if source is None and task is None:
            raise BadCorpus(f"{path.name}: name it after its task and language (sentiment_fr.tsv), or say --task.")
        if spoken is None:
            raise BadCorpus(f"{path.name}: name it after its language too (sentiment_fr.tsv), or say --language.")
        known = source or Source("sentiment", "social", "yours", "yours", trained=False)
        known = Source(task or known.task, kind or known.kind, known.origin, known.licence, trained=False)
        found.append(Given(path, spoken, known, lines(path)))
    if not found:
        raise BadCorpus(f"{folder} holds no .tsv or .txt file.")
    return [*found, *_together(found)]


def _together(files: Sequence[Given]) -> Iterator[Given]:
    """The files of one language, task, kind and scale as one, where there are several."""
    alike: dict[tuple[str, Task, Kind, frozenset[str]], list[Given]] = {}
    for file in files:
        scale = {line.label for line in file.lines} if file.source.task in {"sentiment", "offence"} else set()
        alike.setdefault((file.language, file.source.task, file.source.kind, frozenset(scale)), []).append(file)
    for (language, task, _, _), some in alike.items():
        if len(some) > 1:
            every = tuple(line for one in some for line in one.lines)
            yield Given(Path(f"all: {task} {language}"), language, some[0].source, every)


def f1s(truth: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> list[float]:
    """The F1 of each class, 0 to 1."""
    return [
        float(2 * ((truth == c) & (said == c)).sum() / max(int((truth == c).sum() + (said == c).sum()), 1))
        for c in range(classes)
    ]


def calibration_error(chance: Array, right: NDArray[np.bool_]) -> float:
    """The expected calibration error over ten equal bins, 0 to 1 (Naeini and others, 2015)."""
    bins = np.minimum((chance * _BINS).astype(np.int64), _BINS - 1)
    gaps = [
        abs(float(chance[bins == b].mean() - right[bins == b].mean())) * float((bins == b).mean())
        for b in range(_BINS)
        if (bins == b).any()
    ]
    return float(sum(gaps))


def error_by_chance(chance: Array) -> float:
    """The calibration error that chance alone makes of chances that are right to the last digit: the mean of many
    drawings. The fewer the texts, the greater."""
    random = np.random.default_rng(0)
    return float(np.mean([calibration_error(chance, random.random(len(chance)) < chance) for _ in range(_DRAWN)]))


def auc(truth: NDArray[np.bool_], scores: Array) -> float | None:
    """The area under the ROC curve, by ranks; None where only one class is there."""
    good, bad = int(truth.sum()), int((~truth).sum())
    if not good or not bad:
        return None
    order = np.argsort(scores, kind="stable")
    _, place, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = ((ends - counts + 1 + ends) / 2.0)[place]
    return float((ranks[truth[order]].sum() - good * (good + 1) / 2.0) / (good * bad))


def _batch(file: Given) -> list[Text]:
    return [Text(line.text, source=file.source.kind) for line in file.lines]


def _readings(file: Given) -> tuple[list[Reading], float]:
    batch = _batch(file)
    read(batch[:50])
    begun = time.process_time()
    found = read(batch)
    return found, len(batch) / max(time.process_time() - begun, 1e-9)


def _read_deep(file: Given, deep: ReadDeep) -> tuple[list[Reading], float]:
    """The same with the moods that the deep tier says, and its texts a second."""
    batch = _batch(file)
    found = read(batch)
    begun = time.process_time()
    moods = deep(batch)
    speed = len(batch) / max(time.process_time() - begun, 1e-9)
    chances = [mood.chances if mood is not None else None for mood in moods]
    return [replace(one, sentiment_chances=said) for one, said in zip(found, chances, strict=True)], speed


def _spoken(file: Given, found: Sequence[Reading]) -> tuple[float | None, float]:
    right = np.array([reading.language == file.language for reading in found])
    long = np.array([len(line.text.split()) >= LONG for line in file.lines])
    return 100.0 * float(right[long].mean()) if long.any() else None, 100.0 * float(right.mean())


def _mood_labels(file: Given) -> NDArray[np.int64]:
    raw = [line.label.lower() for line in file.lines]
    if not set(raw) <= {"0", "1", "2", *_WORDS}:
        raise BadCorpus(f"{file.path.name}: expected moods, as 0 1 2 or negative neutral positive.")
    found = np.array([_WORDS.get(label) if label in _WORDS else int(label) for label in raw], dtype=np.int64)
    # Two classes only: the lesser is bad, the greater good.
    return np.where(found == 1, 2, found) if set(found.tolist()) == {0, 1} and "1" in raw else found


def _moods(file: Given, found: Sequence[Reading]) -> tuple[NDArray[np.int64], Array, tuple[str, ...]]:
    """The true classes, the chances of these classes alone, and their names."""
    truth = _mood_labels(file)
    present = np.unique(truth)
    chances = np.array([one.sentiment_chances or (0.0, 1.0, 0.0) for one in found])[:, present]
    chances = np.maximum(chances, 1e-9)
    names = tuple(sentiment.LABELS[index] for index in present)
    return np.searchsorted(present, truth), chances / chances.sum(axis=1, keepdims=True), names


def _offences(file: Given, found: Sequence[Reading]) -> tuple[NDArray[np.int64], Array, tuple[str, ...]]:
    if not {line.label for line in file.lines} <= {"0", "1"}:
        raise BadCorpus(f"{file.path.name}: expected 0 (harmless) and 1 (offensive).")
    chance = np.array([one.offence or 0.0 for one in found])
    truth = np.array([int(line.label) for line in file.lines], dtype=np.int64)
    return truth, np.stack((1.0 - chance, chance), axis=1), ("harmless", "offensive")


def _classes(file: Given, found: Sequence[Reading], speed: float) -> Verdict:
    truth, chances, names = (_moods if file.source.task == "sentiment" else _offences)(file, found)
    said = chances.argmax(axis=1)
    each = f1s(truth, said, len(names))
    long, everything = _spoken(file, found)
    confusion = np.bincount(truth * len(names) + said, minlength=len(names) ** 2).reshape(len(names), -1)
    return Verdict(
        file=file.path.name,
        tier="fast",
        task=file.source.task,
        language=file.language,
        texts=len(found),
        classes=names,
        accuracy=100.0 * float((truth == said).mean()),
        f1=100.0 * float(np.mean(each)),
        error=100.0 * calibration_error(chances.max(axis=1), truth == said),
        error_by_chance=100.0 * error_by_chance(chances.max(axis=1)),
        each={name: 100.0 * value for name, value in zip(names, each, strict=True)},
        auc={},
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        language_accuracy=long,
        language_accuracy_of_all=everything,
        texts_a_second=speed,
    )


def _intents(file: Given, found: Sequence[Reading], speed: float) -> Verdict:
    labels = [set(line.label.split(",")) for line in file.lines]
    unknown = set().union(*labels) - {"none", *intent.INTENTS}
    if unknown:
        raise BadCorpus(f"{file.path.name}: expected none, or some of {', '.join(intent.INTENTS)}; not {min(unknown)}.")
    truth = np.array([[name in label for name in intent.INTENTS] for label in labels])
    said = np.array([[name in (one.intents or ()) for name in intent.INTENTS] for one in found])
    chances = np.array([list((one.intent_scores or dict.fromkeys(intent.INTENTS, 0.0)).values()) for one in found])
    each = [f1s(truth[:, c].astype(np.int64), said[:, c].astype(np.int64), 2)[1] for c in range(len(intent.INTENTS))]
    areas = {name: auc(truth[:, c], chances[:, c]) for c, name in enumerate(intent.INTENTS)}
    long, everything = _spoken(file, found)
    counts = [
        (truth[:, c] & said[:, c], ~truth[:, c] & said[:, c], truth[:, c] & ~said[:, c]) for c in range(truth.shape[1])
    ]
    return Verdict(
        file=file.path.name,
        tier="fast",
        task="intent",
        language=file.language,
        texts=len(found),
        classes=intent.INTENTS,
        accuracy=100.0 * float((truth == said).all(axis=1).mean()),
        f1=100.0 * float(np.mean(each)),
        error=100.0 * calibration_error(np.maximum(chances, 1.0 - chances).ravel(), (truth == said).ravel()),
        error_by_chance=100.0 * error_by_chance(np.maximum(chances, 1.0 - chances).ravel()),
        each={name: 100.0 * value for name, value in zip(intent.INTENTS, each, strict=True)},
        auc={name: 100.0 * area for name, area in areas.items() if area is not None},
        confusion=tuple(tuple(int(flags.sum()) for flags in row) for row in counts),
        language_accuracy=long,
        language_accuracy_of_all=everything,
        texts_a_second=speed,
    )


def both(file: Given, deep: ReadDeep | None) -> list[Verdict]:
    """How a file is read, and, where it is about moods, how by the deep tier. Raises BadCorpus."""
    first = judged(file)
    if deep is None or first.task != "sentiment":
        return [first]
    return [first, replace(_classes(file, *_read_deep(file, deep)), tier="deep")]


def judged(file: Given) -> Verdict:
    """How a file is read. Raises BadCorpus at labels that are not its task's."""
    if not file.lines:
        raise BadCorpus(f"{file.path.name} is empty.")
    found, speed = _readings(file)
    match file.source.task:
        case "sentiment" | "offence":
            return _classes(file, found, speed)
        case "intent":
            return _intents(file, found, speed)
        case "language" | "emotion":
            long, everything = _spoken(file, found)
            return Verdict(
                file.path.name,
                "fast",
                "language",
                file.language,
                len(found),
                (),
                None,
                None,
                None,
                None,
                {},
                {},
                (),
                long,
                everything,
                speed,
            )
