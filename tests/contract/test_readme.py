"""The README's own commands, as they stand in it, against a running house."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.conftest import ROOT, Up
from tests.contract.house import Json, eventually

NEEDED = ("bash", "curl", "openssl", "od", "python3")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"the README's commands need {', '.join(MISSING)}")

SECTION = (ROOT / "README.md").read_text("utf-8").partition("## Say something, and read it")[2].partition("\n## ")[0]
ADDRESSES, WEBHOOK, QUERY = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
TAKEN, FOUND = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", SECTION, re.DOTALL))
(REST,) = re.findall(r"The same by REST: `(.*?)`\.", SECTION)


@pytest.fixture
def folder(up: Up, tmp_path: Path) -> Path:
    """Where `make up` was run, with its data folder under the usual name."""
    (tmp_path / ".parvis").symlink_to(up.folder)
    return tmp_path


def in_bash(folder: Path, *blocks: str) -> list[Json]:
    """What each block but the first, which only reads addresses, prints: JSON, one after the other."""
    program = "set -eu\n" + "\nprintf '\\036'\n".join(blocks)
    told = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "no_proxy": "*"}
    done = subprocess.run(
        ["bash", "-c", program], cwd=folder, env=told, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(said) for said in done.stdout.split("\x1e")[1:]]


def test_the_webhook_is_taken_and_the_query_shows_what_the_readme_shows(folder: Path) -> None:
    (taken,) = in_bash(folder, ADDRESSES, WEBHOOK)

    assert set(taken) == set(TAKEN)
    assert taken["duplicate"] is TAKEN["duplicate"]
    assert taken["arrival_id"].startswith("arr_")
    assert eventually(lambda: in_bash(folder, ADDRESSES, QUERY) == [FOUND], "the README's mention")


def test_rest_shows_the_same(folder: Path) -> None:
    in_bash(folder, ADDRESSES, WEBHOOK)
    wanted = FOUND["data"]["brand"]["mentions"]["nodes"][0]["text"]

    def texts() -> list[str]:
        (found,) = in_bash(folder, ADDRESSES, REST)
        return [mention["text"] for mention in found["data"]]

    eventually(lambda: wanted in texts(), "the README's mention by REST")
