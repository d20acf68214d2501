"""What is said, in four languages."""

import pytest

from shared.domain.notifying import words
from shared.domain.notifying.kinds import EVENTS, HABITS, RULES
from shared.models.enums import EventType, NotificationKind

FACTS = {"post": "Marché {de} Noël", "channels": ["Facebook", "Bluesky"], "brand": "Dunes", "effect": "reply"}


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("kind", list(NotificationKind))
def test_every_kind_is_said_in_every_language(kind: NotificationKind, language: str) -> None:
    for facts in (FACTS, {}):
        said = words.say(kind, facts, language)
        assert said.title
        assert said.sentence[0].isupper() or not said.sentence[0].isalpha()
        assert "{post}" not in said.sentence


def test_the_sentence_names_what_and_where_and_ends_with_why() -> None:
    said = words.say(NotificationKind.POST_FAILED, {**FACTS, "reason": "the image is too large"}, "fr")
    assert said.sentence == (
        "« Marché {de} Noël » n’a pas pu être publié sur Facebook et Bluesky. Raison : the image is too large"
    )


def test_a_post_that_waits_for_the_client_asks_nobody_here() -> None:
    said = [
        words.say(NotificationKind.APPROVAL_WAITING, {"post": "x", "waits_for": waits_for}, "en").sentence
        for waits_for in ("people", "client")
    ]
    assert said == ["“x” waits for your word.", "“x” waits for the client’s word."]


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [(("nl-BE",), "nl"), ((None, "DE"), "de"), (("it", "fr"), "fr"), ((), "en"), (("it",), "en")],
    ids=["region", "brand", "second", "nobody", "unknown"],
)
def test_the_first_language_that_there_are_words_in_is_spoken(wanted: tuple[str | None, ...], spoken: str) -> None:
    assert words.language_of(*wanted) == spoken


def test_every_kind_has_a_habit_and_an_event() -> None:
    assert set(HABITS) == {rule.kind for rule in RULES} == set(NotificationKind)
    assert EventType.MENTION_RECORDED not in EVENTS
