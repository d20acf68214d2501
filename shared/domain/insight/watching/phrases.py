"""Phrases that rise: in how many mentions of a window a word or a pair of words stands, against those before it.

Ranked by the log-odds ratio with an informative Dirichlet prior, as a z-score (Monroe, Colaresi and Quinn 2008,
"Fightin' Words"); believed by the chance of so many mentions under what was seen before, for as many phrases as there
are.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import log, sqrt
from unicodedata import normalize

import regex

from shared.domain.insight.watching.findings import Driver, DriverKind
from shared.domain.insight.watching.tails import Expected

LONGEST_TEXT = 2000  # characters, of which phrases are taken
MOST_PHRASES = 200_000  # of a tally
_PRIOR = 20.0  # mentions' worth of belief that a phrase is as usual as in both together
_FIRST = 0.5  # mentions, in which a phrase stood that was never seen
_SPREAD = 0.15  # how much a phrase's share differs from day to day, as its squared coefficient of variation
_WITHIN = 0.8  # of the mentions with a phrase, from which on a longer one that holds it is meant
_LEFT_OUT = regex.compile(r"https?://\S+|www\.\S+|@[\p{L}\p{N}_.@-]+")
_WORD = regex.compile(r"#?[\p{L}\p{M}]+(?:['’\-][\p{L}\p{M}]+)*")
_SHORTEST = 4  # letters of a word that stands alone


def phrases_of(text: str) -> set[str]:
    """The words and pairs of neighbouring words of a text, folded; addresses and names of accounts are none."""
    found: set[str] = set()
    for part in _LEFT_OUT.split(normalize("NFKC", text[:LONGEST_TEXT]).casefold()):
        words = [word.group() for word in _WORD.finditer(part)]
        found.update(word for word in words if len(word) >= _SHORTEST)
        found.update(f"{one} {two}" for one, two in pairwise(words) if len(one) + len(two) > _SHORTEST + 1)
    return found


@dataclass(slots=True)
class Tally:
    """In how many mentions phrases stand, and from how many authors."""

    mentions: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    authors: dict[str, set[Hashable]] = field(default_factory=lambda: defaultdict(set))

    def add(self, phrases: Iterable[str], author: Hashable) -> None:
        self.mentions += 1
        for phrase in phrases:
            if phrase in self.counts or len(self.counts) < MOST_PHRASES:
                self.counts[phrase] += 1
                if len(self.authors[phrase]) < 20:
                    self.authors[phrase].add(author)


@dataclass(frozen=True, slots=True)
class Rise:
    """A phrase that stands in `seen` mentions where `expected` would be usual; `chance` is that of so many."""

    phrase: str
    seen: int
    expected: float
    authors: int
    z: float
    chance: float

    def driver(self) -> Driver:
        return Driver(DriverKind.PHRASE, self.phrase, self.seen, self.expected, self.z)


def rises(now: Tally, before: Tally, *, fewest: int = 2, voices: int = 2) -> list[Rise]:
    """The phrases of `now` that stand in more mentions than usual, the most telling first; of phrases within each other
    the longest."""
    if not now.mentions:
        return []
    found = []
    for phrase, seen in now.counts.items():
        if seen < fewest or len(now.authors[phrase]) < voices:
            continue
        expected = _expected(before.counts[phrase], before.mentions, now.mentions)
        if seen > expected.mean:
            z = _log_odds(seen, now.mentions, before.counts[phrase], before.mentions)
            chance = expected.at_least(seen)
            found.append(Rise(phrase, seen, expected.mean, len(now.authors[phrase]), z, chance))
    found.sort(key=lambda one: (-one.z, -len(one.phrase), one.phrase))
    return _longest(found)


def rising(now: Tally, before: Tally, *, chance: float, ratio: float, fewest: int, voices: int = 2) -> list[Rise]:
    """Of those, the ones that are more than chance: as many phrases as are looked at, as many chances it has."""
    tried = max(sum(seen >= fewest for seen in now.counts.values()), 1)
    return [
        one
        for one in rises(now, before, fewest=fewest, voices=voices)
        if one.chance * tried <= chance and one.seen >= ratio * one.expected
    ]


def _expected(before: int, all_before: int, all_now: int) -> Expected:
    """A gamma distribution for its share, learnt from the mentions before."""
    shape = before + _FIRST
    return Expected(all_now * shape / (all_before + _PRIOR), _SPREAD + 1 / shape)


def _log_odds(seen: int, all_now: int, before: int, all_before: int) -> float:
    prior = _PRIOR * (seen + before) / (all_now + all_before)
    one, two = seen + prior, before + prior
    ratio = log(one / (all_now + _PRIOR - one + 1e-9)) - log(two / (all_before + _PRIOR - two + 1e-9))
    return ratio / sqrt(1 / one + 1 / two)


def _longest(found: list[Rise]) -> list[Rise]:
    kept: list[Rise] = []
    for one in found:
        within = any(one.phrase in other.phrase.split() and other.seen >= _WITHIN * one.seen for other in found)
        if not within:
            kept.append(one)
    return kept


def counted(texts: Iterable[tuple[str, Hashable]]) -> Tally:
    """The tally of texts with their authors."""
    tally = Tally()
    for text, author in texts:
        tally.add(phrases_of(text), author)
    return tally
