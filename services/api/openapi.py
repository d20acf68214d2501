"""The OpenAPI document, made so that generators understand it: every answer that can come, each error as a problem."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.api.errors import MEDIA_TYPE, ProblemRead

VERSION = version("parvis")
Json = dict[str, Any]

_DESCRIPTION = """\
Everything that a community manager's screen needs behind it. Authenticate with `Authorization: Bearer pv_…`.

Times are RFC 3339 in UTC. Lists are `{"data", "next_cursor", "has_more"}`; pass `next_cursor` on as `cursor`.
Errors are problem documents (RFC 9457). Every POST takes an `Idempotency-Key`. Single things carry an `ETag`.
"""
_TAGS = (
    ("viewer", "Who is asking."),
    ("brands", "The brands that a key may see."),
    ("channels", "A brand's presences on networks."),
    ("operations", "Long work, watched and called off."),
    ("mentions", "What was said to or about a brand."),
    ("threads", "Trees of mentions under one root."),
    ("identities", "Accounts on networks."),
    ("arrivals", "Raw things that came in, as they came."),
    ("metrics", "Figures over time."),
    ("posts", "What the brand has to say."),
    ("approvals", "Who must agree to it, and what they said."),
    ("notifications", "What a user is told, and how they want to be told."),
    ("webhooks", "Addresses that are told of notifications, and what was sent there."),
    ("media", "Pictures, films and sounds to go with it."),
    ("audit", "Who did what."),
)
_PROBLEMS = {
    "401": "No key, or one that is wrong, expired or revoked.",
    "403": "The key may not do this.",
    "404": "Missing, foreign or malformed: the three are not told apart.",
    "409": "The thing is not in a state that allows this, or a request with this idempotency key is still running.",
    "410": "The link that was opened has ended.",
    "412": "If-Match names another version than the current one.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "416": "There is nothing of it in the range that was asked for.",
    "422": "Invalid: `errors` says what, where and what to do.",
    "428": "If-Match is missing.",
    "429": "Too many requests with this key; Retry-After says when.",
    "500": "Something broke on our side; `request_id` helps to find it.",
    "503": "PostgreSQL, or the network that this needs, is away, or too many wait for it; Retry-After says when to try"
    " again.",
}
_EVERYWHERE = ("401", "403", "404", "422", "429", "500", "503")
_HEADERS = {
    "Request-Id": "The request's id, the caller's own where it sent a sane one.",
    "RateLimit": 'What is left: `"default";r=<requests>;t=<seconds>`.',
    "RateLimit-Policy": 'The limit: `"default";q=<requests>;w=<seconds>`.',
}

_SOME_HEADERS = {
    "ETag": "The version of what was answered: for If-Match, and for If-None-Match.",
    "Location": "Where the new thing is.",
}


def document(app: FastAPI) -> Json:
    """The document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="Parvis",
            version=VERSION,
            summary="A headless, multi-tenant community-management backend.",
            description=_DESCRIPTION,
            routes=app.routes,
            tags=[{"name": name, "description": said} for name, said in _TAGS],
            license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
            servers=[{"url": "/"}],
            separate_input_output_schemas=False,
        )
        app.openapi_schema = _finished(made)
    return app.openapi_schema


def _finished(made: Json) -> Json:
    schemas: Json = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = ProblemRead.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = {**problem, "title": "Problem"}
    schemas["ProblemPlace"].pop("default", None)
    made["components"]["responses"] = {
        f"Problem{status}": {
            "description": said,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, said in _PROBLEMS.items()
    }
    made["components"]["headers"] = {
        name: {"description": said, "schema": {"type": "string"}} for name, said in (_HEADERS | _SOME_HEADERS).items()
    }
    made["components"]["securitySchemes"] = {
        "ApiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `pv_…`."}
    }
    for method, operation in _operations(made):
        _answers(method, operation)
    return made


def _operations(made: Json) -> Iterator[tuple[str, Json]]:
    for path in made["paths"].values():
        yield from path.items()


def _answers(method: str, operation: Json) -> None:
    """Every status that the operation can answer, each problem under its one media type.

    What asks for no key says so itself, by an empty list in the place of its security.
    """
    statuses = set(_EVERYWHERE)
    is_open = operation.get("security") == []
    if is_open:
        statuses = (statuses - {"401", "403"}) | {"410"} | ({"412"} if method == "post" else set())
    if method == "post":
        statuses |= {"409"}
    if method == "post" and not is_open:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    if method in {"patch", "put", "delete"}:
        statuses |= {"409"}
    if "requestBody" in operation:
        statuses |= {"413", "415"}
    if any(one["name"].lower() == "if-match" for one in operation.get("parameters", ())):
        statuses |= {"412", "428"} if operation["operationId"] in _IF_MATCH_REQUIRED else {"412"}
    if "416" in operation["responses"]:
        statuses |= {"416"}
    responses = {code: said for code, said in operation["responses"].items() if code.startswith("2")}
    for code, answer in responses.items():
        _headers(answer, code)
        if method == "get" and "ETag" in answer["headers"]:
            responses = {**responses, "304": {"description": "If-None-Match names what is still current."}}
    for code in sorted(statuses):
        responses[code] = {"$ref": f"#/components/responses/Problem{code}"}
    operation["responses"] = dict(sorted(responses.items()))
    if not is_open:
        operation["security"] = [{"ApiKey": []}]


def _headers(answer: Json, code: str) -> None:
    names = [*_HEADERS]
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    if schema and not schema.get("$ref", "").endswith("List"):
        names.append("ETag")
    if code in {"201", "202"}:
        names.append("Location")
    answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


_IF_MATCH_REQUIRED = frozenset({
    "update_post", "schedule_post", "update_media", "approve", "request_changes", "update_slot", "update_blackout",
    "update_campaign", "update_recurrence", "update_query",
})  # fmt: skip
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeat safe for 24 hours: the same key and body get the same answer and no second effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
