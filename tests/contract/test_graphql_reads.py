"""Section 6, GraphQL: what can be read, and that both doors say the same."""
# ruff: noqa: E501  # a document reads best in one line

import pytest

from tests.contract.asking import connection
from tests.contract.house import Json, Tenant


def test_a_mention_shows_all_that_rest_shows(said: Tenant) -> None:
    document = """query ($id: ID!) { brand(id: $id) { id name languages timezone mentions(where: {kinds: [REPLY]}) { nodes {
      id network kind visibility externalId url text language media { url kind alt } rating publishedAt observedAt
      editedAt deletedAt history { text editedAt observedAt } author { id network externalId handle name url } authorKind
      channel { id network } parent { externalId thread { id } } thread { id } engagement { likes replies shares views } } } } }"""
    brand = said.asked(document, id=said.brand_id)["brand"]
    [found] = brand["mentions"]["nodes"]
    rest = said.by_external_id("child")

    assert (brand["id"], brand["timezone"]) == (said.brand_id, "Europe/Brussels")
    for mine, theirs in {"id": "id", "externalId": "external_id", "text": "text", "media": "media", "url": "url",
                         "rating": "rating", "language": "language"}.items():  # fmt: skip
        assert found[mine] == rest[theirs], mine
    assert (found["network"], found["kind"], found["visibility"], found["authorKind"]) == (
        "GENERIC", "REPLY", "PUBLIC", "CONSUMER")  # fmt: skip
    assert found["parent"] == {"externalId": "g0", "thread": {"id": rest["thread_id"]}}
    assert found["channel"] == {"id": said.channel().id, "network": "GENERIC"}
    assert found["author"]["externalId"] == "noor"
    assert [it["text"] for it in found["history"]] == ["answer"]
    assert found["engagement"] == {"likes": None, "replies": None, "shares": None, "views": None}


def test_both_doors_list_in_one_order(said: Tenant) -> None:
    assert [it["id"] for it in connection(said, first=100)["nodes"]] == [it["id"] for it in said.mentions()]


def test_history_is_in_the_order_of_versions(said: Tenant) -> None:
    mention_id = said.by_external_id("edited")["id"]
    found = said.asked(
        "query ($id: ID!) { node(id: $id) { id ... on Mention { history { text editedAt } } } }", id=mention_id
    )

    assert [it["text"] for it in found["node"]["history"]] == ["one", "two"]


@pytest.mark.parametrize("first", [1, 2, 100])
def test_cursors_walk_the_whole_connection(said: Tenant, first: int) -> None:
    found: list[str] = []
    after = None
    while True:
        page = connection(said, first=first, after=after)
        found += [it["id"] for it in page["nodes"]]
        assert [it["node"]["id"] for it in page["edges"]] == [it["id"] for it in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]

    assert found == [it["id"] for it in said.mentions()]


@pytest.mark.parametrize(
    ("where", "gone", "there"),
    [(None, False, True), ({}, False, True), ({"deleted": False}, False, True), ({"deleted": True}, True, False),
     ({"deleted": None}, True, True)],
)  # fmt: skip
def test_deleted_is_left_out_shown_alone_or_both(said: Tenant, where: Json | None, gone: bool, there: bool) -> None:
    found = {it["externalId"]: it for it in connection(said, first=100, where=where)["nodes"]}

    assert ("gone" in found, "g1" in found) == (gone, there)
    assert not gone or (found["gone"]["text"] is None and found["gone"]["deletedAt"])


@pytest.mark.parametrize("prefix", ["brand", "men", "thr", "idn", "arr", "chan"])
def test_node_finds_every_kind(said: Tenant, prefix: str) -> None:
    it = said.by_external_id("child")
    ids = {"brand": said.brand_id, "men": it["id"], "thr": it["thread_id"], "idn": it["author"]["id"],
           "arr": said.get("/arrivals")["data"][0]["id"], "chan": said.channel().id}  # fmt: skip

    assert (
        said.asked("query ($id: ID!) { node(id: $id) { id __typename } }", id=ids[prefix])["node"]["id"] == ids[prefix]
    )


def test_a_foreign_or_malformed_id_is_null(said: Tenant, other: Tenant) -> None:
    theirs = other.by_external_id("theirs")
    for bad in (other.brand_id, theirs["id"], theirs["thread_id"], theirs["author"]["id"], other.channel().id,
                "nonsense", "", "men_", "\x00", "x" * 5000, "men_01h455vb4pex5vsknk084sn02q"):  # fmt: skip
        found = said.graphql("query ($id: ID!) { node(id: $id) { id } brand(id: $id) { name } }", id=bad)
        assert not found.get("errors"), found
        assert found["data"] == {"node": None, "brand": None}


def test_viewer_and_brands_are_the_keys_own(said: Tenant) -> None:
    found = said.asked("{ viewer { __typename } brands { nodes { id } } }")

    assert [it["id"] for it in found["brands"]["nodes"]] == [said.brand_id]


def test_arrivals_threads_identities_and_channels_are_there(said: Tenant) -> None:
    document = """query ($id: ID!) { brand(id: $id) { arrivals(state: SETTLED) { nodes { id state } } threads { nodes { id } }
      identities(where: {networks: [GENERIC]}) { nodes { externalId } } channels { id network } posts { nodes { id } } } }"""
    found = said.asked(document, id=said.brand_id)["brand"]

    assert {it["state"] for it in found["arrivals"]["nodes"]} == {"SETTLED"}
    assert found["threads"]["nodes"]
    assert "noor" in {it["externalId"] for it in found["identities"]["nodes"]}
    assert {it["network"] for it in found["channels"]} >= {"GENERIC", "FACEBOOK", "SANDBOX"}


def test_metrics_agree_with_rest(said: Tenant) -> None:
    document = """query ($id: ID!) { brand(id: $id) { metrics(keys: [MENTIONS], from: "2026-11-17T23:00:00Z",
      to: "2026-11-20T23:00:00Z", interval: DAY) { key unit dimensions { name value } points { start end value complete } definition freshAt } } }"""
    [found] = said.asked(document, id=said.brand_id)["brand"]["metrics"]
    window = {"from": "2026-11-17T23:00:00Z", "to": "2026-11-20T23:00:00Z", "interval": "day"}
    [rest] = said.get("/metrics", keys="mentions", **window)["data"]

    assert [it["value"] for it in found["points"]] == [it["value"] for it in rest["points"]]
    assert [it["value"] for it in rest["points"]][:2] == [None, 1]
    assert found["definition"] == rest["definition"]
