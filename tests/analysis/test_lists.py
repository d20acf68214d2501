"""The lists of words and the weights are whole."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from shared.analysis import cues, lexicon, model
from shared.analysis.features import FIGURES
from shared.analysis.intent import INTENTS, SIGNALS


def _sections(language: str) -> set[str]:
    return {cue for cue, _ in lexicon.sections(language)}


@pytest.mark.parametrize("language", lexicon.LANGUAGES)
def test_every_language_has_the_same_cues(language: str) -> None:
    assert _sections(language) == _sections("en")


def test_every_list_says_where_it_is_from() -> None:
    notes = (lexicon.FOLDER / "LICENCES.md").read_text("utf-8")
    for path in lexicon.FOLDER.iterdir():
        assert path.name == "LICENCES.md" or path.name in notes or path.name.split(".")[0] + ".*.txt" in notes


def test_valences_lie_between_minus_one_and_one() -> None:
    assert abs(lexicon.polarities().values).max() <= 1.0


def test_a_phrase_may_be_several_cues() -> None:
    known = cues.cues()
    assert known.members.sum(axis=1).max() > 1


def test_what_was_learned_is_named_by_its_digest() -> None:
    digest = hashlib.sha256((model.FOLDER / "weights.npz").read_bytes()).hexdigest()[:10]
    assert model.weights().learned == f"fast-{digest}"


def test_other_weights_of_intents_are_another_version(tmp_path: Path) -> None:
    for name in ("model.json", "weights.npz", "intent.json"):
        shutil.copy(model.FOLDER / name, tmp_path)
    shipped = model.weights()
    assert model.folder_weights(tmp_path).version == shipped.version
    (tmp_path / "intent.json").write_text("{}", "utf-8")
    other = model.folder_weights(tmp_path)
    assert (other.learned, other.version == shipped.version) == (shipped.learned, False)


def test_weights_for_other_features_are_refused(tmp_path: Path) -> None:
    card = json.loads((model.FOLDER / "model.json").read_text("utf-8"))
    (tmp_path / "model.json").write_text(json.dumps(card | {"figures": list(FIGURES[1:])}), "utf-8")
    with pytest.raises(model.BadWeights, match="other features"):
        model.folder_weights(tmp_path)


def test_rules_name_signals_that_there_are() -> None:
    kept = json.loads((model.FOLDER / "intent.json").read_text("utf-8"))
    assert set(kept) == set(INTENTS)
    assert all(set(signals) <= set(SIGNALS) for signals in kept.values())


def test_the_card_names_each_source_with_its_licence() -> None:
    card = json.loads((model.FOLDER / "model.json").read_text("utf-8"))
    assert all(source["origin"] and source["licence"] and source["use"] for source in card["sources"])
    assert not {"bol", "airline", "mhc"} & {source["file"].split("_")[0] for source in card["sources"]}
