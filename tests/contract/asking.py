"""GraphQL documents that several tests ask."""
# ruff: noqa: E501  # a document reads best in one line

from typing import Any

from tests.contract.house import Json, Tenant

MENTIONS = "query ($id: ID!, $first: Int, $after: String, $where: MentionFilter) { brand(id: $id) { mentions(first: $first, after: $after, where: $where) { nodes { id externalId text deletedAt } edges { cursor node { id } } pageInfo { hasNextPage endCursor } } } }"
CREATE = "mutation ($input: CreatePostInput!) { createPost(input: $input) { post { id status text } errors { code message path } } }"


def connection(tenant: Tenant, **variables: Any) -> Json:
    found: Json = tenant.asked(MENTIONS, id=tenant.brand_id, **variables)["brand"]["mentions"]
    return found


def create(tenant: Tenant, text: str = "Bonjour", headers: dict[str, str] | None = None, **more: Any) -> Json:
    given = {"brandId": tenant.brand_id, "text": text, "channelIds": [tenant.channel("sandbox").id], **more}
    found: Json = tenant.graphql(CREATE, headers=headers, input=given)
    return found
