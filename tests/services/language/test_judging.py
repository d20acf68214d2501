"""Figures by which reading is judged."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from services.cli import app
from services.language import judging
from services.language.corpus import BadCorpus


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    truth, said = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0])
    assert judging.f1s(truth, said, 2) == pytest.approx([2 / 3, 1 / 2])


def test_chances_that_hold_have_no_calibration_error() -> None:
    chance = np.array([0.75] * 4)
    assert judging.calibration_error(chance, np.array([True, True, True, False])) == pytest.approx(0.0)
    assert judging.calibration_error(chance, np.array([False] * 4)) == pytest.approx(0.75)


def test_auc_counts_pairs_in_the_right_order_and_ties_by_half() -> None:
    assert judging.auc(np.array([False, True, True]), np.array([0.1, 0.9, 0.8])) == 1.0
    assert judging.auc(np.array([False, True]), np.array([0.5, 0.5])) == 0.5
    assert judging.auc(np.array([True, True]), np.array([0.5, 0.4])) is None


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_moods_are_judged_by_words_or_numbers(tmp_path: Path) -> None:
    _file(tmp_path, "sentiment_en.tsv", "negative\tawful, terrible service\n2\tlovely, I love it\n")
    verdict = judging.judged(judging.given(tmp_path)[0])
    assert (verdict.accuracy, verdict.f1, verdict.classes) == (100.0, 100.0, ("negative", "positive"))


def test_two_numbers_alone_are_bad_and_good(tmp_path: Path) -> None:
    _file(tmp_path, "reviews_nl.tsv", "0\tslecht, heel slecht boek\n1\tprachtig boek, aanrader\n")
    assert judging.judged(judging.given(tmp_path)[0]).confusion == ((1, 0), (0, 1))


def test_intents_are_judged_each(tmp_path: Path) -> None:
    _file(tmp_path, "intent_en.tsv", "question\tAre you open on Sunday?\nthanks\tThanks for your help\nnone\tA tram.\n")
    verdict = judging.judged(judging.given(tmp_path)[0])
    assert verdict.each["question"] == verdict.each["thanks"] == 100.0


def test_an_intent_that_there_is_not_is_refused(tmp_path: Path) -> None:
    _file(tmp_path, "intent_en.tsv", "question\tAre you open?\ncomplaint,praise\tNot bad, not good\n")
    with pytest.raises(BadCorpus, match="not complaint"):
        judging.judged(judging.given(tmp_path)[0])


def test_files_alike_of_one_language_are_judged_together_too(tmp_path: Path) -> None:
    (tmp_path / "intent").mkdir()
    _file(tmp_path / "intent", "fr.tsv", "thanks\tMerci pour votre aide\n")
    _file(tmp_path, "intent_fr_more.tsv", "question\tVous ouvrez quand ?\n")
    _file(tmp_path, "sentiment_fr.tsv", "0\tnul\n2\tsuper\n")
    _file(tmp_path, "reviews_fr.tsv", "0\tnul\n1\tsuper\n")
    files = judging.given(tmp_path)
    assert [(file.path.name, len(file.lines)) for file in files if file.path.name.startswith("all")] == [
        ("all: intent fr", 2)
    ]


def test_figures_without_a_text_to_be_taken_of_are_no_numbers(tmp_path: Path) -> None:
    _file(tmp_path, "intent_en.tsv", "thanks\tthanks a lot\n")
    told = CliRunner().invoke(app, ["evaluate", "--data", str(tmp_path), "--json"]).output
    assert json.loads(told, parse_constant=pytest.fail)[0]["language_accuracy"] is None


def test_a_name_that_says_nothing_asks_for_the_task(tmp_path: Path) -> None:
    _file(tmp_path, "mine_en.tsv", "0\tx\n")
    with pytest.raises(BadCorpus, match="--task"):
        judging.given(tmp_path)
    assert judging.given(tmp_path, task="offence")[0].source.task == "offence"


def test_a_folder_may_name_the_task_and_its_files_the_languages(tmp_path: Path) -> None:
    folder = tmp_path / "intent"
    folder.mkdir()
    _file(folder, "fr.tsv", "thanks\tMerci pour votre aide\n")
    assert [(file.source.task, file.language) for file in judging.given(folder)] == [("intent", "fr")]


def test_labels_of_another_task_are_refused(tmp_path: Path) -> None:
    _file(tmp_path, "sentiment_en.tsv", "happy\tx\n")
    with pytest.raises(BadCorpus, match="expected moods"):
        judging.judged(judging.given(tmp_path)[0])


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_evaluate_prints_every_file(tmp_path: Path, options: list[str]) -> None:
    _file(tmp_path, "sentiment_fr.tsv", "0\tnul, vraiment nul\n2\tsuper, bravo à vous\n")
    _file(tmp_path, "language_de.tsv", "x\tdas ist ein ganz normaler Satz\n")
    result = CliRunner().invoke(app, ["evaluate", "--data", str(tmp_path), *options])
    assert result.exit_code == 0
    assert "sentiment_fr.tsv" in result.output
    if options:
        assert [one["language"] for one in json.loads(result.output)] == ["de", "fr"]


def test_chance_alone_makes_a_greater_calibration_error_of_fewer_texts() -> None:
    few, many = (judging.error_by_chance(np.linspace(0.4, 1.0, count)) for count in (100, 10_000))
    assert few > 0.05
    assert many < 0.01
