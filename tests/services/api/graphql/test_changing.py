"""Mutations: verbs with one input, a payload, and a transaction each."""

from datetime import timedelta
from typing import Any

import pytest

from shared.db import Database
from shared.ids import Prefix, new_uuid, typeid
from shared.models.enums import KeyScope, Network
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, brand_id, hear, said

CREATE = """mutation ($input: CreatePostInput!) { createPost(input: $input) {
  post { id status text version scheduledAt localTime timezone variants { text status channel { id } } }
  errors { code message path } } }"""
STALE = "STALE"


@pytest.fixture
async def speaking(house: House, brand: HouseBrand) -> HouseChannel:
    """A channel that can publish."""
    return await house.channel(
        brand,
        Network.GENERIC,
        credentials={"url": "http://127.0.0.1:9/posts", "secret": "whsec_aGVsbG8gd29ybGQgYWdhaW4="},
    )


async def create(api: Api, brand: HouseBrand, **values: Any) -> dict[str, Any]:
    data = await api.data(CREATE, brand.api_key, input={"brandId": brand_id(brand), **values})
    found: dict[str, Any] = data["createPost"]
    return found


def verb(name: str, thing: str = "post { id status version scheduledAt }") -> str:
    kind = name[0].upper() + name[1:]
    return f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ {thing} errors {{ code message path }} }} }}"


async def test_a_post_is_written_planned_and_taken_back(api: Api, brand: HouseBrand, speaking: HouseChannel) -> None:
    made = await create(api, brand, text="Hallo", channelIds=[typeid(Prefix.CHANNEL, speaking.id)])
    assert made["errors"] == []
    post = made["post"]
    assert (post["status"], post["variants"]) == (
        "DRAFT",
        [{"text": "Hallo", "status": "DRAFT", "channel": {"id": typeid(Prefix.CHANNEL, speaking.id)}}],
    )
    planned = await api.data(
        verb("schedulePost"), brand.api_key, input={"id": post["id"], "localTime": "2099-07-01T10:00"}
    )
    assert planned["schedulePost"]["post"]["status"] == "SCHEDULED"
    assert planned["schedulePost"]["post"]["scheduledAt"] == "2099-07-01T08:00:00Z"
    changed = await api.data(
        verb("updatePost", "post { text }"), brand.api_key, input={"id": post["id"], "text": "Dag"}
    )
    assert changed["updatePost"] == {"post": {"text": "Dag"}, "errors": []}
    cancelled = await api.data(verb("cancelPost"), brand.api_key, input={"id": post["id"]})
    assert cancelled["cancelPost"]["post"]["status"] == "CANCELLED"
    thing = "deletedId post { id text status variants { text status channel { id } outgoing { id } } }"
    gone = await api.data(verb("deletePost", thing), brand.api_key, input={"id": post["id"]})
    assert gone["deletePost"] == {
        "deletedId": post["id"],
        "post": {
            "id": post["id"], "text": "Dag", "status": "CANCELLED",
            "variants": [{
                "text": "Dag", "status": "CANCELLED", "channel": {"id": typeid(Prefix.CHANNEL, speaking.id)},
                "outgoing": [],
            }],
        },
        "errors": [],
    }  # fmt: skip
    found = await api.data("query ($id: ID!) { node(id: $id) { id } }", brand.api_key, id=post["id"])
    assert found == {"node": None}


async def test_a_deletion_that_is_asked_for_again_answers_with_the_same_post(
    api: Api, brand: HouseBrand, speaking: HouseChannel
) -> None:
    made = await create(api, brand, text="Hallo", channelIds=[typeid(Prefix.CHANNEL, speaking.id)])
    query = verb("deletePost", "post { id text createdAt variants { text } }")
    api.headers = {"idempotency-key": "gone"}
    answers = [await api.data(query, brand.api_key, input={"id": made["post"]["id"]}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["deletePost"]["post"]["variants"] == [{"text": "Hallo"}]


async def test_publishing_now_makes_something_to_send(api: Api, brand: HouseBrand, speaking: HouseChannel) -> None:
    made = await create(api, brand, text="Now", channelIds=[typeid(Prefix.CHANNEL, speaking.id)])
    query = verb("publishPost", "post { status variants { outgoing { state tries problem { code } } } }")
    data = await api.data(query, brand.api_key, input={"id": made["post"]["id"]})
    (variant,) = data["publishPost"]["post"]["variants"]
    assert variant["outgoing"] == [{"state": "WAITING", "tries": 0, "problem": None}]
    listed = await api.data(
        "query ($b: ID!) { brand(id: $b) { posts(where: {statuses: [PUBLISHING]}) { nodes { text } } } }",
        brand.api_key,
        b=brand_id(brand),
    )
    assert listed["brand"]["posts"]["nodes"] == [{"text": "Now"}]


async def test_an_older_version_is_stale(api: Api, brand: HouseBrand) -> None:
    post = (await create(api, brand, text="a"))["post"]
    first = {"id": post["id"], "text": "b", "ifVersion": post["version"]}
    assert (await api.data(verb("updatePost"), brand.api_key, input=first))["updatePost"]["errors"] == []
    again = (await api.data(verb("updatePost"), brand.api_key, input=first))["updatePost"]
    assert again["post"] is None
    assert [error["code"] for error in again["errors"]] == [STALE]


@pytest.mark.parametrize("name", ["updateChannel", "pauseChannel", "resumeChannel", "removeChannel"])
async def test_an_older_version_of_a_channel_is_stale(
    api: Api, brand: HouseBrand, speaking: HouseChannel, name: str
) -> None:
    id_, thing = typeid(Prefix.CHANNEL, speaking.id), "channel { version }"
    change = {"id": id_, "name": "Newer", "ifVersion": speaking.channel.version}
    changed = (await api.data(verb("updateChannel", thing), brand.api_key, input=change))["updateChannel"]["channel"]
    old, new = [
        (await api.data(verb(name, thing), brand.api_key, input={"id": id_, "ifVersion": version}))[name]
        for version in (speaking.channel.version, changed["version"])
    ]

    assert (old["channel"], [error["code"] for error in old["errors"]]) == (None, [STALE])
    assert new["errors"] == []


async def test_bad_input_is_named_in_the_payload_and_nothing_is_written(api: Api, brand: HouseBrand) -> None:
    bad = await create(api, brand, text="a", channelIds=["chan_nonsense"], localTime="tomorrow")
    assert bad["post"] is None
    assert all(error["code"] and error["message"] for error in bad["errors"])
    foreign = await create(api, brand, text="a", channelIds=[typeid(Prefix.CHANNEL, new_uuid())])
    assert [(error["code"], error["path"]) for error in foreign["errors"]] == [("UNKNOWN_CHANNEL", ["channelIds", "0"])]
    data = await api.data(
        "query ($b: ID!) { brand(id: $b) { posts { nodes { id } } } }", brand.api_key, b=brand_id(brand)
    )
    assert data["brand"]["posts"]["nodes"] == []


async def test_a_foreign_or_malformed_id_is_not_found(api: Api, house: House, brand: HouseBrand) -> None:
    other = await house.brand("Other")
    post = (await create(api, brand, text="mine"))["post"]
    for key, id_ in (
        (other.api_key, post["id"]),
        (brand.api_key, "post_x"),
        (brand.api_key, typeid(Prefix.POST, new_uuid())),
        (brand.api_key, brand_id(brand)),
    ):
        for name in ("updatePost", "schedulePost", "publishPost", "cancelPost"):
            answer = (await api.data(verb(name, "post { id }"), key, input={"id": id_}))[name]
            assert (answer["post"], [error["code"] for error in answer["errors"]]) == (None, ["NOT_FOUND"])
    made = await api.data(CREATE, other.api_key, input={"brandId": brand_id(brand), "text": "theirs"})
    assert [error["code"] for error in made["createPost"]["errors"]] == ["NOT_FOUND"]


async def test_a_key_without_the_scope_is_not_allowed(api: Api, house: House, brand: HouseBrand) -> None:
    reader = await house.key(brand, KeyScope.READ)
    data = await api.data(CREATE, reader, input={"brandId": brand_id(brand), "text": "a"})
    assert [error["code"] for error in data["createPost"]["errors"]] == ["NOT_ALLOWED"]


async def test_each_root_field_commits_or_not_by_itself(api: Api, brand: HouseBrand) -> None:
    query = """mutation ($good: CreatePostInput!, $bad: CreatePostInput!) {
        one: createPost(input: $good) { post { text } errors { code } }
        two: createPost(input: $bad) { post { text } errors { code } }
        three: createPost(input: $good) { post { text variants { text } } errors { code } } }"""
    good = {"brandId": brand_id(brand), "text": "good"}
    bad = {"brandId": brand_id(brand), "text": "bad", "status": "PUBLISHED"}
    data = await api.data(query, brand.api_key, good=good, bad=bad)
    assert [data[name]["post"] is not None for name in ("one", "two", "three")] == [True, False, True]
    listed = await api.data(
        "query ($b: ID!) { brand(id: $b) { posts { nodes { text } } } }", brand.api_key, b=brand_id(brand)
    )
    assert listed["brand"]["posts"]["nodes"] == [{"text": "good"}, {"text": "good"}]


async def test_what_is_selected_below_a_payload_is_read_after_the_commit(
    api: Api, brand: HouseBrand, channel: HouseChannel
) -> None:
    query = """mutation ($input: PauseChannelInput!, $again: ResumeChannelInput!) {
        pauseChannel(input: $input) { channel { status coverage { kind } } errors { code } }
        resumeChannel(input: $again) { channel { status webhookUrl } errors { code } } }"""
    id_ = {"id": typeid(Prefix.CHANNEL, channel.id)}
    data = await api.data(query, brand.api_key, input=id_, again=id_)
    assert data["pauseChannel"] == {"channel": {"status": "PAUSED", "coverage": [{"kind": "OBSERVED"}]}, "errors": []}
    assert data["resumeChannel"]["channel"]["status"] == "ACTIVE"


async def test_a_channel_is_connected_changed_and_removed_and_its_mentions_stay(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    query = """mutation ($input: ConnectChannelInput!) { connectChannel(input: $input) {
        channel { id name network externalId webhookUrl findings { ok message } } secret
        errors { code message path } } }"""
    values = {"brandId": brand_id(brand), "network": "GENERIC", "name": "Shop", "externalId": "shop"}
    made = (await api.data(query, brand.api_key, input=values))["connectChannel"]
    assert made["errors"] == []
    assert made["secret"].startswith("whsec_")
    assert "/webhooks/hook_" in made["channel"]["webhookUrl"]
    twice = (await api.data(query, brand.api_key, input=values))["connectChannel"]
    assert (twice["channel"], twice["secret"]) == (None, None)
    assert [error["code"] for error in twice["errors"]] == ["CHANNEL_EXISTS"]
    refused = (
        await api.data(
            query,
            brand.api_key,
            input={**values, "externalId": "b", "credentials": {"url": "http://10.0.0.1/", "secret": "whsec_aGVsbG8="}},
        )
    )["connectChannel"]
    assert refused["channel"] is None
    assert refused["errors"][0]["path"] == ["credentials", "url"]

    await hear(worker_db, channel, said("1"))
    id_ = typeid(Prefix.CHANNEL, channel.id)
    renamed = await api.data(verb("updateChannel", "channel { name }"), brand.api_key, input={"id": id_, "name": "New"})
    assert renamed["updateChannel"] == {"channel": {"name": "New"}, "errors": []}
    removed = await api.data(verb("removeChannel", "channel { status }"), brand.api_key, input={"id": id_})
    assert removed["removeChannel"] == {"channel": {"status": "REMOVED"}, "errors": []}
    data = await api.data(
        "query ($b: ID!) { brand(id: $b) { channels { name } mentions { nodes { channel { name status } } } } }",
        brand.api_key,
        b=brand_id(brand),
    )
    assert data["brand"]["channels"] == [{"name": "Shop"}]
    assert data["brand"]["mentions"]["nodes"] == [{"channel": {"name": "New", "status": "REMOVED"}}]


async def test_a_repeat_with_the_same_key_has_no_second_effect(api: Api, brand: HouseBrand) -> None:
    api.headers = {"idempotency-key": "abc"}
    variables = {"input": {"brandId": brand_id(brand), "text": "once"}}
    first = await api.post(CREATE, brand.api_key, **variables)
    second = await api.post(CREATE, brand.api_key, **variables)
    assert first.json()["data"] == second.json()["data"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    other = await api.data(CREATE, brand.api_key, input={"brandId": brand_id(brand), "text": "twice"})
    assert [error["code"] for error in other["createPost"]["errors"]] == ["IDEMPOTENCY_MISMATCH"]
    api.headers = {}
    data = await api.data(
        "query ($b: ID!) { brand(id: $b) { posts { nodes { text } } } }", brand.api_key, b=brand_id(brand)
    )
    assert data["brand"]["posts"]["nodes"] == [{"text": "once"}]


async def test_the_key_holds_for_each_response_key_by_itself(api: Api, brand: HouseBrand) -> None:
    query = """mutation ($a: CreatePostInput!, $b: CreatePostInput!) {
        one: createPost(input: $a) { post { id } errors { code } }
        two: createPost(input: $b) { post { id } errors { code } } }"""
    api.headers = {"idempotency-key": "two at once"}
    both = {"a": {"brandId": brand_id(brand), "text": "a"}, "b": {"brandId": brand_id(brand), "text": "b"}}
    first = await api.data(query, brand.api_key, **both)
    assert first["one"]["post"]["id"] != first["two"]["post"]["id"]
    assert await api.data(query, brand.api_key, **both) == first


async def test_an_effect_that_is_rolled_back_leaves_its_key_free(api: Api, brand: HouseBrand) -> None:
    post = (await create(api, brand, text="a"))["post"]
    api.headers = {"idempotency-key": "later"}
    variables = {"input": {"id": post["id"], "ifVersion": post["version"] + 1, "text": "b"}}
    stale = await api.data(verb("updatePost"), brand.api_key, **variables)
    assert [error["code"] for error in stale["updatePost"]["errors"]] == [STALE]
    api.headers = {}
    await api.data(verb("updatePost"), brand.api_key, input={"id": post["id"], "text": "c"})
    api.headers = {"idempotency-key": "later"}
    assert (await api.data(verb("updatePost"), brand.api_key, **variables))["updatePost"]["errors"] == []


async def test_replaying_the_connection_shows_the_same_secret(api: Api, brand: HouseBrand) -> None:
    query = """mutation ($input: ConnectChannelInput!) { connectChannel(input: $input) {
        channel { id } secret errors { code } } }"""
    api.headers = {"idempotency-key": "connect"}
    variables = {"input": {"brandId": brand_id(brand), "network": "GENERIC"}}
    first = await api.data(query, brand.api_key, **variables)
    assert first["connectChannel"]["secret"]
    assert await api.data(query, brand.api_key, **variables) == first


async def test_nothing_is_scheduled_in_the_past(api: Api, brand: HouseBrand, speaking: HouseChannel) -> None:
    clock = api.app.state.services.clock
    made = await create(
        api,
        brand,
        text="late",
        channelIds=[typeid(Prefix.CHANNEL, speaking.id)],
        scheduledAt=(clock() - timedelta(days=1)).isoformat(),
    )
    assert [(error["code"], error["path"]) for error in made["errors"]] == [("IN_THE_PAST", ["scheduledAt"])]


@pytest.mark.parametrize("at", ["4102444800", 4102444800, "20991201T090000Z", "2099-12-01T09:00:00"])
async def test_a_time_that_is_not_rfc_3339_is_refused(api: Api, brand: HouseBrand, at: object) -> None:
    given = {"brandId": brand_id(brand), "text": "x", "scheduledAt": at}

    assert await api.code(CREATE, brand.api_key, input=given) == "BAD_USER_INPUT"
