"""Every REST operation of the OpenAPI document, filled with one tenant's things and, where asked, with another's.

A parameter or a field that stands in none of the tables below fails the tests: nothing is passed over in silence.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, TypeAlias

from shared.ids import Prefix
from tests.services.media.making import png
from tests.tenancy.tenants import PRACTICE, Tenant

Schema: TypeAlias = dict[str, Any]
Whose: TypeAlias = Callable[[str], Tenant]

IDS = {
    "brand_id": Prefix.BRAND,
    "channel_id": Prefix.CHANNEL,
    "channel_ids": Prefix.CHANNEL,
    "mention_id": Prefix.MENTION,
    "thread_id": Prefix.THREAD,
    "identity_id": Prefix.IDENTITY,
    "author_id": Prefix.IDENTITY,
    "arrival_id": Prefix.ARRIVAL,
    "post_id": Prefix.POST,
    "post_ids": Prefix.POST,
    "media_id": Prefix.MEDIA,
    "media_ids": Prefix.MEDIA,
    "campaign_id": Prefix.CAMPAIGN,
    "query_id": Prefix.QUERY,
    "query_ids": Prefix.QUERY,
    "outgoing_id": Prefix.OUTGOING,
    "view_id": Prefix.VIEW,
    "view": Prefix.VIEW,
    "alert_rule_id": Prefix.ALERT_RULE,
    "rule_id": Prefix.ALERT_RULE,
    "alert_id": Prefix.ALERT,
    "consent_id": Prefix.CONSENT,
    "operation_id": Prefix.OPERATION,
    "slot_id": Prefix.SLOT,
    "recurrence_id": Prefix.RECURRENCE,
    "blackout_id": Prefix.BLACKOUT,
    "feed_id": Prefix.CALENDAR_FEED,
    "link_id": Prefix.APPROVAL_LINK,
    "variant_id": Prefix.VARIANT,
    "notification_id": Prefix.NOTIFICATION,
    "endpoint_id": Prefix.WEBHOOK_ENDPOINT,
    "delivery_id": Prefix.WEBHOOK_DELIVERY,
}
# Of several things of a kind it takes the first, but for what only another can do: a network that can look back.
PLACES = {
    ("backfill_channel", "channel_id"): 1,
    ("backfillChannel", "id"): 1,
    ("cancel_outgoing", "outgoing_id"): 2,
    ("cancelOutgoing", "id"): 2,
    # Each closes another one.
    ("closeAlert", "id"): 1,
    # What waits in a slot.
    ("reorder_queue", "post_ids"): 7,
    ("reorderQueue", "postIds"): 7,
    # One that has gone on since the beginning; the first has been ended.
    **{(name, "recurrence_id"): 1 for name in ("resume_recurrence", "skip_occurrence", "update_recurrence")},
    **{(name, "id"): 1 for name in ("resumeRecurrence", "skipOccurrence", "updateRecurrence")},
    # Two that wait for somebody, and one that nobody has looked at.
    ("approve", "post_id"): 4,
    ("approve", "id"): 4,
    ("request_changes", "post_id"): 5,
    ("requestChanges", "id"): 5,
    ("submit_post", "post_id"): 6,
    ("list_approvals", "post_id"): 4,
    ("list_comments", "post_id"): 4,
    ("submitPost", "id"): 6,
    **dict.fromkeys((("unhide_mention", "mention_id"), ("unhideMention", "id")), 1),
    **dict.fromkeys((("delete_mention", "mention_id"), ("deleteMention", "id")), 2),
    **dict.fromkeys((("unlike_mention", "mention_id"), ("unlikeMention", "id")), 3),
    **dict.fromkeys((("unblock_identity", "identity_id"), ("unblockIdentity", "id")), 1),
}
# What another tenant's people and texts are called: asked for, they must not be found.
WORDS = {"q", "handle", "name"}
QUERY = {
    "trial": "true", "days": "90",
    "sentiment": "positive", "intent": "question",
    "limit": "1", "order": "oldest", "network": "generic", "kind": "comment", "visibility": "public", "language": "nl",
    "author_kind": "unknown", "min_rating": "1", "since": "2026-01-01T00:00:00Z", "until": "2027-12-31T00:00:00Z",
    "deleted": "null", "state": "settled", "status": "draft", "key": "mentions", "keys": "mentions",
    "duplicates": "null", "from": "2026-11-19T00:00:00Z",
    "to": "2026-11-22T00:00:00Z", "interval": "day", "group_by": "channel", "q": "said", "handle": "nobody",
    "name": "nobody", "cursor": None, "unused": "true", "rule": "FREQ=DAILY;COUNT=3", "local_time": "10:00",
    "timezone": "Europe/Brussels", "starts_on": "2027-02-01", "blackouts": "skip", "count": "3", "unread": "true",
    "theme": "dark", "lang": "nl", "mark": "area", "width": "600", "height": "300", "title": "a title", "scale": "2",
}  # fmt: skip
# What stands in an address and is nobody's.
CHOICES = {"chart": "volume", "what": "authors"}
HEADERS = {"if-match": "*", "Idempotency-Key": None, "parvis-brand": None, "Parvis-File-Name": "a.jpg", "Range": None}
BODY: dict[str, Any] = {
    "text": "a new text", "network": "generic", "name": "a new name", "base_url": None, "external_id": "9-outside",
    "credentials": {}, "languages": ["nl"], "timezone": "Europe/Brussels", "scheduled_at": "2027-02-01T09:00:00Z",
    "local_time": None, "status": "draft", "as": "adopt", "media": [], "variants": None, "url": "https://example.org/",
    "kind": "image", "alt": "a word", "link": "https://example.org/", "first_comment": None, "parts": [],
    "audience": None, "alts": {"nl": "a word"}, "starts_on": None, "ends_on": None, "tags": {}, "domains": [],
    "value": "a-word", "expression": "a-word OR said", "group": "product",
    "do": "duplicate", "by_seconds": None, "terms": [], "since": "2026-01-01T00:00:00Z",
    "return_url": "http://127.0.0.1:8000/back", "slot": "next", "weekday": "friday", "label": "a new label",
    "paused": False, "rule": "FREQ=DAILY;COUNT=3", "blackouts": "skip", "day": "2027-02-01", "missed": "ask",
    "grace_seconds": 900, "approval": "none", "client_approval": False, "learns": True,
    "approval_reminder_hours": 24, "approval_last_call_hours": 4, "comment": "too loud", "place": "text",
    "reason": "a storm", "language": "fr", "until": None,
    "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(), "kinds": ["post_failed"], "is_enabled": True,
    "sensitivity": "high", "where": None, "networks": ["generic"], "reach": None, "hold_posts": True,
    "quiet": [], "urgent_breaks_through": True, "digest": "none", "digest_time": "08:00",
    "digest_day": 1,
    "sentiment": "positive", "intents": ["question"],
    "over": ["stored", "networks"],
    "visibility": "public", "sentiments": ["positive"], "author_kinds": ["consumer"], "min_rating": 1, "search": "said",
    "deleted": None, "order": "newest",
    "choices": [], "way": "mail", "is_on": True, "days": [1], "from": "22:00", "to": "07:00",
}  # fmt: skip
_SIZES = product(range(20, 100), range(20, 100))
# Bodies that are no JSON, by their type.
RAW: dict[str, Callable[[], bytes]] = {
    "application/octet-stream": lambda: png(*next(_SIZES)),  # each file that is brought is another one
}
# The same, of an operation that takes no file.
OWN_RAW: dict[str, bytes] = {"import_posts": b"text,status\na new text,draft\n"}
# What an operation wants otherwise.
OWN_BODY: dict[str, dict[str, Any]] = {
    "authorize_channel": {"network": "sandbox", "base_url": PRACTICE},
    "create_alert_rule": {"kind": "volume_spike"},
    "create_slot": {"local_time": "10:00"},
    "create_recurrence": {"local_time": "10:00", "starts_on": "2027-02-01"},
    "create_blackout": {"starts_on": "2027-02-01"},
    "approve": {"if_version": 2},
    "request_changes": {"if_version": 2},
    "create_webhook_endpoint": {"url": f"{PRACTICE}/hear", "kinds": ["post_failed"]},
    # Among a choice's fields, a kind is one of notifications.
    "put_preferences": {"kind": "post_failed"},
    "update_notification_preferences": {"kind": "post_failed"},
}
# What is left out where this is given.
INSTEAD = {"consent_id": {"network"}}
# What an operation needs beside what its schema requires, for its request to be a good one.
NEEDED = {
    "schedule_post": {"scheduled_at"},
    "settle_outgoing": {"external_id"},
    "authorize_channel": {"base_url"},
    "connect_channel": {"external_id", "network"},
    "create_approval_link": {"post_ids"},
    "correct_mention": {"sentiment", "intents", "language"},
    "update_brand": {"languages"},
    "update_channel": {"name"},
    "update_media": {"name"},
    "update_post": {"text"},
    "update_campaign": {"name"},
    "update_alert_rule": {"name"},
    "update_view": {"name"},
    "update_query": {"expression"},
    "update_saved_query": {"expression"},
    **{name: {"key"} for name in ("get_metrics", "export_metrics_csv", "export_metrics_ndjson")},
    "update_slot": {"label"},
    "update_blackout": {"label"},
    "update_recurrence": {"text"},
    "create_recurrence": {"starts_on", "channel_ids"},
}


class Unfilled(AssertionError):
    """The document has something that the tables do not know."""


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    url: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None  # instead of `json`

    @property
    def said(self) -> str:
        """All that the caller says in it."""
        return json.dumps([self.url, self.params, self.headers, self.json], ensure_ascii=False)


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    parameters: list[Schema]
    body: Schema | None
    document: Schema
    raw: str | None = None  # the type of a body that is no JSON

    def names(self, place: str) -> list[str]:
        names = [parameter["name"] for parameter in self.parameters if parameter["in"] == place]
        return [name for name in names if place != "path" or name not in CHOICES]

    def foreign_fields(self) -> list[tuple[str, ...]]:
        """Where in the body an id stands."""
        return list(self._ids_in(self.body)) if self.body is not None else []

    def ask(
        self, whose: Whose, *, params: Mapping[str, str] | None = None, foreign: tuple[str, ...] = (),
        other: Tenant | None = None,
    ) -> Ask:  # fmt: skip
        """A good request of `whose` things, but for the body's field `foreign`, which is `other`'s."""
        path, needed = self.path, NEEDED.get(self.id, set())
        for name, word in CHOICES.items():
            path = path.replace(f"{{{name}}}", word)
        for name in self.names("path"):
            place = PLACES.get((self.id, name), 0)
            path = path.replace(f"{{{name}}}", whose(name).ids[_prefix(name)][place])
        required = {
            parameter["name"]: _query(parameter["name"], whose)
            for parameter in self.parameters
            if parameter["in"] == "query" and (parameter.get("required") or parameter["name"] in needed)
        }
        headers = {name: HEADERS[name] for name in self.names("header")}
        body = None
        if self.body is not None:
            body = self._body(self.body, whose, foreign, other, needed)
        said = {name: value for name, value in headers.items() if value is not None}
        if self.raw is not None:
            said["content-type"] = self.raw
        content = (OWN_RAW.get(self.id) or RAW[self.raw]()) if self.raw is not None else None
        return Ask(self.method, path, {**required, **(params or {})}, said, body, content)

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema or "anyOf" in schema:
            if "$ref" in schema:
                schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            else:
                schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        return schema

    def _ids_in(self, schema: Schema) -> Iterator[tuple[str, ...]]:
        for name, one in self._resolved(schema).get("properties", {}).items():
            if name in IDS:
                yield (name,)
                continue
            if name not in BODY:
                raise Unfilled(f"{self.id}: say in rest_operations.py how the body's field {name!r} is filled")
            inner = self._resolved(one)
            inner = self._resolved(inner["items"]) if inner.get("type") == "array" else inner
            yield from ((name, *rest) for rest in self._ids_in(inner))

    def _body(
        self, schema: Schema, whose: Whose, foreign: tuple[str, ...], other: Tenant | None, needed: set[str]
    ) -> dict[str, Any]:
        schema = self._resolved(schema)
        made: dict[str, Any] = {}
        for name, one in schema["properties"].items():
            is_foreign = bool(foreign) and foreign[0] == name
            if not is_foreign and name not in {*schema.get("required", ()), *needed} - _instead(foreign):
                continue
            is_list = self._resolved(one).get("type") == "array"
            if name in IDS:
                tenant = other if is_foreign and other is not None else whose(name)
                value: Any = tenant.ids[IDS[name]][PLACES.get((self.id, name), 0)]
            elif is_foreign:
                inner = self._resolved(one)
                value = self._body(inner["items"] if is_list else inner, whose, foreign[1:], other, set())
            else:
                value, is_list = OWN_BODY.get(self.id, {}).get(name, BODY[name]), False
            made[name] = [value] if is_list else value
        return made


def _instead(foreign: tuple[str, ...]) -> set[str]:
    return INSTEAD.get(foreign[0], set()) if foreign else set()


def operations(document: Schema) -> list[Operation]:
    """All operations, each with every parameter and field known to the tables. Raises Unfilled."""
    found = []
    for path, methods in document["paths"].items():
        if "{token}" in path:  # a link's own word, not a key's: tests/services/api/rest/test_approvals.py holds it
            continue
        for method, one in methods.items():
            content = one.get("requestBody", {}).get("content", {})
            parameters = one.get("parameters", [])
            kind = next((kind for kind in RAW if kind in content), None)
            schema = content.get("application/json", {}).get("schema")
            assert not content or schema is not None or kind is not None, one["operationId"]
            operation = Operation(one["operationId"], method.upper(), path, parameters, schema, document, kind)
            _check(operation)
            found.append(operation)
    return found


def _check(operation: Operation) -> None:
    for parameter in operation.parameters:
        name, place = parameter["name"], parameter["in"]
        known: set[str] = {"path": {*IDS, *CHOICES}, "query": {*IDS, *QUERY}, "header": set(HEADERS)}.get(place, set())
        if name not in known:
            raise Unfilled(f"{operation.id}: say in rest_operations.py how the {place} parameter {name!r} is filled")
        # An id shows itself by its example, whatever its name.
        if "_01h2xcejqtf2nbrexx3vqjhp41" in json.dumps(parameter) and name not in IDS:
            raise Unfilled(f"{operation.id}: {name!r} takes an id, but IDS does not say of what")
    operation.foreign_fields()


def _prefix(name: str) -> Prefix:
    return IDS[name]


def _query(name: str, whose: Whose) -> str:
    if name in IDS:
        return whose(name).id(IDS[name])
    value = QUERY[name]
    assert value is not None
    return value
