"""Section 5, `generic`: a bad mention takes no neighbour with it, whatever is bad about it."""

import json
from typing import Any

import pytest

from tests.contract.conftest import problem_at
from tests.contract.house import Channel, Tenant, eventually, mention

KINDS = ["post", "comment", "reply", "message", "review", "story", "article"]
EARLY, MIDDLE, LATE = "2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"


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


@pytest.mark.parametrize(
    "bad", ["\x00", chr(0xD800), chr(0xDC00) + "x", chr(0xD83D)], ids=["nul", "high", "low", "half an emoji"]
)
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


@pytest.mark.parametrize("rating", [1e308, -1e308, 0, -0.5, 5, 10**30])
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
