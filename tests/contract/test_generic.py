"""Section 5, `generic`: our own signed JSON, its limits, its versions, and what it does with bad input."""

import json
import time
from itertools import permutations
from typing import Any

import pytest

from tests.contract.house import Channel, Json, Tenant, eventually, mention

KINDS = ["post", "comment", "reply", "message", "review", "story", "article"]
EARLY, MIDDLE, LATE = "2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"


def problem_at(arrival: Json, index: int) -> Json:
    found = [it for it in arrival["problems"] if it["index"] == index]
    assert found, arrival["problems"]
    assert {"index", "path", "message"} <= set(found[0])
    assert found[0]["message"]
    problem: Json = found[0]
    return problem


# What a mention says


def test_every_field_comes_back(tenant: Tenant) -> None:
    tenant.hear(
        mention(
            "whole",
            "Très bon café ☕",
            kind="review",
            author={"id": "lena", "handle": "lena.b", "name": "Lena B.", "url": "https://example.org/lena"},
            published_at="2026-11-20T10:00:00+01:00",
            edited_at="2026-11-20T10:30:00Z",
            url="https://example.org/reviews/1",
            language="fr",
            rating=4.5,
            media=[{"url": "https://example.org/a.jpg", "kind": "image", "alt": "une tasse"},
                   {"url": "https://example.org/b.mp4", "kind": "video"}],
            visibility="private",
        )
    )  # fmt: skip
    found = tenant.by_external_id("whole")

    author = found.pop("author")
    assert author["handle"] == "lena.b"
    assert (author["name"], author["url"]) == ("Lena B.", "https://example.org/lena")
    assert (author["external_id"], author["network"]) == ("lena", "generic")
    expected = {
        "kind": "review", "network": "generic", "visibility": "private", "text": "Très bon café ☕", "language": "fr",
        "rating": 4.5, "url": "https://example.org/reviews/1", "published_at": "2026-11-20T09:00:00Z",
        "edited_at": "2026-11-20T10:30:00Z", "deleted_at": None, "author_kind": "consumer",
        "media": [{"url": "https://example.org/a.jpg", "kind": "image", "alt": "une tasse"},
                  {"url": "https://example.org/b.mp4", "kind": "video", "alt": None}],
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_what_is_left_out_is_null_and_visibility_is_public(tenant: Tenant) -> None:
    tenant.hear(mention("least"))
    found = tenant.by_external_id("least")

    assert [found[name] for name in ("url", "edited_at", "deleted_at", "rating")] == [None] * 4
    assert (found["media"], found["visibility"]) == ([], "public")
    assert [found["author"][name] for name in ("handle", "name", "url")] == [None] * 3
    assert found["engagement"] == {"likes": None, "replies": None, "shares": None, "views": None}


def test_every_kind_is_taken(tenant: Tenant) -> None:
    arrival = tenant.hear(*(mention(f"kind {kind}", kind=kind) for kind in KINDS))

    assert arrival["problems"] in (None, [])
    assert [tenant.by_external_id(f"kind {kind}")["kind"] for kind in KINDS] == KINDS


@pytest.mark.parametrize("order", ["parent first", "child first"])
def test_an_answer_is_tied_to_its_parent_in_any_order(tenant: Tenant, order: str) -> None:
    parent, child = f"parent of {order}", f"child of {order}"
    said = [mention(parent, kind="post"), mention(child, parent_id=parent)]
    for it in said if order == "parent first" else reversed(said):
        tenant.hear(it)

    above, below = tenant.by_external_id(parent), tenant.by_external_id(child)
    assert below["parent_id"] == above["id"]
    assert below["thread_id"] == above["thread_id"]


# Limits


def count(tenant: Tenant, **params: Any) -> int:
    found, cursor = 0, None
    while True:
        page = tenant.get("/mentions", limit=100, **params, **({"cursor": cursor} if cursor else {}))
        found += len(page["data"])
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return found


def test_a_thousand_mentions_are_taken(tenant: Tenant) -> None:
    channel = tenant.connect(name="a thousand")
    arrival = tenant.hear(*(mention(f"m{n}") for n in range(1000)), channel=channel)

    assert (arrival["state"], arrival["problems"] or []) == ("settled", [])
    assert count(tenant, channel_id=channel.id) == 1000


def test_one_more_than_a_thousand_is_refused_whole(tenant: Tenant) -> None:
    channel = tenant.connect(name="a thousand and one")
    arrival = tenant.hear(*(mention(f"m{n}") for n in range(1001)), channel=channel)

    assert arrival["state"] == "unreadable"
    assert arrival["problems"]
    assert count(tenant, channel_id=channel.id) == 0


@pytest.mark.parametrize("letter", ["a", "é", "👩"])
def test_a_text_of_100_000_characters_is_taken(tenant: Tenant, letter: str) -> None:
    tenant.hear(mention(f"long {letter}", letter * 100_000))

    assert tenant.by_external_id(f"long {letter}")["text"] == letter * 100_000


def test_one_character_more_is_a_problem_of_that_mention_alone(tenant: Tenant) -> None:
    arrival = tenant.hear(mention("too long", "a" * 100_001), mention("beside the too long"))

    assert arrival["state"] == "settled"
    problem_at(arrival, 0)
    assert tenant.by_external_id("beside the too long")


# Versions


def test_versions_are_ordered_by_edit_time_however_they_arrive(tenant: Tenant) -> None:
    versions = [("first", None), ("second", EARLY), ("third", LATE)]
    for n, order in enumerate(permutations(versions)):
        channel = tenant.connect(name=f"order {n}")
        for text, edited_at in order:
            more = {"edited_at": edited_at} if edited_at else {}
            tenant.hear(mention("edited", text, **more), channel=channel)
        found = tenant.by_external_id("edited", channel_id=channel.id)
        assert (found["text"], found["edited_at"]) == ("third", LATE)
        assert tenant.history(found["id"]) == ["first", "second", "third"]


@pytest.mark.parametrize("edited_at", [None, MIDDLE])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_at_the_same_edit_time_the_webhooks_stamp_decides(
    tenant: Tenant, edited_at: str | None, order: tuple[int, ...]
) -> None:
    channel, start = tenant.connect(name="stamps"), int(time.time()) - 100
    for n in order:
        more = {"edited_at": edited_at} if edited_at else {}
        tenant.hear(mention("stamped", f"stamp {n}", **more), stamp=start + n * 10, channel=channel)
    found = tenant.by_external_id("stamped", channel_id=channel.id)

    assert found["text"] == "stamp 2"
    assert tenant.history(found["id"]) == ["stamp 0", "stamp 1", "stamp 2"]


def test_at_the_same_stamp_any_order_of_arrival_ends_the_same(tenant: Tenant) -> None:
    stamp, ends = int(time.time()) - 50, set()
    for n, order in enumerate(permutations(("red", "green", "blue"))):
        channel = tenant.connect(name=f"digest {n}")
        for text in order:
            tenant.hear(mention("digested", text), stamp=stamp, channel=channel)
        found = tenant.by_external_id("digested", channel_id=channel.id)
        history = tenant.history(found["id"])
        assert sorted(map(str, history)) == ["blue", "green", "red"]
        assert history[-1] == found["text"]
        ends.add(tuple(history))
    assert len(ends) == 1


def test_the_same_version_again_is_no_other_version(tenant: Tenant) -> None:
    for _ in range(3):
        tenant.hear(mention("repeated", "the same", edited_at=EARLY))

    assert tenant.history(tenant.by_external_id("repeated")["id"]) == ["the same"]


def test_two_versions_in_one_delivery_are_both_in_the_history(tenant: Tenant) -> None:
    tenant.hear(mention("both", "new", edited_at=LATE), mention("both", "old", edited_at=EARLY))
    found = tenant.by_external_id("both")

    assert found["text"] == "new"
    assert tenant.history(found["id"]) == ["old", "new"]


# Deletions


def test_a_deleted_mention_is_left_out_and_shown_when_asked_for(tenant: Tenant) -> None:
    tenant.hear(mention("deleted", "a secret word"))
    tenant.hear(deleted=["deleted"])

    assert "deleted" not in {it["external_id"] for it in tenant.mentions()}
    found = tenant.by_external_id("deleted", deleted="true")
    assert found["text"] is None
    assert found["deleted_at"] is not None
    assert "a secret word" not in [*tenant.history(found["id"])]
    assert {it["deleted_at"] is None for it in tenant.mentions(deleted="true")} == {False}


def test_deleted_before_created_ends_deleted(tenant: Tenant) -> None:
    tenant.hear(deleted=["too early"])
    tenant.hear(mention("too early", "never shown"))

    assert "too early" not in {it["external_id"] for it in tenant.mentions()}
    assert tenant.by_external_id("too early", deleted="true")["text"] is None
    assert tenant.mentions(q="never shown") == []


def test_deletion_wins_over_a_later_version(tenant: Tenant) -> None:
    tenant.hear(mention("final"))
    tenant.hear(deleted=["final"], stamp=time.time() - 100)
    tenant.hear(mention("final", "back again", edited_at="2026-11-22T00:00:00Z"))

    assert tenant.by_external_id("final", deleted="true")["text"] is None
    assert "final" not in {it["external_id"] for it in tenant.mentions()}


def test_said_and_deleted_in_one_delivery_is_deleted(tenant: Tenant) -> None:
    tenant.hear(mention("at once"), deleted=["at once"])

    assert tenant.by_external_id("at once", deleted="true")["text"] is None


def test_a_tombstone_whose_mention_never_came_is_not_listed(tenant: Tenant) -> None:
    arrival = tenant.hear(deleted=["a ghost"])

    assert arrival["state"] in {"settled", "ignored"}
    for listed in (tenant.mentions(), tenant.mentions(deleted="true")):
        assert "a ghost" not in {it["external_id"] for it in listed}


def test_deleting_again_changes_nothing(tenant: Tenant) -> None:
    tenant.hear(mention("twice deleted"))
    tenant.hear(deleted=["twice deleted"])
    before = tenant.by_external_id("twice deleted", deleted="true")
    arrival = tenant.hear(deleted=["twice deleted", "twice deleted"])

    assert arrival["state"] in {"settled", "ignored"}
    assert tenant.by_external_id("twice deleted", deleted="true")["deleted_at"] == before["deleted_at"]


# Bad among good

BAD: dict[str, Any] = {
    "unknown kind": mention("bad", kind="shout"),
    "kind in upper case": mention("bad", kind="COMMENT"),
    "no id": {k: v for k, v in mention("bad").items() if k != "id"},
    "empty id": mention(""),
    "no kind": {k: v for k, v in mention("bad").items() if k != "kind"},
    "author as text": mention("bad", author="noor"),
    "author without id": mention("bad", author={"name": "Noor"}),
    "no time": {k: v for k, v in mention("bad").items() if k != "published_at"},
    "time in words": mention("bad", published_at="yesterday"),
    "time without zone": mention("bad", published_at="2026-11-20T10:00:00"),
    "no such day": mention("bad", published_at="2026-02-30T10:00:00Z"),
    "text is a list": mention("bad") | {"text": ["a"]},
    "rating in words": mention("bad", rating="good"),
    "media as text": mention("bad", media="a.jpg"),
    "unknown visibility": mention("bad", visibility="friends"),
    "deep": mention("bad", author={"id": {"a": {"b": {"c": {}}}}}),
    "a text": "hello",
    "null": None,
    "a list": [],
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_mention_is_a_problem_and_its_neighbours_are_recorded(tenant: Tenant, name: str) -> None:
    before, after = f"before {name}", f"after {name}"
    arrival = tenant.hear(mention(before), BAD[name], mention(after))

    assert arrival["state"] == "settled"
    problem_at(arrival, 1)
    assert [it["index"] for it in arrival["problems"]].count(1) == len(arrival["problems"])
    assert tenant.by_external_id(before)
    assert tenant.by_external_id(after)
    assert "bad" not in {it["external_id"] for it in tenant.mentions()}


@pytest.mark.parametrize("name", BAD)
def test_nothing_usable_is_unreadable(tenant: Tenant, name: str) -> None:
    arrival = tenant.hear(BAD[name])

    assert arrival["state"] == "unreadable"
    problem_at(arrival, 0)


def test_a_bad_entry_among_the_deleted_takes_no_neighbour_with_it(tenant: Tenant) -> None:
    tenant.hear(mention("to delete"))
    answer = tenant.channel().post({"mentions": [], "deleted": [7, "to delete", None]})
    arrival = tenant.arrival(answer.json()["arrival_id"])

    assert arrival["state"] == "settled"
    assert arrival["problems"]
    assert tenant.by_external_id("to delete", deleted="true")


def test_a_mention_that_is_its_own_parent_ends_in_a_clear_problem_or_no_parent(tenant: Tenant) -> None:
    arrival = tenant.hear(mention("selfish", parent_id="selfish"), mention("beside selfish"))

    assert arrival["state"] == "settled"
    problem_at(arrival, 0)
    assert tenant.by_external_id("beside selfish")
    assert [it for it in tenant.mentions() if it["id"] == it["parent_id"]] == []


def test_two_mentions_that_are_each_others_parents_end_somewhere(tenant: Tenant) -> None:
    tenant.hear(mention("chicken", parent_id="egg"), mention("egg", parent_id="chicken"))
    tenant.hear(mention("after the chicken"))

    assert tenant.by_external_id("chicken")["thread_id"]
    assert tenant.by_external_id("egg")["thread_id"]
    assert tenant.by_external_id("after the chicken")


# What databases choke on


@pytest.mark.parametrize("bad", ["\x00", "\ud800", "\udc00x", "\ud83d"], ids=["nul", "high", "low", "half an emoji"])
@pytest.mark.parametrize("place", ["text", "name", "handle", "author id", "id", "url", "media", "deleted"])
def test_nul_and_lone_surrogates_are_made_storable(tenant: Tenant, bad: str, place: str) -> None:
    name = f"{place} {bad.encode('unicode_escape').decode()}"
    said = mention(name, "before after")
    match place:
        case "text":
            said["text"] = f"before{bad}after"
        case "name" | "handle":
            said["author"] = {"id": name, place: f"No{bad}or"}
        case "author id":
            said["author"] = {"id": f"{name}{bad}"}
        case "id":
            said["id"] = f"{name}{bad}"
        case "url":
            said["url"] = f"https://example.org/{bad}"
        case "media":
            said["media"] = [{"url": f"https://example.org/{bad}", "kind": f"ima{bad}ge", "alt": f"a{bad}b"}]
    gone = [f"{name}{bad}"] if place == "deleted" else []
    arrival = tenant.hear(mention(f"neighbour of {name}"), said, deleted=gone)

    assert arrival["state"] == "settled"
    assert tenant.by_external_id(f"neighbour of {name}")
    if place in {"text", "name", "handle", "id", "author id"}:
        found = [it for it in tenant.mentions() if it["external_id"].startswith(name)]
        assert len(found) == 1
        assert "before" in found[0]["text"]


def test_a_raw_nul_in_the_json_is_unreadable_and_kept(tenant: Tenant) -> None:
    answer = tenant.channel().post(
        json.dumps({"mentions": [mention("raw")]}).encode().replace(b"Bonjour", b"Bon\x00jour")
    )

    assert answer.status_code == 200
    assert tenant.arrival(answer.json()["arrival_id"])["state"] in {"unreadable", "settled"}


def test_names_and_handles_of_a_thousand_characters_are_kept(tenant: Tenant) -> None:
    author = {"id": "long name", "name": "N" * 1000, "handle": "h" * 1000, "url": "https://example.org/" + "u" * 1000}
    arrival = tenant.hear(mention("of a long name", author=author), mention("beside a long name"))

    assert arrival["state"] == "settled"
    assert tenant.by_external_id("beside a long name")
    found = tenant.by_external_id("of a long name")["author"]
    assert found["name"].startswith("N" * 100)
    assert found["handle"].startswith("h" * 100)


def test_ids_of_a_thousand_characters_stay_apart(tenant: Tenant) -> None:
    channel = tenant.connect(name="long ids")
    long = "i" * 999
    tenant.hear(
        mention(f"{long}1", "one", author={"id": f"{long}a"}),
        mention(f"{long}2", "two", author={"id": f"{long}b"}, parent_id=f"{long}1"),
        channel=channel,
    )
    tenant.hear(mention(f"{long}1", "one, edited", edited_at=LATE), channel=channel)

    found = {it["text"]: it for it in tenant.mentions(channel_id=channel.id)}
    assert set(found) == {"one, edited", "two"}
    assert found["two"]["parent_id"] == found["one, edited"]["id"]


def test_a_thousand_character_id_can_be_deleted(tenant: Tenant) -> None:
    channel = tenant.connect(name="long deletion")
    tenant.hear(mention("d" * 1000), channel=channel)
    tenant.hear(deleted=["d" * 1000], channel=channel)

    assert tenant.mentions(channel_id=channel.id) == []


@pytest.mark.parametrize(
    "published_at",
    ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00",
     "2026-11-20T10:00:00.123456789Z", "2030-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_strange_times_harm_no_neighbour(tenant: Tenant, published_at: str) -> None:
    arrival = tenant.hear(mention(f"at {published_at}", published_at=published_at), mention(f"beside {published_at}"))

    assert arrival["state"] == "settled"
    assert tenant.mentions(q="nothing") == []
    assert tenant.rest("GET", "/mentions", params={"order": "oldest"}).status_code == 200

    def listed() -> bool:
        return f"beside {published_at}" in {it["external_id"] for it in tenant.mentions()}

    assert eventually(listed, "the neighbour")


@pytest.mark.parametrize("rating", [1e308, -1e308, 0, -0.0, 5, 10**30])
def test_strange_ratings_harm_no_neighbour(tenant: Tenant, rating: float) -> None:
    arrival = tenant.hear(mention(f"rated {rating}", rating=rating), mention(f"beside rated {rating}"))

    assert arrival["state"] == "settled"
    assert tenant.by_external_id(f"beside rated {rating}")


def test_fields_that_nobody_knows_harm_nothing(tenant: Tenant) -> None:
    arrival = tenant.hear(mention("with more", hearts=7, author={"id": "noor", "age": 41}))

    assert arrival["state"] == "settled"
    assert tenant.by_external_id("with more")


def test_the_channel_is_found_again_under_its_own_id(tenant: Tenant) -> None:
    channel: Channel = tenant.connect(name="own id", external_id="partner-7")

    assert tenant.get(f"/channels/{channel.id}")["external_id"] == "partner-7"
