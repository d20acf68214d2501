"""A channel counts as observed by polling only while somebody polls it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from shared.connectors.registry import CARDS
from shared.contract import Finding
from shared.db import Database, Session
from shared.domain import scope as scopes
from shared.domain.brands import channels, coverage
from shared.domain.brands.channels import ChannelChanges
from shared.domain.scope import Scope
from shared.models.enums import Network
from shared.vault import Vault
from tests.conftest import NOW, House, HouseBrand

CARD = CARDS[Network.SANDBOX]
OBSERVED, HOLE = "observed", "hole"


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Watched:
    """A channel of the practice network, which is pushed and polled."""

    db: Database
    brand: HouseBrand
    id: UUID
    vault: Vault

    @asynccontextmanager
    async def step(self) -> AsyncIterator[tuple[Session, Scope]]:
        async with self.db.session() as session:
            yield session, await scopes.house(session, self.brand.brand_id)

    async def polled(self, minute: int) -> None:
        """What a poll that succeeds leaves behind."""
        async with self.step() as (session, scope):
            (await channels.get(session, scope, self.id)).last_polled_at = at(minute)
            await coverage.observed(session, scope, self.id, via="poll", now=at(minute))

    async def pause(self, minute: int) -> None:
        async with self.step() as (session, scope):
            await channels.pause(session, scope, self.id, now=at(minute))

    async def resume(self, minute: int) -> None:
        async with self.step() as (session, scope):
            await channels.resume(session, scope, self.id, card=CARD, now=at(minute))

    async def intervals(self, via: str) -> list[tuple[str, datetime, datetime | None, str | None]]:
        async with self.step() as (session, scope):
            found = (await coverage.intervals(session, scope, [self.id]))[self.id]
        return [(one.kind.value, one.from_at, one.to_at, one.reason) for one in found if one.via == via]


@pytest.fixture
async def watched(app_db: Database, house: House, brand: HouseBrand) -> Watched:
    made = await house.channel(
        brand, Network.SANDBOX, base_url="http://127.0.0.1:9", credentials={"access_token": "t"}
    )  # fmt: skip
    return Watched(app_db, brand, made.id, house.vault)


async def test_a_pause_is_a_hole_from_the_last_poll_to_the_next(watched: Watched) -> None:
    await watched.polled(0)
    await watched.polled(1)
    await watched.pause(2)
    await watched.resume(10)
    await watched.polled(11)

    assert await watched.intervals("poll") == [
        (OBSERVED, at(0), at(1), None),
        (HOLE, at(1), at(11), "the channel is paused"),
        (OBSERVED, at(11), None, None),
    ]


async def test_what_is_pushed_is_observed_during_a_pause_too(watched: Watched) -> None:
    await watched.polled(0)
    await watched.pause(2)

    assert await watched.intervals("webhook") == [(OBSERVED, NOW, None, None)]


async def test_a_channel_that_was_never_polled_has_no_hole_of_it(watched: Watched) -> None:
    await watched.pause(2)

    assert await watched.intervals("poll") == []


async def test_a_dead_login_is_a_hole_that_says_so_until_it_is_polled_again(watched: Watched) -> None:
    await watched.polled(1)
    async with watched.step() as (session, scope):
        await channels.login_died(session, scope, watched.id, reason="the token is revoked", now=at(2))
    before = await watched.intervals("poll")
    async with watched.step() as (session, scope):
        changes = ChannelChanges(credentials={"access_token": "new"})
        await channels.update(session, scope, watched.vault, watched.id, changes=changes, card=CARD, now=at(5))
    await watched.polled(5)

    assert before == [(OBSERVED, at(1), at(1), None), (HOLE, at(1), None, "the token is revoked")]
    assert (await watched.intervals("poll"))[1:] == [
        (HOLE, at(1), at(5), "the token is revoked"),
        (OBSERVED, at(5), None, None),
    ]


async def test_a_login_that_the_self_test_finds_dead_is_a_hole_too(watched: Watched) -> None:
    await watched.polled(1)
    async with watched.step() as (session, scope):
        findings = [Finding(False, "login_dead", "nobody takes this token", "give it a new one")]
        await channels.check(session, scope, watched.id, findings=findings, now=at(3))

    assert (await watched.intervals("poll"))[-1] == (HOLE, at(1), None, "nobody takes this token")


async def test_a_pause_within_a_hole_leaves_its_reason(watched: Watched) -> None:
    await watched.polled(1)
    async with watched.step() as (session, scope):
        await coverage.missed(session, scope, watched.id, via="poll", reason="it answers 500", now=at(2))
    await watched.pause(3)

    assert await watched.intervals("poll") == [
        (OBSERVED, at(1), at(2), None),
        (HOLE, at(2), None, "it answers 500"),
    ]
