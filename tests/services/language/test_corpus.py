"""What is learned from, and what is kept for judging."""

from pathlib import Path

import pytest

from services.language.corpus import BadCorpus, sheets


def _write(folder: Path, name: str, lines: list[str]) -> None:
    (folder / name).write_text("".join(line + "\n" for line in lines), "utf-8")


def test_a_line_without_a_label_is_refused_with_its_place(tmp_path: Path) -> None:
    _write(tmp_path, "umsab_fr_train.tsv", ["1\tbien", "pas de tabulation"])
    with pytest.raises(BadCorpus, match="line 2"):
        sheets(tmp_path)


def test_a_folder_without_known_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCorpus, match="no file"):
        sheets(tmp_path)


def test_without_a_companion_a_tenth_is_kept_and_never_learned_from(tmp_path: Path) -> None:
    _write(tmp_path, "eva_nl_train.tsv", [f"1\tregel nummer {number} van de lijst" for number in range(500)])
    learned, kept = sheets(tmp_path)
    assert (learned.split, kept.split) == ("train", "dev")
    assert len(learned.lines) + len(kept.lines) == 500
    assert 25 <= len(kept.lines) <= 75
    assert not set(learned.lines) & set(kept.lines)


def test_with_a_companion_all_is_learned_from(tmp_path: Path) -> None:
    _write(tmp_path, "umsab_fr_train.tsv", [f"1\tligne numéro {number}" for number in range(50)])
    _write(tmp_path, "umsab_fr_val.tsv", ["0\tautre chose"])
    assert [(sheet.split, len(sheet.lines)) for sheet in sheets(tmp_path)] == [("train", 50), ("dev", 1)]


def test_what_is_learned_from_is_not_judged_by(tmp_path: Path) -> None:
    _write(tmp_path, "umsab_fr_train.tsv", ["1\t@lea Le train est en retard ! http"])
    _write(tmp_path, "umsab_fr_val.tsv", ["1\t@max le train est en retard", "0\tautre chose"])
    kept = next(sheet for sheet in sheets(tmp_path) if sheet.split == "dev")
    assert [line.text for line in kept.lines] == ["autre chose"]


def test_what_may_not_be_learned_from_is_left_out(tmp_path: Path) -> None:
    _write(tmp_path, "airline_en_train.tsv", ["0\tlate again"])
    _write(tmp_path, "te_en_val.tsv", ["0\tlate again"])
    assert [sheet.name for sheet in sheets(tmp_path)] == ["te"]
