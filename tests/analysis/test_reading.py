"""What is read of a text, and that it is the same in any company."""

from dataclasses import fields

import pytest

from shared.analysis.reading import Text, read

SAID = [
    ("fr", "positive", "J'adore, un accueil vraiment chaleureux et un repas délicieux, merci !"),
    ("fr", "negative", "Service lamentable, deux heures d'attente et un plat froid. Plus jamais."),
    ("nl", "positive", "Heerlijk gegeten, super vriendelijk personeel, wij komen zeker terug!"),
    ("nl", "negative", "Schandalig slechte service, het eten was koud en veel te duur."),
    ("de", "positive", "Wunderbarer Abend, freundliches Personal und leckeres Essen, gerne wieder!"),
    ("de", "negative", "Furchtbar, das Essen war kalt und der Kellner unverschämt. Nie wieder."),
    ("en", "positive", "Lovely evening, delicious food and such friendly staff, thank you!"),
    ("en", "negative", "Terrible service, cold food and a rude waiter. Never again."),
]


@pytest.mark.parametrize(("language", "mood", "text"), SAID)
def test_language_and_mood_are_read_without_a_hint(language: str, mood: str, text: str) -> None:
    found = read([Text(text)])[0]
    assert (found.language, found.sentiment) == (language, mood)


@pytest.mark.parametrize(
    "text", [None, "", "   ", "https://example.com/a?b=c", "@somebody @other", "...", "\u200f\u200e"]
)
def test_where_there_is_nothing_to_read_nothing_is_said(text: str | None) -> None:
    found = read([Text(text)])[0]
    assert {getattr(found, field.name) for field in fields(found)} == {"und", 0.0, None, found.model}


def test_a_picture_alone_has_a_mood_and_no_language() -> None:
    found = read([Text("😍😍")])[0]
    assert (found.language, found.sentiment) == ("und", "positive")


def test_a_text_is_read_the_same_alone_and_in_any_batch() -> None:
    texts = [Text(text, source=source) for _, _, text in SAID for source in (None, "review")]
    texts += [Text(None), Text("ok"), Text("😡"), Text("x" * 5000), Text("👍 " * 700)]
    together = read(texts)
    assert together == [read([text])[0] for text in texts]
    assert together[::-1] == read(texts[::-1])


def test_scores_are_chances() -> None:
    for found in read([Text(text) for _, _, text in SAID]):
        assert found.sentiment_chances is not None
        assert found.intent_scores is not None
        assert sum(found.sentiment_chances) == pytest.approx(1.0)
        assert found.sentiment_score == max(found.sentiment_chances)
        assert found.polarity == pytest.approx(found.sentiment_chances[2] - found.sentiment_chances[0])
        for chance in (found.urgency, found.offence, found.language_score, *found.intent_scores.values()):
            assert chance is not None
            assert 0.0 <= chance <= 1.0


def test_a_negation_turns_the_mood() -> None:
    liked, not_liked = read([Text("Le repas était bon"), Text("Le repas n'était pas bon")])
    assert liked.polarity is not None
    assert not_liked.polarity is not None
    assert liked.polarity > 0.0 > not_liked.polarity


def test_an_insult_is_more_offensive_than_a_complaint() -> None:
    insult, complaint = read([Text("you are a stupid idiot, shut up asshole"), Text("the train was late again today")])
    assert insult.offence is not None
    assert complaint.offence is not None
    assert insult.offence > 0.5 > complaint.offence


def test_readings_name_the_weights_that_they_come_from() -> None:
    assert read([Text("hello")])[0].model.startswith("fast-")


def test_no_texts_give_no_readings() -> None:
    assert read([]) == []
