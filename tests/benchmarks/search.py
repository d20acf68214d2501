"""Searches over two million mentions, newest and best first, beside one flat full-text index."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from uuid import UUID

import asyncpg

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import mentions, searching
from shared.domain.listening.filters import MentionFilter
from shared.domain.page import Cursors, PageRequest
from shared.models.enums import MentionOrder
from shared.vault import Vault
from tests.benchmarks.filling import Filled, filled
from tests.benchmarks.measuring import Figure, Plan, Result, Side, Target, percentile, ratio, side, verify
from tests.benchmarks.references import flat_search
from tests.benchmarks.rig import Rig

SIZE = 50
P50, P95, MOST = Figure("p50", "ms"), Figure("p95", "ms"), Figure("max", "ms")
KINDS = ("rare", "middling", "frequent", "two words", "phrase")
NEWEST, BEST, FLAT_NEWEST, FLAT_BEST = "Parvis, newest", "Parvis, best", "flat GIN, newest", "flat GIN, best"
_LANGUAGES = ("fr", "nl", "de", "en")
_VOWELS, _CONSONANTS = "aeiou", "bdfgklmnprstvz"
Ask = Callable[[str], Awaitable[list[UUID]]]


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is said, and what is searched for in it, by kind."""

    texts: list[tuple[str, str]]
    searches: dict[str, list[str]]


async def measure(rig: Rig, plan: Plan) -> Result:
    """Words that are rare, middling and frequent, two words and phrases, in 2 million mentions."""
    corpus = written(plan)
    database, what = await filled(rig, plan, plan.pick(2_000_000, 2_000), search=True, texts=corpus.texts)
    await _lay_flat(database.owner_url)
    db = Database(database.app_url, name="bench", size=2)
    flat = await asyncpg.connect(database.app_url, statement_cache_size=100)
    try:
        asks = _asks(db, flat, what)
        compared = await _compare(asks, corpus, db, what)
        sides = await _measured(asks, corpus, plan)
    finally:
        await flat.close()
        await db.close()
    everything = [f"all: {name}" for name in asks]
    p95 = {name: next(it for it in sides if it.name == f"all: {name}")[P95].median for name in asks}
    return Result(
        title="Search",
        what=f"the first {SIZE} mentions of {sum(map(len, corpus.searches.values()))} searches of five kinds in turn,"
        f" {what.told()}; one reader under the api's role and policies, transaction and scope included. Parvis by its"
        " own function, rows as objects; the flat index by one function and one join, rows as records. Best first, the"
        f" flat index ranks all that matches, Parvis the newest {searching.WEIGHED:,}.",
        sides=sides,
        targets=[
            Target("p95 of all searches, newest first", p95[NEWEST], "≤", 50, "ms"),
            Target("p95 of all searches, best first", p95[BEST], "≤", 50, "ms"),
            Target("p95 newest first, of the flat index's", ratio(sides, P95, everything[0], everything[2]), "≤", 0.5),
            Target("p95 best first, of the flat index's", ratio(sides, P95, everything[1], everything[3]), "≤", 0.5),
        ],
        verified=compared,
    )


# ---------------------------------------------------------------- what is said and searched for


def written(plan: Plan) -> Corpus:
    """Texts whose words come as often as words do (Zipf), and searches for some of them."""
    chance = Random(plan.seed)
    vocabulary = {language: _words(chance, plan.pick(20_000, 800)) for language in _LANGUAGES}
    weights = list(accumulate(1 / rank for rank in range(2, plan.pick(20_000, 800) + 2)))
    texts, held = list[tuple[str, str]](), Counter[str]()
    for number in range(plan.pick(200_000, 1_000)):
        language = _LANGUAGES[number % len(_LANGUAGES)]
        words = chance.choices(vocabulary[language], cum_weights=weights, k=chance.randrange(4, 40))
        held.update(set(words))
        texts.append((language, " ".join(words)))
    return Corpus(texts, _searches(chance, texts, held, plan.pick(20, 3)))


def _words(chance: Random, many: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < many:
        parts = (chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(chance.randrange(2, 5)))
        found["".join(parts) + chance.choice(_CONSONANTS)] = None
    return list(found)


def _searches(chance: Random, texts: list[tuple[str, str]], held: Counter[str], many: int) -> dict[str, list[str]]:
    by_rarity = [word for word, _ in held.most_common()]
    frequent, middling = by_rarity[: many * 2], [word for word in by_rarity if held[word] < max(4, len(texts) // 1000)]
    rare = [word for word in by_rarity if held[word] <= 2]
    phrases = [text.split() for _, text in chance.sample(texts, many)]
    return {
        "rare": chance.sample(rare, many),
        "middling": middling[:many],
        "frequent": chance.sample(frequent, many),
        "two words": [" ".join(chance.sample(frequent, 2)) for _ in range(many)],
        "phrase": [f'"{words[1]} {words[2]}"' for words in phrases],
    }


# ---------------------------------------------------------------- asked, compared, measured


async def _lay_flat(owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url, command_timeout=None)
    try:
        if await owner.fetchval("SELECT to_regclass('flat_search') IS NULL"):
            await flat_search.make(owner)
    finally:
        await owner.close()


def _asks(db: Database, flat: "asyncpg.Connection[asyncpg.Record]", what: Filled) -> dict[str, Ask]:
    cursors, brand = Cursors(Vault(["a key of the benchmark"])), what.brand.brand_id

    def ours(order: MentionOrder) -> Ask:
        async def ask(words: str) -> list[UUID]:
            async with db.reading() as session:
                scope = await scopes.house(session, brand)
                where, page = MentionFilter(search=words), PageRequest(SIZE)
                found = await mentions.search(session, scope, where=where, order=order, page=page, cursors=cursors)
                return [mention.id for mention in found.items]

        return ask

    async def newest(words: str) -> list[UUID]:
        return await flat_search.page(flat, brand, words, best=False, size=SIZE)

    async def best(words: str) -> list[UUID]:
        return await flat_search.page(flat, brand, words, best=True, size=SIZE)

    return {NEWEST: ours(MentionOrder.NEWEST), BEST: ours(MentionOrder.BEST), FLAT_NEWEST: newest, FLAT_BEST: best}


async def _compare(asks: dict[str, Ask], corpus: Corpus, db: Database, what: Filled) -> str:
    shown, weighed, ranked = 0, 0, 0
    for words in (words for some in corpus.searches.values() for words in some):
        found = await asks[NEWEST](words)
        verify(found == await asks[FLAT_NEWEST](words), f"{words!r} finds other mentions in the flat index")
        shown += len(found)
        async with db.reading() as session:
            await scopes.house(session, what.brand.brand_id)
            matched = len(await searching.every(session, MentionFilter(search=words)))
        if 0 < matched <= searching.WEIGHED:
            best = await asks[BEST](words)
            verify(best == await asks[FLAT_BEST](words), f"{words!r} has another best in the flat index")
            ranked += 1
        weighed += matched
    verify(shown > 0 and ranked > 0, "nothing was found")
    return (
        f"newest first both gave the same mentions in the same order for every search, {shown:,} of {weighed:,} that"
        f" match; best first for all {ranked} searches that match no more than Parvis weighs."
    )


async def _measured(asks: dict[str, Ask], corpus: Corpus, plan: Plan) -> list[Side]:
    """Every search by each of them in turn, round by round; a first round is thrown away."""
    rounds: list[dict[str, dict[str, list[float]]]] = []
    for number in range(plan.rounds + 1):
        taken = {kind: {name: list[float]() for name in asks} for kind in KINDS}
        for kind in KINDS:
            for words in corpus.searches[kind]:
                for name, ask in asks.items():
                    began = time.perf_counter()
                    await ask(words)
                    taken[kind][name].append((time.perf_counter() - began) * 1000)
        if number:
            taken["all"] = {name: [it for kind in KINDS for it in taken[kind][name]] for name in asks}
            rounds.append(taken)
    return [
        side(f"{kind}: {name}", [_figures(taken[kind][name]) for taken in rounds])
        for kind in ("all", *KINDS)
        for name in asks
    ]


def _figures(times: list[float]) -> dict[Figure, float]:
    return {P50: percentile(times, 0.5), P95: percentile(times, 0.95), MOST: max(times)}
