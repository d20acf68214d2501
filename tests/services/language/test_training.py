"""Weights are learned from files, kept, and read by."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from shared.analysis import model
from shared.analysis.reading import Text, read

_GOOD = ["lovely food", "great staff", "love this place", "wonderful evening", "best coffee"]
_BAD = ["awful food", "rude staff", "hate this place", "terrible evening", "worst coffee"]
_PLAIN = ["food at noon", "staff meeting", "this place opens", "evening programme", "coffee machine"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data, out = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("weights")
    moods = [(label, text) for label, texts in enumerate((_BAD, _PLAIN, _GOOD)) for text in texts]
    lines = [f"{label}\t{text} {number}\n" for number in range(12) for label, text in moods]
    (data / "umsab_en_train.tsv").write_text("".join(lines), "utf-8")
    (data / "umsab_en_val.tsv").write_text("".join(f"{label}\t{text} kept\n" for label, text in moods), "utf-8")
    rude = [f"1\tyou idiot {number}\n0\tgood morning is it {number}?\n" for number in range(30)]
    (data / "olid_en_train.tsv").write_text("".join(rude), "utf-8")
    (data / "intent_en.tsv").write_text("question\tAre you open?\nnone\tWe are open.\npraise\tlove it\n", "utf-8")
    result = CliRunner().invoke(app, ["train", "--data", str(data), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out


def test_what_was_learned_is_read_by(trained: Path) -> None:
    weights = model.folder_weights(trained)
    found = read([Text("lovely evening"), Text("awful evening")], weights)
    assert [reading.sentiment for reading in found] == ["positive", "negative"]
    assert {reading.model for reading in found} == {weights.version}


def test_the_card_counts_what_was_learned_from(trained: Path) -> None:
    assert '"lines": 180' in (trained / "model.json").read_text("utf-8")


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "--data", str(tmp_path), "--out", str(tmp_path)])
    assert result.exit_code == 1
