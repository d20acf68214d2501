"""What `make peers` says where a peer can't be installed, and how it ends."""

from collections.abc import AsyncGenerator
from io import StringIO
from pathlib import Path
from typing import ClassVar

import pytest
from rich.console import Console

from tests.peers import bluesky_servers, environment
from tests.peers.__main__ import ready, table
from tests.peers.bluesky_people import run_out
from tests.peers.house import PeerHouse
from tests.peers.peer import CannotInstall, Row, Say


class Elsewhere:
    """A peer that can't be had here."""

    name: ClassVar[str] = "elsewhere"
    what: ClassVar[str] = "a server from far away"

    def __init__(self, lack: str | None, failure: str | None = None) -> None:
        self._lack, self._failure = lack, failure

    def missing(self) -> str | None:
        return self._lack

    def install(self, folder: Path, say: Say) -> None:
        if self._failure is not None:
            raise CannotInstall(self._failure)

    async def run(self, folder: Path, house: PeerHouse) -> AsyncGenerator[Row, None]:
        yield Row("nothing", True, None)


@pytest.mark.parametrize(
    ("peer", "said"),
    [
        (Elsewhere("it needs a compiler, which is not here"), "elsewhere is skipped: it needs a compiler"),
        (Elsewhere(None, "npm could not install it"), "elsewhere is skipped: npm could not install it"),
    ],
)
def test_a_peer_that_can_not_be_installed_is_skipped_with_a_sentence(peer: Elsewhere, said: str) -> None:
    console = Console(file=StringIO(), width=200)
    assert ready([peer], console) == []
    assert isinstance(console.file, StringIO)
    assert said in console.file.getvalue()


def test_an_environment_that_has_no_place_is_said_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", "utf-8")
    with pytest.raises(CannotInstall, match="no place for its environment"):
        environment.install(tmp_path / "taken" / "peer", ("nothing==1",), lambda _: None)


def test_an_environment_that_has_what_is_wanted_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "installed.txt").write_text("hub==1\nfeed==1", "utf-8")
    said: list[str] = []
    environment.install(tmp_path, ("hub==1", "feed==1"), said.append)
    assert said == []
    assert [kept.name for kept in tmp_path.iterdir()] == ["installed.txt"]


def test_what_is_not_on_the_path_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Node 20 or newer" in (bluesky_servers.missing() or "")


def test_a_node_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program, says in (("node", "v18.19.0"), ("npm", "9"), ("c++", "12")):
        (tmp_path / program).write_text(f"#!/bin/sh\necho {says}\n", "utf-8")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert "this is v18.19.0" in (bluesky_servers.missing() or "")


def test_the_table_says_what_was_not_seen() -> None:
    console = Console(file=StringIO(), width=200)
    console.print(table(Elsewhere(None), [Row("a mention", False, 12.34, "late")]))
    assert isinstance(console.file, StringIO)
    assert all(word in console.file.getvalue() for word in ("a mention", "NO", "12.3 s", "late"))


def test_a_token_that_ran_out_keeps_its_head_and_is_signed_anew() -> None:
    head, claims, signature = run_out("eyJhIjoxfQ.eyJzdWIiOiJkaWQ6cGxjOmEifQ.c2ln").split(".")
    assert head == "eyJhIjoxfQ"
    assert len(claims) > 20
    assert len(signature) == 43
