"""Folders of `label<TAB>text` files, read and told apart into what is trained on and what is kept for judging."""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from services.language.sources import SOURCES, Source
from shared.errors import ParvisError

Split = Literal["train", "dev"]

_NAME = re.compile(r"^(?P<name>[a-z0-9]+)_(?P<language>[a-z]{2})(?:_(?P<split>\w+))?\.tsv$")
_KEPT = ("dev", "val", "test")
_SHARE = 10


class BadCorpus(ParvisError):
    """A folder or a file that can't be learned from or judged by."""


@dataclass(frozen=True)
class Line:
    """One labelled text."""

    label: str
    text: str


@dataclass(frozen=True)
class Sheet:
    """The lines of one file, or of its part."""

    path: Path
    name: str
    language: str
    source: Source
    split: Split
    lines: tuple[Line, ...]


def lines(path: Path) -> tuple[Line, ...]:
    """The lines of a file. Raises BadCorpus at one that has no label and text."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        label, tab, text = line.partition("\t")
        if line and not tab:
            raise BadCorpus(f"{path}, line {number}: expected a label, a tab and a text.")
        if tab and text.strip():
            found.append(Line(label.strip(), text))
    return tuple(found)


def _kept(line: Line) -> bool:
    return zlib.crc32(line.text.encode("utf-8", "surrogatepass")) % _SHARE == 0


def _parted(sheet: Sheet) -> Iterable[Sheet]:
    """A file without a companion for judging gives a tenth of its lines to that, chosen by their text."""
    for split in ("train", "dev"):
        part = tuple(line for line in sheet.lines if _kept(line) == (split == "dev"))
        yield Sheet(sheet.path, sheet.name, sheet.language, sheet.source, split, part)


_NOISE = re.compile(r"@\w+|https?\S*|[\W_]+")


def _normal(text: str) -> str:
    return " ".join(_NOISE.sub(" ", text.lower()).split())


def _apart(found: list[Sheet]) -> list[Sheet]:
    """The same, without those lines for judging that are trained on under another name."""
    trained = {_normal(line.text) for sheet in found if sheet.split == "train" for line in sheet.lines}
    return [
        sheet
        if sheet.split == "train"
        else replace(sheet, lines=tuple(line for line in sheet.lines if _normal(line.text) not in trained))
        for sheet in found
    ]


def sheets(folder: Path) -> list[Sheet]:
    """All files of known sources in a folder, in the order of their names. Raises BadCorpus where there are none."""
    found: list[Sheet] = []
    paths = sorted(folder.glob("*.tsv"))
    companions = {tuple(path.stem.split("_")[:2]) for path in paths if path.stem.split("_")[-1] in _KEPT}
    for path in paths:
        match = _NAME.match(path.name)
        if match is None or match["name"] not in SOURCES or not SOURCES[match["name"]].trained:
            continue
        split: Split = "dev" if match["split"] in _KEPT else "train"
        sheet = Sheet(path, match["name"], match["language"], SOURCES[match["name"]], split, lines(path))
        # Lines of intents are judged by files of others, so all of them are learned from.
        alone = (match["name"], match["language"]) not in companions and sheet.source.task != "intent"
        if split == "train" and alone:
            found += _parted(sheet)
        else:
            found.append(sheet)
    if not found:
        raise BadCorpus(f"{folder} holds no file of a source that is known: {', '.join(SOURCES)}.")
    return _apart(found)
