"""Near duplicates, judged by the set that was written by hand before there was any code for them."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.analysis.test_fingerprint import are_copies

_FOLDER = Path(__file__).parent / "frozen" / "duplicates"
# Copies that are found, of 68 (fr: 69), and others that are told from copies, of 40 (fr: 41, nl: 38).
MEASURED = {"de": (68, 36), "en": (68, 36), "fr": (69, 41), "nl": (68, 37)}


def judged(language: str) -> tuple[Counter[str], Counter[str]]:
    """How many pairs of each kind of edit there are, and how many of them are judged as by hand."""
    every: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for line in (_FOLDER / f"{language}.jsonl").read_text("utf-8").splitlines():
        pair = json.loads(line)
        for name in ("copies" if pair["copy"] else "others", pair["edit"]):
            every[name] += 1
            right[name] += are_copies(pair["a"], pair["b"]) == pair["copy"]
    return every, right


@pytest.mark.parametrize("language", sorted(MEASURED))
def test_the_frozen_pairs_are_told_as_well_as_the_docs_say(language: str) -> None:
    every, right = judged(language)
    found = {name: f"{right[name]} of {count}" for name, count in sorted(every.items())}
    assert (right["copies"], right["others"]) == MEASURED[language], found
