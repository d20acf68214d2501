"""Every field of the GraphQL schema that takes something, filled with one tenant's things and with another's.

An argument, an input field or a kind of root that stands in none of the tables fails the tests.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)

from shared.ids import Prefix
from tests.tenancy import rest_operations as rest
from tests.tenancy.rest_operations import Unfilled
from tests.tenancy.tenants import Tenant

Whose = Callable[[str], Tenant]

# What a bare `id` is of: the kinds of node, and each mutation's own.
NODES = {
    "Alert": Prefix.ALERT, "AlertRule": Prefix.ALERT_RULE,
    "Arrival": Prefix.ARRIVAL, "Blackout": Prefix.BLACKOUT, "Brand": Prefix.BRAND, "Campaign": Prefix.CAMPAIGN,
    "Channel": Prefix.CHANNEL, "Identity": Prefix.IDENTITY, "MediaFile": Prefix.MEDIA, "Mention": Prefix.MENTION,
    "Notification": Prefix.NOTIFICATION, "Operation": Prefix.OPERATION, "Outgoing": Prefix.OUTGOING,
    "Post": Prefix.POST, "Recurrence": Prefix.RECURRENCE, "Slot": Prefix.SLOT, "Thread": Prefix.THREAD,
    "WebhookEndpoint": Prefix.WEBHOOK_ENDPOINT,
    "SavedQuery": Prefix.QUERY, "View": Prefix.VIEW,
}  # fmt: skip
TARGETS = {
    "updateChannel": Prefix.CHANNEL, "pauseChannel": Prefix.CHANNEL, "resumeChannel": Prefix.CHANNEL,
    "removeChannel": Prefix.CHANNEL, "replayArrival": Prefix.ARRIVAL, "updatePost": Prefix.POST,
    "schedulePost": Prefix.POST, "publishPost": Prefix.POST, "cancelPost": Prefix.POST, "deletePost": Prefix.POST,
    "duplicatePost": Prefix.POST, "updateCampaign": Prefix.CAMPAIGN, "deleteCampaign": Prefix.CAMPAIGN,
    **dict.fromkeys(("updateAlertRule", "deleteAlertRule"), Prefix.ALERT_RULE),
    **dict.fromkeys(("updateView", "deleteView"), Prefix.VIEW),
    **dict.fromkeys(("closeAlert", "snoozeAlert"), Prefix.ALERT),
    "updateSavedQuery": Prefix.QUERY, "deleteSavedQuery": Prefix.QUERY, "recallSavedQuery": Prefix.QUERY,
    **dict.fromkeys(("settleOutgoing", "cancelOutgoing"), Prefix.OUTGOING),
    **dict.fromkeys(
        ("replyToMention", "hideMention", "unhideMention", "deleteMention", "likeMention", "unlikeMention",
         "correctMention"),
        Prefix.MENTION,
    ),
    **dict.fromkeys(("blockIdentity", "unblockIdentity"), Prefix.IDENTITY),
     "backfillChannel": Prefix.CHANNEL, "rereadChannel": Prefix.CHANNEL, "cancelOperation": Prefix.OPERATION,
    "updateMedia": Prefix.MEDIA, "deleteMedia": Prefix.MEDIA,
    "Brand.consent": Prefix.CONSENT,
    **dict.fromkeys(("updateSlot", "removeSlot"), Prefix.SLOT),
    **dict.fromkeys(("updateBlackout", "deleteBlackout"), Prefix.BLACKOUT),
    **dict.fromkeys(
        ("updateRecurrence", "pauseRecurrence", "resumeRecurrence", "endRecurrence", "skipOccurrence"),
        Prefix.RECURRENCE,
    ),
    "revokeCalendarFeed": Prefix.CALENDAR_FEED,
    **dict.fromkeys(("submitPost", "approve", "requestChanges", "addComment"), Prefix.POST),
    "updateBrand": Prefix.BRAND, "revokeApprovalLink": Prefix.APPROVAL_LINK,
    "markNotificationRead": Prefix.NOTIFICATION,
    "redeliverWebhook": Prefix.WEBHOOK_DELIVERY,
    **dict.fromkeys(
        ("updateWebhookEndpoint", "removeWebhookEndpoint", "rotateWebhookSecret", "testWebhookEndpoint"),
        Prefix.WEBHOOK_ENDPOINT,
    ),
}  # fmt: skip
WHERE = {"Viewer": "viewer"}
# What has no id itself: of which node's it is, and there in which field.
BELOW: dict[str, tuple[str, ...]] = {
    "CopyCluster": ("Mention", "copies"),
    "ExplainedScore": ("Mention", "explanation", "urgency"),
    "ExplainedMood": ("Mention", "explanation", "sentiment", "scores"),
    "ExplainedIntent": ("Mention", "explanation", "intents", "scores"),
}
ROOTS = {"viewer", "node", "brand", "brands"}
PLAIN: dict[str, Any] = {
    "first": 1, "after": None, "where": None, "ifVersion": None, "deleted": None, "duplicates": None, "input": None,
    "days": 90, "keys": ["MENTIONS"], "groupBy": ["CHANNEL"], "search": "said", "minRating": 1, "count": 3,
    "chart": "VOLUME",
    "what": "AUTHORS",
    **{name: ["NL"] for name in ("networks", "kinds", "authorKinds", "statuses", "states")},
    "sentiments": ["POSITIVE"],
}  # fmt: skip
WORDS = {"search", "handle", "name"}
NEEDED = {rest_id: names for rest_id, names in rest.NEEDED.items() if rest_id != "update_brand"}


@dataclass(frozen=True)
class Asked:
    """An operation with its variables."""

    query: str
    variables: dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A field with arguments on a type that is no root, and how one gets there."""

    type: GraphQLObjectType
    name: str
    field: GraphQLField

    @property
    def id(self) -> str:
        return f"{self.type.name}.{self.name}"

    def ask(self, schema: GraphQLSchema, tenant: Tenant, arguments: dict[str, Any]) -> Asked:
        """The field of the tenant's own thing, with these arguments beside the required ones."""
        given = {**_required(self.id, self.field, tenant), **arguments}
        types = {name: argument.type for name, argument in self.field.args.items() if name in given}
        head = ", ".join(["$own: ID!", *(f"${name}: {type_}" for name, type_ in types.items())])
        inner = f"{self.name}{_list(f'{name}: ${name}' for name in types)} {selection(schema, self.field.type, 1)}"
        if self.type.name in WHERE:
            query = f"query Q({head}) {{ {WHERE[self.type.name]} {{ {inner} }} brand(id: $own) {{ id }} }}"
            own = tenant.id(Prefix.BRAND)
        else:
            above, *below = BELOW.get(self.type.name, (self.type.name,))
            for field in reversed(below):
                inner = f"{field} {{ {inner} }}"
            query = f"query Q({head}) {{ node(id: $own) {{ ... on {above} {{ {inner} }} }} }}"
            own = tenant.id(NODES[above])
        return Asked(query, {"own": own, **given})

    def foreign(self, other: Tenant) -> Iterator[dict[str, Any]]:
        """Arguments that name another's things: each id, each word."""
        for name, argument in self.field.args.items():
            kind = get_named_type(argument.type)
            if isinstance(kind, GraphQLInputObjectType):
                for field, one in kind.fields.items():
                    if field in WORDS:
                        yield {name: {field: f"{other.name}_child"}}
                    elif _is_id(one):
                        value = other.id(_prefix(field, self.id))
                        yield {name: {field: [value] if _is_list(one) else value}}
            elif _is_id(argument):
                yield {name: other.id(_prefix(name, self.id))}


def selection(schema: GraphQLSchema, type_: Any, depth: int) -> str:
    """Everything that can be selected of a type without arguments, `depth` things deep; two of each list."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    assert isinstance(named, GraphQLObjectType)
    is_connection = named.name.endswith(("Connection", "Edge"))
    found = ["__typename"]
    for name, field in named.fields.items():
        inner = get_named_type(field.type)
        if named.name.endswith("Edge") and not is_leaf_type(inner):
            continue  # the same things stand among the nodes
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        if is_leaf_type(inner):
            found.append(name)
        elif depth > 0:
            first = "(first: 2)" if "first" in field.args else ""
            found.append(f"{name}{first} {selection(schema, inner, depth if is_connection else depth - 1)}")
    return f"{{ {' '.join(found)} }}"


def node(schema: GraphQLSchema, prefix: Prefix, id_: str) -> Asked:
    """`node(id)`, with all that is to be seen where the id is of a kind that has nodes."""
    types = [name for name, one in NODES.items() if one is prefix]
    parts = [f"... on {name} {selection(schema, schema.type_map[name], 2)}" for name in types]
    return Asked(f"query N($id: ID!) {{ node(id: $id) {{ __typename id {' '.join(parts)} }} }}", {"id": id_})


def places(schema: GraphQLSchema) -> list[Place]:
    """The fields with arguments below the roots, all of them known to the tables. Raises Unfilled."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    found = []
    for type_ in schema.type_map.values():
        if not is_object_type(type_) or type_ in roots or type_.name.startswith("__"):
            continue
        node = schema.type_map["Node"]
        if node in type_.interfaces and type_.name not in NODES:
            raise Unfilled(f"say in graphql_operations.py which ids a {type_.name} has")
        for name, field in type_.fields.items():
            if not field.args:
                continue
            if type_.name not in {*NODES, *WHERE, *BELOW}:
                raise Unfilled(f"say in graphql_operations.py how one gets to {type_.name}.{name}")
            _know(f"{type_.name}.{name}", field.args)
            found.append(Place(type_, name, field))
    return found


def mutations(schema: GraphQLSchema) -> dict[str, GraphQLField]:
    """The mutations, all of them known to the tables. Raises Unfilled."""
    assert schema.mutation_type is not None
    for name, field in schema.mutation_type.fields.items():
        _know(name, field.args)
    return dict(schema.mutation_type.fields)


def check_roots(schema: GraphQLSchema) -> None:
    """Raises Unfilled where the queries or subscriptions have grown."""
    assert schema.query_type is not None
    assert schema.subscription_type is not None
    unknown = set(schema.query_type.fields) - ROOTS
    for name, field in schema.subscription_type.fields.items():
        if set(field.args) != {"brandId", "after"}:
            unknown.add(name)
    if unknown:
        raise Unfilled(f"say in graphql_operations.py and its tests what these are asked: {sorted(unknown)}")


def mutation(
    schema: GraphQLSchema, name: str, whose: Whose, *, foreign: tuple[str, ...] = (), other: Tenant | None = None
) -> Asked:
    """A good request of `whose` things, but for the input's field `foreign`, which is `other`'s."""
    field = mutations(schema)[name]
    kind = get_named_type(field.args["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    query = f"mutation M($input: {kind.name}!) {{ {name}(input: $input) {selection(schema, field.type, 2)} }}"
    return Asked(query, {"input": _input(name, kind, whose, foreign, other, _needed(name))})


def foreign_fields(schema: GraphQLSchema, name: str) -> list[tuple[str, ...]]:
    """Where in a mutation's input an id stands."""
    kind = get_named_type(mutations(schema)[name].args["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    return list(_ids_in(kind))


def _ids_in(kind: GraphQLInputObjectType) -> Iterator[tuple[str, ...]]:
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if isinstance(inner, GraphQLInputObjectType):
            yield from ((name, *rest) for rest in _ids_in(inner))
        elif _is_id(field):
            yield (name,)


def _input(
    target: str, kind: GraphQLInputObjectType, whose: Whose, foreign: tuple[str, ...], other: Tenant | None,
    needed: set[str],
) -> dict[str, Any]:  # fmt: skip
    made: dict[str, Any] = {}
    for name, field in kind.fields.items():
        is_foreign = bool(foreign) and foreign[0] == name
        left_out = {rest_name(one) for one in rest.INSTEAD.get(_snake(foreign[0]), set())} if foreign else set()
        if not is_foreign and not is_required_input_field(field) and name not in needed - left_out:
            continue
        inner = get_named_type(field.type)
        if _is_id(field):
            tenant = other if is_foreign and other is not None else whose(name)
            value: Any = tenant.ids[_prefix(name, target)][rest.PLACES.get((target, name), 0)]
        elif isinstance(inner, GraphQLInputObjectType):
            value = _input(target, inner, whose, foreign[1:], other, set())
        else:
            made[name] = _plain(name, field, rest.OWN_BODY.get(_snake(target), {}))
            continue
        made[name] = [value] if _is_list(field) else value
    return made


def _know(place: str, fields: dict[str, Any], of: str = "") -> None:
    for name, field in fields.items():
        inner = get_named_type(field.type)
        if _is_id(field):
            _prefix(name, of or place)
        elif isinstance(inner, GraphQLInputObjectType):
            _know(f"{place}({name})", inner.fields, of or place)
        elif name not in PLAIN and _snake(name) not in {*rest.BODY, *rest.QUERY}:
            raise Unfilled(f"say in graphql_operations.py how {name!r} of {place} is filled")


def _prefix(name: str, place: str) -> Prefix:
    if name == "id" and place in TARGETS:
        return TARGETS[place]
    if _snake(name) not in rest.IDS:
        raise Unfilled(f"say in graphql_operations.py what the {name!r} of {place} is the id of")
    return rest.IDS[_snake(name)]


def _plain(name: str, field: GraphQLInputField, own: dict[str, Any]) -> Any:
    value = own.get(_snake(name)) or PLAIN.get(name, rest.BODY.get(_snake(name), rest.QUERY.get(_snake(name))))
    if not isinstance(get_named_type(field.type), GraphQLEnumType) or value is None:
        return value
    return [one.upper() for one in value] if isinstance(value, list) else value.upper()


def _required(place: str, field: GraphQLField, tenant: Tenant) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, argument in field.args.items():
        if is_required_argument(argument) and _is_id(argument):
            found[name] = tenant.id(_prefix(name, place))
        elif is_required_argument(argument):
            value = PLAIN.get(name, rest.QUERY.get(_snake(name)))
            is_word = isinstance(get_named_type(argument.type), GraphQLEnumType) and isinstance(value, str)
            found[name] = value.upper() if is_word and value is not None else value
    return found


def _needed(name: str) -> set[str]:
    return {rest_name(one) for one in NEEDED.get(_snake(name), set())}


def rest_name(name: str) -> str:
    """A REST field's name as GraphQL spells it."""
    head, *more = name.split("_")
    return head + "".join(part.capitalize() for part in more)


def _is_id(field: GraphQLArgument | GraphQLInputField) -> bool:
    return get_named_type(field.type).name == "ID"


def _is_list(field: GraphQLArgument | GraphQLInputField) -> bool:
    return is_list_type(getattr(field.type, "of_type", field.type)) or is_list_type(field.type)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _list(parts: Iterator[str]) -> str:
    text = ", ".join(parts)
    return f"({text})" if text else ""
