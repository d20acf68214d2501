"""The completed path answers as the executor does, byte for byte, or leaves it to the executor."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from graphql import FieldNode, OperationDefinitionNode, execute, parse
from sqlmodel import select
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from services.api.completed import Completed, Executor, plan
from services.api.context import Context, Reader
from services.api.graphql.engine import Asked, Engine, Prepared, dump
from shared.contract import Author, Counted, Deleted, Hidden, MediaDraft
from shared.db import Database, driver
from shared.domain import scope as scopes
from shared.domain.listening import corrections
from shared.domain.listening.ears import Ears
from shared.models import Mention
from shared.models.enums import MentionKind, MentionOrder, Sentiment
from tests.conftest import HouseBrand, HouseChannel
from tests.services.api.graphql.asking import Api, at, brand_id, hear, said

ENGINE = Engine()

LEAVES: dict[str, list[str]] = {
    "Mention": [
        "id", "network", "kind", "visibility", "externalId", "url", "text", "language", "rating", "publishedAt",
        "observedAt", "editedAt", "deletedAt", "hiddenAt", "authorKind", "intents", "urgency", "offence",
        "topics", "reach", "__typename",
    ],
    "Identity": ["id", "network", "externalId", "handle", "name", "url", "followers", "__typename"],
    "Channel": ["id", "network", "name", "externalId", "baseUrl", "status", "statusReason", "createdAt", "lastHeardAt",
                "__typename"],
    "Thread": ["id", "lastAt", "__typename"],
    "Sentiment": ["label", "score", "source", "modelVersion", "__typename"],
    "FastSentiment": ["label", "score", "modelVersion", "__typename"],
    "Engagement": ["likes", "replies", "shares", "views", "__typename"],
    "Media": ["url", "kind", "alt", "__typename"],
    "Span": ["start", "end", "__typename"],
    "PageInfo": ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor", "__typename"],
}  # fmt: skip
OBJECTS: dict[str, dict[str, str]] = {
    "Mention": {
        "author": "Identity", "channel": "Channel", "parent": "Mention", "thread": "Thread", "media": "Media",
        "engagement": "Engagement", "sentiment": "Sentiment", "highlights": "Span",
    },
    "Sentiment": {"fast": "FastSentiment"},
}  # fmt: skip
UNKNOWN = [
    "explanation { current }",
    "corrections { field value }",
    "history { text editedAt }",
    "channel { health }",
    "thread { root { id } }",
]


class Dice:
    """Random selections, with aliases, fragments and directives."""

    def __init__(self, seed: int, searches: Sequence[str] = ()) -> None:
        self.random = random.Random(seed)
        self.searches = searches
        self.fragments: list[str] = []
        self.aliases = 0

    def fields(self, type_: str, depth: int) -> str:
        chosen = self.random.sample(LEAVES[type_], self.random.randint(1, min(5, len(LEAVES[type_]))))
        parts = [self.field(name) for name in chosen]
        for name, below in OBJECTS.get(type_, {}).items():
            if depth > 0 and self.random.random() < 0.4:
                parts.append(self.field(f"{name} {{ {self.fields(below, depth - 1)} }}", alias=False))
        if type_ == "Mention" and self.random.random() < 0.08:
            parts.append(self.random.choice(UNKNOWN))
        self.random.shuffle(parts)
        if self.random.random() < 0.3:
            cut = self.random.randint(0, len(parts) - 1)
            parts = [*parts[:cut], self.fragment(type_, parts[cut:])]
        return " ".join(parts)

    def field(self, text: str, *, alias: bool = True) -> str:
        if alias and self.random.random() < 0.15 and self.aliases < 25:
            self.aliases += 1
            text = f"a{self.aliases}: {text}"
        head, brace, rest = text.partition(" {")
        dice = self.random.random()
        if dice < 0.06:
            head += " @include(if: $yes)"
        elif dice < 0.12:
            head += " @skip(if: $yes)"
        elif dice < 0.15:
            head += " @include(if: $no) @skip(if: false)"
        return head + brace + rest

    def fragment(self, type_: str, parts: list[str]) -> str:
        dice = self.random.random()
        if dice < 0.3:
            return f"... {{ {' '.join(parts)} }}"
        if dice < 0.6 and type_ in {"Mention", "Identity", "Channel", "Thread"}:
            return f"... on {self.random.choice([type_, 'Node'])} {{ id }} ... on {type_} {{ {' '.join(parts)} }}"
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {type_} {{ {' '.join(parts)} }}")
        return f"...{name}"

    def query(self) -> str:
        makers: list[Callable[[], str]] = [
            lambda: f"nodes {{ {self.fields('Mention', 2)} }}",
            lambda: f"edges {{ cursor node {{ {self.fields('Mention', 1)} }} __typename }}",
            lambda: f"pageInfo {{ {self.fields('PageInfo', 0)} }}",
            lambda: "__typename",
        ]
        parts = [make() for make in self.random.sample(makers, self.random.randint(1, 4))]
        order, where = self.random.choice(["NEWEST", "OLDEST"]), "deleted: null"
        if self.searches:
            order, where = self.random.choice(["NEWEST", "BEST"]), f'search: "{self.random.choice(self.searches)}"'
        body = f"m: mentions(first: $first, order: {order}, where: {{{where}}}) {{ {' '.join(parts)} }}"
        uses = ", _y: __typename @skip(if: $yes) _n: __typename @skip(if: $no)"
        return (
            "query ($b: ID!, $first: Int, $yes: Boolean!, $no: Boolean!) { brand(id: $b) { "
            f"{body}{uses} }} }} {' '.join(self.fragments)}"
        )


async def answers(api: Api, brand: HouseBrand, query: str, variables: dict[str, Any]) -> tuple[bytes, bytes, bool]:
    """The answer by both paths, and whether the quick one took it."""
    prepared = ENGINE.prepare(Asked(query, variables, None))
    assert isinstance(prepared, Prepared), prepared
    services = api.app.state.services
    found = []
    for is_quick in (True, False):
        reader = Reader(services.db, brand.api_key)
        try:
            context = Context(services, brand.api_key, await reader.enter(), reader)
            if is_quick:
                found.append(dump(await ENGINE.run(prepared, context)))
            else:
                result: Any = execute(
                    ENGINE.schema, prepared.document.node, context_value=context, variable_values=variables,
                    executor_class=Executor,
                )  # fmt: skip
                result = await result
                assert not result.errors
                found.append(dump({"data": result.data, "extensions": {"cost": prepared.cost}}))
        finally:
            await reader.close()
    return found[0], found[1], any(plan is not None for plan in prepared.document.plans.values())


@pytest.fixture
async def filled(brand: HouseBrand, channel: HouseChannel, worker_db: Database) -> HouseBrand:
    media = (MediaDraft("https://example.com/a.jpg", "image", "é"), MediaDraft("https://example.com/b.mp4", "video"))
    await hear(
        worker_db,
        channel,
        said("root", 'quotes " and \\ and \U0001f600', language="fr", media=media, rating=4.5, kind=MentionKind.REVIEW),
        said("child", "b", minutes=1.5, parent_external_id="root", url="https://example.com/c"),
        said("grandchild", "", minutes=2, parent_external_id="child", author=None),
        said("orphan", None, minutes=3, parent_external_id="unknown"),
        said("edited", "one", minutes=4, author=Author("only-an-id", followers=12)),
        said("edited", "two", minutes=4, edited_at=at(5), stamp=at(6)),
        said("gone", "x", minutes=7, parent_external_id="root"),
        Deleted("gone", at(8)),
        Counted("root", at(9), likes=0, shares=7, views=400),
        Hidden("child", True, at(10)),
        said("glad", "good merci", minutes=1),
        said("corrected", "bad why", minutes=2),
        said("deep", "good but late", minutes=3),
    )
    async with worker_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        await (await driver(session)).execute(
            "UPDATE mention SET sentiment = 'negative', deep_by = 'deeper', fast_sentiment = 'positive',"
            " fast_score = 0.75 WHERE brand_id = $1 AND external_id = 'deep'", brand.brand_id
        )  # fmt: skip
        (wrong,) = await session.scalars(select(Mention.id).where(Mention.external_id == "corrected"))
        told = corrections.Said(sentiment=Sentiment.NEUTRAL, intents=())
        await corrections.correct(session, scope, wrong, said=told, ears=Ears(), now=at(20))
    return brand


async def test_random_selections_are_answered_alike_by_both_paths(api: Api, filled: HouseBrand) -> None:
    quick = 0
    for seed in range(300):
        query = Dice(seed).query()
        variables = {"b": brand_id(filled), "first": random.Random(seed).randint(1, 9), "yes": True, "no": False}
        one, other, was_quick = await answers(api, filled, query, variables)
        assert one == other, query
        quick += was_quick
    assert quick > 200


async def test_random_selections_of_a_search_are_answered_alike_by_both_paths(api: Api, filled: HouseBrand) -> None:
    found = 0
    for seed in range(120):
        query = Dice(seed, ["quotes or b", "one OR good*", "merci", "two"]).query()
        variables = {"b": brand_id(filled), "first": random.Random(seed).randint(1, 9), "yes": True, "no": False}
        one, other, _ = await answers(api, filled, query, variables)
        assert one == other, query
        found += b'"start":' in one
    assert found > 10


async def test_only_the_mentions_of_a_search_show_where_its_words_are(api: Api, filled: HouseBrand) -> None:
    query = """query ($b: ID!, $w: MentionFilter, $o: MentionOrder) { brand(id: $b) { mentions(where: $w, order: $o) {
        nodes { text highlights { start end } parent { highlights { start end } } history { text } }
        edges { node { highlights { start end } } } } } }"""
    shown = {}
    for order in ("NEWEST", "BEST"):
        data = await api.data(query, filled.api_key, b=brand_id(filled), w={"search": "b OR quote"}, o=order)
        for one in data["brand"]["mentions"]["nodes"]:
            shown[one["text"]] = (one["highlights"], one["parent"])
        assert [e["node"]["highlights"] for e in data["brand"]["mentions"]["edges"]] == [
            one["highlights"] for one in data["brand"]["mentions"]["nodes"]
        ]
    assert shown["b"] == ([{"start": 0, "end": 1}], {"highlights": None})
    data = await api.data(query, filled.api_key, b=brand_id(filled))
    assert {str(one["highlights"]) for one in data["brand"]["mentions"]["nodes"]} == {"None"}


async def test_best_first_without_a_search_is_an_error_that_says_so(api: Api, filled: HouseBrand) -> None:
    query = "query ($b: ID!) { brand(id: $b) { name mentions(order: BEST) { nodes { id } } } }"
    for _ in range(2):
        answer = await api.ask(query, filled.api_key, b=brand_id(filled))
        assert answer["errors"][0]["message"].startswith("best first is the order of a search"), answer


async def test_the_switches_of_one_document_are_looked_at_each_time(api: Api, filled: HouseBrand) -> None:
    query = """query ($b: ID!, $yes: Boolean!) { brand(id: $b) { mentions { nodes {
        text @include(if: $yes) ... on Mention @skip(if: $yes) { kind } } } } }"""
    for yes in (True, False, True):
        one, other, was_quick = await answers(api, filled, query, {"b": brand_id(filled), "yes": yes})
        assert one == other
        assert was_quick


async def test_the_same_key_selected_twice_is_merged(api: Api, filled: HouseBrand) -> None:
    query = """query ($b: ID!) { brand(id: $b) { mentions { nodes { author { id } author { name } id id } }
        mentions { nodes { text } pageInfo { hasNextPage } } } }"""
    one, other, was_quick = await answers(api, filled, query, {"b": brand_id(filled)})
    assert one == other
    assert was_quick


async def test_what_is_not_known_goes_the_ordinary_way(api: Api, filled: HouseBrand) -> None:
    for unknown in UNKNOWN:
        query = f"query ($b: ID!) {{ brand(id: $b) {{ mentions {{ nodes {{ id {unknown} }} }} }} }}"
        one, other, was_quick = await answers(api, filled, query, {"b": brand_id(filled)})
        assert one == other
        assert not was_quick


@pytest.mark.parametrize(
    "points",
    [
        "start end value complete low high",
        "value v: value start @skip(if: $no) end @include(if: $no)",
        "...F start",
        "... { value } ... on MetricPoint { complete }",
        "__typename value",
    ],
)
async def test_points_are_answered_alike_by_both_paths(api: Api, filled: HouseBrand, points: str) -> None:
    query = f"""query ($b: ID!, $no: Boolean!, $from: DateTime!, $to: DateTime!) {{ brand(id: $b) {{ metrics(
        keys: [MENTIONS, NET_SENTIMENT], from: $from, to: $to, interval: DAY, groupBy: [CHANNEL]) {{
        unit points {{ {points} }} }}
        }} _n: __typename @skip(if: $no) }} fragment F on MetricPoint {{ end value }}"""
    if "...F" not in points:
        query = query.replace("fragment F on MetricPoint { end value }", "")
    spans = {"from": at(-3000).isoformat(), "to": at(3000).isoformat()}
    one, other, _ = await answers(api, filled, query, {"b": brand_id(filled), "no": False, **spans})
    assert one == other
    assert b'"points":[{' in one


def test_the_executor_still_calls_the_method_that_we_override() -> None:
    """Both packages are pinned; this fails where an upgrade moves the method away."""
    parameters = Executor.complete_value.__code__.co_varnames[:7]
    base = StrawberryGraphQLCoreExecutionContext.complete_value.__code__.co_varnames[:7]
    assert parameters == base == (
        "self", "return_type", "field_details_list", "info", "path", "result", "position_context",
    )  # fmt: skip
    assert Completed({"a": 1}).value == {"a": 1}


async def test_the_newest_page_is_read_from_its_index(app_db: Database, filled: HouseBrand) -> None:
    found = plan(_nodes("{ mentions { nodes { id author { name } channel { name } parent { text } } } }"), {}, {})
    assert found is not None
    for after in (True, False):
        sql, names = found.statement(("standing",), MentionOrder.NEWEST, after, False)
        values = {"brand_id": filled.brand_id, "limit": 51, "after_at": at(5), "after_id": filled.brand_id}
        async with app_db.reading() as session:
            await scopes.see(session, [filled.brand_id])
            connection = await driver(session)
            # The question is whether the index can serve, whatever the statistics of a small table say.
            await connection.execute("SET LOCAL enable_seqscan = off")
            await connection.execute("SET LOCAL enable_sort = off")
            lines = await connection.fetch("EXPLAIN " + sql, *[values[name] for name in names])
        explained = "\n".join(line[0] for line in lines)
        assert "ix_mention_newest" in explained
        assert "Sort" not in explained


def _nodes(query: str) -> list[FieldNode]:
    operation = parse(query).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
