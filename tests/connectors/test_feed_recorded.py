"""Every recorded feed, read in place: each is heard, or knowingly passed over, or unreadable to a person as well.

`python -m tests.connectors.test_feed_recorded` prints the table of what each one said.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.connectors.feed import Feed
from shared.contract import Deleted, Heard, Parsed, RawPart, Said
from shared.errors import BadPayload

RECORDED = Path(__file__).parents[2].parent / "shared" / "fixtures" / "rss"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
# What the feed was served as stands in a comment within it.
SERVED = re.compile(rb"Header:\s+Content-type:\s*([^\r\n]+)", re.IGNORECASE)
# A feed that holds a comment and nothing else: there is nothing in it that a person could read.
UNREADABLE = {"illformed__rss_empty_document.xml"}


def feeds() -> list[Path]:
    return sorted(path for path in RECORDED.glob("*") if path.is_file())


def parse(path: Path) -> Parsed:
    body = path.read_bytes()
    served = SERVED.search(body)
    headers = {"content-type": served[1].decode().strip()} if served else {}
    return Feed().parse(RawPart("https://cafe.example/feed", body, NOW, headers))


def words(fact: Heard) -> str:
    if isinstance(fact, Deleted):
        return "deleted"
    assert isinstance(fact, Said)
    present = ("text", "author", "url", "published_at", "edited_at", "language", "media")
    return "said: " + (", ".join(name for name in present if getattr(fact, name)) or "its id only")


def table() -> Iterator[tuple[str, str]]:
    """File and what was heard in it, why it was passed over, or why it can't be read."""
    for path in feeds():
        try:
            parsed = parse(path)
        except BadPayload as error:
            yield path.name, f"UNREADABLE: {error.message}"
            continue
        told = [words(fact) for fact in parsed.heard]
        told += [f"ignored: {reason}" for reason in parsed.ignored]
        told += [f"PROBLEM: {problem.message}" for problem in parsed.problems]
        yield path.name, "; ".join(f"{count} x {line}" if count > 1 else line for line, count in Counter(told).items())


recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded feeds are not at {RECORDED}")


@recorded
def test_every_recorded_feed_is_heard_or_knowingly_ignored_without_a_problem() -> None:
    assert feeds()
    for path in feeds():
        if path.name in UNREADABLE:
            with pytest.raises(BadPayload):
                parse(path)
            continue
        parsed = parse(path)
        assert parsed.heard or parsed.ignored, path.name
        assert parsed.problems == (), path.name


@recorded
def test_what_people_wrote_in_another_encoding_is_heard_as_they_wrote_it() -> None:
    path = RECORDED / "encoding__http_text_xml_charset_overrides_encoding_2.xml"
    [said] = parse(path).heard
    assert isinstance(said, Said)
    assert said.text == "Foo\n\nThis is a £“test.”"


@recorded
def test_ids_are_heard_as_written() -> None:
    for path in feeds():
        for fact in parse(path).heard if path.name.startswith("wellformed__atom10__entry_id") else ():
            assert fact.external_id in path.read_text(), path.name


if __name__ == "__main__":
    for name, told in table():
        sys.stdout.write(f"{name:68} {told}\n")
