"""What is selected below a list of mentions, written as columns, joins and the source of a function.

Only words of our own and the literals of response keys come into the source; what is not known here raises Unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode
from sqlalchemy import and_
from sqlalchemy.orm import aliased

from services.api.selected import Selected, Unknown
from shared.ids import Prefix
from shared.models import Channel, Identity, Mention, Thread
from shared.models.enums import CorrectedField

_DEEPEST_PARENT = 3


_MENTION = {
    "externalId": "external_id",
    "url": "url",
    "text": "text",
    "language": "language",
    "rating": "rating",
    "publishedAt": "published_at",
    "observedAt": "observed_at",
    "editedAt": "edited_at",
    "deletedAt": "deleted_at",
    "hiddenAt": "hidden_at",
    "urgency": "urgency",
    "offence": "offence",
    "topics": "topics",
    "reach": "reach",
}
_WORDS = {"network": "network", "kind": "kind", "visibility": "visibility", "authorKind": "author_kind"}
_COUNTERS = {name: name for name in ("likes", "replies", "shares", "views")}
_NODE = "Node"


@dataclass(slots=True)
class Writer:
    """Gathers columns and joins, and writes the source of the function."""

    selected: Selected
    columns: list[Any] = field(default_factory=list)
    joins: list[tuple[Any, Any]] = field(default_factory=list)
    ids: dict[tuple[Prefix, int], str] = field(default_factory=dict)
    shows_highlights: bool = False

    def function(self, nodes: list[FieldNode]) -> str:
        """The source of `write(rows, has_more, has_previous, cursor, spans)`. Raises Unknown."""
        answer = self.connection(nodes)
        ids = [f"    {name} = ids({prefix.value}, rows, {place})" for (prefix, place), name in self.ids.items()]
        return "\n".join(["def write(rows, has_more, has_previous, cursor, spans):", *ids, f"    return {answer}"])

    def id(self, prefix: Prefix, column: Any) -> str:
        """The public form of a column's id, as source: the whole column is written at once."""
        place = self.place(column)
        return self.ids.setdefault((prefix, place), f"ids_{len(self.ids)}") + "[n]"

    def place(self, column: Any) -> int:
        """Where a column stands in the row."""
        for n, known in enumerate(self.columns):
            if known is column:
                return n
        self.columns.append(column)
        return len(self.columns) - 1

    def column(self, column: Any) -> str:
        """A column of the row, as source."""
        return f"r[{self.place(column)}]"

    def joined(self, table: Any, on: Any) -> Any:
        alias = aliased(table)
        self.joins.append((alias, on(alias)))
        return alias

    def object(self, entries: list[tuple[str, str]]) -> str:
        return "{" + ", ".join(f"{key!r}: {source}" for key, source in entries) + "}"

    def build(self, nodes: list[FieldNode], type_name: str, one: Callable[[str, list[FieldNode]], str]) -> str:
        """An object whose fields are written by `one`, in the order in which they are selected."""
        entries = []
        names = {type_name, _NODE} if type_name in {"Mention", "Identity", "Channel", "Thread"} else {type_name}
        for key, same in self.selected.fields(nodes, names).items():
            name = same[0].name.value
            if any(other.name.value != name or other.arguments for other in same):
                raise Unknown
            entries.append((key, repr(type_name) if name == "__typename" else one(name, same)))
        return self.object(entries)

    def leaf(self, source: Any, columns: Mapping[str, str], name: str) -> str:
        if name not in columns:
            raise Unknown
        return self.column(getattr(source, columns[name]))

    # ------------------------------------------------------------ one method a type

    def mention(self, source: Any, nodes: list[FieldNode], depth: int = 0) -> str:
        def related(name: str, same: list[FieldNode]) -> str:
            match name:
                case "author":
                    found = self.joined(
                        Identity, lambda a: and_(a.brand_id == source.brand_id, a.id == source.author_id)
                    )
                    return self.optional(found.id, self.identity(found, same))
                case "channel":
                    found = self.joined(
                        Channel, lambda a: and_(a.brand_id == source.brand_id, a.id == source.channel_id)
                    )
                    return self.optional(found.id, self.channel(found, same))
                case "thread":
                    found = self.joined(Thread, lambda a: and_(a.brand_id == source.brand_id, a.id == source.thread_id))
                    return self.optional(found.id, self.thread(found, same))
                case "parent" if depth < _DEEPEST_PARENT:
                    found = self.joined(
                        Mention,
                        lambda a: and_(a.brand_id == source.brand_id, a.id == source.parent_id, a.heard),
                    )
                    return self.optional(found.id, self.mention(found, same, depth + 1))
            raise Unknown

        def one(name: str, same: list[FieldNode]) -> str:
            match name:
                case "id":
                    return self.id(Prefix.MENTION, source.id)
                case "network" | "kind" | "visibility" | "authorKind":
                    return f"{self.column(getattr(source, _WORDS[name]))}.upper()"
                case "media":
                    item = self.build(same, "Media", lambda n, _: _media_field(n))
                    return f"[{item} for m in {self.column(source.media)}]"
                case "intents" | "sentiment" | "highlights":
                    return self.reading(source, name, same)
                case "engagement":
                    return self.build(same, "Engagement", lambda n, _: self.leaf(source, _COUNTERS, n))
            return self.leaf(source, _MENTION, name) if name in _MENTION else related(name, same)

        return self.build(nodes, "Mention", one)

    def highlights(self, source: Any, nodes: list[FieldNode]) -> str:
        """The places of the list's own mentions; one that is reached through another was not searched for."""
        span = self.build(nodes, "Span", lambda name, _: _span_field(name))
        if source is not Mention:
            return "None"
        self.shows_highlights = True
        return f"(None if spans is None else [{span} for s in spans.get({self.column(Mention.id)}, ())])"

    def reading(self, source: Any, name: str, nodes: list[FieldNode]) -> str:
        if name == "highlights":
            return self.highlights(source, nodes)
        if name == "intents":
            intents = self.column(source.intents)
            return f"(None if {intents} is None else [i.upper() for i in {intents}])"
        mood = self.build(nodes, "Sentiment", lambda n, same: self.sentiment(source, n, same))
        return self.optional(source.sentiment, mood)

    def sentiment(self, source: Any, name: str, nodes: list[FieldNode]) -> str:
        is_corrected = f"{CorrectedField.SENTIMENT.value!r} in {self.column(source.corrected)}"
        match name:
            case "label":
                return f"{self.column(source.sentiment)}.upper()"
            case "score":
                return self.column(source.sentiment_score)
            case "source":
                return f"('PERSON' if {is_corrected} else 'MODEL')"
            case "modelVersion":
                version = f"{self.column(source.deep_by)} or {self.column(source.read_by)}"
                return f"(None if {is_corrected} else {version})"
            case "fast":
                fast = self.build(nodes, "FastSentiment", lambda n, _: self.fast_sentiment(source, n))
                return self.optional(source.fast_sentiment, fast)
        raise Unknown

    def fast_sentiment(self, source: Any, name: str) -> str:
        match name:
            case "label":
                return f"{self.column(source.fast_sentiment)}.upper()"
            case "score":
                return self.column(source.fast_score)
            case "modelVersion":
                return self.column(source.read_by)
        raise Unknown

    def optional(self, id_: Any, source: str) -> str:
        return f"(None if {self.column(id_)} is None else {source})"

    def identity(self, source: Any, nodes: list[FieldNode]) -> str:
        columns = {
            "externalId": "external_id",
            "handle": "handle",
            "name": "name",
            "url": "url",
            "followers": "followers",
        }

        def one(name: str, _: list[FieldNode]) -> str:
            match name:
                case "id":
                    return self.id(Prefix.IDENTITY, source.id)
                case "network":
                    return f"{self.column(source.network)}.upper()"
            return self.leaf(source, columns, name)

        return self.build(nodes, "Identity", one)

    def channel(self, source: Any, nodes: list[FieldNode]) -> str:
        columns = {
            "name": "name",
            "externalId": "external_id",
            "baseUrl": "base_url",
            "statusReason": "status_reason",
            "createdAt": "created_at",
            "lastHeardAt": "last_heard_at",
        }

        def one(name: str, _: list[FieldNode]) -> str:
            match name:
                case "id":
                    return self.id(Prefix.CHANNEL, source.id)
                case "network" | "status":
                    return f"{self.column(getattr(source, name))}.upper()"
            return self.leaf(source, columns, name)

        return self.build(nodes, "Channel", one)

    def thread(self, source: Any, nodes: list[FieldNode]) -> str:
        def one(name: str, _: list[FieldNode]) -> str:
            if name == "id":
                return self.id(Prefix.THREAD, source.id)
            return self.leaf(source, {"lastAt": "last_at"}, name)

        return self.build(nodes, "Thread", one)

    # ------------------------------------------------------------ the connection around them

    def connection(self, nodes: list[FieldNode]) -> str:
        def edge(name: str, same: list[FieldNode]) -> str:
            if name == "cursor":
                return "cursor(r)"
            if name == "node":
                return self.mention(Mention, same)
            raise Unknown

        def page_info(name: str, _: list[FieldNode]) -> str:
            if name not in _PAGE_INFO:
                raise Unknown
            return _PAGE_INFO[name]

        def one(name: str, same: list[FieldNode]) -> str:
            match name:
                case "nodes":
                    return f"[{self.mention(Mention, same)} for n, r in enumerate(rows)]"
                case "edges":
                    return f"[{self.build(same, 'MentionEdge', edge)} for n, r in enumerate(rows)]"
                case "pageInfo":
                    return self.build(same, "PageInfo", page_info)
            raise Unknown

        return self.build(nodes, "MentionConnection", one)


_PAGE_INFO = {
    "hasNextPage": "has_more",
    "hasPreviousPage": "has_previous",
    "startCursor": "(cursor(rows[0]) if rows else None)",
    "endCursor": "(cursor(rows[-1]) if rows else None)",
}


def _span_field(name: str) -> str:
    match name:
        case "start":
            return "s[0]"
        case "end":
            return "s[1]"
    raise Unknown


def _media_field(name: str) -> str:
    match name:
        case "url" | "kind":
            return f"m[{name!r}]"
        case "alt":
            return "m.get('alt')"
    raise Unknown
