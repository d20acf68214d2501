"""Working off what people take back on a network: a withdrawal at a time, a brand at a time, each step its own."""

from uuid import UUID

from prometheus_client import Counter

from services.rounds import passes
from services.scheduler.house import House
from shared.domain import scope as scopes
from shared.domain.brands import withdrawals
from shared.domain.brands.withdrawals import Granted
from shared.domain.listening import erasure, retention
from shared.errors import NotFound
from shared.log import logger
from shared.models.consent import Withdrawal
from shared.models.enums import WithdrawalKind

_log = logger("scheduler.withdraw")
WITHDRAWN = Counter("parvis_withdrawals_total", "People who took their consent back, by what they wanted.", ["kind"])


async def work_off(house: House) -> int:
    """Everything that waits; how many that were. One that dies halfway is done again, to the same end."""
    done = 0
    while (one := await _claimed(house)) is not None:
        try:
            await _work(house, one)
        except Exception as error:
            if passes(error):
                raise
            # Its lease holds it back for a while, so that the others come to their turn.
            _log.exception("withdrawal.failed", network=one.network.value, kind=one.kind.value)
        else:
            done += 1
    return done


async def _work(house: House, one: Withdrawal) -> None:
    ended = await _end_logins(house, one)
    mentions = await _erase(house, one) if one.kind is WithdrawalKind.ERASE else 0
    async with house.db.session() as session:
        await withdrawals.finish(session, one.id, ended=ended, mentions=mentions)
    WITHDRAWN.labels(one.kind.value).inc()
    counted = {"channels": len(ended), "mentions": mentions}
    _log.info("withdrawal.done", network=one.network.value, kind=one.kind.value, **counted)


async def _claimed(house: House) -> Withdrawal | None:
    async with house.db.session() as session:
        return await withdrawals.claim(session, lease=house.settings.lease)


async def _end_logins(house: House, one: Withdrawal) -> list[Granted]:
    async with house.db.session() as session:
        found = await withdrawals.granted(session, one)
    ended = []
    for place in found:
        async with house.db.session() as session:
            scope = await scopes.house(session, place.brand_id)
            if await withdrawals.end_login(
                session, scope, place.channel_id, erase=one.kind is WithdrawalKind.ERASE, now=house.clock()
            ):
                ended.append(place)
    return ended


async def _erase(house: House, one: Withdrawal) -> int:
    async with house.db.session() as session:
        brands = await retention.brands_with_hooks(session)
    return sum([await _erase_in(house, one, brand_id) for brand_id in brands])


async def _erase_in(house: House, one: Withdrawal, brand_id: UUID) -> int:
    assert one.person is not None
    card, done = house.cards[one.network], 0
    while True:
        try:
            async with house.db.session() as session:
                scope = await scopes.house(session, brand_id)
                count, is_all = await erasure.erase_some(
                    session, scope, network=one.network, person=one.person, card=card, now=house.clock()
                )
        except NotFound:
            return done
        done += count
        if is_all:
            return done
