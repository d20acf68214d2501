"""A made-up community: who speaks, in which trees, about what, over two years; the same for the same seed.

The rows come as lines of PostgreSQL's COPY text format, in the order in which they were said.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from shared.domain.listening.merge import thing_key
from shared.models.enums import Network

YEARS = timedelta(days=730)
_WORDS = {
    "fr": "le service est rapide et la commande est arrivée hier mais il manque une pièce merci pour votre réponse",
    "nl": "de levering was snel maar er ontbreekt een stuk en niemand antwoordt op mijn vraag bedankt voor de hulp",
    "de": "die Lieferung war schnell aber ein Teil fehlt und niemand antwortet auf meine Frage danke für die Hilfe",
    "en": "the delivery was quick but one part is missing and nobody answers my question thanks for the help today",
}
_NAMES = ("Noor", "Luc", "Eva", "Jan", "Chloé", "Bram", "Lotte", "Karim", "Sofie", "Hugo", "Anke", "Milan")
_TEXTS = 4000
_TALKED_ABOUT = 400  # threads of a brand that somebody may still answer in
_PEOPLE = 8  # mentions for each account
_LATEST = timedelta(seconds=2)

MENTION_COLUMNS = [
    "brand_id", "id", "key", "network", "external_id", "channel_id", "heard", "kind", "visibility", "url", "text",
    "language", "media", "author_id", "author_kind", "published_at", "published_at_known", "observed_at", "edited_at",
    "deleted_at", "version_stamp", "version_digest", "facts_at", "version", "parent_external_id", "parent_key",
    "parent_id", "thread_id", "likes", "replies", "shares", "views", "counted",
]  # fmt: skip
IDENTITY_COLUMNS = ["brand_id", "id", "key", "network", "external_id", "handle", "name", "facts_at"]
THREAD_COLUMNS = ["brand_id", "id", "key", "last_at"]


@dataclass(frozen=True, slots=True)
class Presence:
    """A channel that is spoken on."""

    id: UUID
    network: Network


@dataclass(slots=True)
class Tenant:
    """A brand, its channels, and its share of what is said."""

    brand_id: UUID
    channels: Sequence[Presence]
    share: float
    mentions: int = 0
    said: "list[_Said]" = field(default_factory=list)
    threads: "deque[_Thread]" = field(default_factory=deque)


@dataclass(slots=True)
class _Thread:
    id: str
    key: str
    last_at: str
    channel: Presence
    newest: "_Said"


@dataclass(frozen=True, slots=True)
class _Said:
    id: str
    key: str
    external_id: str


class Crowd:
    """Everything that `tenants` were told up to `until`."""

    def __init__(
        self, tenants: Sequence[Tenant], mentions: int, until: datetime, seed: int,
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:  # fmt: skip
        self._tenants = tenants
        self._random = Random(seed)
        self._mentions = mentions
        self._until = until
        self._people = {t.brand_id: max(20, int(mentions * t.share / _PEOPLE)) for t in tenants}
        self._texts = texts or self._written()  # language and text
        self.closed: list[str] = []  # lines of threads that nobody answers in any more
        self.by_brand: Counter[UUID] = Counter()

    def identities(self) -> Iterator[str]:
        """The accounts, as lines of `identity`."""
        for tenant in self._tenants:
            for number in range(self._people[tenant.brand_id]):
                network = tenant.channels[number % len(tenant.channels)].network
                external_id = f"person-{number}"
                name = _NAMES[number % len(_NAMES)]
                key = thing_key(network, "", external_id).hex
                own = f"{tenant.brand_id}\t{_person(tenant, number)}\t{key}\t{network}\t{external_id}"
                yield f"{own}\t{name}.{number}\t{name} {number}\t{{}}\n"

    def mentions(self) -> Iterator[str]:
        """What was said, as lines of `mention`. Threads that end on the way are gathered in `closed`."""
        step = YEARS / self._mentions
        shares = [tenant.share for tenant in self._tenants]
        chance, begun = self._random, self._until - YEARS
        number = 0
        while number < self._mentions:
            for tenant in chance.choices(self._tenants, shares, k=min(1000, self._mentions - number)):
                at = begun + step * (number + chance.random())
                yield self._mention(tenant, number, at)
                number += 1

    def threads(self) -> Iterator[str]:
        """Every thread, as lines of `thread`; after all of `mentions`."""
        yield from self.closed
        for tenant in self._tenants:
            for thread in tenant.threads:
                yield _thread_line(tenant, thread)

    def _mention(self, tenant: Tenant, number: int, at: datetime) -> str:
        bits = self._random.getrandbits(96)
        answers = bool(tenant.threads) and bits & 127 < 80
        bits >>= 7
        if answers:
            thread = tenant.threads[bits % len(tenant.threads)]
            channel, parent = thread.channel, thread.newest
        else:
            channel = tenant.channels[bits % len(tenant.channels)]
        bits >>= 12
        external_id = f"said-{number}"
        key = thing_key(channel.network, "", external_id).hex
        said = _Said(
            f"{int(at.timestamp() * 1000):012x}7{number & 0xFFF:03x}8{bits & 0xFFFFFFFFFFFF:015x}", key, external_id
        )
        moment = at.isoformat()
        own = not answers and bits % 100 < 6
        deleted, edited = bits % 101 == 0, bits % 53 == 0
        language, text = self._texts[bits % len(self._texts)]
        person = _person(tenant, (bits * bits >> 20) % self._people[tenant.brand_id])
        if answers:
            thread.last_at, thread.newest = moment, said
            tree = f"{parent.external_id}\t{parent.key}\t{parent.id}\t{thread.id}"
        else:
            thread = _Thread(said.id, key, moment, channel, said)
            self._open(tenant, thread)
            tree = f"\\N\t\\N\t\\N\t{thread.id}"
        self.by_brand[tenant.brand_id] += 1
        kind = "comment" if answers else ("post", "post", "review", "message")[bits % 4] if not own else "post"
        seen = (at + _LATEST).isoformat()
        likes, shares = bits % 40, bits % 7
        return (
            f"{tenant.brand_id}\t{said.id}\t{key}\t{channel.network}\t{external_id}\t{channel.id}\tt\t{kind}\t"
            f"{'private' if kind == 'message' else 'public'}\thttps://network.example/{external_id}\t"
            f"{text if not deleted else _NULL}\t{language}\t[]\t{person}\t{'brand' if own else 'consumer'}\t"
            f"{moment}\tt\t{seen}\t{seen if edited else _NULL}\t{seen if deleted else _NULL}\t{seen}\t\\\\x{key}\t"
            f"{{}}\t{2 if edited or deleted else 1}\t{tree}\t{likes}\t{_NULL}\t{shares}\t{_NULL}\t{{}}\n"
        )

    def _open(self, tenant: Tenant, thread: _Thread) -> None:
        tenant.threads.append(thread)
        if len(tenant.threads) > _TALKED_ABOUT:
            self.closed.append(_thread_line(tenant, tenant.threads.popleft()))

    def _written(self) -> list[tuple[str, str]]:
        written = []
        for number in range(_TEXTS):
            language = tuple(_WORDS)[number % len(_WORDS)]
            words = self._random.choices(_WORDS[language].split(), k=self._random.randrange(4, 40))
            written.append((language, " ".join(words)))
        return written


_NULL = "\\N"


def _person(tenant: Tenant, number: int) -> str:
    return f"{(tenant.brand_id.int ^ number * 0x9E3779B97F4A7C15F39CC060) & (2**128 - 1):032x}"


def _thread_line(tenant: Tenant, thread: _Thread) -> str:
    return f"{tenant.brand_id}\t{thread.id}\t{thread.key}\t{thread.last_at}\n"
