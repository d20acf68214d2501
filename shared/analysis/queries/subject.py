"""What a query is matched against, and what its fields mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import regex

from shared.analysis.folding import folded
from shared.analysis.queries.tree import Attribute, FieldName, Reach

_SPACES = regex.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Subject:
    """A mention as queries see it. None is what is not known; it satisfies no field, `und` is known to be unclear."""

    text: str
    language: str | None = None
    network: str | None = None
    author_handle: str | None = None
    author_name: str | None = None
    url: str | None = None
    kind: str | None = None
    sentiment: str | None = None
    intents: Sequence[str] | None = None
    reach: int | None = None


def attribute_values(subject: Subject, name: FieldName) -> tuple[str, ...]:
    """What a mention has of a field whose values are compared whole."""
    match name:
        case FieldName.LANG:
            return (subject.language.lower().partition("-")[0],) if subject.language else ()
        case FieldName.NETWORK:
            return (subject.network,) if subject.network else ()
        case FieldName.KIND:
            return (subject.kind,) if subject.kind else ()
        case FieldName.SENTIMENT:
            return (subject.sentiment,) if subject.sentiment else ()
        case FieldName.INTENT:
            return tuple(subject.intents or ())
        case FieldName.AUTHOR | FieldName.SITE | FieldName.URL:
            return ()


def has_attribute(subject: Subject, attribute: Attribute) -> bool:
    """Whether a field other than `url` holds."""
    match attribute.name:
        case FieldName.AUTHOR:
            names = author_names(subject)
            return any(is_named(names, value) for value in attribute.values)
        case FieldName.SITE:
            host = host_of(subject.url)
            return host is not None and any(host == value or host.endswith("." + value) for value in attribute.values)
        case _:
            return any(value in attribute.values for value in attribute_values(subject, attribute.name))


def reaches(subject: Subject, reach: Reach) -> bool:
    """Whether a comparison of the reach holds."""
    return subject.reach is not None and _COMPARED[reach.operator](subject.reach, reach.number)


_COMPARED: dict[str, Callable[[int, int], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def author_names(subject: Subject) -> set[str]:
    """The author's names, folded: the handle with and without its host, and the display name."""
    names = set()
    if subject.author_handle:
        handle = folded(subject.author_handle).strip().removeprefix("@")
        names |= {handle, handle.partition("@")[0]}
    if subject.author_name:
        names.add(_SPACES.sub(" ", folded(subject.author_name)).strip())
    return names


def is_named(names: set[str], value: str) -> bool:
    """Whether one of the names is the value, whose `*` and `?` stand for others."""
    if "*" not in value and "?" not in value:
        return value in names
    pattern = regex.compile(regex.escape(value, literal_spaces=True).replace(r"\*", ".*").replace(r"\?", "."))
    return any(pattern.fullmatch(name) for name in names)


def host_of(url: str | None) -> str | None:
    """The host of a url, folded; None where it has none that can be read."""
    if not url:
        return None
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname
    except ValueError:
        return None
    return folded(host).rstrip(".") if host else None
