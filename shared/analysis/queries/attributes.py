"""The fields of a query, read from its text."""

import regex

from shared.analysis.folding import folded
from shared.analysis.queries import vocabulary
from shared.analysis.queries.cutting import is_long_enough
from shared.analysis.queries.problems import ProblemCode, refusal
from shared.analysis.queries.tree import Attribute, FieldName, Place, Reach

QUOTES = '"“”„«»‟'
_VALUE = regex.compile(rf"[{QUOTES}](?P<quoted>[^{QUOTES}]*)[{QUOTES}]|(?P<plain>[^\s(),{QUOTES}]*)")
_LONE_QUOTE = regex.compile(rf"[{QUOTES}]")
_HOST = regex.compile(r"[\p{L}\p{M}\p{N}_\-]+(?:\.[\p{L}\p{M}\p{N}_\-]+)*")
_THREE_LETTERS = regex.compile(r"[a-z]{3}")
_SPACES = regex.compile(r"\s+")
_MOST_DIGITS = 15
_NAMES = frozenset(one.value for one in FieldName)
_CLOSED = {
    FieldName.NETWORK: vocabulary.NETWORKS,
    FieldName.KIND: vocabulary.KINDS,
    FieldName.SENTIMENT: vocabulary.SENTIMENTS,
    FieldName.INTENT: vocabulary.INTENTS,
}


def reach(operator: str, written: str, place: Place, number: Place) -> Reach:
    """`reach>1000`; `number` is where its number stands. Raises QueryRefused."""
    if not (written.isascii() and written.isdigit() and len(written) <= _MOST_DIGITS):
        raise refusal(
            ProblemCode.BAD_NUMBER, number.start, number.end,
            "A reach is compared with a whole number, in digits only: reach>1000.",
        )  # fmt: skip
    return Reach(operator, int(written), place)


def read(text: str, start: int, after_colon: int) -> Attribute:
    """The field that begins at `start`. Raises QueryRefused."""
    written = text[start : after_colon - 1]
    name = written.lower()
    if name == "reach":
        raise refusal(
            ProblemCode.BAD_NUMBER,
            after_colon,
            _end_of_run(text, after_colon),
            "A reach is compared with a whole number: reach>1000.",
        )
    if name not in _NAMES:
        known = ", ".join([*FieldName, "reach"])
        raise refusal(
            ProblemCode.UNKNOWN_FIELD, start, after_colon - 1,
            f"There is no field {written[:40]}; there are {known}. For the words themselves use quotation marks.",
        )  # fmt: skip
    field = FieldName(name)
    values: list[str] = []
    at = after_colon - 1
    while at == after_colon - 1 or text.startswith(",", at):
        at += 1
        match = _VALUE.match(text, at)
        if match is None or (not match[0] and _LONE_QUOTE.match(text, at)):
            raise refusal(
                ProblemCode.UNCLOSED_QUOTE, at, at + 1,
                "This quotation mark is not closed; write another where it ends.",
            )  # fmt: skip
        value = match["quoted"] if match["quoted"] is not None else match["plain"]
        values.append(_value(field, value, Place(at, match.end())))
        at = match.end()
    return Attribute(field, tuple(dict.fromkeys(values)), Place(start, at))


def _end_of_run(text: str, at: int) -> int:
    value = _VALUE.match(text, at)
    return value.end() if value is not None else at


def _value(field: FieldName, written: str, place: Place) -> str:
    value = _SPACES.sub(" ", folded(written)).strip()
    if not value:
        raise refusal(ProblemCode.UNKNOWN_VALUE, place.start, place.end, f"{field}: needs a value after it.")
    match field:
        case FieldName.NETWORK | FieldName.KIND | FieldName.SENTIMENT | FieldName.INTENT:
            return _one_of(_CLOSED[field], field, value, place)
        case FieldName.LANG:
            return _language(value, place)
        case FieldName.SITE:
            return _site(value, place)
        case FieldName.AUTHOR:
            return _author(value, place)
        case FieldName.URL:
            return value


def _one_of(known: frozenset[str], field: FieldName, value: str, place: Place) -> str:
    if value in known:
        return value
    raise refusal(
        ProblemCode.UNKNOWN_VALUE, place.start, place.end,
        f"{field}: knows {', '.join(sorted(known))}, not {value[:40]}.",
    )  # fmt: skip


def _language(value: str, place: Place) -> str:
    if value in vocabulary.LANGUAGES or _THREE_LETTERS.fullmatch(value):
        return value
    raise refusal(
        ProblemCode.UNKNOWN_VALUE, place.start, place.end,
        f"lang: takes a code such as fr, nl, de or en, or und for unknown, not {value[:40]}.",
    )  # fmt: skip


def _site(value: str, place: Place) -> str:
    if _HOST.fullmatch(value):
        return value
    raise refusal(
        ProblemCode.UNKNOWN_VALUE, place.start, place.end,
        f"site: takes a host such as lesoir.be, without https:// and path, not {value[:40]}.",
    )  # fmt: skip


def _author(value: str, place: Place) -> str:
    name = value.removeprefix("@")
    if not name:
        raise refusal(ProblemCode.UNKNOWN_VALUE, place.start, place.end, "author: needs a name after it.")
    if ("*" in name or "?" in name) and not is_long_enough(name):
        raise refusal(
            ProblemCode.WILDCARD_TOO_SHORT, place.start, place.end,
            "A name with * or ? needs at least two characters of its own.",
        )  # fmt: skip
    return name
