"""Which language a text is in."""

import pytest

from shared.analysis.reading import Text, read


def _language(text: str, language: str | None = None, prior: str | None = None) -> str:
    return read([Text(text, language=language, prior=prior)])[0].language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "je ne sais pas quoi faire avec ce billet"),
        ("nl", "ik weet niet wat ik met dit kaartje moet"),
        ("de", "ich weiß nicht was ich mit der Karte machen soll"),
        ("en", "i have no idea what to do with this ticket"),
        ("es", "no sé qué hacer con este billete mañana"),
        ("it", "non so cosa fare con questo biglietto domani"),
        ("pl", "nie wiem co zrobić z tym biletem jutro"),
    ],
)
def test_it_is_known_by_four_words_and_more(language: str, text: str) -> None:
    assert _language(text) == language


def test_a_short_text_is_in_its_authors_language() -> None:
    assert _language("super top", prior="nl") == "nl"
    assert _language("super top", prior="fr") == "fr"


def test_a_short_text_is_more_likely_in_a_language_of_its_brand() -> None:
    scores = [read([Text("super top", home=home)])[0].language_score for home in ((), ("nl",))]
    assert read([Text("super top", home=("nl",))])[0].language == "nl"
    assert scores[1] > scores[0]


def test_a_long_text_does_not_mind_the_languages_of_its_brand() -> None:
    text = "ik weet echt niet wat ik met dit kaartje moet doen morgen"
    assert read([Text(text, home=("fr", "en"))]) == read([Text(text)])


def test_a_long_text_is_in_its_own_whatever_the_network_says() -> None:
    assert _language("ik weet echt niet wat ik met dit kaartje moet doen morgen", language="en", prior="en") == "nl"


def test_a_hint_with_a_country_is_a_hint() -> None:
    assert _language("super top", language="de-AT") == "de"


@pytest.mark.parametrize("text", ["12345", "hmm", "😂", "@user #Xyz"])
def test_what_could_be_any_language_is_in_none(text: str) -> None:
    assert _language(text) == "und"


def test_handles_tags_and_links_are_in_no_language() -> None:
    assert (
        _language("@WeAreTheBestPeople https://the-best-of-the-world.com c'est vraiment dommage #ThisIsTheEnd") == "fr"
    )
