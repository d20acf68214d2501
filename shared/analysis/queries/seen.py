"""How often words are, learned from the texts that come by: what tells which word of a query to wait for."""

from bisect import bisect_left
from collections import Counter
from itertools import islice

_EVERY = 16  # of the rows of texts one is looked at
_MOST = 100_000
_FORGET_AT = 200_000
_ENOUGH = 200  # texts, from which on what was seen counts
_RARE = 8  # letters from which on a word that was never seen is no rarer for being longer
_WITHIN = 4  # how many more words hold a part than are one
# What is common in the four languages, until texts have been seen.
_COMMON = """
avec pour dans plus tout bien faire cette comme mais vous nous leur elle sont etre tres aussi meme quand votre notre bon
niet maar voor naar zijn hebben heeft goed veel meer deze door over onze ook nog wel geen heel nooit altijd mooi lekker
nicht auch aber oder eine einen einem einer sind haben wird noch mehr sehr schon immer unser ihre wenn dass sich gut
with that this have from they your what when will there their would about more very good great just like love best
les des est une que qui pas par sur ils mon ton son het een van dat die met der das und ist mit von den the and for you
"""


class Seen:
    """Counts of words, as bytes, in a share of the texts; bounded in size. Not for use by several threads."""

    def __init__(self) -> None:
        self._words: Counter[bytes] = Counter()
        self._texts = 0
        self._rows = 0
        self._sorted: list[bytes] | None = None
        self._common = frozenset(word.encode() for word in _COMMON.split())

    @property
    def texts(self) -> int:
        """Of how many texts the words were counted."""
        return self._texts

    def note(self, hay: bytes, texts: int) -> None:
        """Look at a row of so many texts, or leave it."""
        self._rows += 1
        if self._rows % _EVERY != 1:
            return
        self._words.update(hay.split())
        self._texts += texts
        self._sorted = None
        if len(self._words) > _FORGET_AT:
            self._words = Counter(dict(self._words.most_common(_MOST)))

    def share(self, needle: bytes) -> float:
        """About the share of texts that hold these bytes: a word between spaces, or the part of one."""
        word = needle.strip()
        begins, ends = needle.startswith(b" "), needle.endswith(b" ")
        whole = begins and ends
        guess = min(0.5, 3.0 ** -min(len(word), _RARE) * (1 if whole else _WITHIN))
        if self._texts < _ENOUGH:
            return 0.5 if whole and word in self._common else guess
        if whole:
            count = min((self._words[part] for part in word.split()), default=0)
        elif begins:
            count = self._beginning(word)
        else:
            return guess
        return max(guess / 16, count / self._texts)

    def _beginning(self, part: bytes) -> int:
        if self._sorted is None:
            self._sorted = sorted(self._words)
        first = bisect_left(self._sorted, part)
        return sum(self._words[word] for word in islice(self._sorted, first, first + 200) if word.startswith(part))
