"""Every word that a chart needs is there in each language."""

import pytest

from shared.domain.insight.charting.look import ChartLanguage
from shared.domain.insight.charting.words import WORDS
from shared.models.enums import Dimension, Intent, Interval, MentionKind, MetricKey, Sentiment

EACH = pytest.mark.parametrize("language", list(ChartLanguage), ids=[one.value for one in ChartLanguage])


@EACH
def test_every_figure_and_interval_has_a_name(language: ChartLanguage) -> None:
    assert set(WORDS[language].keys) == {key.value for key in MetricKey}
    assert set(WORDS[language].per) == set(Interval)
    assert len(WORDS[language].months) == 12


@EACH
def test_every_mood_kind_and_intent_has_a_name(language: ChartLanguage) -> None:
    named = WORDS[language].named
    assert set(named[Dimension.SENTIMENT]) == {"", *(one.value for one in Sentiment)}
    assert set(named[Dimension.KIND]) == {one.value for one in MentionKind}
    assert set(named[Dimension.INTENT]) == {"", *(one.value for one in Intent)}


@pytest.mark.parametrize(
    ("language", "written"), [("fr", "−12\u202f345,5"), ("nl", "−12.345,5"), ("de", "−12.345,5"), ("en", "−12,345.5")]
)
def test_each_language_writes_numbers_its_own_way(language: str, written: str) -> None:
    assert WORDS[ChartLanguage(language)].number(-12345.5, 1) == written


def test_what_has_no_word_is_called_what_it_is() -> None:
    assert WORDS[ChartLanguage.FR].value(Dimension.LANGUAGE, "lb") == "lb"
    assert WORDS[ChartLanguage.FR].value(Dimension.LANGUAGE, None) == "inconnu"
