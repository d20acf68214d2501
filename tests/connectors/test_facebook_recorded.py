"""Every recorded file of Facebook, read in place: each delivery is heard or knowingly ignored, answers and errors too.

`python -m tests.connectors.test_facebook_recorded` prints the table of what each one said.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from shared.connectors.facebook import Facebook
from shared.contract import Parsed, RawArrival, RawPart, Said
from tests.connectors.recorded import FIXTURES, NOW, Told, classified, read, summed

RECORDED = FIXTURES / "facebook"
PAGE = "1234567890321"
SOURCES = {
    "comments__comments_p2": ("comments", "19292868552_10158407654328553"),
    "messages__message_info": ("messages", ""),
    "posts__feed": ("feed", ""),
    "posts__single": ("looked", ""),
    "api_post-with-comment-count-only": ("looked", ""),
    "comment": ("looked", ""),
}
# Answers to questions about something else than what people say.
NOT_SAID = {
    "pages__": "a profile: who a Page is, as `identify` reads it",
    "insight": "figures, which nothing asks for yet",
    "messagetags": "who is named in a comment, without the comment",
}


def deliveries() -> list[Path]:
    return sorted(RECORDED.glob("wh_*.json"))


def table() -> Iterator[Told]:
    """File, whether it was understood, and what was heard in it or why it was passed over."""
    for path in sorted(RECORDED.iterdir()):
        why = next((why for part, why in NOT_SAID.items() if part in path.name), None)
        found = next((found for part, found in SOURCES.items() if part in path.name), None)
        if path.name.startswith("wh_"):
            yield read(Facebook(), path)
        elif path.name.startswith("err_"):
            yield classified("facebook", path)
        elif why is not None:
            yield Told(path.name, "ignored", why)
        elif found is not None:
            yield answer(path, *found)


def answer(path: Path, source: str, about: str) -> Told:
    """An answer to a question of ours; a single thing is one that was looked at, or a conversation's only message."""
    body, value = path.read_bytes(), orjson.loads(path.read_bytes())
    if source == "looked":
        body = orjson.dumps({"shown": {value["id"]: value}, "gone": []})
    elif source == "messages":
        body = orjson.dumps({"messages": {"data": [value]}})
    parsed = Facebook().parse(RawPart(PAGE, body, NOW, {"graph-source": source, "graph-about": about}))
    return Told(path.name, "understood" if parsed.heard else "ignored", summed(parsed))


def parse(path: Path) -> Parsed:
    return Facebook().parse(RawPart(PAGE, path.read_bytes(), NOW))


recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded traffic is not at {RECORDED}")


@recorded
def test_every_recorded_file_is_understood_or_knowingly_ignored() -> None:
    told = list(table())
    assert {one.name for one in told} == {path.name for path in RECORDED.iterdir()}
    assert Counter(one.state for one in told)["unreadable"] == 0
    assert [one.name for one in told if "PROBLEM" in one.words] == []


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
        routed = Facebook().parse(RawPart(PAGE, part.body, NOW))
        assert routed == parse(path), path.name


@recorded
def test_what_people_wrote_is_heard_word_for_word() -> None:
    for path in deliveries():
        for fact in parse(path).heard:
            if isinstance(fact, Said) and fact.text is not None:
                assert fact.text in path.read_text(), path.name


@recorded
def test_comments_that_come_without_an_id_have_the_one_in_their_address() -> None:
    path = RECORDED / "pyfb_facebook__apidata__comments__comments_p2.json"
    headers = {"graph-source": "comments", "graph-about": "19292868552_10158407654328553"}
    heard = Facebook().parse(RawPart(PAGE, path.read_bytes(), NOW, headers)).heard
    first, answer_ = [fact for fact in heard if isinstance(fact, Said)][:2]
    assert first.external_id == "10158407654328553_10158412899928553"
    assert answer_.parent_external_id == first.external_id


if __name__ == "__main__":
    for one in table():
        sys.stdout.write(f"{one.name:60} {one.state:11} {one.words}\n")
