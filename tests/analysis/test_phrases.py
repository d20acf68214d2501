"""What texts are about."""

from shared.analysis.phrases import LIMIT, LONGEST
from shared.analysis.reading import Text, read


def _phrases(text: str) -> tuple[str, ...]:
    found = read([Text(text)])[0].phrases
    assert found is not None
    return found


def test_stop_words_are_in_no_phrase() -> None:
    assert _phrases("Le service client de la gare centrale est fermé") == ("service client", "gare centrale", "fermé")


def test_a_phrase_is_as_it_is_written_in_lower_case() -> None:
    assert "café crème" in _phrases("Le Café Crème est bon")


def test_a_phrase_ends_at_a_sign() -> None:
    assert "brussels" in _phrases("the delayed train, Brussels and me")


def test_handles_links_and_numbers_are_no_phrases() -> None:
    assert _phrases("@brand https://example.com/delay 2026 and the timetable") == ("timetable",)


def test_phrases_are_few_and_short() -> None:
    found = _phrases("ticket machine platform luggage conductor winter coffee station " * 50)
    assert len(found) <= LIMIT
    assert all(len(phrase.split()) <= LONGEST for phrase in found)
