"""Figures are as fresh as the oldest thing that came in and is not settled yet."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import apps
from shared.domain.brands.apps import AppDraft
from shared.domain.insight import metrics
from shared.ids import new_uuid
from shared.models import Arrival
from shared.models.channel import Hook
from shared.models.enums import ArrivalState, Interval, MetricKey, Network
from tests.conftest import NOW, House, HouseBrand, HouseChannel

THEN = NOW + timedelta(days=2)
APP_SECRET = "the secret of an app"


async def _fresh_at(db: Database, brand: HouseBrand) -> datetime:
    async with db.reading() as session:
        scope = await scopes.house(session, brand.brand_id)
        (series,) = await metrics.series(
            session, scope, keys=[MetricKey.MENTIONS], since=NOW, until=THEN, interval=Interval.DAY, now=THEN
        )
    return series.fresh_at


async def _receive(
    db: Database, hook_id: UUID, brand_id: UUID | None, *, minutes_ago: int, state: ArrivalState = ArrivalState.RECEIVED
) -> datetime:
    at = THEN - timedelta(minutes=minutes_ago)
    arrival = Arrival(
        hook_id=hook_id, key=str(new_uuid()), network=Network.FACEBOOK, brand_id=brand_id, body=b"{}",
        stamp=at, received_at=at, state=state,
    )  # fmt: skip
    async with db.session() as session:
        session.add(arrival)
    return at


async def _app(db: Database, house: House, secret: str) -> UUID:
    draft = AppDraft(network=Network.FACEBOOK, name="app", signing_key=secret)
    async with db.session() as session:
        app, _ = await apps.keep(session, house.vault, draft=draft, hears=True, now=NOW)
        return (await session.execute(select(Hook).where(col(Hook.app_id) == app.id))).scalar_one().id


@pytest.fixture
async def page(house: House, brand: HouseBrand) -> HouseChannel:
    return await house.channel(brand, Network.FACEBOOK, external_id="1", credentials={"app_secret": APP_SECRET})


async def test_with_nothing_waiting_figures_are_of_now(
    app_db: Database, owner_db: Database, brand: HouseBrand, page: HouseChannel
) -> None:
    for state in (ArrivalState.SETTLED, ArrivalState.IGNORED, ArrivalState.UNREADABLE, ArrivalState.DEAD):
        await _receive(owner_db, page.channel.hook_id, brand.brand_id, minutes_ago=9, state=state)

    assert await _fresh_at(app_db, brand) == THEN


async def test_figures_are_of_the_moment_at_which_the_oldest_waiting_arrival_came(
    app_db: Database, owner_db: Database, brand: HouseBrand, page: HouseChannel
) -> None:
    await _receive(owner_db, page.channel.hook_id, brand.brand_id, minutes_ago=3)
    oldest = await _receive(owner_db, page.channel.hook_id, brand.brand_id, minutes_ago=8)

    assert await _fresh_at(app_db, brand) == oldest


async def test_what_waits_for_another_brand_makes_figures_no_older(
    app_db: Database, owner_db: Database, house: House, brand: HouseBrand, page: HouseChannel
) -> None:
    other = await house.brand("Other")
    theirs = await house.channel(other)
    await _receive(owner_db, theirs.channel.hook_id, other.brand_id, minutes_ago=8)

    assert await _fresh_at(app_db, brand) == THEN


async def test_a_delivery_to_an_app_may_speak_for_the_brand_until_it_is_cut(
    app_db: Database, owner_db: Database, house: House, brand: HouseBrand, page: HouseChannel
) -> None:
    other = await house.brand("Other")
    await house.channel(other, Network.FACEBOOK, external_id="2", credentials={"app_secret": "another app's"})
    oldest = await _receive(owner_db, await _app(owner_db, house, APP_SECRET), None, minutes_ago=8)

    assert await _fresh_at(app_db, brand) == oldest
    assert await _fresh_at(app_db, other) == THEN


async def test_what_came_after_the_question_does_not_make_figures_younger_than_it(
    app_db: Database, owner_db: Database, brand: HouseBrand, page: HouseChannel
) -> None:
    await _receive(owner_db, page.channel.hook_id, brand.brand_id, minutes_ago=-1)

    assert await _fresh_at(app_db, brand) == THEN


async def test_of_a_brand_that_is_not_open_nothing_is_told(app_db: Database, house: House, brand: HouseBrand) -> None:
    other = await house.brand("Other")
    async with app_db.reading() as session:
        await scopes.house(session, brand.brand_id)
        with pytest.raises(DBAPIError, match="outside this transaction's scope"):
            await session.execute(text("SELECT parvis.waiting_since(:b)"), {"b": other.brand_id})
