"""The matrix says what the cards and the specimens say, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.contract import Capability
from shared.models.enums import Network
from tests.connectors import matrix
from tests.connectors.specimens import SPECIMENS


def test_a_capability_has_the_letters_of_its_evidence_and_an_undeclared_one_a_dash() -> None:
    generic = replace(SPECIMENS[Network.GENERIC], recorded=frozenset({Capability.PUBLISH}))
    assert matrix.evidence(generic, Capability.WEBHOOKS) == "P F"
    assert matrix.evidence(generic, Capability.PUBLISH) == "R F"
    assert matrix.evidence(generic, Capability.POLL) == matrix.NONE


def test_every_network_has_a_row_in_every_table_and_a_page_of_its_own() -> None:
    for table in matrix.tables().split("\n\n"):
        assert table.count("\n") == len(SPECIMENS) + 1
    for network in SPECIMENS:
        assert (matrix.PAGE.parent / "networks" / f"{network.value}.md").exists()


def test_a_page_that_is_not_up_to_date_is_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "connectors.md"
    page.write_text(f"before\n{matrix.BEGIN}\nold\n{matrix.END}\nafter\n", "utf-8")
    assert matrix.main(["--check"], page) == 1
    assert "make schemas" in capsys.readouterr().err
    assert matrix.main(["--write"], page) == 0
    assert matrix.main(["--check"], page) == 0
    assert page.read_text("utf-8") == f"before\n{matrix.BEGIN}\n{matrix.tables()}\n{matrix.END}\nafter\n"


def test_a_page_without_a_place_for_the_matrix_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "connectors.md"
    page.write_text("nothing here\n", "utf-8")
    with pytest.raises(ValueError, match="no place"):
        matrix.main(["--write"], page)
