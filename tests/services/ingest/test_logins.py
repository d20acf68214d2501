"""A login is renewed by one at a time, in time, at once where it has run out, and never lost by who renews it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.logins import Logins, Whose
from shared.contract import Login
from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.brands import channels, renewals
from shared.domain.brands.channels import ChannelChanges
from shared.domain.brands.renewals import Renewal
from shared.errors import LoginDead, LoginExpired, Unavailable
from shared.models.enums import ChannelStatus, Network
from tests.conftest import HouseChannel, TestDatabase
from tests.services.ingest.practice import SANDBOX, Practice

TOKENS = "/api/v1/tokens"


def logins_of(network: Practice, db: Database | None = None, **changes: Any) -> Logins:
    worker = network.worker
    settings = worker.settings.model_copy(update=changes)
    return Logins(db or worker.db, worker.vault, worker.http, settings)


def whose(channel: HouseChannel) -> Whose:
    return Whose(Network.SANDBOX, channel.brand.brand_id, channel.id)


async def ran_out(network: Practice, channel: HouseChannel) -> Login:
    """The channel's login, once its access token has run out by the network's clock."""
    later = datetime.now(UTC) + timedelta(hours=2)
    await network.people.post("/api/clock", json={"at": later.isoformat().replace("+00:00", "Z")})
    login = await network.login(channel)
    with pytest.raises(LoginExpired):
        await SANDBOX.poll(network.worker.http, login, None)
    return login


async def test_what_is_asked_with_a_login_that_has_run_out_is_asked_again_with_a_new_one(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    before = await ran_out(network, channel)
    await network.say("bonjour")

    await network.turn()

    assert await network.texts() == ["bonjour"]
    assert (await network.login(channel)).credentials["access_token"] != before.credentials["access_token"]
    assert (await network.row(channel)).status is ChannelStatus.ACTIVE
    assert await network.holes(channel) == []


async def test_many_who_find_that_it_has_run_out_renew_it_once(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    processes = [logins_of(network) for _ in range(3)]

    found = await asyncio.gather(*(one.renewed(whose(channel), used) for one in processes * 3))

    # The network takes a refresh token once: a second renewal would have found the login dead.
    assert {login.credentials["access_token"] for login in found} == {
        (await network.login(channel)).credentials["access_token"]
    }


async def test_a_login_that_cannot_be_renewed_is_said_to_be_dead_once(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    await network.people.delete("/api/accounts/cafe/login")

    outcomes = await asyncio.gather(
        *(logins_of(network).renewed(whose(channel), used) for _ in range(4)), return_exceptions=True
    )
    await network.turn()

    assert any(isinstance(one, LoginDead) for one in outcomes)
    assert all(isinstance(one, LoginDead | Unavailable) for one in outcomes)
    row = await network.row(channel)
    assert (row.status, await network.told(channel, "channel.login_dead")) == (ChannelStatus.LOGIN_DEAD, 1)
    assert "refresh token" in (row.status_reason or "")


async def test_a_login_is_renewed_in_time_also_where_nobody_polls(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await channels.pause(session, scope, channel.id, now=datetime.now(UTC))
    before = await network.login(channel)
    planned = await network.eyes.fetchval("SELECT due_at - now() FROM due_upkeep")

    await network.turn()

    assert timedelta(minutes=44) < planned < timedelta(minutes=52)
    after = await network.login(channel)
    assert after.credentials["access_token"] != before.credentials["access_token"]
    assert after.expires_at is not None
    assert await network.eyes.fetchval("SELECT due_at > now() + interval '40 minutes' FROM due_upkeep")


async def test_a_login_about_to_end_is_renewed_before_it_is_used(network: Practice) -> None:
    channel = await network.channel(seconds=20)
    before = await network.login(channel)

    caller = await logins_of(network).of(await network.row(channel))

    assert caller.login.credentials["access_token"] != before.credentials["access_token"]


async def test_a_renewal_that_fails_for_now_comes_again_and_kills_nothing(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    await network.fault(TOKENS, "500", method="POST")

    with pytest.raises(Unavailable, match="could not be renewed"):
        await logins_of(network).renewed(whose(channel), used)

    assert (await network.row(channel)).status is ChannelStatus.ACTIVE
    assert await network.eyes.fetchval("SELECT failures FROM due_upkeep") == 1
    await network.turn()
    assert (await network.login(channel)).credentials != used.credentials


class _Away(Database):
    """PostgreSQL is away for a while, after the first transaction."""

    def __init__(self, url: str, times: int) -> None:
        super().__init__(url, name="away", size=2)
        self._left, self._begun = times, 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        self._begun += 1
        if self._begun > 1 and self._left > 0:
            self._left -= 1
            raise ConnectionResetError
        async with super().session() as session:
            yield session


async def test_what_the_network_gave_is_kept_while_postgresql_is_away(
    network: Practice, database: TestDatabase
) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    db = _Away(database.worker_url, times=4)

    fresh = await logins_of(network, db).renewed(whose(channel), used)
    await db.close()

    assert await network.login(channel) == fresh
    assert (await SANDBOX.poll(network.worker.http, fresh, None)).arrivals == ()


async def test_a_renewal_goes_on_where_who_asked_for_it_is_told_to_stop(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    await network.fault(TOKENS, {"type": "timeout", "seconds": 0.5}, method="POST")
    logins = logins_of(network)
    asking = asyncio.create_task(logins.renewed(whose(channel), used))
    await asyncio.sleep(0.2)

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await logins.finish(5)

    assert asking.cancelled()
    assert (await network.login(channel)).credentials != used.credentials
    assert (await SANDBOX.poll(network.worker.http, await network.login(channel), None)).cursor == "0"


async def test_credentials_that_a_person_gives_meanwhile_stand(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    given = await network.log_in("cafe")
    await network.fault(TOKENS, {"type": "timeout", "seconds": 0.5}, method="POST")
    renewing = asyncio.create_task(logins_of(network).renewed(whose(channel), used))
    await asyncio.sleep(0.2)

    await _give(network, channel, given)
    found = await renewing

    assert found.credentials == given
    assert (await network.login(channel)).credentials == given


async def _give(network: Practice, channel: HouseChannel, given: dict[str, str]) -> None:
    async with network.house.owner_db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        await channels.update(
            session, scope, network.house.vault, channel.id, changes=ChannelChanges(credentials=given),
            card=SANDBOX.card, now=datetime.now(UTC),
        )  # fmt: skip


async def test_a_renewal_whose_process_died_is_taken_up_when_its_lease_ends(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    async with network.worker.db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        begun = await renewals.begin(
            session, scope, network.worker.vault, channel.id, card=SANDBOX.card, used=used, lease=timedelta(seconds=2)
        )
    assert isinstance(begun, Renewal)
    quick = logins_of(network, lease_seconds=1.0, send_timeout_seconds=0.5)

    with pytest.raises(Unavailable, match="takes long"):
        await quick.renewed(whose(channel), used)
    await asyncio.sleep(1.5)

    assert (await quick.renewed(whose(channel), used)).credentials != used.credentials


async def test_who_has_an_older_login_in_hand_gets_the_newer_one_without_a_renewal(network: Practice) -> None:
    channel = await network.channel(seconds=3600)
    used = await ran_out(network, channel)
    fresh = await logins_of(network).renewed(whose(channel), used)

    assert await logins_of(network).renewed(whose(channel), replace(used)) == fresh
