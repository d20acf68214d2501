"""The schema as it is committed and served, held against the contract's text."""

from pathlib import Path

import pytest
from graphql import GraphQLObjectType, build_schema

from services.api.schema import sdl
from tests.services.api.graphql.asking import Api

COMMITTED = Path(__file__).parents[4] / "docs" / "schema.graphql"

# Copied from the contract, as far as the features exist.
CONTRACT = {
    "Query": {"viewer": "Viewer!", "node": "Node", "brand": "Brand", "brands": "BrandConnection!"},
    "Brand": {
        "id": "ID!", "name": "String!", "languages": "[String!]!", "timezone": "String!",
        "mentions": "MentionConnection!", "posts": "PostConnection!", "threads": "ThreadConnection!",
        "identities": "IdentityConnection!", "arrivals": "ArrivalConnection!", "channels": "[Channel!]!",
        "metrics": "[MetricSeries!]!", "shareOfVoice": "[Share!]!",
    },
    "Mention": {
        "id": "ID!", "network": "Network!", "kind": "MentionKind!", "visibility": "Visibility!",
        "externalId": "String!", "url": "String", "text": "String", "language": "String", "media": "[Media!]!",
        "rating": "Float", "publishedAt": "DateTime!", "observedAt": "DateTime!", "editedAt": "DateTime",
        "deletedAt": "DateTime", "history": "[Edit!]!", "author": "Identity", "authorKind": "AuthorKind!",
        "channel": "Channel", "parent": "Mention", "thread": "Thread", "engagement": "Engagement!",
        "reach": "Int",
    },
    "Identity": {
        "id": "ID!", "network": "Network!", "externalId": "String!", "handle": "String", "name": "String",
        "url": "String",
    },
    "Engagement": {"likes": "Int", "replies": "Int", "shares": "Int", "views": "Int"},
    "Edit": {"text": "String", "editedAt": "DateTime", "observedAt": "DateTime!"},
    "Media": {"url": "String!", "kind": "String!", "alt": "String"},
    "Subscription": {"mentions": "MentionEvent!"},
    "Post": {
        "id": "ID!", "status": "PostStatus!", "text": "String!", "scheduledAt": "DateTime", "localTime": "String",
        "timezone": "String", "variants": "[Variant!]!",
    },
    "Variant": {
        "id": "ID!", "channel": "Channel!", "status": "VariantStatus!", "text": "String!", "externalId": "String",
        "url": "String", "publishedAt": "DateTime", "problems": "[Problem!]!", "outgoing": "[Outgoing!]!",
    },
}  # fmt: skip
ARGUMENTS = {
    ("Query", "node"): "id: ID!",
    ("Query", "brands"): "first: Int = 20, after: String",
    ("Brand", "mentions"): "first: Int = 20, after: String, where: MentionFilter, order: MentionOrder = NEWEST",
    ("Brand", "posts"): "first: Int = 20, after: String, where: PostFilter",
    ("Brand", "threads"): "first: Int = 20, after: String",
    ("Brand", "identities"): "first: Int = 20, after: String, where: IdentityFilter",
    ("Brand", "arrivals"): "first: Int = 20, after: String, state: ArrivalState",
    ("Brand", "metrics"): "keys: [MetricKey!]!, from: DateTime!, to: DateTime!, interval: Interval!,"
    " groupBy: [Dimension!], where: MentionFilter",
    ("Subscription", "mentions"): "brandId: ID!, after: Int",
}
MUTATIONS = (
    "connectChannel updateChannel pauseChannel resumeChannel removeChannel replayArrival createPost updatePost"
    " schedulePost publishPost cancelPost deletePost settleOutgoing"
)
SCHEMA = build_schema(sdl())


def test_the_committed_schema_is_the_schema() -> None:
    assert COMMITTED.read_text() == sdl(), "run `python -m services.api.schema`"


@pytest.mark.parametrize("name", list(CONTRACT))
def test_a_type_has_the_contracts_fields(name: str) -> None:
    type_ = SCHEMA.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    found = {field: str(type_.fields[field].type) for field in CONTRACT[name] if field in type_.fields}
    assert found == CONTRACT[name]


@pytest.mark.parametrize("place", list(ARGUMENTS))
def test_a_field_takes_the_contracts_arguments(place: tuple[str, str]) -> None:
    text = sdl()
    start = text.index(f"type {place[0]} ")
    assert f"  {place[1]}({ARGUMENTS[place]})" in text[start : text.index("\n}", start)]


def test_every_mutation_has_one_input_and_a_payload_with_errors() -> None:
    mutation = SCHEMA.mutation_type
    assert mutation is not None
    assert set(MUTATIONS.split()) <= set(mutation.fields)
    for name, field in mutation.fields.items():
        kind = name[0].upper() + name[1:]
        assert {key: str(argument.type) for key, argument in field.args.items()} == {"input": f"{kind}Input!"}
        assert str(field.type) == f"{kind}Payload!"
        payload = SCHEMA.type_map[f"{kind}Payload"]
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["errors"].type) == "[Problem!]!"
    problem = SCHEMA.type_map["Problem"]
    assert isinstance(problem, GraphQLObjectType)
    assert set(problem.fields) == {"code", "message", "path"}


async def test_the_schema_and_the_explorer_are_served_without_a_key_and_load_nothing_from_elsewhere(api: Api) -> None:
    assert (await api.client.get("/graphql/schema.graphql")).text == sdl()
    page = await api.client.get("/graphql")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("explorer.js", "explorer.css"):
        assert f"/graphql/{name}" in page.text
        asset = await api.client.get(f"/graphql/{name}")
        assert asset.status_code == 200
        assert "https://" not in page.text + asset.text
    assert (await api.client.delete("/graphql")).status_code == 405
