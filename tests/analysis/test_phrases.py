"""What texts are about."""

from shared.analysis import topics
from shared.analysis.phrases import LIMIT, LONGEST, rising
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


def test_what_is_said_more_than_before_rises() -> None:
    before = {"ticket": 50, "delay": 5, "coffee": 45}
    now = {"ticket": 52, "delay": 60, "coffee": 40}
    assert [found.phrase for found in rising(now, before)] == ["delay"]


def test_what_is_said_for_the_first_time_rises_and_what_is_rare_does_not() -> None:
    found = rising({"fire": 40, "tea": 2, "ticket": 100}, {"ticket": 140})
    assert [one.phrase for one in found] == ["fire"]


def test_nothing_rises_where_nothing_is_said() -> None:
    assert rising({}, {"ticket": 3}) == []


def test_the_same_shares_do_not_rise() -> None:
    assert rising({"a": 100, "b": 100}, {"a": 1000, "b": 1000}) == []


def test_a_named_topic_wins_over_phrases() -> None:
    known = {"punctuality": ["retard", "trein te laat"], "food": ["repas"]}
    assert topics.topics(["gros retard", "gare centrale"], known) == ("punctuality",)


def test_where_no_topic_is_named_the_first_phrases_are_it() -> None:
    assert topics.topics(["gare centrale", "quai"], {}) == ("gare centrale", "quai")


def test_shared_phrases_are_counted_by_texts() -> None:
    assert topics.shared([["a", "a", "b"], ["a"], ["c"]]) == [("a", 2)]
