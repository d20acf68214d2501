"""Every recorded delivery, read in place: each is heard or knowingly ignored.

`python -m tests.connectors.test_facebook_recorded` prints the table of what each one said.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.connectors.facebook import Facebook
from shared.contract import Heard, Hidden, Parsed, RawArrival, RawPart, Reacted, Said

RECORDED = Path(__file__).parents[2].parent / "shared" / "fixtures" / "facebook"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def deliveries() -> list[Path]:
    return sorted(RECORDED.glob("wh_*.json"))


def words(fact: Heard) -> str:
    if isinstance(fact, Said):
        edited = ", edited" if fact.edited_at else ""
        return f"said: {fact.visibility.value} {fact.kind.value} by {fact.author_kind.value}{edited}"
    if isinstance(fact, Reacted):
        return f"reacted: {fact.reaction} {'given' if fact.on else 'taken back'}"
    if isinstance(fact, Hidden):
        return "hidden" if fact.hidden else "shown again"
    return type(fact).__name__.lower()


def table() -> Iterator[tuple[str, str]]:
    """File and what was heard in it or why it was passed over."""
    for path in deliveries():
        parsed = parse(path)
        told = [words(fact) for fact in parsed.heard]
        told += [f"ignored: {reason}" for reason in parsed.ignored]
        told += [f"PROBLEM: {problem.message}" for problem in parsed.problems]
        yield path.name, "; ".join(f"{count} x {line}" if count > 1 else line for line, count in Counter(told).items())


def parse(path: Path) -> Parsed:
    return Facebook().parse(RawPart("1234567890321", path.read_bytes(), NOW))


recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded deliveries are not at {RECORDED}")


@recorded
def test_every_recorded_delivery_is_heard_or_knowingly_ignored_without_a_problem() -> None:
    assert deliveries()
    for path in deliveries():
        parsed = parse(path)
        assert parsed.heard or parsed.ignored, path.name
        assert parsed.problems == (), path.name


@recorded
def test_every_recorded_delivery_is_routed_to_its_page_and_says_the_same_there() -> None:
    for path in deliveries():
        parts = Facebook().route(RawArrival("k", path.read_bytes(), NOW))
        assert len(parts) == 1, path.name
        [part] = parts
        assert part.channel_external_id.isdigit(), path.name
        routed = Facebook().parse(RawPart("1234567890321", part.body, NOW))
        assert routed == parse(path), path.name


@recorded
def test_what_people_wrote_is_heard_word_for_word() -> None:
    for path in deliveries():
        for fact in parse(path).heard:
            if isinstance(fact, Said) and fact.text is not None:
                assert fact.text in path.read_text(), path.name


if __name__ == "__main__":
    for name, told in table():
        sys.stdout.write(f"{name:48} {told}\n")
