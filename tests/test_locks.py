"""The locks: whole, the same for what both hold, and for every machine."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    return {str(canonicalize_name(package)): version for package, version in found}


def wanted(*, dev: bool) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    texts = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    if dev:
        texts += project["project"]["optional-dependencies"]["dev"]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_has_a_hash_and_nothing_names_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    starts = [found.start() for found in re.finditer(r"^[A-Za-z0-9]", text, re.MULTILINE)]
    blocks = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]

    assert len(blocks) == len(pins(lock)) > 20
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"://|--index-url|--extra-index-url|--find-links|--trusted-host", text) == []


@pytest.mark.parametrize(("lock", "dev"), [(LOCKS[0], False), (LOCKS[1], True)])
def test_a_lock_holds_what_the_project_asks_for(lock: str, dev: bool) -> None:
    found = pins(lock)
    missing = [str(one) for one in wanted(dev=dev) if found.get(canonicalize_name(one.name), "") not in one.specifier]
    assert missing == [], "run `make lock`"


def test_the_tests_run_with_the_versions_that_are_shipped() -> None:
    shipped, tested = (pins(lock) for lock in LOCKS)
    assert {name: tested.get(name) for name in shipped} == shipped
