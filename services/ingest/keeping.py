"""What was polled, fetched or looked back for, kept as arrivals like what came through the door."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from services.ingest.handlers import Worker
from services.ingest.rows import LONGEST_HEADER, storable_key
from shared.contract import RawArrival, storable
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.brands import channels
from shared.domain.listening import inbox
from shared.domain.listening.inbox import Target
from shared.domain.scope import Scope
from shared.domain.turns import Turn
from shared.errors import Gone, LoginDead, NotFound, Unavailable
from shared.models.channel import Channel
from shared.models.enums import ArrivalSource, Network
from shared.queues import SettleArrivals

# One answer of a network is 5 MiB at most; a connector may put several together.
MOST_ARRIVALS, MOST_BYTES = 10_000, 64 * 1024 * 1024
_RUN_ARRIVALS, _RUN_BYTES = 500, 4 * 1024 * 1024

Also = Callable[[Session, Scope], Awaitable[bool]]


async def channel_of(worker: Worker, turn: Turn) -> Channel | None:
    """The channel whose turn it is; None where it was removed."""
    async with worker.db.session() as session:
        scope = await scopes.house(session, turn.brand_id)
        try:
            return await channels.get(session, scope, turn.channel_id)
        except NotFound:
            return None


async def stand_still(worker: Worker, channel: Channel, error: LoginDead | Gone) -> None:
    """Stop polling and sending, and say so once; hearing goes on. Nothing is to be done where it was removed."""
    stop = channels.login_died if isinstance(error, LoginDead) else channels.gone
    with suppress(NotFound):
        async with worker.db.session() as session:
            scope = await scopes.house(session, channel.brand_id)
            await stop(session, scope, channel.id, reason=error.message, now=datetime.now(UTC))


def bounded(network: Network, arrivals: Sequence[RawArrival]) -> None:
    """Raise Unavailable where this is more than is taken at once: what is wrong with it is for people to find out."""
    size = sum(len(one.body) for one in arrivals)
    if len(arrivals) > MOST_ARRIVALS or size > MOST_BYTES:
        message = f"one page of it holds {len(arrivals)} things of {size} bytes, which is more than is taken at once"
        raise Unavailable(network.value, message, unsent=True)


async def keep(
    worker: Worker, channel: Channel, source: ArrivalSource, arrivals: Sequence[RawArrival], also: Also
) -> bool:
    """Keep arrivals in runs, each in a transaction; with the last one `also` is done, and may say no to it.

    Whoever dies in between leaves runs behind that are kept: repeated, they are the same arrivals, by their keys.
    """
    target = Target(channel.brand_id, channel.id, channel.hook_id)
    *first, last = _runs([_storable(one) for one in arrivals])
    for run in first:
        async with worker.db.session() as session:
            await scopes.house(session, channel.brand_id)
            await inbox.receive(session, target, channel.network, source, run, now=datetime.now(UTC))
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand_id)
        if not await also(session, scope):
            return False
        if last:
            await inbox.receive(session, target, channel.network, source, last, now=datetime.now(UTC))
    if arrivals:
        worker.queues.ring(SettleArrivals())
    return True


def _runs(arrivals: Sequence[RawArrival]) -> Iterator[list[RawArrival]]:
    """At least one run, which may be empty."""
    run: list[RawArrival] = []
    size = 0
    for one in arrivals:
        if run and (len(run) == _RUN_ARRIVALS or size + len(one.body) > _RUN_BYTES):
            yield run
            run, size = [], 0
        run.append(one)
        size += len(one.body)
    yield run


def _storable(one: RawArrival) -> RawArrival:
    headers = {storable(name): storable(value[:LONGEST_HEADER]) for name, value in one.headers.items()}
    return replace(one, key=storable_key(one.key), headers=headers)
