"""A batch of texts as one array of characters and one of words: what everything else here is counted from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.analysis import hashing
from shared.analysis.letters import AT, HASH, LETTER, MARK, PICTURE, SPACE, STOP, TICK, letters

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

WORD, SIGNS, FACE = 1, 2, 3
"""Kinds of words: of letters, of punctuation, of one picture."""

_QUOTES = np.array([ord(c) for c in '"“”„«»'], dtype=np.uint32)

STEMS = (4, 5, 6, 7, 8, 9)
"""How many first letters a list may name instead of a word (`rembours*`)."""

_HANDLE, _ADDRESS = hashing.of_words(["@user", "http"])
_GREETINGS = hashing.of_words(
    "hi hiya hey hello hallo hoi hej dag goeiedag goedendag goeiemorgen goedemorgen goedemiddag goedenavond"  # noqa: SIM905
    " bonjour bjr slt salut bonsoir coucou moin moinmoin servus gruezi grüezi gruess grüss tach nabend griasdi dites"
    " zeg".split()
)
_MOST_GREETINGS = 4


@dataclass(frozen=True)
class Words:
    """The words of `size` texts in their order. `text`, `kind`, `hash` (of the lower-case word with its accents),
    `bare` (of the word without), `stems` (of its first letters, by how many, 0 where it is shorter), `start` and `end`
    (characters of the cleaned text) and the flags have one entry a word; `first` has the first word of each text and
    one entry more. What comes behind the greetings at a text's start opens a clause, and `begins`, as what opens a
    sentence does. `characters` are those of words of letters without accents, each word between two spaces;
    `letter_of` says to which word each belongs."""

    size: int
    text: Ints
    kind: NDArray[np.uint8]
    hash: hashing.Hashes
    bare: hashing.Hashes
    stems: dict[int, hashing.Hashes]
    start: Ints
    end: Ints
    shouted: Flags
    stretched: Flags
    tagged: Flags
    named: Flags
    link: Flags
    ends_sentence: Flags
    opens_sentence: Flags
    opens_clause: Flags
    begins: Flags
    asks: Flags
    exclaims: Flags
    quotes: Flags
    numeral: Flags
    first: Ints
    characters: NDArray[np.uint32]
    letter_of: Ints

    def count(self, flags: Flags) -> Ints:
        """How many words of each text are so."""
        return np.bincount(self.text[flags], minlength=self.size).astype(np.int64)


@dataclass(frozen=True)
class _Line:
    """All characters that count, folded, with the text and the place in it that each comes from."""

    lower: NDArray[np.uint32]
    folded: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    capital: Flags
    text: Ints
    place: Ints


def _line(texts: Sequence[str]) -> _Line:
    tables = letters()
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
    raw = np.frombuffer(" ".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = np.minimum(raw, len(tables.kind) - 1)
    kept = np.repeat(np.arange(len(raw)), tables.length[codes])
    text = np.repeat(np.arange(len(texts)), lengths)
    starts = np.cumsum(lengths) - lengths
    codes, raw = codes[kept], raw[kept]
    lower, folded = tables.lower[codes], tables.folded[codes]
    beyond = codes == len(tables.kind) - 1
    lower[beyond] = folded[beyond] = raw[beyond]
    again = np.zeros(len(kept), dtype=np.bool_)
    again[1:] = kept[1:] == kept[:-1]
    if again.any():
        seconds = np.array([tables.second.get(int(code), 32) for code in codes[again]], dtype=np.uint32)
        lower[again] = folded[again] = seconds
    return _Line(
        lower=lower,
        folded=folded,
        kind=tables.kind[codes],
        capital=tables.capital[codes],
        text=text[kept],
        place=kept - starts[text[kept]],
    )


def _changes(*columns: NDArray[np.generic]) -> Flags:
    """Where any of the columns differs from the entry before; always at the first."""
    found = np.zeros(len(columns[0]), dtype=np.bool_)
    found[:1] = True
    for column in columns:
        found[1:] |= column[1:] != column[:-1]
    return found


def _unstretched(line: _Line, group: NDArray[np.uint8]) -> tuple[NDArray[np.int64], Flags]:
    """The places to keep, where three or more of one character become one (two of punctuation), and where that was."""
    begins = np.flatnonzero(_changes(line.lower, group, line.text))
    lengths = np.diff(np.append(begins, len(group)))
    digit = (line.lower[begins] >= 48) & (line.lower[begins] <= 57)
    kind = group[begins]
    long = (lengths >= 3) & (((kind == WORD) & ~digit) | (kind == SIGNS))
    keep = np.where(long, np.where(kind == WORD, 1, 2), lengths)
    ends = np.cumsum(keep)
    places = np.repeat(begins - (ends - keep), keep) + np.arange(int(keep.sum()))
    return places, np.repeat(long, keep)


def _groups(kind: NDArray[np.uint8]) -> NDArray[np.uint8]:
    table = np.zeros(8, dtype=np.uint8)
    table[LETTER], table[PICTURE] = WORD, FACE
    table[[STOP, MARK, TICK]] = SIGNS
    table[[SPACE, HASH, AT]] = 0
    return table[kind]


def _clauses(line: _Line, first: Ints, word_kind: NDArray[np.uint8], sizes: Ints) -> tuple[Flags, Flags]:
    """Which words open a sentence and which a clause: after the last sign, or at the start of the text."""
    stops = np.concatenate(([0], np.cumsum(line.kind == STOP)))
    ends = first + sizes
    stopping = (word_kind == SIGNS) & (stops[ends] > stops[first])
    after_stop = np.zeros(len(first), dtype=np.bool_)
    after_sign = after_stop.copy()
    after_stop[1:], after_sign[1:] = stopping[:-1], (word_kind == SIGNS)[:-1]
    return after_stop, after_sign


def _after_greetings(opens: Flags, greeting: Flags, passing: Flags, text: Ints) -> Flags:
    """Which words come behind the first of a text, while these are greetings; signs between (`passing`) count for
    nothing."""
    found, now = np.zeros(len(text), dtype=np.bool_), np.flatnonzero(opens & greeting)
    for _ in range(_MOST_GREETINGS):
        now = now[:-1] + 1 if now.size and now[-1] == len(text) - 1 else now + 1
        now = now[text[now] == text[now - 1]]
        found[now] = True
        now = now[greeting[now] | passing[now]]
    return found


def words(texts: Sequence[str]) -> Words:
    """The words of cleaned texts."""
    line = _line(texts)
    places, stretched = _unstretched(line, _groups(line.kind))
    line = _Line(**{name: getattr(line, name)[places] for name in _Line.__dataclass_fields__})
    group = _groups(line.kind)
    begins = _changes(group, line.text) | (group == FACE)
    first = np.flatnonzero(begins)
    sizes = np.diff(np.append(first, len(group)))
    tie = (sizes == 1) & (group[first] == SIGNS) & np.isin(line.lower[first], _ties())
    kept = (group[first] != 0) & ~tie
    return _assembled(texts, line, stretched, first[kept], sizes[kept], group)


def _ties() -> NDArray[np.uint32]:
    return np.array([ord(c) for c in "'’‘`´ʼ-‐‑"], dtype=np.uint32)


def _any(flags: Flags, first: Ints, ends: Ints) -> Flags:
    sums = np.concatenate(([0], np.cumsum(flags)))
    return sums[ends] > sums[first]


def _assembled(
    texts: Sequence[str], line: _Line, stretched: Flags, first: Ints, sizes: Ints, group: NDArray[np.uint8]
) -> Words:
    ends = first + sizes
    kind = group[first]
    text = line.text[first]
    capitals = np.concatenate(([0], np.cumsum(line.capital)))
    shouted = (kind == WORD) & (sizes >= 3) & (capitals[ends] - capitals[first] == sizes)
    before = line.kind[np.maximum(first - 1, 0)]
    named = (kind == WORD) & (first > 0) & (before == AT)
    hashes = hashing.slices(hashing.prefixes(line.lower), first, ends)
    before_bare = hashing.prefixes(line.folded)
    bare = hashing.slices(before_bare, first, ends)
    link = (kind == WORD) & (hashes == _ADDRESS)
    hashes[named] = bare[named] = _HANDLE
    after_stop, after_sign = _clauses(line, first, kind, sizes)
    bounds = np.searchsorted(text, np.arange(len(texts) + 1))
    opens = np.zeros(len(first), dtype=np.bool_)
    opens[bounds[:-1][bounds[:-1] < bounds[1:]]] = True
    stopping = (kind == SIGNS) & _any(line.kind == STOP, first, ends)
    greeted = _after_greetings(opens, np.isin(bare, _GREETINGS), (kind == SIGNS) & ~stopping, text)
    characters, letter_of = _padded(line, first, sizes, (kind == WORD) & ~named & ~link)
    return Words(
        size=len(texts),
        text=text,
        kind=kind,
        hash=hashes,
        bare=bare,
        stems={length: _stems(before_bare, first, sizes, length) for length in STEMS},
        start=line.place[first],
        end=line.place[ends - 1] + 1,
        shouted=shouted,
        stretched=_any(stretched, first, ends),
        tagged=(kind == WORD) & (first > 0) & (before == HASH),
        named=named,
        link=link,
        ends_sentence=stopping,
        opens_sentence=opens | after_stop,
        opens_clause=opens | after_sign | greeted,
        begins=opens | after_stop | greeted,
        asks=(kind == SIGNS) & _any(line.lower == ord("?"), first, ends),
        exclaims=(kind == SIGNS) & _any(line.lower == ord("!"), first, ends),
        numeral=(kind == WORD) & ~_any((line.lower < 48) | (line.lower > 57), first, ends),
        quotes=(kind == SIGNS) & _any(np.isin(line.lower, _QUOTES), first, ends),
        first=bounds,
        characters=characters,
        letter_of=letter_of,
    )


def _stems(before: hashing.Hashes, first: Ints, sizes: Ints, length: int) -> hashing.Hashes:
    found = hashing.slices(before, first, np.minimum(first + length, len(before) - 1))
    found[sizes < length] = 0
    return found


def _padded(line: _Line, first: Ints, sizes: Ints, taken: Flags) -> tuple[NDArray[np.uint32], Ints]:
    """The characters of the words that are `taken`, each with a space before it and one at the very end."""
    which = np.flatnonzero(taken)
    lengths = sizes[which] + 1
    ends = np.cumsum(lengths)
    total = int(lengths.sum())
    places = np.repeat(first[which] - 1 - (ends - lengths), lengths) + np.arange(total)
    characters = np.full(total + 1, ord(" "), dtype=np.uint32)
    owner = np.repeat(which, lengths)
    inner = np.ones(total, dtype=np.bool_)
    inner[ends - lengths] = False
    characters[:-1][inner] = line.folded[places[inner]]
    return characters, np.append(owner, owner[-1:] if total else np.zeros(1, dtype=np.int64))
