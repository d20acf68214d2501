"""Section 5, `generic`: our own signed JSON, its limits, its versions and its deletions."""

import time
from itertools import permutations

import pytest

from tests.contract.conftest import problem_at
from tests.contract.house import Tenant, mention

KINDS = ["post", "comment", "reply", "message", "review", "story", "article"]
EARLY, MIDDLE, LATE = "2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"


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


def test_a_thousand_mentions_are_taken(tenant: Tenant) -> None:
    channel = tenant.connect(name="a thousand")
    arrival = tenant.hear(*(mention(f"m{n}") for n in range(1000)), channel=channel)

    assert (arrival["state"], arrival["problems"] or []) == ("settled", [])
    assert len(tenant.mentions(channel_id=channel.id)) == 1000


def test_one_more_than_a_thousand_is_refused_whole(tenant: Tenant) -> None:
    channel = tenant.connect(name="a thousand and one")
    arrival = tenant.hear(*(mention(f"m{n}") for n in range(1001)), channel=channel)

    assert arrival["state"] == "unreadable"
    assert arrival["problems"]
    assert tenant.mentions(channel_id=channel.id) == []


@pytest.mark.parametrize("letter", ["a", "é", "👩"])
def test_a_text_of_100_000_characters_is_taken(tenant: Tenant, letter: str) -> None:
    tenant.hear(mention(f"long {letter}", letter * 100_000))

    assert tenant.by_external_id(f"long {letter}")["text"] == letter * 100_000


def test_one_character_more_is_a_problem_of_that_mention_alone(tenant: Tenant) -> None:
    arrival = tenant.hear(mention("too long", "a" * 100_001), mention("beside the too long"))

    assert arrival["state"] == "settled"
    problem_at(arrival, 0)
    assert tenant.by_external_id("beside the too long")


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
