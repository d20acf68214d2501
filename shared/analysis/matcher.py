"""All queries of all brands asked of each text at once.

Each query waits for its anchors: bytes that must be in a text (found for all queries together by Aho-Corasick), an
emoji, or the value of a field. Only a query whose anchor is there is asked itself. Those without any are asked always.
"""

import time
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ahocorasick_rs import BytesAhoCorasick

from shared.analysis.queries.anchors import Anchors, Value, anchors, values_of
from shared.analysis.queries.compiled import Asked, compiled
from shared.analysis.queries.document import Document
from shared.analysis.queries.evaluating import Span, merged
from shared.analysis.queries.needed import Groups, has_needed, needed
from shared.analysis.queries.needles import Haystack, haystack
from shared.analysis.queries.seen import Seen
from shared.analysis.queries.subject import Subject, has_attribute
from shared.analysis.queries.tree import Attribute, FieldName, Node, Reach, leaves

Key = TypeVar("Key", bound=Hashable)
_AT_ONCE = 256
_LONG = 5_000  # characters, from which on the clock is looked at before each query
_CHARACTERS_AT_ONCE = 200_000


@dataclass(frozen=True, slots=True)
class Listening(Generic[Key]):
    """A query made ready once; `group` is whose texts it is asked of (None: of all). `asks_reach`: what it matches
    may change when somebody counts anew; `authors`: what it asks of authors, who may be called otherwise one day."""

    key: Key
    group: Hashable
    node: Node
    asked: Asked
    needed: Groups
    anchors: Anchors | None
    asks_reach: bool = False
    authors: tuple[Attribute, ...] = ()

    @property
    def is_always_asked(self) -> bool:
        """Whether nothing can be said beforehand about what it matches."""
        return self.anchors is None


def listening(key: Key, node: Node, *, group: Hashable = None, seen: Seen | None = None) -> Listening[Key]:
    """A query made ready, its anchors chosen by what was seen."""
    found = anchors(node, seen or Seen())
    asks_reach = any(isinstance(leaf, Reach) for leaf in leaves(node))
    authors = tuple(leaf for leaf in leaves(node) if isinstance(leaf, Attribute) and leaf.name is FieldName.AUTHOR)
    return Listening(key, group, node, compiled(node), needed(node, found), found, asks_reach, authors)


def anchored_anew(query: Listening[Key], seen: Seen) -> Listening[Key]:
    """The same query with anchors by what has been seen by now."""
    found = anchors(query.node, seen)
    return replace(query, anchors=found, needed=needed(query.node, found))


@dataclass(frozen=True, slots=True)
class Found(Generic[Key]):
    """A query that matched, and what of the text made it: merged spans in order, in code points, end exclusive."""

    key: Key
    spans: list[Span]


class Matcher(Generic[Key]):
    """Many queries, ready. It never changes: for others make another, of the same Listenings, in milliseconds."""

    def __init__(self, queries: Iterable[Listening[Key]], *, seen: Seen | None = None) -> None:
        self._seen = seen or Seen()
        self._queries = list(queries)
        self.asks_reach = any(query.asks_reach for query in self._queries)
        self._of_authors = [query for query in self._queries if query.authors]
        waiting: dict[bytes, list[int]] = {}
        self._emoji: dict[str, list[int]] = {}
        self._values: dict[Value, list[int]] = {}
        self._always: dict[Hashable, list[int]] = {}
        for n, query in enumerate(self._queries):
            if query.anchors is None:
                self._always.setdefault(query.group, []).append(n)
                continue
            for needle in query.anchors.needles:
                waiting.setdefault(needle, []).append(n)
            for emoji in query.anchors.emoji:
                self._emoji.setdefault(emoji, []).append(n)
            for value in query.anchors.values:
                self._values.setdefault(value, []).append(n)
        self._fields: frozenset[FieldName] = frozenset(name for name, _ in self._values)
        self._waiting = list(waiting.values())
        self._tails = [1 + needle.endswith(b" ") for needle in waiting]
        self._search = BytesAhoCorasick(waiting) if waiting else None

    def __len__(self) -> int:
        return len(self._queries)

    @property
    def asks_author(self) -> bool:
        """Whether what it matches may change when an author is called otherwise."""
        return bool(self._of_authors)

    def telling_apart(self, one: Subject, other: Subject) -> list[Listening[Key]]:
        """The queries of which an `author:` holds for the author of only one of the two."""
        return [
            query
            for query in self._of_authors
            if any(has_attribute(one, leaf) != has_attribute(other, leaf) for leaf in query.authors)
        ]

    def match(
        self, subjects: Sequence[Subject], *, group: Hashable = None, until: float | None = None
    ) -> list[list[Found[Key]]]:
        """What each subject matches of the queries of one group (with None, of those without), in their order.

        `until`, by `time.monotonic()`: the subjects that are not asked in full by then are left out of the answer.
        """
        found: list[list[Found[Key]]] = []
        for some in portions(subjects):
            if until is not None and time.monotonic() >= until:
                break
            each = self._match(some, group, until)
            found += each
            if len(each) < len(some):
                break
        return found

    def _match(self, subjects: Sequence[Subject], group: Hashable, until: float | None) -> list[list[Found[Key]]]:
        stack = haystack([subject.text for subject in subjects])
        self._seen.note(stack.hay, len(subjects))
        candidates = self._candidates(stack, subjects)
        always = self._always.get(group, ())
        out: list[list[Found[Key]]] = []
        for n, subject in enumerate(subjects):
            maybe = candidates.get(n)
            if maybe is None and not always:
                out.append([])
                continue
            document = Document(subject, stack.of(n), moved=n in stack.moved)
            all_ = sorted({*(maybe or ()), *always}) if always else sorted(maybe or ())
            asked = self._asked(document, all_, group, until)
            if asked is None:
                break
            out.append(asked)
        return out

    def _asked(
        self, document: Document, maybe: Iterable[int], group: Hashable, until: float | None
    ) -> list[Found[Key]] | None:
        """What of these matches; None where there was not the time to ask all of a long text."""
        found: list[Found[Key]] = []
        is_long = until is not None and len(document.hay) > _LONG
        for n in maybe:
            if is_long and until is not None and time.monotonic() >= until:
                return None
            query = self._queries[n]
            if query.group == group and has_needed(query.needed, document.hay):
                spans = query.asked.find(document)
                if spans is not None:
                    found.append(Found(query.key, merged(spans) if len(spans) > 1 else spans))
        return found

    def _candidates(self, stack: Haystack, subjects: Sequence[Subject]) -> dict[int, set[int]]:
        """For each text, the queries whose anchor it has."""
        found: dict[int, set[int]] = {}
        if self._search is not None:
            n, limits = 0, stack.ends
            limit = limits[0]
            for needle, _, end in self._search.find_matches_as_indexes(stack.hay, overlapping=True):
                last = end - self._tails[needle]  # its last letter, which is in the text where spaces around may not be
                while last >= limit:
                    n += 1
                    limit = limits[n]
                found.setdefault(n, set()).update(self._waiting[needle])
        if self._emoji:
            for n, subject in enumerate(subjects):
                if not subject.text.isascii():
                    for character in self._emoji.keys() & set(subject.text):
                        found.setdefault(n, set()).update(self._emoji[character])
        if self._values:
            for n, subject in enumerate(subjects):
                for value in values_of(subject, self._fields):
                    if value in self._values:
                        found.setdefault(n, set()).update(self._values[value])
        return found


def portions(subjects: Sequence[Subject]) -> Iterator[Sequence[Subject]]:
    """Some hundred texts at a time, or as many as are not too long together."""
    some: list[Subject] = []
    size = 0
    for subject in subjects:
        if some and (len(some) == _AT_ONCE or size + len(subject.text) > _CHARACTERS_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(subject)
        size += len(subject.text)
    if some:
        yield some
