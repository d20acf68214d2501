"""Two filters as one: what passes both."""

import re
from dataclasses import fields, replace
from typing import Any

from shared.domain.listening.filters import SEARCH_MOST, MentionFilter
from shared.errors import Invalid, Problem

# A mention has one value of each of these, so that two lists leave what stands in both.
_SINGLE = {"networks", "channel_ids", "kinds", "languages", "sentiments", "author_kinds"}
_OF_TWO = {"since": max, "until": min, "min_rating": max}
_TERM = re.compile(r'-?(?:"[^"]*(?:"|$)|[^\s"]+)')


def narrowed(view: MentionFilter, more: MentionFilter) -> MentionFilter:
    """What passes `view` and `more`. Whether it shows deleted ones is the view's word; of both, `more` may take them.

    Raises Invalid (`set_by_view`) for another list of something that a mention has several of: those of either are one
    filter, those of both are not. `too_long`: the two searches together.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in (field.name for field in fields(MentionFilter)):
        one, other = getattr(view, name), getattr(more, name)
        if name == "deleted":
            values[name] = True if one is None and other else one
        elif one is None or other is None or one == other:
            values[name] = other if one is None else one
        elif name == "search":
            values[name] = _both(view.words, more.words)
        elif name in _OF_TWO:
            values[name] = _OF_TWO[name](one, other)
        elif name in _SINGLE:
            values[name] = tuple(value for value in one if value in other)
        elif isinstance(one, tuple):
            problems.append(Problem("set_by_view", f"the view says {name} already", (name,)))
        else:
            values["kinds"] = ()
    if len(values["search"] or "") > SEARCH_MOST:
        problems.append(
            Problem("too_long", f"both searches together have at most {SEARCH_MOST} characters", ("search",))
        )
    if problems:
        raise Invalid(problems)
    return _nothing_of(MentionFilter(**values), is_torn=bool(more.deleted) and view.deleted is False)


def _nothing_of(where: MentionFilter, *, is_torn: bool) -> MentionFilter:
    return replace(where, kinds=()) if is_torn else where


def _both(one: str | None, other: str | None) -> str | None:
    """A search for what both find: each alternative of one with each of the other."""
    if one is None or other is None:
        return one or other
    return " or ".join(f"{a} {b}" for a in _alternatives(one) for b in _alternatives(other))


def _alternatives(words: str) -> list[str]:
    """What stands between the `or`s, as the search itself reads them."""
    found: list[list[str]] = [[]]
    is_open = False
    for term in _TERM.findall(words):
        if term.lower() == "or" and found != [[]] and not is_open:
            is_open = True
            continue
        if is_open:
            found.append([])
        is_open = False
        found[-1].append(f'{term}"' if term.count('"') == 1 else term)
    if is_open:
        found[-1].append("or")
    return [" ".join(terms) for terms in found]
