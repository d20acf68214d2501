"""Ten thousand boolean queries asked of a stream of short texts."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from shared.analysis.matcher import Listening, Matcher, anchored_anew, listening
from shared.analysis.queries.document import Document
from shared.analysis.queries.evaluating import evaluate
from shared.analysis.queries.needles import haystack
from shared.analysis.queries.parsing import parse
from shared.analysis.queries.seen import Seen
from shared.analysis.queries.subject import Subject
from tests.benchmarks.listening_stream import Stream
from tests.benchmarks.measuring import Figure, Plan, Result, Round, Samples, Target, in_turns, verify
from tests.benchmarks.rig import Rig

RATE = Figure("texts", "/s")
REBUILD = Figure("after a change", "ms")
OURS, TENTH = "Parvis, 30 % name a brand", "Parvis, 10 % do"
NONE, ALL = "Parvis, none does", "Parvis, all do"
ALONE = "each query by itself"
_QUERIES = 10_000


async def measure(_: Rig, plan: Plan) -> Result:
    """10,000 boolean queries over short texts in four languages, with the places of what matched."""
    stream = Stream(plan.seed)
    count = plan.pick(20_000, 1_000)
    seen = Seen()
    Matcher[int]([], seen=seen).match([stream.text(named=0.3) for _ in range(4_000)])
    ready = [listening(n, parse(query), seen=seen) for n, query in enumerate(stream.queries(_QUERIES))]
    matcher = Matcher(ready, seen=seen)
    texts = [stream.text(named=0.3) for _ in range(count)]
    silent, some, naming = ([stream.text(named=share) for _ in range(count)] for share in (0, 0.1, 1))
    found = _verified(matcher, ready, texts[:: max(1, count // plan.pick(20, 3))])
    sides = await in_turns(
        {
            OURS: _round(matcher, ready, texts, seen),
            TENTH: _round(matcher, ready, some, seen),
            NONE: _round(matcher, ready, silent, seen),
            ALL: _round(matcher, ready, naming, seen),
            ALONE: _alone(ready, texts[: plan.pick(40, 4)]),
        },
        rounds=plan.rounds,
    )
    ours, rebuild = sides[0][RATE].median, sides[0][REBUILD].median
    matched = sum(map(bool, matcher.match(texts))) / count
    length = sum(len(one.text) for one in texts) / count
    return Result(
        title="Queries over the stream",
        what=f"{_QUERIES:,} boolean queries of {len(stream.names):,} brands (words, tags, handles, phrases, NEAR, NOT,"
        f" wildcards) asked of {count:,} texts of {length:.0f} characters in French, Dutch, German and English, with"
        f" tags, handles, links and emoji; {matched:.0%} of them match some query; from the text as written to the"
        " places of what matched; one process, its own processor time.",
        sides=sides,
        targets=[
            Target("texts a second", ours, "≥", 150_000, "/s"),
            Target("a matcher after one of the queries has changed", rebuild, "≤", 100, "ms"),
        ],
        verified=f"on {found[0]} texts all queries were evaluated as their specification says, one by one: the same"
        f" {found[1]} matches with the same places.",
        notes=[
            "The time goes into asking, in Python, the queries whose anchor is there: here five of each brand.",
            "The worker asks a mention only its own brand's queries, tens rather than thousands.",
        ],
    )


def _round(matcher: Matcher[int], ready: Sequence[Listening[int]], texts: Sequence[Subject], seen: Seen) -> Round:
    async def round_() -> Samples:
        took = _processor(lambda: matcher.match(texts))
        rebuilt = _processor(lambda: Matcher([anchored_anew(ready[0], seen), *ready[1:]], seen=seen))
        return {RATE: len(texts) / took, REBUILD: rebuilt * 1000}

    return round_


def _alone(ready: Sequence[Listening[int]], texts: Sequence[Subject]) -> Round:
    def ask() -> None:
        stack = haystack([one.text for one in texts])
        for n, subject in enumerate(texts):
            document = Document(subject, stack.of(n), moved=n in stack.moved)
            for query in ready:
                query.asked.find(document)

    async def round_() -> Samples:
        return {RATE: len(texts) / _processor(ask), REBUILD: 0.0}

    return round_


def _processor(act: Callable[[], Any]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _verified(
    matcher: Matcher[int], ready: Sequence[Listening[int]], texts: Sequence[Subject]
) -> tuple[int, int]:  # fmt: skip
    """On how many texts matcher and specification agreed about all queries, and how many matches that were."""
    matches = 0
    for subject, each in zip(texts, matcher.match(texts), strict=True):
        found = {one.key: one.spans for one in each}
        meant = {one.key: spans for one in ready if (spans := evaluate(one.node, subject)) is not None}
        verify(found == meant, f"the matcher and the specification differ on {subject.text!r}")
        matches += len(meant)
    return len(texts), matches
