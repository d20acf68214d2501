"""The settings table of docs/operate.md says what Settings reads."""

from pathlib import Path

import pytest

from services import settings_table
from shared.settings import SERVER_URLS, Settings


def test_the_page_is_up_to_date() -> None:
    page = settings_table.PAGE.read_text("utf-8")
    assert settings_table.with_table(page) == page


def test_every_setting_has_one_row_with_a_sentence() -> None:
    rows = settings_table.table().splitlines()[2:]
    assert len(rows) == len(Settings.model_fields)
    assert all(len(row.split("|")) == 5 and row.split("|")[3].strip().endswith(".") for row in rows)


def test_the_server_urls_stand_under_the_names_that_are_read() -> None:
    table = settings_table.table()
    assert all(f"| `{name}` |" in table for name in SERVER_URLS)
    assert "| `PARVIS_API_PORT` | `8000` |" in table


def test_a_stale_page_is_told_and_then_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "operate.md"
    page.write_text(f"# Operate\n\n{settings_table.BEGIN}\nold\n{settings_table.END}\n\nMore.\n", "utf-8")

    assert settings_table.main(["--check"], page) == 1
    assert "make schemas" in capsys.readouterr().err
    assert settings_table.main(["--write"], page) == 0
    assert settings_table.main(["--check"], page) == 0
    assert page.read_text("utf-8").startswith("# Operate\n")
    assert page.read_text("utf-8").endswith("\n\nMore.\n")


def test_a_page_without_a_place_for_the_table_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "operate.md"
    page.write_text("# Operate\n", "utf-8")
    with pytest.raises(ValueError, match="no place for the settings table"):
        settings_table.main(["--check"], page)
