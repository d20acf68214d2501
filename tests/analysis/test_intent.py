"""What texts are meant to do."""

from pathlib import Path

import pytest

from shared.analysis.intent import INTENTS
from shared.analysis.reading import Text, read

DEVELOPMENT = Path(__file__).parent / "development"


@pytest.mark.parametrize(
    ("intents", "text"),
    [
        (("question",), "Zijn jullie open op zondag?"),
        (("question",), "Quelqu'un sait à quelle heure ça ouvre"),
        (("question",), "Can you tell me when the shop opens?"),
        (("question",), "Könnt ihr mir sagen, wann ihr öffnet?"),
        (("request",), "Could you please refund my ticket?"),
        (("request",), "Rappelez-moi svp au sujet de mon dossier"),
        (("thanks",), "Merci pour votre aide"),
        (("question",), "Où se trouve la gare ? Merci d'avance"),
        (("criticism",), "Are you kidding me?"),
        (("criticism",), "Danke für nichts"),
        (("praise",), "Helemaal niet slecht, dat nieuwe biertje!"),
        (("praise",), "@acme is great"),
        (("criticism",), "@acme has lost my parcel again"),
        (("praise",), "Team was amazing, we will come back"),
        (("question",), "Hallo, ist morgen offen"),
        (("question",), "hiya do u still do the vegan rolls"),
        ((), "I'm at Café des Dunes"),
        ((), "https://example.com/article the new timetable starts on Monday"),
    ],
)
def test_a_plain_case(intents: tuple[str, ...], text: str) -> None:
    assert read([Text(text)])[0].intents == intents


def test_several_may_hold() -> None:
    found = read([Text("Merci pour ce super week-end, tout était parfait !")])[0]
    assert found.intents == ("praise", "thanks")


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_questions_among_the_lines_of_development_are_known(language: str) -> None:
    lines = [line.split("\t") for line in (DEVELOPMENT / f"intent_{language}.tsv").read_text("utf-8").splitlines()]
    found = [reading.intents or () for reading in read([Text(text) for _, text in lines])]
    truth = ["question" in labels.split(",") for labels, _ in lines]
    said = ["question" in intents for intents in found]
    right = sum(a and b for a, b in zip(truth, said, strict=True))
    assert 2 * right / (sum(truth) + sum(said)) >= 0.9


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_lines_of_development_are_labelled_by_intents_in_order(language: str) -> None:
    for line in (DEVELOPMENT / f"intent_{language}.tsv").read_text("utf-8").splitlines():
        labels = line.split("\t")[0].split(",")
        assert labels == sorted(set(labels))
        assert set(labels) <= {*INTENTS, "none"}
