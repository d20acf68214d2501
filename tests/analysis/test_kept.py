"""What must not change unseen: what texts are given, how well, and the sets that judge it."""

import hashlib
import re
from pathlib import Path

import pytest

from services.language import judging
from shared.analysis import model
from shared.analysis.reading import Reading, Text, read

HERE = Path(__file__).parent
LANGUAGES = ("fr", "nl", "de", "en")


def _told(one: Reading) -> str:
    """A reading without what the weights and lists say of it: these are in the version already."""
    by_intent = {name: round(score, 3) for name, score in (one.intent_scores or {}).items()}
    chances = [round(chance, 3) for chance in one.sentiment_chances or ()]
    numbers = [round(number, 3) if number is not None else None for number in (one.urgency, one.offence, one.polarity)]
    return repr((one.language, round(one.language_score, 2), one.sentiment, chances, by_intent, one.intents, numbers,
                 one.phrases))  # fmt: skip


def test_a_text_is_given_what_it_was_given_by_this_version() -> None:
    """Where this fails and weights and lists are as they were, raise model.REVISION; then write down the new digest."""
    files = [(HERE / f"development/intent_{language}.tsv").read_text("utf-8") for language in LANGUAGES]
    texts = [Text(line.partition("\t")[2], home=("fr", "nl")) for file in files for line in file.splitlines()]
    found = hashlib.sha256("\n".join(map(_told, read(texts))).encode()).hexdigest()[:16]
    kept = (HERE / "kept.txt").read_text("utf-8").split()
    assert [model.weights().version, found] == kept


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("folder", "question", "criticism"), [("everyday", 90, 85), ("intent", 76, 80)], ids=["ordinary", "hard"]
)
def test_intents_are_as_good_as_is_promised(folder: str, question: int, criticism: int, language: str) -> None:
    """What docs/language.md says, and a little less: F1 of questions, AUC of criticism, in per cent."""
    [file] = [
        one
        for one in judging.given(HERE / "frozen" / folder, task="intent")
        if one.language == language and one.path.suffix
    ]
    found = judging.judged(file)
    assert found.each["question"] >= question
    assert found.auc["criticism"] >= criticism


def test_the_sets_that_judge_are_frozen() -> None:
    """A line is changed only when its label is wrong by the meanings: then this list is, too, and the docs say so."""
    lines = (HERE / "frozen.sha256").read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    files = sorted(path for path in (HERE / "frozen").rglob("*") if re.fullmatch(r"\.(tsv|jsonl|json)", path.suffix))
    found = {str(path.relative_to(HERE)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == listed
