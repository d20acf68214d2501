"""The clock loop: brands on networks that keep a time of their own follow it."""

import asyncio
import time
from datetime import datetime, timedelta
from uuid import UUID

from services.scheduler.house import House
from shared.connectors.registry import CLOCKS
from shared.domain import leases
from shared.domain import scope as scopes
from shared.domain.publishing.sending import clocks
from shared.domain.publishing.sending.clocks import Place
from shared.errors import NetworkError
from shared.ids import Prefix, typeid
from shared.log import logger

_log = logger("scheduler.clocks")

LOOK_SECONDS = 1.0
STEP_SECONDS = 0.1
PATIENCE_SECONDS = 5.0  # how long the next step waits for what was due at the one before
_KNOWN_FOR = timedelta(seconds=10)


class Clocks:
    """Asks each such network for its time, once for all brands there, and lets their time go on to it."""

    def __init__(self, house: House, stepped: asyncio.Event) -> None:
        """`stepped` is set when something may have become due."""
        self._house = house
        self._stepped = stepped
        self._places: dict[UUID, tuple[Place | None, datetime]] = {}
        self._moved_at: dict[UUID, float] = {}

    async def round(self) -> float:
        async with self._house.db.session() as session:
            visiting = await clocks.visiting(session, CLOCKS)
            moved = await clocks.moved(session)
            brands = visiting | moved.keys()
            turn = timedelta(seconds=STEP_SECONDS * 0.9)
            if not brands or not await leases.take(session, "clocks", self._house.holder, turn):
                return STEP_SECONDS if moved else LOOK_SECONDS
        places = {brand: await self._place(brand, is_sure=brand in moved) for brand in sorted(brands)}
        wanted = {place for place in places.values() if place is not None}
        told = dict(zip(wanted, await asyncio.gather(*map(self._ahead, wanted)), strict=True))
        is_under_way = False
        for brand, place in places.items():
            target = told[place] if place is not None else timedelta(0)
            if target is None or (not target and brand not in moved):
                continue
            if target and brand not in moved and await self._place(brand, is_sure=True) != place:
                continue  # what was known of it is over; the next round knows better
            is_under_way = await self._step(brand, moved.get(brand, timedelta(0)), target) or is_under_way
        return STEP_SECONDS if is_under_way else LOOK_SECONDS

    async def _place(self, brand_id: UUID, *, is_sure: bool) -> Place | None:
        """Whose time a brand keeps: read again where it has to be sure, and from time to time."""
        place, read_at = self._places.get(brand_id, (None, None))
        now = self._house.clock()
        if is_sure or read_at is None or not timedelta(0) <= now - read_at <= _KNOWN_FOR:
            async with self._house.db.reading() as session:
                scope = await scopes.house(session, brand_id)
                place = await clocks.place(session, scope, self._house.vault, self._house.cards)
            self._places[brand_id] = place, now
        return place

    async def _ahead(self, place: Place) -> timedelta | None:
        """How far a network's time is ahead of ours; None where it can't be asked: then everything stays as it is."""
        network, base_url = place
        asked_at = self._house.clock()
        try:
            told = await CLOCKS[network].clock(self._house.http, base_url)
        except NetworkError as error:
            _log.info("clock.unheard", network=network.value, error=error.code)
            return None
        ahead = told - (asked_at + (self._house.clock() - asked_at) / 2)
        return ahead if abs(ahead) > clocks.TOLERANCE else timedelta(0)

    async def _step(self, brand_id: UUID, before: timedelta, target: timedelta) -> bool:
        """Let a brand's time go one step on; whether it has further to go."""
        patient = time.monotonic() < self._moved_at.get(brand_id, 0.0) + PATIENCE_SECONDS
        async with self._house.db.session() as session:
            scope = await scopes.house(session, brand_id)
            now = self._house.clock()
            ahead = await clocks.step(session, scope, CLOCKS, target=target, now=now, patient=patient)
        has_further = abs(target - ahead) > clocks.TOLERANCE
        if ahead != before:
            self._moved_at[brand_id] = time.monotonic()
            tell = _log.debug if has_further else _log.info
            tell("clock.moved", brand=typeid(Prefix.BRAND, brand_id), ahead=str(ahead))
        self._stepped.set()
        return has_further
