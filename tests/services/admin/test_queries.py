from pathlib import Path

from typer.testing import CliRunner

from services.cli import app


def test_a_query_is_explained_and_tried_on_the_texts_of_a_file(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.write_text("Une bière au café\nBierzelt\nLe #café d'en face\n", "utf-8")
    found = CliRunner().invoke(app, ["query", "test", "bière OR #café", "--file", str(texts)])
    assert found.stdout.splitlines() == [
        "Finds mentions with the word “bière” or the hashtag “#café”.",
        "bière OR #café",
        "1: Une ⟦bière⟧ au café",
        "3: Le ⟦#café⟧ d'en face",
        "2 of 3 texts match.",
    ]
    assert found.exit_code == 0


def test_of_a_query_that_is_refused_the_place_and_the_reason_are_shown() -> None:
    found = CliRunner().invoke(app, ["query", "test", "bière AND lang:french"])
    assert found.stdout.splitlines()[0] == "bière AND lang:⟦french⟧"
    assert "(unknown_value, characters 15 to 21)" in found.stdout
    assert found.exit_code == 1
