"""Charts over metric series: what is drawn is decided here, once for both doors and for whoever renders it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unicodedata import category
from uuid import UUID

from shared.contract import Card
from shared.db import Session
from shared.domain.brands import brands, channels
from shared.domain.insight import buckets as cut
from shared.domain.insight import metrics
from shared.domain.insight.charting import lines
from shared.domain.insight.charting.lines import Name, Panel
from shared.domain.insight.charting.look import PALETTES, ChartName, Look
from shared.domain.insight.charting.specification import height_of, specification
from shared.domain.insight.charting.ticks import Buckets
from shared.domain.insight.charting.words import WORDS, Words
from shared.domain.insight.metrics import DimensionValue, Series
from shared.domain.listening import queries
from shared.domain.listening.filters import MentionFilter
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.ids import Prefix, parse_typeid, typeid
from shared.models.enums import Dimension, Interval, MetricKey, Network

MOST_BUCKETS = 750
MOST_MARKS = 2500
MOST_PANELS = 4
_NOT_WRITTEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be drawn: `keys` of a chart of series, and one dimension at most by which it is taken apart."""

    name: ChartName
    since: datetime
    until: datetime
    interval: Interval
    keys: tuple[MetricKey, ...] = ()
    group_by: tuple[Dimension, ...] = ()
    where: MentionFilter | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.name is ChartName.SERIES and not 1 <= len(set(self.keys)) <= MOST_PANELS:
            problems.append(Problem("required", f"say which figures: 1 to {MOST_PANELS} keys", ("key",)))
        if self.name is not ChartName.SERIES and self.keys:
            problems.append(Problem("not_taken", f"{self.name} knows its own keys: leave this out", ("key",)))
        if self.name is ChartName.SENTIMENT and self.group_by:
            problems.append(Problem("not_taken", "sentiment is taken apart by mood: leave this out", ("group_by",)))
        if len(set(self.group_by)) > 1:
            problems.append(Problem("too_many", "a chart is taken apart by one dimension at most", ("group_by",)))
        if problems:
            raise Invalid(problems)


@dataclass(frozen=True, slots=True)
class Chart:
    """`specification` is Vega-Lite's; `title` and `description` say the same to whoever does not see it."""

    specification: dict[str, Any]
    title: str
    description: str
    look: Look


async def chart(
    session: Session, scope: Scope, *, ask: Ask, look: Look, cards: Mapping[Network, Card], now: datetime
) -> Chart:
    """The chart; networks are called as their `cards` say. Raises Invalid as the metrics do, and for too much."""
    brand = await brands.get(session, scope)
    buckets = Buckets(cut.bounds(ask.since, ask.until, ask.interval, brand.zone), ask.interval, brand.zone)
    words, palette = WORDS[look.language], PALETTES[look.theme]
    _bounded(len(buckets), MOST_BUCKETS)
    keys = _keys(ask)
    if look.height < (least := height_of(len(keys))):
        message = f"{len(keys)} drawings one below another need a height of {least} pixels"
        raise Invalid([Problem("out_of_range", message, ("height",))])
    found = await _series(session, scope, ask, keys, now)
    name = await _named(session, scope, found, words, cards)
    order = lines.order(keys[0], found)
    panels = [lines.panel(key, found, order, words, palette, name) for key in keys]
    _bounded(len(buckets) * sum(len(panel.lines) for panel in panels), MOST_MARKS)
    title = plain(look.title or brand.name)
    notes = [buckets.span(words), words.per[ask.interval], brand.timezone, *_notes(panels, len(buckets), words)]
    drawn = specification(panels, buckets, look=look, palette=palette, words=words, title=title, notes=notes)
    said = ". ".join([", ".join(notes), *(_told(panel, buckets, words) for panel in panels)])
    return Chart({**drawn, "description": said}, f"{title} · {', '.join(map(words.key, keys))}", said, look)


def plain(said: str) -> str:
    """A text in one line, without what can't stand in XML."""
    return " ".join("".join(" " if category(c) in _NOT_WRITTEN or c in "\ufffe\uffff" else c for c in said).split())


def _keys(ask: Ask) -> tuple[MetricKey, ...]:
    match ask.name:
        case ChartName.VOLUME:
            return (MetricKey.MENTIONS,)
        case ChartName.SENTIMENT:
            return (MetricKey.MENTIONS, MetricKey.NET_SENTIMENT)
        case ChartName.SERIES:
            return tuple(dict.fromkeys(ask.keys))


async def _series(session: Session, scope: Scope, ask: Ask, keys: Sequence[MetricKey], now: datetime) -> list[Series]:
    """The series of each key. Moods are counted by themselves: their balance is of all of them."""
    asked: list[tuple[Sequence[MetricKey], Sequence[Dimension]]] = [(keys, ask.group_by)]
    if ask.name is ChartName.SENTIMENT:
        asked = [((MetricKey.MENTIONS,), (Dimension.SENTIMENT,)), ((MetricKey.NET_SENTIMENT,), ())]
    return [
        one
        for wanted, group_by in asked
        for one in await metrics.series(
            session, scope, keys=wanted, since=ask.since, until=ask.until, interval=ask.interval, group_by=group_by,
            where=ask.where, now=now,
        )
    ]  # fmt: skip


async def _named(
    session: Session, scope: Scope, found: Sequence[Series], words: Words, cards: Mapping[Network, Card]
) -> Name:
    """What a value of a dimension is called: channels and queries by the names that people gave them."""
    values = {(one.name, one.value) for series in found for one in series.dimensions}
    given: dict[tuple[Dimension, str | None], str] = {}
    speaking = _ids(values, Dimension.CHANNEL, Prefix.CHANNEL)
    if speaking:
        known = await channels.by_ids(session, scope, speaking)
        given |= {(Dimension.CHANNEL, typeid(Prefix.CHANNEL, id_)): one.name for id_, one in known.items()}
    if any(name is Dimension.QUERY for name, _ in values):
        saved = await queries.list_(session, scope)
        given |= {(Dimension.QUERY, typeid(Prefix.QUERY, one.id)): one.name for one in saved}
    given |= {(Dimension.NETWORK, network.value): card.label for network, card in cards.items()}
    names = _apart({one: plain(given.get(one) or words.value(*one)) for one in sorted(values, key=str)})

    def name(one: DimensionValue) -> str:
        return names[one.name, one.value]

    return name


def _apart(names: Mapping[tuple[Dimension, str | None], str]) -> dict[tuple[Dimension, str | None], str]:
    """The same, but no two alike: lines of one name would be drawn as one."""
    taken: dict[str, int] = {}
    found = {}
    for one, said in names.items():
        taken[said] = taken.get(said, 0) + 1
        found[one] = said if taken[said] == 1 else f"{said} ({taken[said]})"
    return found


def _ids(values: set[tuple[Dimension, str | None]], dimension: Dimension, prefix: Prefix) -> list[UUID]:
    return [parse_typeid(prefix, value) for name, value in values if name is dimension and value is not None]


def _bounded(count: int, most: int) -> None:
    if count > most:
        message = f"a chart has at most {most} points, not {count}: ask for a longer interval or less time"
        raise Invalid([Problem("too_many_points", message, ("interval",))])


def _notes(panels: Sequence[Panel], buckets: int, words: Words) -> list[str]:
    """What grey and pale mean, where there is any."""
    notes = []
    if any(any(panel.unseen(buckets)) for panel in panels):
        notes.append(words.unseen)
    if any(any(panel.partly(buckets)) for panel in panels):
        notes.append(words.partly)
    return notes


def _told(panel: Panel, buckets: Buckets, words: Words) -> str:
    """What is seen, in a sentence: sums where they mean something, and the extremes."""
    names = buckets.names(words)
    said = []
    for line in panel.lines:
        known = [(one.value, n) for n, one in enumerate(line.values) if one.value is not None]
        if not known:
            continue
        digits = 2 if panel.is_share else 0
        parts = [f"{words.number(sum(value for value, _ in known))} {words.in_all}"] if panel.is_stacked else []
        (high, at), (low, _) = max(known, key=lambda one: one[0]), min(known, key=lambda one: one[0])
        parts.append(f"{words.most} {words.number(high, digits)} ({names[at]})")
        if not panel.is_stacked:
            parts.append(f"{words.least} {words.number(low, digits)}")
        said.append(f"{line.name}: {', '.join(parts)}" if line.name else ", ".join(parts))
    return f"{words.key(panel.key)}: {'; '.join(said) or words.nothing}"
