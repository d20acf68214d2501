"""Every recorded exchange with a real Bluesky network, read in place: heard, knowingly ignored, or a known error.

`python -m tests.connectors.test_bluesky_recorded` prints the table of what each one said.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.connectors.bluesky import MAX_BYTES, MAX_GRAPHEMES
from shared.connectors.bluesky_session import host
from shared.connectors.bluesky_xrpc import failure
from shared.contract import Counted, Heard, Parsed, RawPart, Reacted, Said
from shared.errors import LoginDead, LoginExpired, NetworkError, Refused, Unavailable
from shared.models.enums import MentionKind
from tests.connectors.bluesky_house import bluesky

RECORDED = Path(__file__).parents[2].parent / "shared" / "fixtures" / "bluesky"
NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
BRAND = "did:plc:vjuhwn7jo2iry722wvilu7xn"

recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded exchanges are not at {RECORDED}")


def files() -> list[Path]:
    return sorted(RECORDED.glob("*.json"))


def load(path: Path) -> Any:
    return json.loads(path.read_bytes())


def is_lexicon(value: Any) -> bool:
    return isinstance(value, dict) and "lexicon" in value


def read(value: Any) -> Parsed | NetworkError | list[NetworkError]:
    """What a file says: an answer is parsed, an error classified, and so is every error that a lexicon names."""
    if is_lexicon(value):
        named = [error["name"] for error in value["defs"].get("main", {}).get("errors", [])]
        return [failure(httpx.Response(400, json={"error": name, "message": ""})) for name in named]
    if "status" in value and "headers" in value:
        if value["status"] != 200:
            return failure(httpx.Response(value["status"], json=value["body"]))
        value = value["body"]
    return bluesky.parse(RawPart(BRAND, json.dumps(value).encode(), NOW))


def words(fact: Heard) -> str:
    if isinstance(fact, Said):
        return f"said: {fact.kind.value} by {fact.author_kind.value}"
    if isinstance(fact, Reacted):
        return f"reacted: {fact.reaction}"
    return type(fact).__name__.lower()


def told(value: Any) -> str:
    found = read(value) if value != EMPTY else "ignored: an empty object, the answer to a deletion"
    if isinstance(found, str):
        return found
    if isinstance(found, NetworkError):
        return f"error: {type(found).__name__}: {found.message}"
    if isinstance(found, list):
        return "lexicon" + (f": its errors are {', '.join(type(one).__name__ for one in found)}" if found else "")
    lines = [words(fact) for fact in found.heard] + [f"ignored: {reason}" for reason in found.ignored]
    lines += [f"fetched: {pointer.kind}" for pointer in found.pointers]
    lines += [f"PROBLEM: {problem.message}" for problem in found.problems]
    return "; ".join(f"{count} x {line}" if count > 1 else line for line, count in Counter(lines).items())


EMPTY = {"status": 200, "body": {}}


def table() -> Iterator[tuple[str, str]]:
    """File and what was heard in it, why it was passed over, or which error it is."""
    for path in files():
        value = load(path)
        bare = {"status": value.get("status"), "body": value.get("body")} if isinstance(value, dict) else value
        yield path.name, told(EMPTY if bare == EMPTY else value)


@recorded
def test_every_recorded_exchange_is_heard_ignored_with_its_reason_or_a_known_error() -> None:
    rows = dict(table())
    assert len(rows) == len(files()) > 0
    assert [name for name, said in rows.items() if not said or "PROBLEM" in said] == []


@recorded
def test_recorded_notifications_are_heard_with_their_parents_and_times() -> None:
    found = read(load(RECORDED / "pds_listNotifications_reasons.json"))
    assert isinstance(found, Parsed)
    mention, reply = found.heard
    assert isinstance(mention, Said)
    assert isinstance(reply, Said)
    assert (mention.kind, mention.text) == (MentionKind.POST, "Service client lent @brand8c018.test")
    assert (reply.kind, reply.text) == (MentionKind.REPLY, "Ça ouvre dimanche? @brand")
    assert reply.parent_external_id == f"at://{BRAND}/app.bsky.feed.post/3n2vsclbjvc2c"
    assert mention.published_at == datetime(2026, 11, 22, 14, 12, 26, tzinfo=UTC)


@recorded
def test_a_recorded_search_is_heard_with_its_counters_and_tells_the_brand_apart() -> None:
    found = read(load(RECORDED / "pds_searchPosts.json"))
    assert isinstance(found, Parsed)
    said, counted = found.heard
    assert isinstance(said, Said)
    assert isinstance(counted, Counted)
    assert (said.language, said.author_kind.value) == ("fr", "brand")
    assert (counted.likes, counted.replies, counted.shares) == (1, 1, 2)


@recorded
def test_a_recorded_thread_shows_its_picture_where_the_network_shows_it() -> None:
    found = read(load(RECORDED / "marshalx_thread_view_post_with_embed_media.json"))
    assert isinstance(found, Parsed)
    said = found.heard[0]
    assert isinstance(said, Said)
    picture, quoted = said.media
    shown = load(RECORDED / "marshalx_thread_view_post_with_embed_media.json")["thread"]["post"]["embed"]
    assert picture.url == shown["media"]["images"][0]["fullsize"].removesuffix("@jpeg")
    assert (picture.kind, quoted.kind) == ("image", "quote")


@recorded
@pytest.mark.parametrize(
    ("file", "error"),
    [
        ("pds_no_token.json", LoginDead),
        ("pds_createRecord_too_long.json", Refused),
        ("pds_createRecord_300_family_emoji_overbytes.json", Refused),
        ("pds_createRecord_rkey_again.json", Unavailable),
        ("pds_getRecord_missing.json", Refused),
    ],
)
def test_a_recorded_error_is_what_the_network_meant_by_it(file: str, error: type[NetworkError]) -> None:
    assert type(read(load(RECORDED / file))) is error


@recorded
def test_the_errors_that_the_lexicon_of_renewing_names_are_about_the_login() -> None:
    found = read(load(RECORDED / "lex_com__atproto__server__refreshSession.json"))
    assert isinstance(found, list)
    assert [type(one) for one in found] == [LoginDead, LoginDead, LoginExpired]


@recorded
@pytest.mark.parametrize(
    ("file", "text", "limit"),
    [
        ("pds_createRecord_too_long.json", "é" * 301, MAX_GRAPHEMES),
        ("pds_createRecord_300_family_emoji_overbytes.json", "👨‍👩‍👧‍👦" * 121, MAX_BYTES),
    ],
)
def test_a_length_is_counted_as_the_recorded_refusal_counted_it(file: str, text: str, limit: int) -> None:
    counted = re.search(r"maximum (\d+), got (\d+)", load(RECORDED / file)["body"]["message"])
    assert counted is not None
    length = bluesky.count(text)
    assert (length.limit, length.used, length.fits) == (int(counted[1]), int(counted[2]), False)
    assert length.limit == limit


@recorded
def test_a_recorded_identity_names_its_host() -> None:
    found = load(RECORDED / "marshalx_did_doc.json")
    assert host(found["didDoc"], found["did"]) == "https://shimeji.us-east.host.bsky.network"


if __name__ == "__main__":
    for name, said in table():
        sys.stdout.write(f"{name:56} {said}\n")
