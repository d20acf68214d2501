"""Every recorded exchange with a real server, read in place: each is heard, knowingly ignored, or a known error.

`python -m tests.connectors.test_mastodon_recorded` prints the table of what each one said.
"""

import gzip
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from shared.connectors import mastodon_calls, mastodon_check
from shared.connectors.mastodon import Mastodon
from shared.contract import Heard, Parsed, RawPart, Reacted, Said, read_json
from shared.errors import BadPayload, Refused

RECORDED = Path(__file__).parents[2].parent / "shared" / "fixtures" / "mastodon"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CHANNEL = "117020565966271181"  # the account that most recordings were made with


@dataclass(frozen=True)
class Exchange:
    """One request and what a server answered to it."""

    file: str
    asked: str
    response: httpx.Response

    @property
    def body(self) -> bytes:
        return self.response.content


def exchanges() -> Iterator[Exchange]:
    for path in sorted(RECORDED.glob("*.yaml")):
        for one in YAML(typ="safe").load(path)["interactions"]:
            request, answer = one["request"], one["response"]
            body: Any = answer["body"]["string"]
            body = body.encode() if isinstance(body, str) else body
            body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
            headers = {name: values[0] for name, values in answer["headers"].items() if name != "content-encoding"}
            response = httpx.Response(answer["status"]["code"], headers=headers, content=body)
            asked = re.sub(r"\d{2,}", "…", httpx.URL(request["uri"]).path)
            yield Exchange(path.name, f"{request['method']} {asked}", response)


def parse(exchange: Exchange) -> Parsed:
    return Mastodon().parse(RawPart(CHANNEL, exchange.body, NOW))


def words(fact: Heard) -> str:
    if isinstance(fact, Said):
        edited = ", edited" if fact.edited_at else ""
        return f"said: {fact.visibility.value} {fact.kind.value} by {fact.author_kind.value}{edited}"
    return f"reacted: {fact.reaction}" if isinstance(fact, Reacted) else type(fact).__name__.lower()


def told(exchange: Exchange) -> str:
    if exchange.response.status_code != 200:
        error = mastodon_calls.failure(exchange.response)
        return f"error {type(error).__name__}: {error.message}"
    try:
        parsed = parse(exchange)
    except BadPayload as error:
        return f"UNREADABLE: {error.message}"
    lines = [words(fact) for fact in parsed.heard]
    lines += [f"ignored: {reason}" for reason in parsed.ignored]
    lines += [f"PROBLEM: {problem.message}" for problem in parsed.problems]
    return "; ".join(f"{count} x {line}" if count > 1 else line for line, count in Counter(lines).items())


recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded exchanges are not at {RECORDED}")


def statuses(value: Any) -> Iterator[dict[str, Any]]:
    """Every status in an answer by a rule of the test's own: an object with an address in the network and content."""
    if isinstance(value, dict):
        if "uri" in value and "content" in value and value.get("reblog") is None:
            yield value
        for key, one in value.items():
            if key not in {"reblog", "quote", "quoted_status"}:
                yield from statuses(one)
    for one in value if isinstance(value, list) else []:
        yield from statuses(one)


@recorded
def test_every_recorded_answer_is_heard_or_knowingly_ignored_without_a_problem() -> None:
    found = [one for one in exchanges() if one.response.status_code == 200]
    assert len({one.file for one in exchanges()}) == len(list(RECORDED.glob("*.yaml"))) > 0
    for exchange in found:
        if exchange.body == b"OK":  # the streaming service's sign of life, which is no JSON and is never asked for
            continue
        parsed = parse(exchange)
        assert parsed.heard or parsed.ignored, (exchange.file, exchange.asked)
        assert parsed.problems == (), (exchange.file, exchange.asked)


@recorded
def test_every_recorded_status_is_heard_with_its_author_its_words_and_its_place() -> None:
    count = 0
    for exchange in exchanges():
        if exchange.response.status_code != 200 or exchange.body == b"OK":
            continue
        said = {fact.external_id: fact for fact in parse(exchange).heard if isinstance(fact, Said)}
        for status in statuses(read_json(exchange.body)):
            fact = said[status["id"]]
            count += 1
            assert fact.author is not None
            assert fact.author.external_id == status["account"]["id"]
            assert fact.author.handle is not None
            assert "@" in fact.author.handle
            assert fact.parent_external_id == status["in_reply_to_id"]
            assert fact.published_at is not None
            assert (fact.edited_at is None) == (status["edited_at"] is None)
            plain = unescape(re.sub(r"<[^>]*>", " ", status["content"]))
            for word in re.findall(r"\w{3,}", plain):
                assert word in (fact.text or ""), (exchange.file, word)
    assert count >= 50


@recorded
def test_every_recorded_error_is_classified_as_final() -> None:
    errors = [one for one in exchanges() if one.response.status_code != 200]
    assert {one.response.status_code for one in errors} == {404, 422}
    assert all(isinstance(mastodon_calls.failure(one.response), Refused) for one in errors)


@recorded
def test_every_recorded_rate_header_is_read_as_a_moment_within_its_window() -> None:
    limited = [one for one in exchanges() if "x-ratelimit-reset" in one.response.headers]
    assert limited
    for one in limited:
        room = mastodon_calls.room(one.response)
        assert room.limit is not None
        assert room.left is not None
        assert room.resets_in is not None
        assert timedelta(0) < room.resets_in <= timedelta(hours=1)


@recorded
def test_every_recorded_instance_says_how_long_a_post_may_be() -> None:
    described = [one for one in exchanges() if re.search(r"/instance/?$", one.asked)]
    assert len(described) == 6
    assert {mastodon_check.limits(read_json(one.body)) for one in described} == {(500, 23)}  # type: ignore[arg-type]


if __name__ == "__main__":
    for one in exchanges():
        sys.stdout.write(f"{one.file:48} {one.asked:52} {told(one)}\n")
