"""Every recorded file of Instagram, read in place: deliveries, answers and errors.

`python -m tests.connectors.test_instagram_recorded` prints the table of what each one said.
"""

import sys
from collections import Counter
from collections.abc import Iterator

import orjson
import pytest

from shared.connectors.instagram import Instagram
from shared.contract import RawArrival, RawPart, Said
from tests.connectors.recorded import FIXTURES, NOW, Told, classified, read, summed

RECORDED = FIXTURES / "instagram"
ACCOUNT = "17841406338772941"
# Which question each kind of answer belongs to; what has none is nothing that a person said.
SOURCES = {
    "comments__replies": "replies",
    "comments__comment_fields": "looked",
    "medias__comments_p1": "comments",
    "medias__children": "media",
    "medias__media_default": "looked",
    "stories__stories": "media",
    "stories__story_info": "looked",
    "users__mentioned_media": "mentioned_media",
    "users__stories": "media",
    "users__tagged_medias": "tags",
    "instagram__comment": "looked",
    "instagram__media-carousel": "looked",
    "instagram__media-image": "looked",
}
# Answers to questions about something else than what people say.
NOT_SAID = {
    "medias__insights": "figures, which nothing asks for yet",
    "publish__": "publishing, which is not offered yet",
    "users__hashtag_search": "ids of hashtags: the search is not offered",
    "users__product_appeal": "the shop's reviews, which are Meta's own",
    "users__user_fields": "a profile: who an account is, as `identify` reads it",
    "instagram__user": "a profile: who an account is, as `identify` reads it",
    "instagram__accesstoken": "a token: read by the consent",
    "instagram__audio-response": "music of Meta's library",
    "instagram__igmedia-cci": "a copyright check",
    "instagram__media-with-boost-ads": "advertisements",
    "ig-breakdown-insight": "figures, which nothing asks for yet",
}

recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason=f"the recorded traffic is not at {RECORDED}")


def table() -> Iterator[Told]:
    for path in sorted(RECORDED.iterdir()):
        name = path.name
        why = next((why for part, why in NOT_SAID.items() if part in name), None)
        source = next((source for part, source in SOURCES.items() if part in name), None)
        if "wh-" in name or "messaging-" in name:
            yield read(Instagram(), path)
        elif "exception" in name:
            yield classified("instagram", path)
        elif why is not None:
            yield Told(name, "ignored", why)
        elif source is not None:
            yield answer(name, source)


def answer(name: str, source: str) -> Told:
    """An answer to a question of ours; a single thing is one that was looked at."""
    body = (RECORDED / name).read_bytes()
    headers = {"graph-source": source, "graph-about": "17900000000000000"}
    if source == "looked":
        value = orjson.loads(body)
        body = orjson.dumps({"shown": {value["id"]: value}, "gone": []})
    parsed = Instagram().parse(RawPart(ACCOUNT, body, NOW, headers))
    return Told(name, "understood" if parsed.heard else "ignored", summed(parsed))


@recorded
def test_every_recorded_file_is_understood_or_knowingly_ignored() -> None:
    told = list(table())
    assert {one.name for one in told} == {path.name for path in RECORDED.iterdir()}
    assert Counter(one.state for one in told)["unreadable"] == 0
    assert [one.name for one in told if "PROBLEM" in one.words] == []


@recorded
def test_every_recorded_delivery_is_routed_to_its_account_and_says_the_same_there() -> None:
    for path in RECORDED.glob("restfb_instagram__wh-*.json"):
        [part] = Instagram().route(RawArrival("k", path.read_bytes(), NOW))
        routed = Instagram().parse(RawPart(ACCOUNT, part.body, NOW))
        assert routed == Instagram().parse(RawPart(ACCOUNT, path.read_bytes(), NOW)), path.name


@recorded
def test_what_people_wrote_is_heard_word_for_word() -> None:
    path = RECORDED / "pyfb_instagram__apidata__medias__comments_p1.json"
    headers = {"graph-source": "comments", "graph-about": "1"}
    heard = Instagram().parse(RawPart(ACCOUNT, path.read_bytes(), NOW, headers)).heard
    assert [fact.text for fact in heard if isinstance(fact, Said)] == [
        comment["text"] for comment in orjson.loads(path.read_bytes())["data"]
    ]


if __name__ == "__main__":
    for one in table():
        sys.stdout.write(f"{one.name:60} {one.state:11} {one.words}\n")
