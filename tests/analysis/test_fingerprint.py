"""Fingerprints: equal for one normal form, near for what was edited, far for what is only alike."""

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.analysis import fingerprint
from shared.analysis.fingerprint import Fingerprint
from tests.analysis import edited

_TEXTS = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from(" \n.,!@#:/é🙂ß"), max_size=200)
_WORDS = st.lists(st.sampled_from([f"word{n}" for n in range(40)]), min_size=6, max_size=60)


def digest(text: str) -> object:
    found = fingerprint.of(text)
    return found.digest if found is not None else None


def signed(*texts: str) -> fingerprint.Signatures:
    return fingerprint.signatures([one for text in texts if (one := fingerprint.of(text)) is not None])


def are_copies(one: str, other: str) -> bool:
    """What recording would say of two texts."""
    first, second = fingerprint.of(one), fingerprint.of(other)
    if first is None or second is None:
        return False
    if first.digest == second.digest:
        return True
    return first.is_long and second.is_long and bool(fingerprint.are_near(*_rows(first, second))[0])


def _rows(first: Fingerprint, second: Fingerprint) -> tuple[fingerprint.Signatures, fingerprint.Signatures]:
    rows = fingerprint.signatures([first, second])
    return rows[0], rows[1:]


@pytest.mark.parametrize(
    "written",
    [
        "RT @noor: Grüße aus Köln!",
        "gruesse aus koeln",
        "GRÜSSE… aus «Köln» 🙂🙂 https://t.example/x?y=1",
        "@lea @tom Grüße aus #Köln :-)",
        "Gru\u0308ße a\u00adus Ｋöln :D",
        "Grusse aus Koln (via @nieuws@example.social)",
    ],
)
def test_a_normal_form_is_the_words_alone(written: str) -> None:
    assert digest(written) == digest("Grüße aus Köln")


@pytest.mark.parametrize("other", ["Grüße aus Bonn", "aus Köln Grüße", "Grüße aus Köln 2", "via Köln", "Grüße ausKöln"])
def test_other_words_are_another_normal_form(other: str) -> None:
    assert digest(other) != digest("Grüße aus Köln")


@pytest.mark.parametrize(
    "nothing", ["", " \n", "🙂🙂", "https://t.example/a", "@lea", "!!!", "RT @lea", "\ud800", ":D"]
)
def test_what_has_no_words_has_no_fingerprint(nothing: str) -> None:
    assert fingerprint.of(nothing) is None


def test_under_six_words_there_is_nothing_near() -> None:
    assert not are_copies("Je recommande vraiment ce magasin", "Je recommande ce magasin")
    assert are_copies("Je recommande ce magasin", "je RECOMMANDE ce magasin!!")


def test_a_signature_is_the_same_in_every_version() -> None:
    """Signatures are stored: others would be near to none of them."""
    row = signed("one two three four five six seven")[0]
    assert row[:4].tolist() == [26271995, 128385649, 7748273, 427646886]
    assert fingerprint.bands(row[np.newaxis])[0, :2].tolist() == [-8714244466145662405, -8672959974079334421]


@given(_TEXTS)
def test_any_text_has_a_fingerprint_or_none(text: str) -> None:
    found = fingerprint.of(text)
    assert found is None or (found.words and digest(text) == found.digest)


@given(_TEXTS)
def test_case_and_what_is_around_a_text_make_no_other(text: str) -> None:
    assert digest(f"RT @somebody: {text} https://t.example/9") == digest(text)


@given(_WORDS, _WORDS)
def test_a_signature_tells_how_much_is_shared(one: list[str], other: list[str]) -> None:
    rows = signed(" ".join(one), " ".join(other))
    shared, union = _shingles(one) & _shingles(other), _shingles(one) | _shingles(other)
    exact = len(shared) / len(union)
    assert abs(float(fingerprint.similarity(rows[0], rows[1:])[0]) - exact) < 0.35  # five deviations of 64 places


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {(word,) for word in words} | set(pairwise(words))


@given(st.lists(_WORDS, min_size=1, max_size=8))
def test_a_batch_signs_as_each_by_itself(texts: list[list[str]]) -> None:
    together = signed(*map(" ".join, texts))
    assert (together == np.concatenate([signed(" ".join(words)) for words in texts])).all()


@given(_WORDS, _WORDS)
def test_near_is_the_same_both_ways(one: list[str], other: list[str]) -> None:
    rows = signed(" ".join(one), " ".join(other))
    assert fingerprint.are_near(rows[0], rows[1:])[0] == fingerprint.are_near(rows[1], rows[:1])[0]


@given(_WORDS, _WORDS)
def test_near_texts_share_a_band(one: list[str], other: list[str]) -> None:
    rows = signed(" ".join(one), " ".join(other))
    bands = fingerprint.bands(rows)
    if fingerprint.are_near(rows[0], rows[1:])[0]:
        assert set(bands[0].tolist()) & set(bands[1].tolist())


@pytest.mark.parametrize("kind", sorted(edited.EDITS))
def test_an_edited_text_is_found_again(kind: str) -> None:
    pairs = edited.pairs(kind, 300)
    found = sum(are_copies(one, other) for one, other in pairs)
    assert found >= 0.98 * len(pairs), f"{found} of {len(pairs)}"


def test_different_texts_of_the_same_words_are_far() -> None:
    chance = random.Random(3)
    texts = [edited.text(chance) for _ in range(600)]
    found = sum(are_copies(one, other) for one, other in zip(texts, reversed(texts), strict=True) if one != other)
    assert found == 0


def test_a_text_without_end_is_read_to_a_bound() -> None:
    found = fingerprint.of("word " * 100_000)
    assert found is not None
    assert len(found.words) <= fingerprint.MOST_CHARACTERS
    assert len(signed("word " * 100_000)) == 1
