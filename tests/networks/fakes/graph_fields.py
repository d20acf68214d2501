"""Graph's field expansion: `id,from{name},comments.filter(stream).limit(25){id,message}`."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One field that was asked for, its modifiers, and the fields below it."""

    name: str
    modifiers: dict[str, str] = field(default_factory=dict)
    below: tuple["Asked", ...] = ()


def parse(text: str) -> tuple[Asked, ...]:
    """The fields in `text`. Raises ValueError where it is not well-formed."""
    found, rest = _list(text, 0)
    if rest != len(text):
        raise ValueError(f"syntax error at {rest} in {text!r}")
    return tuple(found)


def _list(text: str, at: int) -> tuple[list[Asked], int]:
    found: list[Asked] = []
    while True:
        one, at = _one(text, at)
        found.append(one)
        if at >= len(text) or text[at] != ",":
            return found, at
        at += 1


def _one(text: str, at: int) -> tuple[Asked, int]:
    name, at = _word(text, at)
    modifiers = {}
    while at < len(text) and text[at] == ".":
        how, at = _word(text, at + 1)
        if at >= len(text) or text[at] != "(":
            raise ValueError(f"a modifier without brackets at {at}")
        end = text.index(")", at)
        modifiers[how], at = text[at + 1 : end], end + 1
    below: tuple[Asked, ...] = ()
    if at < len(text) and text[at] == "{":
        listed, at = _list(text, at + 1)
        if at >= len(text) or text[at] != "}":
            raise ValueError(f"an open brace at {at}")
        below, at = tuple(listed), at + 1
    return Asked(name, modifiers, below), at


def _word(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    if end == at:
        raise ValueError(f"a name is missing at {at} in {text!r}")
    return text[at:end], end
