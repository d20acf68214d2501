"""Deliveries as the door keeps them: signed generic JSON with what people write, and the rows of `arrival` for it."""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice, product
from typing import Any

import asyncpg
import orjson

from shared.ids import new_uuid
from tests.conftest import HouseChannel, TestDatabase

_LANGUAGES = {
    "fr": "le service était vraiment très bon merci toute équipe mais colis pas encore arrivé pourquoi attendre jours",
    "nl": "goed gedaan team maar pakje nog niet aangekomen waarom duurt het zo lang graag antwoord over bestelling",
    "en": "love new colours but delivery slow again please answer about my order great product helpful staff thank you",
    "de": "Lieferung kam zu spät aber schön verpackt danke für schnelle Antwort leider fehlt ein Teil der Bestellung",
}
_WORDS = {language: words.split() for language, words in _LANGUAGES.items()}
# What else people write about: as in any language, thousands of words of which few are frequent (Zipf). Of a handful of
# words nearly all texts would be near copies of each other.
_SYLLABLES = "ba bo da de do fa fi ga ge ka ko la li lo ma mi mo na ne no pa pe ra ri ro sa se so ta ti to va vi wa zo"
_OTHERS = ["".join(one) for one in islice(product(_SYLLABLES.split(), repeat=3), 0, 40_000, 10)]
_WEIGHTS = list(accumulate(1 / (n + 10) for n in range(len(_OTHERS))))
_COLUMNS = (
    "id", "hook_id", "key", "network", "source", "brand_id", "channel_id", "unattributed", "headers", "body", "stamp",
    "received_at", "state", "claims", "problems", "ignored", "mention_keys",
)  # fmt: skip


@dataclass
class Writers:
    """People who write about a brand: 25 words in one of four languages, half of them in answer to one of 50 posts."""

    seed: int = 1
    length: int = 25
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def mention(self) -> dict[str, Any]:
        """One mention as a delivery tells it, under an id of its own."""
        chance = self._chance
        language = chance.choice(tuple(_WORDS))
        author = chance.randrange(500)
        at = datetime.now(UTC) - timedelta(seconds=chance.randrange(3600))
        told = {
            "id": uuid.uuid4().hex,
            "kind": "comment",
            "text": " ".join(self._words(language)),
            "author": {"id": f"author-{author}", "handle": f"noor{author}", "name": "Noor Peeters"},
            "published_at": at.isoformat(),
            "language": language,
            "url": f"https://example.com/c/{author}",
        }
        return told | ({"parent_id": f"post-{chance.randrange(50)}"} if chance.random() < 0.5 else {})

    def _words(self, language: str) -> list[str]:
        """Half of them from what is said to shops in this language."""
        said = self._chance.choices(_WORDS[language], k=self.length // 2)
        said += self._chance.choices(_OTHERS, cum_weights=_WEIGHTS, k=self.length - len(said))
        self._chance.shuffle(said)
        return said

    def bodies(self, count: int, per_delivery: int) -> Iterator[bytes]:
        """`count` deliveries of so many mentions each."""
        for _ in range(count):
            yield orjson.dumps({"mentions": [self.mention() for _ in range(per_delivery)]})


async def keep(database: TestDatabase, channels: Sequence[HouseChannel], bodies: Iterator[bytes]) -> list[uuid.UUID]:
    """Put deliveries before the worker, as the door would have: the channels in turn, all visible at one moment."""
    now, ids = datetime.now(UTC), []
    rows: list[tuple[object, ...]] = []
    for number, body in enumerate(bodies):
        to = channels[number % len(channels)]
        ids.append(new_uuid())
        rows.append(
            (ids[-1], to.channel.hook_id, uuid.uuid4().hex, to.channel.network.value, "webhook", to.brand.brand_id,
             to.id, False, "{}", body, now, now + timedelta(microseconds=number), "received", 0, "[]", "[]", [])
        )  # fmt: skip
    connection = await asyncpg.connect(database.owner_url)
    try:
        await connection.copy_records_to_table("arrival", records=rows, columns=list(_COLUMNS))
    finally:
        await connection.close()
    return ids
