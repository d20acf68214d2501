"""Section 6, GraphQL: names and types, limits and their codes, mutations, idempotency and the subscription."""

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    build_client_schema,
    get_introspection_query,
    parse,
    print_ast,
    print_type,
)
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.contract import sdl
from tests.contract.house import Json, Tenant, mention

MENTIONS = "query ($id: ID!, $first: Int, $after: String, $where: MentionFilter) { brand(id: $id) { mentions(first: $first, after: $after, where: $where) { nodes { id externalId text deletedAt } edges { cursor node { id } } pageInfo { hasNextPage endCursor } } } }"
CREATE = "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id status text } errors { code message path } } }"


@pytest.fixture(scope="module")
def schema(tenant: Tenant) -> GraphQLSchema:
    """The schema as introspection tells it."""
    found = tenant.call("POST", "/graphql", json={"query": get_introspection_query()})
    assert found.status_code == 200
    assert not found.json().get("errors"), found.json()["errors"]
    return build_client_schema(found.json()["data"])


def definitions(document: DocumentNode) -> dict[str, Any]:
    return {it.name.value: it for it in document.definitions}  # type: ignore[attr-defined]


TOLD = definitions(parse(sdl.CONTRACT))


def fields(node: Any) -> dict[str, str]:
    """Every field of a type as SDL text, without descriptions."""
    found = {}
    for field in node.fields:
        if isinstance(field, FieldDefinitionNode):
            arguments = ", ".join(
                f"{it.name.value}: {print_ast(it.type)}"
                + (f" = {print_ast(it.default_value)}" if it.default_value else "")
                for it in field.arguments or ()
            )
            found[field.name.value] = f"({arguments}) {print_ast(field.type)}"
        else:
            default = f" = {print_ast(field.default_value)}" if field.default_value else ""
            found[field.name.value] = print_ast(field.type) + default
    return found


def here(schema: GraphQLSchema, name: str) -> Any:
    kind = schema.get_type(name)
    assert kind is not None, name
    return definitions(parse(print_type(kind)))[name]


@pytest.mark.parametrize(
    "name",
    [name for name, it in TOLD.items() if isinstance(it, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode)],
)
def test_every_field_has_the_contracts_name_and_type(schema: GraphQLSchema, name: str) -> None:
    told, found = fields(TOLD[name]), fields(here(schema, name))

    assert {it: found[it] for it in told if it in found} == {it: told[it] for it in told if it in found}
    assert told.keys() - found.keys() <= sdl.LATER.get(name, set())


@pytest.mark.parametrize("name", [name for name, it in TOLD.items() if getattr(it, "interfaces", None)])
def test_nodes_are_nodes(schema: GraphQLSchema, name: str) -> None:
    assert "Node" in {it.name.value for it in here(schema, name).interfaces}


@pytest.mark.parametrize("name", sdl.ENUMS)
def test_enumerations_have_the_contracts_values(schema: GraphQLSchema, name: str) -> None:
    found = schema.get_type(name)

    assert isinstance(found, GraphQLEnumType)
    assert set(found.values) == sdl.ENUMS[name]


def test_orders_networks_and_dimensions_are_the_contracts(schema: GraphQLSchema) -> None:
    def values(name: str) -> set[str]:
        node = here(schema, name)
        assert isinstance(node, EnumTypeDefinitionNode)
        return {it.name.value for it in node.values or ()}

    assert {"NEWEST", "OLDEST"} <= values("MentionOrder") <= {"NEWEST", "OLDEST", "BEST"}
    assert {"GENERIC", "FACEBOOK", "SANDBOX"} <= values("Network")
    assert {"NETWORK", "LANGUAGE", "KIND", "CHANNEL"} <= values("Dimension")
    assert {"MENTIONS", "POSTS"} <= values("MetricKey")


@pytest.mark.parametrize("name", ["Brand", "Mention", "Post", "Thread", "Identity", "Arrival"])
def test_connections_are_relays(schema: GraphQLSchema, name: str) -> None:
    assert {"edges", "nodes", "pageInfo"} <= set(fields(here(schema, f"{name}Connection")))
    assert {"node", "cursor"} <= set(fields(here(schema, f"{name}Edge")))


@pytest.mark.parametrize("name", sdl.MUTATIONS)
def test_a_mutation_has_one_input_and_a_payload(schema: GraphQLSchema, name: str) -> None:
    kind = name[0].upper() + name[1:]
    told = fields(here(schema, "Mutation"))[name]

    assert told == f"(input: {kind}Input!) {kind}Payload!"
    payload = fields(here(schema, f"{kind}Payload"))
    assert {"code", "message", "path"} <= set(fields(here(schema, payload["errors"].split("[")[1].split("!")[0])))
    thing = sdl.MUTATIONS[name]
    assert thing is None or thing in payload


def test_settling_takes_as_and_an_external_id(schema: GraphQLSchema) -> None:
    assert {"id", "as", "externalId"} <= set(fields(here(schema, "SettleOutgoingInput")))


def test_metric_series_have_the_contracts_members(schema: GraphQLSchema) -> None:
    assert {"key", "unit", "dimensions", "points", "definition", "freshAt"} <= set(fields(here(schema, "MetricSeries")))


def test_the_printed_schema_is_the_introspected_one(tenant: Tenant, schema: GraphQLSchema) -> None:
    printed = definitions(parse(tenant.call("GET", "/graphql/schema.graphql").text))
    for name, kind in schema.type_map.items():
        if not name.startswith("__") and name in printed and hasattr(kind, "fields"):
            assert fields(printed[name]) == fields(here(schema, name)), name


# Reads


@pytest.fixture(scope="module")
def said(tenant: Tenant) -> Tenant:
    tenant.hear(
        *(mention(f"g{n}", f"text {n}", published_at="2026-11-20T10:00:00Z") for n in range(5)),
        mention("child", "answer", kind="reply", parent_id="g0", published_at="2026-11-20T11:00:00Z",
                media=[{"url": "https://example.org/a.jpg", "kind": "image"}]),
        mention("edited", "one", published_at="2026-11-19T11:00:00Z"),
        mention("edited", "two", published_at="2026-11-19T11:00:00Z", edited_at="2026-11-19T12:00:00Z"),
        mention("gone", published_at="2026-11-18T11:00:00Z"),
    )  # fmt: skip
    tenant.hear(deleted=["gone"])
    return tenant


def connection(tenant: Tenant, **variables: Any) -> Json:
    found: Json = tenant.asked(MENTIONS, id=tenant.brand_id, **variables)["brand"]["mentions"]
    return found


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
    assert {it["network"] for it in found["channels"]} == {"GENERIC", "FACEBOOK", "SANDBOX"}


def test_metrics_agree_with_rest(said: Tenant) -> None:
    document = """query ($id: ID!) { brand(id: $id) { metrics(keys: [MENTIONS], from: "2026-11-17T23:00:00Z",
      to: "2026-11-20T23:00:00Z", interval: DAY) { key unit dimensions { name value } points { start end value complete } definition freshAt } } }"""
    [found] = said.asked(document, id=said.brand_id)["brand"]["metrics"]
    window = {"from": "2026-11-17T23:00:00Z", "to": "2026-11-20T23:00:00Z", "interval": "day"}
    [rest] = said.get("/metrics", keys="mentions", **window)["data"]

    assert [it["value"] for it in found["points"]] == [it["value"] for it in rest["points"]] == [None, 1, 6]
    assert found["definition"] == rest["definition"]


# Limits


def refused(tenant: Tenant, document: str, code: str, **variables: Any) -> None:
    found = tenant.graphql(document, **variables)

    assert found["data"] is None
    assert {it["extensions"]["code"] for it in found["errors"]} == {code}
    assert "cost" in found["extensions"]


def deep(levels: int) -> str:
    """A document of exactly this many levels of fields, the leaf included."""
    return (
        "query ($id: ID!) { node(id: $id) { ... on Mention { "
        + "parent { " * (levels - 2)
        + "id"
        + " }" * (levels - 2)
        + " } } }"
    )


def test_twelve_levels_are_taken_and_thirteen_are_not(said: Tenant) -> None:
    mention_id = said.by_external_id("child")["id"]

    assert not said.graphql(deep(12), id=mention_id).get("errors")
    refused(said, deep(13), "DEPTH_LIMIT", id=mention_id)


def test_depth_follows_fragments(said: Tenant) -> None:
    half = "parent { " * 6
    document = (
        "query ($id: ID!) { node(id: $id) { ...A } } fragment A on Mention { " + half + "...B" + " }" * 6 + " } "
        "fragment B on Mention { " + half + "id" + " }" * 6 + " }"
    )

    refused(said, document, "DEPTH_LIMIT", id=said.brand_id)


def test_fragments_in_a_circle_are_refused(said: Tenant) -> None:
    found = said.graphql("{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }")

    assert found["errors"]
    assert found.get("data") is None


def test_thirty_aliases_are_taken_and_more_are_not(said: Tenant) -> None:
    def document(count: int) -> str:
        return "{ " + " ".join(f"a{n}: __typename" for n in range(count)) + " }"

    assert not said.graphql(document(30)).get("errors")
    refused(said, document(31), "ALIAS_LIMIT")


def test_two_thousand_tokens_are_the_most(said: Tenant) -> None:
    refused(said, "{ " + "__typename " * 2_100 + "}", "TOKEN_LIMIT")
    words = '"fr" ' * 1_950
    assert not said.graphql(
        f'{{ brand(id: "x") {{ mentions(where: {{languages: [{words}]}}) {{ nodes {{ id }} }} }} }}'
    ).get("errors")


def test_cost_is_objects_times_page_sizes(said: Tenant) -> None:
    document = """query ($id: ID!, $n: Int) { brand(id: $id) { threads(first: $n) { nodes { mentions(first: $n) { nodes {
      thread { mentions(first: $n) { nodes { id } } } } } } } } }"""

    refused(said, document, "COST_LIMIT", id=said.brand_id, n=100)
    refused(said, document.replace("$n: Int", "$m: Int").replace("$n", "100"), "COST_LIMIT", id=said.brand_id)
    assert not said.graphql(document, id=said.brand_id, n=2).get("errors")


@pytest.mark.parametrize("first", [0, -1, 101, 2_147_483_647])
def test_a_page_size_out_of_range_is_an_error(said: Tenant, first: int) -> None:
    refused(said, MENTIONS, "LIMIT_OUT_OF_RANGE", id=said.brand_id, first=first)
    refused(
        said,
        f'{{ brand(id: "{said.brand_id}") {{ mentions(first: {first}) {{ nodes {{ id }} }} }} }}',
        "LIMIT_OUT_OF_RANGE",
    )


def test_a_document_of_100_kilobytes_is_the_largest(said: Tenant) -> None:
    refused(said, "{ __typename } # " + "x" * 100_000, "DOCUMENT_LIMIT")
    assert not said.graphql("{ __typename } # " + "x" * 90_000).get("errors")


def test_limits_come_before_validation(said: Tenant) -> None:
    refused(said, "{ " + " ".join(f"a{n}: nothing" for n in range(31)) + " }", "ALIAS_LIMIT")


def test_every_answer_carries_its_cost(said: Tenant) -> None:
    for document in ("{ __typename }", "{ nothing }", "{", "{ brands { nodes { id } } }"):
        assert isinstance(said.graphql(document)["extensions"]["cost"], int), document
    assert connection_cost(said, 100) > connection_cost(said, 1)


def connection_cost(tenant: Tenant, first: int) -> int:
    cost = tenant.graphql(MENTIONS, id=tenant.brand_id, first=first)["extensions"]["cost"]
    assert isinstance(cost, int)
    return cost


def test_a_bad_cursor_is_an_error(said: Tenant, other: Tenant) -> None:
    page = connection(said, first=1)
    for after in ("nonsense", "", page["pageInfo"]["endCursor"][:-3] + "AAA"):
        assert said.graphql(MENTIONS, id=said.brand_id, after=after).get("errors"), after
    assert other.graphql(MENTIONS, id=other.brand_id, after=page["pageInfo"]["endCursor"])["errors"]
    assert said.graphql(MENTIONS, id=said.brand_id, after=page["pageInfo"]["endCursor"], where={"kinds": ["REVIEW"]})[
        "errors"
    ]


# Transport


@pytest.mark.parametrize("authorization", [None, "Bearer pv_wrong", "Basic eA=="])
def test_without_a_valid_key_it_is_401(web: httpx.Client, said: Tenant, authorization: str | None) -> None:
    headers = {"authorization": authorization} if authorization else {}

    assert (
        web.post(f"{said.local['api']}/graphql", json={"query": "{ __typename }"}, headers=headers).status_code == 401
    )


def test_a_batch_is_400(said: Tenant) -> None:
    assert said.call("POST", "/graphql", json=[{"query": "{ __typename }"}] * 2).status_code == 400
    assert said.call("POST", "/graphql", json=[]).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"null", b"7", b"{}", b'{"query": null}', b'{"query": 7}', b'{"query": ""}', b'{"query": "{"}',
     b'{"query": "{ __typename }", "variables": 7}', b'{"query": "{ __typename }", "operationName": 7}',
     b'{"query": "{ __typename }", "operationName": "nothing"}', b'{"query": "query A { __typename } query B { __typename }"}',
     '{"query": "é"}'.encode("latin-1"), b'{"query": "' + b"{a" * 20_000 + b'"}', b'{"query": "\\u0000"}',
     b'{"query": "{ __typename }", "variables": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
     b'{"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": "\\ud800"}}',
     b'{"query": "query ($id: ID!) { node(id: $id) { id } }", "variables": {"id": {"a": 1}}}'],
)  # fmt: skip
def test_a_bad_request_is_answered_plainly(said: Tenant, body: bytes) -> None:
    answer = said.call("POST", "/graphql", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in {200, 400}, answer.text
    assert "Traceback" not in answer.text
    assert "asyncpg" not in answer.text
    if answer.headers["content-type"].startswith("application/json") and answer.status_code == 200:
        assert answer.json().get("errors") or answer.json()["data"] == {"node": None}


@pytest.mark.parametrize("since", ['"yesterday"', "7", "true", "[]", '"0000-00-00T00:00:00Z"'])
def test_a_literal_that_cannot_be_read_says_so(said: Tenant, since: str) -> None:
    document = f'{{ brand(id: "{said.brand_id}") {{ mentions(where: {{since: {since}}}) {{ nodes {{ id }} }} }} }}'
    [error] = said.graphql(document)["errors"]

    assert error["extensions"]["code"] not in {"INTERNAL", "INTERNAL_SERVER_ERROR"}
    assert "our side" not in error["message"]


def test_a_variable_that_cannot_be_read_says_so(said: Tenant) -> None:
    [error] = said.graphql(MENTIONS, id=said.brand_id, where={"since": "yesterday"})["errors"]

    assert error["extensions"]["code"] not in {"INTERNAL", "INTERNAL_SERVER_ERROR"}


def test_the_request_id_and_the_rate_limit_are_there_too(said: Tenant) -> None:
    answer = said.call("POST", "/graphql", json={"query": "{ __typename }"})

    assert answer.headers["request-id"]
    assert answer.headers["ratelimit"].startswith('"default";r=')


# Mutations


def create(tenant: Tenant, text: str = "Bonjour", headers: dict[str, str] | None = None, **more: Any) -> Json:
    given = {"brandId": tenant.brand_id, "text": text, "channelIds": [tenant.channel("sandbox").id], **more}
    found: Json = tenant.graphql(CREATE, headers=headers, input=given)
    return found


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


# Subscription


@contextmanager
def socket(tenant: Tenant, protocol: str = "graphql-transport-ws") -> Iterator[ClientConnection]:
    address = tenant.local["api"].replace("http://", "ws://") + "/graphql"
    with connect(address, subprotocols=[protocol], open_timeout=10, proxy=None) as found:  # type: ignore[list-item]
        yield found


def receive(connection: ClientConnection) -> Json:
    while True:
        found: Json = json.loads(connection.recv(timeout=15))
        if found["type"] != "ping":
            return found


def subscribe(connection: ClientConnection, tenant: Tenant, brand_id: str, after: int | None = None) -> None:
    connection.send(json.dumps({"type": "connection_init", "payload": tenant.authorization}))
    assert receive(connection)["type"] == "connection_ack"
    document = "subscription ($id: ID!, $after: Int) { mentions(brandId: $id, after: $after) { seq mention { externalId text } } }"
    payload = {"query": document, "variables": {"id": brand_id, "after": after}}
    connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))


def closed(connection: ClientConnection) -> int | None:
    try:
        while True:
            connection.recv(timeout=15)
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else None


def test_mentions_are_pushed_with_their_seq_and_read_again_from_there(said: Tenant) -> None:
    with socket(said) as connection:
        subscribe(connection, said, said.brand_id, after=0)
        said.hear(mention("pushed", "now"))
        events = []
        while not events or events[-1]["mention"]["externalId"] != "pushed":
            message = receive(connection)
            assert message["type"] == "next", message
            assert not message["payload"].get("errors"), message
            events.append(message["payload"]["data"]["mentions"])
    numbers = [it["seq"] for it in events]
    assert numbers == sorted(set(numbers))

    with socket(said) as connection:
        subscribe(connection, said, said.brand_id, after=numbers[-1] - 1)
        again = receive(connection)["payload"]["data"]["mentions"]
    assert again["seq"] == numbers[-1]
    assert again["mention"]["externalId"] == "pushed"


@pytest.mark.parametrize(
    "payload", [None, {}, {"authorization": "Bearer pv_wrong"}, {"authorization": 7}, {"authorization": "pv_x"}]
)
def test_a_socket_without_a_valid_key_is_closed_4401_or_4403(said: Tenant, payload: Json | None) -> None:
    with socket(said) as connection:
        message = {"type": "connection_init"} | ({} if payload is None else {"payload": payload})
        connection.send(json.dumps(message))
        assert closed(connection) in {4401, 4403}


def test_subscribing_before_the_key_is_closed_4401(said: Tenant) -> None:
    with socket(said) as connection:
        payload = {
            "query": "subscription ($id: ID!) { mentions(brandId: $id) { seq } }",
            "variables": {"id": said.brand_id},
        }
        connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        assert closed(connection) == 4401


def test_a_foreign_brand_sends_nothing(said: Tenant, other: Tenant) -> None:
    with socket(said) as connection:
        subscribe(connection, said, other.brand_id, after=0)
        try:
            message = receive(connection)
        except ConnectionClosed as end:
            assert end.rcvd is not None
            assert end.rcvd.code == 4403  # noqa: PT017  # how a stream may end
        else:
            assert message["type"] in {"error", "next", "complete"}
            assert "theirs" not in json.dumps(message)
            assert message["type"] != "next" or message["payload"]["errors"]


def test_queries_and_mutations_run_over_the_socket_too(said: Tenant) -> None:
    with socket(said) as connection:
        connection.send(json.dumps({"type": "connection_init", "payload": said.authorization}))
        assert receive(connection)["type"] == "connection_ack"
        payload = {"query": "{ brands { nodes { id } } }"}
        connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        found = receive(connection)

    assert found["payload"]["data"]["brands"]["nodes"] == [{"id": said.brand_id}]


@pytest.mark.parametrize("frame", ["hello", "[]", "7", '{"type": "nothing"}', "{", "\x00"])
def test_a_frame_that_cannot_be_read_closes_the_socket(said: Tenant, frame: str) -> None:
    with socket(said) as connection:
        connection.send(frame)
        code = closed(connection)

    assert code is not None
    assert 4400 <= code < 4500
