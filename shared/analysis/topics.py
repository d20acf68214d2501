"""What texts are about: the topics that somebody named, and the phrases that many texts share."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from shared.analysis.letters import bare


def topics(phrases: Sequence[str], known: Mapping[str, Sequence[str]], *, limit: int = 3) -> tuple[str, ...]:
    """The topics of a text by its key phrases: every one of `known` of whose words or phrases one stands within them,
    in the order of `known`; where none does, its first phrases."""
    said = [f" {bare(phrase)} " for phrase in phrases]
    found = [
        topic
        for topic, words in known.items()
        if any(f" {bare(word)} " in phrase for word in (topic, *words) for phrase in said)
    ]
    return tuple(found[:limit] or phrases[:limit])


def shared(texts: Iterable[Sequence[str]], *, least: int = 2, limit: int = 20) -> list[tuple[str, int]]:
    """The phrases that at least `least` texts have, by the number of texts, the most first. `texts` holds each one's
    phrases."""
    counts = Counter(phrase for phrases in texts for phrase in set(phrases))
    kept = [(phrase, count) for phrase, count in counts.items() if count >= least]
    return sorted(kept, key=lambda one: (-one[1], one[0]))[:limit]
