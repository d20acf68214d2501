"""A picture as a page for a terminal, in plain sentences."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.seeing.picture import Heart, Picture
from services.seeing.processes import Process
from services.seeing.rates import Rates
from shared.domain.troubles import Trouble
from shared.domain.waiting import MOST, Waiting

_QUEUES = {
    "arrivals": "arrivals to settle",
    "polls": "channels to poll",
    "fetches": "things to fetch that were only named",
    "operations": "histories to look back upon",
    "upkeep": "logins and subscriptions to renew",
    "deepenings": "brands with moods to read deep",
    "outgoing": "effects to send or look up",
    "events": "events without a number",
    "notices": "brands with something to tell people",
    "mails": "mails to send",
    "webhooks": "webhooks to deliver",
}
_WIDE = 110
_ALARMING = {"arrivals": 30.0, "polls": 300.0, "upkeep": 300.0, "outgoing": 60.0, "events": 30.0, "notices": 60.0}
_TROUBLES = {
    "arrival_dead": "An arrival could not be settled",
    "arrival_unreadable": "An arrival could not be read",
    "poll_failing": "A channel can't be polled",
    "login_dead": "A channel's login is dead",
    "outgoing_refused": "A network refused an effect",
    "outgoing_uncertain": "Nobody knows whether an effect happened",
}


def render(picture: Picture, rates: Rates | None = None, *, width: int = 80) -> RenderableType:
    """The whole page: what is wrong first, then what runs, what waits, what goes through, what fails."""
    blocks: list[RenderableType] = []
    if picture.processes:
        blocks.append(Group(_heading("What runs"), _processes(picture.processes, picture.at)))
    elif picture.hearts:
        blocks.append(Group(_heading("What runs"), _hearts(picture.hearts)))
    if picture.waiting is not None:
        blocks.append(Group(_heading("What waits"), _waiting(picture, picture.waiting)))
    parts: list[RenderableType] = [_title(picture), *_sentences(picture), *_beside(blocks, width)]
    if rates is not None:
        parts += [_heading("What goes through"), Text(rates.said())]
    if picture.troubles:
        parts += [_heading("What fails"), *(_trouble(one, picture.at) for one in picture.troubles)]
    return Group(*parts)


def _beside(blocks: Sequence[RenderableType], width: int) -> list[RenderableType]:
    """Side by side where there is room, else one below the other."""
    if width < _WIDE or len(blocks) < 2:
        return list(blocks)
    grid = Table.grid(padding=(0, 6))
    grid.add_row(*blocks)
    return [grid]


def span(seconds: float) -> str:
    """A length of time in the largest unit that says enough."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _title(picture: Picture) -> Text:
    title = Text("Parvis", style="bold green")
    title.append(f"  {picture.place.name}  ", style="default")
    title.append(f"{picture.at.astimezone():%H:%M:%S}", style="dim")
    return title


def _sentences(picture: Picture) -> list[Text]:
    late = [_late(queue.name, queue.oldest) for queue in picture.waiting.queues] if picture.waiting else []
    wrong = [*picture.wrong, *(sentence for sentence in late if sentence)]
    if wrong:
        return [Text(f"✗ {sentence}", style="red") for sentence in wrong]
    if picture.troubles:
        return [Text("! It runs; some things need a person: see below.", style="yellow")]
    return [Text("✓ All is well.", style="green")]


def _late(queue: str, oldest: float) -> str | None:
    limit = _ALARMING.get(queue)
    if limit is None or oldest <= limit:
        return None
    return f"The oldest of the {_QUEUES[queue]} waits for {span(oldest)}."


def _table(*columns: str) -> Table:
    table = Table(box=None, show_header=True, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=number > 0)
    return table


def _processes(seen: Sequence[Process], at: datetime) -> Table:
    table = _table("service", "process", "runs for", "memory")
    for one in seen:
        if not one.alive:
            table.add_row(Text(one.name, style="red"), str(one.pid), Text("ended", style="red"), "")
            continue
        since = span(max(at.timestamp() - one.since, 0)) if one.since is not None else "?"
        memory = f"{one.memory / 1e6:,.0f} MB" if one.memory is not None else "?"
        table.add_row(one.name, str(one.pid), since, memory)
    return table


def _hearts(hearts: Sequence[Heart]) -> Table:
    table = _table("service", "machine", "says that it is alive")
    for heart in hearts:
        table.add_row(heart.service, heart.machine, "yes" if heart.alive else Text("no more", style="red"))
    return table


def _waiting(picture: Picture, waiting: Waiting) -> Table:
    table = _table("queue", "waiting", "oldest", "in hand")
    claimed = {queue.name: queue for queue in waiting.queues}
    for name, said in _QUEUES.items():
        queue, hands = claimed[name], claimed.get(f"{name}_claimed")
        style = "yellow" if _late(name, queue.oldest) else "" if queue.length or (hands and hands.length) else "dim"
        oldest = span(queue.oldest) if queue.length else ""
        table.add_row(said, _many(queue.length), oldest, _many(hands.length) if hands else "", style=style)
    for state, count in waiting.shelved.items():
        if count:
            table.add_row(f"arrivals that are {state}", _many(count), style="yellow")
    if waiting.failing_polls:
        table.add_row("channels whose polls fail", _many(waiting.failing_polls), style="yellow")
    for name, length in (picture.letters or {}).items():
        table.add_row(f"letters in {name}", _many(length), style="" if length else "dim")
    return table


def _many(count: int) -> str:
    return f"{count:,} or more" if count >= MOST else f"{count:,}"


def _trouble(one: Trouble, at: datetime) -> Text:
    text = Text().append("• ", style="yellow")
    network = f" ({one.network})" if one.network else ""
    text.append(f"{_TROUBLES.get(one.kind, one.kind)}{network}: {_line(one.what)}")
    if one.since is not None:
        ago = (at - one.since.astimezone(UTC)).total_seconds()
        text.append(f", {span(max(ago, 0))} ago", style="dim")
    text.append(f": {_line(one.why) or 'no reason was kept'}")
    return text


def _line(text: str) -> str:
    """One line without control characters: reasons quote what networks said."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300].strip()
