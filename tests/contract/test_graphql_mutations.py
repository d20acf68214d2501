"""Section 6, GraphQL: mutations, their payloads, and idempotency."""
# ruff: noqa: E501  # a document reads best in one line

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

from tests.contract.asking import CREATE, create
from tests.contract.house import Tenant, mention


def test_a_post_is_created_changed_and_cancelled(said: Tenant) -> None:
    post = create(said)["data"]["createPost"]
    assert post["errors"] == []
    assert post["post"]["status"] == "DRAFT"

    document = (
        "mutation ($input: UpdatePostInput!) { updatePost(input: $input) { post { id text version } errors { code } } }"
    )
    version = said.get(f"/posts/{post['post']['id']}")["version"]
    changed = said.asked(document, input={"id": post["post"]["id"], "text": "Changed", "ifVersion": version})[
        "updatePost"
    ]
    assert (changed["errors"], changed["post"]["text"]) == ([], "Changed")
    stale = said.asked(document, input={"id": post["post"]["id"], "text": "Lost", "ifVersion": version})["updatePost"]
    assert (stale["post"], [it["code"] for it in stale["errors"]]) == (None, ["STALE"])
    cancelled = said.asked(
        "mutation ($input: CancelPostInput!) { cancelPost(input: $input) { post { status } errors { code } } }",
        input={"id": post["post"]["id"]},
    )["cancelPost"]
    assert (cancelled["errors"], cancelled["post"]["status"]) == ([], "CANCELLED")


def test_a_post_goes_out_by_graphql(said: Tenant) -> None:
    post_id = create(said, "By GraphQL")["data"]["createPost"]["post"]["id"]
    found = said.asked(
        "mutation ($input: PublishPostInput!) { publishPost(input: $input) { post { status variants { status outgoing { state } } } errors { code } } }",
        input={"id": post_id},
    )["publishPost"]

    assert found["errors"] == []
    assert found["post"]["status"] in {"PUBLISHING", "PUBLISHED", "SCHEDULED"}


def test_an_expected_failure_is_data(said: Tenant, other: Tenant) -> None:
    document = "mutation ($input: PublishPostInput!) { publishPost(input: $input) { post { id } errors { code message path } } }"
    foreign = create(other)["data"]["createPost"]["post"]["id"]
    for bad in ("nonsense", foreign, "post_01h455vb4pex5vsknk084sn02q"):
        found = said.asked(document, input={"id": bad})["publishPost"]
        assert found["post"] is None
        assert found["errors"][0]["code"]
        assert found["errors"][0]["message"]
    unknown_channel = create(said, channelIds=["chan_01h455vb4pex5vsknk084sn02q"])
    assert not unknown_channel.get("errors")
    assert unknown_channel["data"]["createPost"]["post"] is None
    assert unknown_channel["data"]["createPost"]["errors"]


def test_a_channel_is_connected_renamed_paused_resumed_and_removed(said: Tenant) -> None:
    made = said.asked(
        "mutation ($input: ConnectChannelInput!) { connectChannel(input: $input) { channel { id network webhookUrl } errors { code } } }",
        input={"brandId": said.brand_id, "network": "GENERIC", "name": "By GraphQL"},
    )["connectChannel"]
    assert made["errors"] == []
    channel_id = made["channel"]["id"]
    assert made["channel"]["webhookUrl"].startswith(said.local["ingest"])
    for verb, given in (("update", {"name": "Renamed"}), ("pause", {}), ("resume", {}), ("remove", {})):
        kind = f"{verb.capitalize()}Channel"
        found = said.asked(
            f"mutation ($input: {kind}Input!) {{ {verb}Channel(input: $input) {{ channel {{ id name }} errors {{ code }} }} }}",
            input={"id": channel_id, **given},
        )[f"{verb}Channel"]
        assert found["errors"] == [], verb
    assert said.rest("GET", f"/channels/{channel_id}").status_code in {200, 404}
    assert channel_id not in {it["id"] for it in said.get("/channels", limit=100)["data"]}


def test_an_arrival_is_replayed(said: Tenant) -> None:
    arrival = said.hear(mention("replayed by graphql"))
    found = said.asked(
        "mutation ($input: ReplayArrivalInput!) { replayArrival(input: $input) { arrival { id state } errors { code } } }",
        input={"id": arrival["id"]},
    )["replayArrival"]

    assert (found["errors"], found["arrival"]["id"]) == ([], arrival["id"])
    assert said.arrival(arrival["id"])["state"] == "settled"


def test_two_root_fields_are_two_effects(said: Tenant) -> None:
    document = """mutation ($good: CreatePostInput!, $bad: CreatePostInput!) { a: createPost(input: $good) { post { id } errors { code } }
      b: createPost(input: $bad) { post { id } errors { code } } c: createPost(input: $good) { post { id } errors { code } } }"""
    good = {"brandId": said.brand_id, "text": "One of two", "channelIds": [said.channel("sandbox").id]}
    found = said.asked(document, good=good, bad={**good, "channelIds": ["nonsense"]})

    assert found["b"]["post"] is None
    assert found["b"]["errors"]
    for name in ("a", "c"):
        assert said.get(f"/posts/{found[name]['post']['id']}")["text"] == "One of two"


def test_an_idempotency_key_holds_for_a_mutation_request(said: Tenant) -> None:
    headers = {"idempotency-key": uuid.uuid4().hex}
    text = f"once {uuid.uuid4().hex}"
    first, again = create(said, text, headers), create(said, text, headers)

    assert first["data"]["createPost"]["post"]["id"] == again["data"]["createPost"]["post"]["id"]
    assert [it["text"] for it in said.get("/posts", limit=100)["data"]].count(text) == 1
    mismatch = create(said, "another", headers)
    assert "IDEMPOTENCY_MISMATCH" in json.dumps(mismatch).upper()
    assert "another" not in {it["text"] for it in said.get("/posts", limit=100)["data"]}


def test_of_many_mutations_at_once_with_one_key_one_takes_effect(said: Tenant) -> None:
    headers, text = {"idempotency-key": uuid.uuid4().hex}, f"at once {uuid.uuid4().hex}"
    given = {"brandId": said.brand_id, "text": text, "channelIds": [said.channel("sandbox").id]}
    body = {"query": CREATE, "variables": {"input": given}}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: said.call("POST", "/graphql", json=body, headers=headers), range(6)))

    assert {it.status_code for it in answers} <= {200, 409}
    assert [it["text"] for it in said.get("/posts", limit=100)["data"]].count(text) == 1
