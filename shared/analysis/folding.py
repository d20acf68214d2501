"""Text made comparable: one form for what people write in many ways, with the way back to what they wrote.

Folded are compatibility forms (full width, mathematical letters, ligatures), case and accents (`É` = `e`, `ß` = `ss`,
`œ` = `oe`, `ø` = `o`, `ł` = `l`); composed and decomposed forms end equal. Invisible characters go. Typographic
apostrophes become `'`. An emoji loses its skin tone and variation selector and keeps what joins it to others.
A letter, mark or digit never becomes what separates words, nor the other way round: `™` is not the letters tm.
Decompositions: Unicode Standard Annex 15. Emoji sequences: Unicode Technical Standard 51.
"""

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import regex

# Soft hyphen, Arabic letter mark, zero-width space/non-joiner/joiner, direction marks, word joiner and its neighbours,
# BOM, variation selectors.
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufe00-\ufe0f"
APOSTROPHES = "'’ʼ`"

# Pictographs that are signs of writing rather than emoji.
_SIGNS = "©®™‼⁉〰〽ℹ"
_PICTOGRAPH = rf"[\p{{Extended_Pictographic}}--[{_SIGNS}]]"
_TONE = r"[\U0001F3FB-\U0001F3FF]"
_TAGS = r"[\U000E0020-\U000E007F]"
_ONE_EMOJI = rf"{_PICTOGRAPH}\uFE0F?{_TONE}?\uFE0F?\u20E3?{_TAGS}*"
EMOJI = rf"\p{{Regional_Indicator}}{{2}}|[0-9#*]\uFE0F?\u20E3|{_ONE_EMOJI}(?:\u200D+{_ONE_EMOJI})*|{_TONE}"
_HANGUL = r"[\u1100-\u1112][\u1161-\u1175][\u11A8-\u11C2]?"
# What is folded as a whole: an emoji sequence, invisible characters, a character outside of ASCII or one with marks.
_UNIT = regex.compile(
    rf"(?V1)(?P<emoji>{EMOJI})|(?P<nothing>[{INVISIBLE}]+)|{_HANGUL}|[^\x00-\x7f]\p{{M}}*|[\x00-\x7f]\p{{M}}+"
)
_DROPPED_OF_EMOJI = regex.compile(rf"(?<=.)[\uFE0F\uFE0E]|(?<=.){_TONE}")
_WORDLY = regex.compile(r"[\p{L}\p{M}\p{N}]")
_LETTERS = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "ŉ": "n"}
_MOST_MARKS = 16
_MOST_KEPT = 65536
_NOT_ONE = "  "
# What stands for itself only after one has seen what is beside it.
_WITH_OTHERS = regex.compile(rf"[\p{{M}}\u1100-\u11FF\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F{INVISIBLE}]")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text, its folded form, and where each folded character stood.

    `starts` and `ends` hold, for each code point of `text`, the code points of `source` that it comes from (end
    exclusive); None where folding moved nothing.
    """

    source: str
    text: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in `source` of a place in `text` that is not empty; both in code points, end exclusive."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """The folded form of a text, with the way back. Any string is taken; time is linear in its length."""
    if text.isascii():
        return Folded(text, _lower(text))
    simple = text.translate(_ONE_BY_ONE)
    if len(simple) == len(text):
        return Folded(text, simple)
    parts: list[str] = []
    starts = array("I")
    ends = array("I")
    moved = False
    done = 0
    for unit in _UNIT.finditer(text):
        start, end = unit.span()
        if done < start:
            parts.append(_lower(text[done:start]))
            starts.extend(range(done, start))
            ends.extend(range(done + 1, start + 1))
        new = _folded_unit(unit[0], unit.lastgroup)
        parts.append(new)
        if len(new) == end - start:
            starts.extend(range(start, end))
            ends.extend(range(start + 1, end + 1))
        else:
            moved = True
            starts.extend([start] * len(new))
            ends.extend([end] * len(new))
        done = end
    parts.append(_lower(text[done:]))
    if not moved:
        return Folded(text, "".join(parts))
    starts.extend(range(done, len(text)))
    ends.extend(range(done + 1, len(text) + 1))
    return Folded(text, "".join(parts), starts, ends)


def folded(text: str) -> str:
    """The folded form alone."""
    if text.isascii():
        return _lower(text)
    return fold(text).text


def written_out(text: str) -> str:
    """A text that folds to the same in a tenth of the time, but for emoji and marks that only something invisible
    joined or held apart: letters that fold to several are those several in it, and what is invisible is gone."""
    return text if text.isascii() else _SEVERAL.sub(_expanded, text)


def _expanded(match: re.Match[str]) -> str:
    return _EXPANDED.get(match[0], "")


def pictographs() -> str:
    """The emoji that stand alone, as a character class for `re`."""
    single = regex.compile(rf"(?V1){_PICTOGRAPH}")
    codes = [code for code in (*range(0x203C, 0x329A), *range(0x1F000, 0x1FB00)) if single.match(chr(code))]
    starts = [code for before, code in pairwise([0, *codes]) if code != before + 1]
    ends = [code for code, after in pairwise([*codes, 0]) if after != code + 1]
    return "[" + "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True)) + "]"


def is_word_character(character: str) -> bool:
    """Whether a folded character is of a word: a letter, a mark or a digit."""
    return character not in APOSTROPHES and _WORDLY.match(character) is not None


def _lower(ascii_text: str) -> str:
    return ascii_text.lower().replace("`", "'")


class _OneByOne(dict[int, str]):
    """What each character is by itself, filled as they come; two characters where that can't be told or isn't one."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        new = (
            _lower(character) if code < 0x80 else "" if _WITH_OTHERS.match(character) else _folded_character(character)
        )
        if len(new) != 1:
            new = _NOT_ONE
        if len(self) < _MOST_KEPT:
            self[code] = new
        return new


def _folded_unit(unit: str, group: str | None) -> str:
    if group == "nothing":
        return ""
    if group == "emoji":
        return _DROPPED_OF_EMOJI.sub("", unit)
    return _folded_character(unit[: _MOST_MARKS + 1])


@lru_cache(maxsize=65536)
def _folded_character(character: str) -> str:
    """One character with its marks, at most so many of them, folded."""
    if character[0] in APOSTROPHES:
        return "'"
    if 0xD800 <= ord(character[0]) < 0xE000:
        return "\ufffd"
    if not _WORDLY.match(character[0]):
        plain = unicodedata.normalize("NFKC", character[0])
        return plain if len(plain) == 1 and not _WORDLY.match(plain) else character[0]
    whole = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    if unicodedata.category(character[0]) == "No" and not all(_WORDLY.match(one) for one in whole):
        return character[0]  # a fraction, a number in parentheses
    kept = "".join(_LETTERS.get(one, one) for one in whole if _WORDLY.match(one) and not _is_mute(one))
    return unicodedata.normalize("NFC", kept)


def _is_mute(mark: str) -> bool:
    """Whether a mark is an accent, or nothing that is seen (a variation selector that an emoji left behind)."""
    return _is_accent(mark) or _HIDDEN.match(mark) is not None


def _is_accent(mark: str) -> bool:
    """Whether a mark changes how a letter sounds or looks rather than being a letter of its script itself.

    Told by the canonical combining class: vowel signs of Indic scripts have 0, nuktas 7, kana voicing 8, viramas 9,
    South-Asian vowels 84 to 132; points of Hebrew and Arabic and all that stands above or below are accents.
    """
    kind = unicodedata.combining(mark)
    return 10 <= kind <= 36 or kind >= 200 or unicodedata.category(mark) == "Me"


_ONE_BY_ONE = _OneByOne()
_HIDDEN = re.compile(rf"[{INVISIBLE}]")
# Those that fold to none or several by themselves, without a mark beside them.
_SEVERAL = re.compile(rf"[ßẞœŒæÆĳĲ{INVISIBLE}]")
_EXPANDED = {letter: folded(letter) for letter in "ßẞœŒæÆĳĲ"}
