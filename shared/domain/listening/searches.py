"""Searching networks for a recalled query: an operation for each network host, below the recall that it belongs to.

What is asked for is the query as far as a search understands it (`analysis/queries/searchable.py`). What comes is kept
as arrivals of the channel whose login asked, and matched as it is recorded. A page and the place that it leads to are
kept in one transaction.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam
from sqlmodel import col, select

from shared.analysis.queries.parsing import parse
from shared.analysis.queries.searchable import searchable
from shared.contract import Capability, Card, Page
from shared.db import Session
from shared.domain.brands.lanes import lane_of
from shared.domain.listening import backfills
from shared.domain.scope import Scope
from shared.errors import Invalid, Problem
from shared.models.channel import Channel
from shared.models.enums import ChannelStatus, Network, OperationKind, OperationStatus
from shared.models.operation import Operation
from shared.models.query import SavedQuery
from shared.models.turn import DueOperation

MOST_PAGES = 250  # of one request: ten thousand things of a network with forty a page


class SearchEnd(StrEnum):
    """Why a request was put no further: everything since then was shown; the network leads no further back, tells the
    same again and again, or does not say what it searches; or that were the most pages that are asked for."""

    THROUGH = "through"
    NETWORK_ENDS = "network_ends"
    REPEATS = "repeats"
    NOT_TOLD = "not_told"
    MOST_PAGES = "most_pages"


@dataclass(frozen=True, slots=True)
class Next:
    """What a search asks for next: the request's number, its words, and its network's cursor."""

    number: int
    words: tuple[str, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Search:
    """A search as people see it."""

    operation: Operation
    network: Network

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Each request's words, pages, how many things it brought, back to when, and why it ended."""
        asked = self.operation.asked or {}
        return [
            {**one, "reached_at": datetime.fromisoformat(one["reached_at"]) if one["reached_at"] else None}
            for one in asked.get("requests", [])
        ]

    @property
    def left_out(self) -> list[str]:
        """The branches of the query that could not be asked for."""
        return list((self.operation.asked or {}).get("left_out", []))


async def start(
    session: Session,
    scope: Scope,
    parent: Operation,
    query: SavedQuery,
    *,
    cards: Mapping[Network, Card],
    now: datetime,
) -> None:
    """Begin a search on each network host that a channel of the brand can ask.

    Raises Invalid where none can be asked, or nothing of the query can be asked for.
    """
    wanted = searchable(parse(query.expression))
    if not wanted.requests:
        message = f"a network can be searched for words, and none of this can be asked for: {wanted.left_out[0][:200]}"
        raise Invalid([Problem("not_searchable", message, ("over",))])
    asking = await _asking(session, scope, cards)
    if not asking:
        raise Invalid([Problem("not_offered", "no channel that is active is on a network that searches", ("over",))])
    for lane, channel in asking.items():
        requests = [
            {"words": list(words), "pages": 0, "brought": 0, "reached_at": None, "ended": None}
            for words in wanted.requests
        ]
        made = Operation(
            brand_id=scope.brand_id, kind=OperationKind.SEARCH, channel_id=channel.id, query_id=query.id,
            parent_id=parent.id, since=parent.since, created_at=now,
            asked={"version": query.version, "requests": requests, "left_out": list(wanted.left_out)},
        )  # fmt: skip
        session.add(made)
        await session.flush()
        session.add(
            DueOperation(operation_id=made.id, brand_id=scope.brand_id, channel_id=channel.id, lane=lane, due_at=now)
        )
        await session.flush()


async def _asking(session: Session, scope: Scope, cards: Mapping[Network, Card]) -> dict[str, Channel]:
    """The first active channel of each host that searches: another one's login would be shown the same."""
    can = [network for network, card in cards.items() if card.can(Capability.SEARCH)]
    wanted = (
        select(Channel)
        .where(
            Channel.brand_id == scope.brand_id,
            col(Channel.network).in_(can),
            col(Channel.removed_at).is_(None),
            col(Channel.status) == ChannelStatus.ACTIVE,
        )
        .order_by(col(Channel.id))
    )
    found: dict[str, Channel] = {}
    for channel in (await session.execute(wanted)).scalars():
        found.setdefault(lane_of(channel, cards[channel.network]), channel)
    return found


def following(operation: Operation) -> Next:
    """What a search that is not over asks for next."""
    number, _, cursor = (operation.cursor or "0").partition(" ")
    requests = (operation.asked or {})["requests"]
    return Next(int(number), tuple(requests[int(number)]["words"]), cursor or None)


async def advance(
    session: Session, scope: Scope, operation_id: UUID, page: Page, *, asked: str | None, brought: int, now: datetime
) -> Operation | None:
    """A page with so many things was brought that was asked for by the cursor `asked`; the search as it is then.

    None where it was called off, or somebody else has brought that page meanwhile.
    """
    operation = await backfills.held(session, scope, operation_id)
    if operation is None or operation.is_over or operation.cursor != asked:
        return None
    here = following(operation)
    state = deepcopy(operation.asked or {})
    request = state["requests"][here.number]
    request["pages"] += 1
    request["brought"] += brought
    request["reached_at"] = page.reached.isoformat() if page.reached is not None else None
    request["ended"] = _ended(operation, page, here.cursor, request["pages"])
    operation.asked = state
    operation.arrivals += len(page.arrivals)
    operation.pages += 1
    operation.mentions += brought
    operation.version += 1
    number = here.number if request["ended"] is None else here.number + 1
    operation.cursor = f"{number} {page.cursor or ''}" if number == here.number else f"{number} "
    operation.reached_at = _reached(state["requests"])
    if number == len(state["requests"]):
        backfills.end(operation, OperationStatus.SUCCEEDED, now)
    await session.flush()
    return operation


def _ended(operation: Operation, page: Page, cursor: str | None, pages: int) -> SearchEnd | None:
    if page.more and page.cursor == cursor:
        return SearchEnd.REPEATS
    if page.more:
        return SearchEnd.MOST_PAGES if pages >= MOST_PAGES else None
    if page.reached is None:
        return SearchEnd.NOT_TOLD
    return SearchEnd.THROUGH if page.reached <= operation.since else SearchEnd.NETWORK_ENDS


def _reached(requests: Sequence[Mapping[str, Any]]) -> datetime | None:
    """The moment back to which every request was answered; unknown while one was not."""
    at = [one["reached_at"] for one in requests]
    return max(map(datetime.fromisoformat, at)) if all(at) else None


async def of(session: Session, scope: Scope, ids: Sequence[UUID]) -> dict[UUID, list[Search]]:
    """The searches of recalls."""
    same = (col(Channel.brand_id) == col(Operation.brand_id)) & (col(Channel.id) == col(Operation.channel_id))
    wanted = (
        select(Operation, Channel.network)
        .join(Channel, same)
        .where(
            col(Operation.brand_id) == scope.brand_id,
            col(Channel.brand_id) == scope.brand_id,
            col(Operation.parent_id) == any_(bindparam("ids", list(ids), type_=ARRAY(Uuid))),
        )
        .order_by(col(Operation.id))
    )
    found: dict[UUID, list[Search]] = {}
    for operation, network in (await session.execute(wanted)).all():
        if operation.parent_id is not None:
            found.setdefault(operation.parent_id, []).append(Search(operation, Network(network)))
    return found
