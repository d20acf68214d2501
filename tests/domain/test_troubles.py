"""What fails and why, over all brands."""

import uuid
from datetime import UTC, datetime, timedelta

import asyncpg

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain import troubles
from shared.domain.brands import channels, coverage
from shared.domain.troubles import Trouble
from tests.conftest import House, HouseChannel, TestDatabase

LATELY = datetime.now(UTC) - timedelta(days=1)


async def look(db: Database, since: datetime = LATELY) -> list[Trouble]:
    async with db.reading() as session:
        return await troubles.look(session, since=since)


async def told(db: Database) -> set[tuple[str, str | None, str]]:
    return {(one.kind, one.network, one.why) for one in await look(db)}


async def outgoing(database: TestDatabase, channel: HouseChannel, state: str, why: str, days: int = 0) -> None:
    owner = await asyncpg.connect(database.owner_url)
    async with owner.transaction():
        await owner.execute("SELECT parvis.scope($1::text)", str(channel.brand.brand_id))
        await owner.execute(
            "INSERT INTO outgoing (brand_id, id, kind, channel_id, payload, marks, version, state, due_at, tries,"
            " problem, settled_at)"
            " VALUES ($1, $2, 'publish', $3, '{}', '{}', 1, $4, now(), 1, jsonb_build_object('message', $5::text),"
            " now() - $6::interval)",
            channel.brand.brand_id, uuid.uuid4(), channel.id, state, why, timedelta(days=days),
        )  # fmt: skip
    await owner.close()


async def test_a_house_without_troubles_tells_none(worker_db: Database, house: House) -> None:
    await house.channel(await house.brand())
    assert await look(worker_db) == []


async def test_dead_logins_are_told_of_every_brand(worker_db: Database, house: House) -> None:
    for name in ("Dunes", "Lanterne"):
        channel = await house.channel(await house.brand(name))
        async with worker_db.session() as session:
            scope = await scopes.house(session, channel.brand.brand_id)
            await channels.login_died(session, scope, channel.id, reason=f"{name}'s is revoked", now=datetime.now(UTC))

    assert await told(worker_db) == {
        ("login_dead", "generic", "Dunes's is revoked"),
        ("login_dead", "generic", "Lanterne's is revoked"),
    }


async def test_a_poll_that_fails_is_told_with_the_reason_of_its_hole(worker_db: Database, house: House) -> None:
    channel = await house.channel(await house.brand())
    async with worker_db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        now = datetime.now(UTC)
        await coverage.missed(session, scope, channel.id, via="poll", reason="it answers 500", now=now)
    owner = await asyncpg.connect(house.owner_db.engine.url.render_as_string(False).replace("+asyncpg", ""))
    await owner.execute(
        "INSERT INTO due_poll (channel_id, brand_id, due_at, failures) VALUES ($1, $2, now(), 4)",
        channel.id,
        channel.brand.brand_id,
    )
    await owner.close()

    assert await told(worker_db) == {("poll_failing", "generic", "4 polls in a row failed: it answers 500")}


async def test_effects_that_were_refused_or_are_uncertain_are_told_while_they_are_news(
    worker_db: Database, house: House, database: TestDatabase
) -> None:
    channel = await house.channel(await house.brand())
    await outgoing(database, channel, "refused", "too long")
    await outgoing(database, channel, "uncertain", "no answer")
    await outgoing(database, channel, "refused", "long ago", days=3)
    await outgoing(database, channel, "live", "it went out")

    assert await told(worker_db) == {
        ("outgoing_refused", "generic", "too long"),
        ("outgoing_uncertain", "generic", "no answer"),
    }
