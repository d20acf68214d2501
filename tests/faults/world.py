"""What is said, edited, deleted and reacted to, by a seed: the same deliveries for the same seed and count.

Every delivery's time is given by its place among the others, so a network that repeats one repeats it byte for byte,
and a run with faults and a run without are told the same.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Json = dict[str, Any]

GENERIC, FACEBOOK = "generic", "facebook"
SPREAD_SECONDS = 60  # signed times lie within one minute, so that the last repeat of the first is still young enough
_BEGAN = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
_SAID = (
    ("fr", "Le service était lent mais la personne au comptoir était adorable"),
    ("nl", "De bestelling kwam op tijd, alleen ontbrak er een onderdeel"),
    ("de", "Niemand antwortet auf meine Frage seit letzter Woche"),
    ("en", "Best waffles in town, and they remembered my name"),
)
_REACTIONS = ("like", "love", "care", "haha", "sad", "angry")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body of one network; `number` is its place, and with the seed its key."""

    number: int
    network: str
    said: Json

    def body(self, page: str) -> bytes:
        """The bytes that are sent; Facebook names the page they are for."""
        told = {"object": "page", "entry": [{"id": page, **self.said}]} if self.network == FACEBOOK else self.said
        return json.dumps(told, separators=(",", ":")).encode()


@dataclass(slots=True)
class Expected:
    """What a mention must be in the end, by the plain rules: newest version, deleted or not, how many versions."""

    versions: dict[tuple[str, str], int] = field(default_factory=dict)  # (edited_at, text) -> second of its stamp
    deleted: bool = False

    @property
    def text(self) -> str | None:
        """The text that must stand; None where two versions tie and their digest decides, or none came."""
        ranked = sorted(((edited, second), text) for (edited, text), second in self.versions.items())
        if not ranked or (len(ranked) > 1 and ranked[-1][0] == ranked[-2][0]):
            return None
        return ranked[-1][1]


class World:
    """`count` deliveries, and what must have become of them."""

    def __init__(self, seed: int, count: int) -> None:
        self.seed, self.count = seed, count
        self._random = Random(seed)
        self._known: dict[str, list[str]] = {GENERIC: [], FACEBOOK: []}
        self._born: dict[str, str] = {}
        self._late: list[tuple[int, str]] = []
        self.expected: defaultdict[tuple[str, str], Expected] = defaultdict(Expected)
        self.deliveries = [self._delivery(number) for number in range(count)]

    def stamp_second(self, number: int) -> int:
        """The second, from the first delivery's, in which this one is signed."""
        return number * SPREAD_SECONDS // max(self.count, 1)

    def _delivery(self, number: int) -> Delivery:
        chance = self._random.random()
        if self._late and self._late[0][0] <= number:
            return self._generic(number, [self._new(number, self._late.pop(0)[1])])
        if chance < 0.12 and self._known[FACEBOOK]:
            return self._facebook(number, self._reaction())
        if chance < 0.24:
            return self._facebook(number, self._comment(number))
        if chance < 0.40 and self._known[GENERIC]:
            return self._generic(number, [self._edit(number, timed=self._random.random() < 0.75)])
        if chance < 0.47 and self._known[GENERIC]:
            return self._generic(number, [], [self._deletion(number)])
        size = self._random.choice((2, 3, 5)) if chance > 0.95 else 1
        return self._generic(number, [self._new(number, f"{number}.{place}") for place in range(size)])

    def _generic(self, number: int, mentions: list[Json], deleted: list[str] | None = None) -> Delivery:
        return Delivery(number, GENERIC, {"mentions": mentions, "deleted": deleted or []})

    def _facebook(self, number: int, value: Json) -> Delivery:
        # A second apart, each by itself: Facebook dates its deliveries itself, and repeats them byte for byte.
        at = int(_BEGAN.timestamp()) + 40 * 86400 + number
        return Delivery(number, FACEBOOK, {"time": at, "changes": [{"field": "feed", "value": value}]})

    # ------------------------------------------------------------ what people do

    def _new(self, number: int, external_id: str) -> Json:
        at = _time(number)
        told = self._version(external_id, at, f"{self._text()} ({external_id})", None, number)
        parent = self._parent(number, external_id)
        self._known[GENERIC].append(external_id)
        self._born[external_id] = at
        if parent is not None:
            told |= {"kind": "reply", "parent_id": parent}
        return told

    def _version(self, external_id: str, at: str, text: str, edited_at: str | None, number: int) -> Json:
        person = sum(external_id.encode()) % 200  # one author a mention, whatever its version
        known = self.expected[GENERIC, external_id].versions
        place = (edited_at or "", text)
        known[place] = max(known.get(place, 0), self.stamp_second(number))
        told: Json = {"id": external_id, "kind": "comment", "text": text, "published_at": at}
        told |= {"author": {"id": f"person-{person}", "handle": f"p{person}", "name": f"Person {person}"}}
        told |= {"language": self._random.choice(_SAID)[0]}
        return told | ({"edited_at": edited_at} if edited_at else {})

    def _edit(self, number: int, *, timed: bool) -> Json:
        external_id = self._random.choice(self._known[GENERIC][-400:])
        edited_at = _time(number, days=20) if timed else None
        return self._version(external_id, self._born[external_id], f"{self._text()} [{number}]", edited_at, number)

    def _deletion(self, number: int) -> str:
        if self._random.random() < 0.1:
            # Its deletion is heard before itself.
            external_id = f"{number}.early"
            self._late.append((number + self._random.randrange(1, 200), external_id))
            self._late.sort()
            if self._late[-1][0] >= self.count:
                self._late = [late for late in self._late if late[0] < self.count]
        else:
            external_id = self._random.choice(self._known[GENERIC][-400:])
        self.expected[GENERIC, external_id].deleted = True
        return external_id

    def _parent(self, number: int, child: str) -> str | None:
        chance = self._random.random()
        if chance < 0.40 and self._known[GENERIC]:
            return self._random.choice(self._known[GENERIC][-300:])
        if chance < 0.50:
            # Somebody answers what has not been heard yet; now and then it never is.
            parent, when = f"{child}.late", number + self._random.randrange(1, 300)
            if when < self.count and chance < 0.49:
                self._late.append((when, parent))
                self._late.sort()
            return parent
        return None

    def _comment(self, number: int) -> Json:
        external_id = f"post-{number}"
        text = f"{self._text()} ({external_id})"
        self.expected[FACEBOOK, external_id].versions["", text] = number
        self._known[FACEBOOK].append(external_id)
        person = self._random.randrange(200)
        return {
            "item": "status",
            "verb": "add",
            "post_id": external_id,
            "from": {"id": str(7000 + person), "name": f"Person {person}"},
            "message": text,
            "created_time": int(_BEGAN.timestamp()) + number,
        }

    def _reaction(self) -> Json:
        return {
            "item": "reaction",
            "verb": self._random.choice(("add", "add", "edit", "remove")),
            "post_id": self._random.choice(self._known[FACEBOOK][-200:]),
            "from": {"id": str(7000 + self._random.randrange(60)), "name": "Someone"},
            "reaction_type": self._random.choice(_REACTIONS),
        }

    def _text(self) -> str:
        return self._random.choice(_SAID)[1]


def _time(number: int, *, days: int = 0) -> str:
    return (_BEGAN + timedelta(days=days, seconds=97 * number % 1_600_000)).isoformat().replace("+00:00", "Z")
