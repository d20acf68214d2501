"""Fetching: what a delivery only named is asked for, and the answer is an arrival of its own."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from prometheus_client import Counter

from services.ingest import keeping
from services.ingest.handlers import Worker
from services.ingest.hands import After
from services.logins import Logins
from services.pauses import asked, growing
from shared.connectors.registry import connector
from shared.contract import Connector, RawArrival, RawPart, Said
from shared.db import Session
from shared.domain import scope as scopes
from shared.domain.brands.lanes import lane_of
from shared.domain.listening import pointers
from shared.domain.listening.pointers import Named
from shared.domain.scope import Scope
from shared.domain.turns import Turn
from shared.errors import Gone, LoginDead, NetworkError, Problem, RateLimited, Refused, Unavailable
from shared.log import logger
from shared.models.channel import Channel
from shared.models.enums import ArrivalSource, ChannelStatus
from shared.vault import UnknownKey

_log = logger("ingest.fetching")
_STANDS_STILL = timedelta(seconds=60)
_PATIENCE = 0.5  # of a lease

FETCHES = Counter(
    "parvis_fetches_total", "Things that were only named and asked for, by outcome.", ["network", "outcome"]
)


async def act(worker: Worker, logins: Logins, turn: Turn) -> After:
    """Fetch the thing whose turn it is."""
    channel = await keeping.channel_of(worker, turn)
    if channel is None:
        return After(None)
    if channel.status is not ChannelStatus.ACTIVE:
        return After(_STANDS_STILL, turn.failures)
    async with worker.db.session() as session:
        named = await pointers.named(session, turn, channel.network)
    if named is None:
        return After(None)
    outcome, after = await _outcome(worker, logins, turn, channel, named)
    FETCHES.labels(channel.network.value, outcome).inc()
    _log.info("pointer.fetched", channel=str(channel.id), network=channel.network.value, outcome=outcome)
    lane = lane_of(channel, connector(channel.network).card)
    return After(after.wait, after.failures, lane, after.told)


async def _outcome(
    worker: Worker, logins: Logins, turn: Turn, channel: Channel, named: Named
) -> tuple[str, After]:  # fmt: skip
    failures = turn.failures + 1
    try:
        await _keep(worker, channel, await _fetch(worker, logins, channel, named))
    except RateLimited as error:
        return error.code, After(asked(error.after), turn.failures, told=error.after)
    except Refused as error:
        # Not there (any more), or not for us: both are the network's last word.
        await _tell(worker, channel, named, Problem("not_there", f"it is not there to be fetched: {error.message}"))
        return "not_there", After(None)
    except (LoginDead, Gone) as error:
        await keeping.stand_still(worker, channel, error)
        return error.code, After(_STANDS_STILL, turn.failures)
    except (NetworkError, UnknownKey, TimeoutError) as error:
        message = error.message if isinstance(error, NetworkError) else type(error).__name__
        if failures > worker.settings.retry_times:
            await _tell(worker, channel, named, Problem("not_fetched", f"given up after {failures} tries: {message}"))
            return "given_up", After(None)
        first = timedelta(seconds=worker.settings.retry_first_seconds)
        longest = timedelta(seconds=worker.settings.retry_max_seconds)
        code = error.code if isinstance(error, NetworkError) else "failed"
        return code, After(growing(first, failures, longest), failures)
    return "done", After(None)


async def _fetch(worker: Worker, logins: Logins, channel: Channel, named: Named) -> list[RawArrival]:
    network = connector(channel.network)
    caller = await logins.asking(channel)
    async with asyncio.timeout(worker.settings.lease_seconds * _PATIENCE):
        if named.pointer.kind == pointers.OWN:
            wanted = [named.pointer.external_id]
            found = list(await caller.ask(lambda login: network.recheck(worker.http, login, wanted)))
            _refuse_unseen(network, channel, named.pointer.external_id, found)
        else:
            found = [await caller.ask(lambda login: network.fetch(worker.http, login, named.pointer))]
    keeping.bounded(channel.network, found)
    return [pointers.fetched(one, named) for one in found]


def _refuse_unseen(network: Connector, channel: Channel, external_id: str, found: Sequence[RawArrival]) -> None:
    """What we brought about ourselves and is not shown yet was not deleted: it is asked for again.

    Raises Unavailable.
    """
    for one in found:
        parsed = network.parse(RawPart(channel.external_id, one.body, one.stamp, one.headers))
        if any(isinstance(fact, Said) and fact.external_id == external_id for fact in parsed.heard):
            return
    raise Unavailable(channel.network.value, "the network does not show it yet", unsent=True)


async def _keep(worker: Worker, channel: Channel, found: Sequence[RawArrival]) -> None:
    async def also(_session: Session, _scope: Scope) -> bool:
        return True

    await keeping.keep(worker, channel, ArrivalSource.FETCH, found, also)


async def _tell(worker: Worker, channel: Channel, named: Named, problem: Problem) -> None:
    """What became of it stands beside the delivery that named it."""
    async with worker.db.session() as session:
        scope = await scopes.house(session, channel.brand_id)
        await pointers.tell(session, scope, named, problem)
