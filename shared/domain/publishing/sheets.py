"""Posts from a table (CSV): one a line, each written by itself, and a report that names every line."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlmodel import col, select

from shared.db import Session
from shared.domain.publishing import posts
from shared.domain.publishing.drafts import PostDraft
from shared.domain.publishing.fitting import Cards
from shared.domain.scope import Scope
from shared.errors import Invalid, ParvisError, Problem
from shared.ids import Prefix, typeid
from shared.models.campaign import Campaign
from shared.models.channel import Channel
from shared.models.enums import GrantRole, KeyScope, Network

MOST_LINES = 1000
MOST_BYTES = 2 * 1024 * 1024
COLUMNS = (
    "text",
    "channels",
    "scheduled_at",
    "local_time",
    "timezone",
    "link",
    "media",
    "alt",
    "first_comment",
    "status",
    "campaign",
)
_BETWEEN = "|"
_BEYOND = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one line of the table, by the number that an editor shows; the paths of problems are columns."""

    number: int
    post_id: UUID | None = None
    problems: Sequence[Problem] = ()


@dataclass(frozen=True, slots=True)
class Report:
    lines: Sequence[Line] = field(default_factory=tuple)

    @property
    def written(self) -> int:
        return sum(not line.problems for line in self.lines)

    @property
    def refused(self) -> int:
        return sum(bool(line.problems) for line in self.lines)


async def write(
    session: Session, scope: Scope, table: bytes, *, cards: Cards, now: datetime, trial: bool = False
) -> Report:
    """Write a post for each good line; with `trial` nothing stays, and the report says what would have come of it.

    Raises Invalid where the table itself can't be read.
    """
    scope.require(KeyScope.PUBLISH, GrantRole.EDITOR)
    rows = list(_rows(table))
    channels, campaigns = await _channels(session, scope), await _campaigns(session, scope)
    lines = []
    for number, row in rows:
        try:
            draft = _draft(row, channels, campaigns)
            async with session.begin_nested() as savepoint:
                post = await posts.create(session, scope, draft=draft, cards=cards, now=now)
                if trial:
                    await savepoint.rollback()
        except ParvisError as error:
            lines.append(Line(number, None, _columns(error)))
        else:
            lines.append(Line(number, None if trial else post.id))
    return Report(lines)


def _rows(table: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The lines with their numbers. Raises Invalid."""
    if len(table) > MOST_BYTES:
        raise Invalid(f"the table has more than {MOST_BYTES // 1024 // 1024} MiB: send it in parts", code="too_large")
    try:
        text = table.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = table[: error.start].count(b"\n") + 1
        raise Invalid(f"line {place} is not UTF-8: save the table as UTF-8", code="bad_encoding") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _refuse_names(names)
        count = 0
        while True:
            number = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                break
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_LINES:
                raise Invalid(f"a table has {MOST_LINES} lines at most: send it in parts", code="too_many")
            beyond = "".join(cells[len(names) :]).strip()
            yield number, {**dict(zip(names, cells, strict=False)), _BEYOND: beyond}
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num} is no CSV: {error}", code="bad_csv") from None


def _delimiter(text: str) -> str:
    """What stands between the names of the first line most often: a comma, a semicolon or a tab."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def _refuse_names(names: Sequence[str]) -> None:
    known = ", ".join(COLUMNS)
    problems = [
        Problem("unknown_column", f"there is no column {name!r}; known: {known}", (name,))
        for name in names
        if name and name not in COLUMNS
    ]
    problems += [
        Problem("duplicate", f"the column {name!r} stands there twice", (name,))
        for name in set(names)
        if name and names.count(name) > 1
    ]
    if "text" not in names:
        problems.append(Problem("required", f"the first line names the columns, “text” among them; known: {known}"))
    if problems:
        raise Invalid(problems, code="bad_columns")


async def _channels(session: Session, scope: Scope) -> dict[str, list[UUID]]:
    """The brand's channels by what a line may call them: an id, or a name or network in any case."""
    wanted = select(Channel.id, Channel.name, Channel.network).where(
        col(Channel.brand_id) == scope.brand_id, col(Channel.removed_at).is_(None)
    )
    found: dict[str, list[UUID]] = {}
    for id_, name, network in await session.execute(wanted):
        for called in {typeid(Prefix.CHANNEL, id_), name.strip().casefold(), Network(network).value}:
            found.setdefault(called, []).append(id_)
    return found


async def _campaigns(session: Session, scope: Scope) -> dict[str, list[UUID]]:
    """The brand's campaigns by what a line may call them: an id, or a name in any case."""
    wanted = select(Campaign.id, Campaign.name).where(col(Campaign.brand_id) == scope.brand_id)
    found: dict[str, list[UUID]] = {}
    for id_, name in await session.execute(wanted):
        for called in {typeid(Prefix.CAMPAIGN, id_), name.strip().casefold()}:
            found.setdefault(called, []).append(id_)
    return found


def _draft(
    row: Mapping[str, str], channels: Mapping[str, list[UUID]], campaigns: Mapping[str, list[UUID]]
) -> PostDraft:
    if row.get(_BEYOND):
        message = f"there is more than the columns: {row[_BEYOND][:60]!r}; put a text with commas between quotes"
        raise Invalid([Problem("too_many_cells", message)])
    ids = _named("channels", row.get("channels", ""), channels)
    body: dict[str, Any] = {"text": row.get("text", "")}
    for name in ("scheduled_at", "local_time", "timezone", "link", "status"):
        if row.get(name, "").strip():
            body[name] = row[name].strip()
    body["media"] = _media(row)
    campaign = _named("campaign", row.get("campaign", ""), campaigns)
    if campaign:
        body["campaign_id"] = campaign[0]
    comment = row.get("first_comment", "").strip()
    if comment:
        body["variants"] = [{"channel_id": id_, "first_comment": comment} for id_ in ids]
    else:
        body["channel_ids"] = ids
    try:
        return PostDraft.model_validate(body)
    except ValidationError as error:
        raise Invalid(
            [Problem("invalid", one["msg"].removeprefix("Value error, "), tuple(one["loc"])) for one in error.errors()]
        ) from None


def _named(column: str, cell: str, known: Mapping[str, list[UUID]]) -> list[UUID]:
    """What a cell calls by id or name. Raises Invalid, at the column, for what is not there or not one alone."""
    what = column.removesuffix("s")
    found, problems = [], []
    for name in filter(None, (part.strip() for part in cell.split(_BETWEEN))):
        ids = known.get(name) or known.get(name.casefold()) or []
        if len(ids) == 1:
            found.append(ids[0])
        else:
            how_many = f"no {what} is called" if not ids else f"several {what}s are called"
            mend = "" if not ids else "; name it by its id"
            problems.append(Problem(f"unknown_{what}", f"{how_many} {name[:60]!r}{mend}", (column,)))
    if problems:
        raise Invalid(problems)
    return list(dict.fromkeys(found))


def _media(row: Mapping[str, str]) -> list[dict[str, str | None]]:
    items = [part.strip() for part in row.get("media", "").split(_BETWEEN) if part.strip()]
    alts = [part.strip() for part in row.get("alt", "").split(_BETWEEN)]
    return [
        {
            "media_id" if item.startswith(f"{Prefix.MEDIA.value}_") else "url": item,
            "alt": (alts[n] if n < len(alts) else "") or None,
        }
        for n, item in enumerate(items)
    ]


def _columns(error: ParvisError) -> list[Problem]:
    """What was wrong, by the column that it stands in."""
    if not isinstance(error, Invalid):
        return [Problem(error.code, error.message)]
    return [Problem(one.code, one.message, (_column(one.path),) if one.path else ()) for one in error.problems]


def _column(path: Sequence[str | int]) -> str:
    names = [part for part in path if isinstance(part, str)]
    last = next((name for name in reversed(names) if name in COLUMNS), None)
    if last is not None:
        return last
    return "channels" if set(names) & {"channel_ids", "channel_id", "variants"} else names[0] if names else "text"
