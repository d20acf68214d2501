"""What is kept is kept for its time, and what was deleted is forgotten in its raw form too."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from services.scheduler import sweeps
from services.scheduler.house import House as Shop
from shared import http
from shared.contract import Author, Choice, Deleted, Said
from shared.db import Database
from shared.domain import leases
from shared.domain import scope as scopes
from shared.domain.brands import consents
from shared.domain.listening import record, retention
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.merge import thing_key
from shared.domain.scope import Principal, Scope
from shared.ids import new_uuid
from shared.models import Arrival
from shared.models.enums import ArrivalState, GrantRole, KeyScope, MentionKind, Network
from shared.queues import Queues
from shared.settings import Settings
from shared.vault import Vault
from tests.conftest import NOW, House, HouseBrand, HouseChannel


async def arrive(
    db: Database, channel: HouseChannel, settled_at: datetime, state: ArrivalState, *external_ids: str
) -> UUID:
    """An arrival that was settled then and spoke of these mentions."""
    arrival = Arrival(
        hook_id=channel.channel.hook_id,
        key=new_uuid().hex,
        network=Network.GENERIC,
        brand_id=channel.brand.brand_id,
        channel_id=channel.id,
        body=b"{}",
        stamp=settled_at,
        received_at=settled_at,
        state=state,
        settled_at=settled_at,
        mention_keys=[thing_key(Network.GENERIC, str(channel.id), one) for one in external_ids],
    )
    async with db.session() as session:
        session.add(arrival)
        return arrival.id


async def bodies(db: Database) -> dict[UUID, bytes | None]:
    async with db.session() as session:
        return {row[0]: row[1] for row in await session.execute(text("SELECT id, body FROM arrival"))}


async def hear(db: Database, channel: HouseChannel, *heard: Said | Deleted) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        part = HeardPart(channel.id, Network.GENERIC, str(channel.id), heard)
        await record.record(session, scope, [part], now=NOW)


def said(id: str) -> Said:
    return Said(id, MentionKind.COMMENT, NOW, text="hello", author=Author("lea"), published_at=NOW)


async def forget_deleted(db: Database, brand: HouseBrand) -> int:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        return await retention.forget_deleted(session, scope, since=NOW - timedelta(days=2))


async def test_arrivals_go_when_their_time_is_over(worker_db: Database, house: House, brand: HouseBrand) -> None:
    channel = await house.channel(brand)
    old, older = NOW - timedelta(days=8), NOW - timedelta(days=91)
    await arrive(worker_db, channel, old, ArrivalState.SETTLED)
    await arrive(worker_db, channel, old, ArrivalState.IGNORED)
    await arrive(worker_db, channel, older, ArrivalState.UNREADABLE)
    await arrive(worker_db, channel, older, ArrivalState.DEAD)
    kept = {
        await arrive(worker_db, channel, NOW - timedelta(days=6), ArrivalState.SETTLED),
        await arrive(worker_db, channel, old, ArrivalState.UNREADABLE),
        await arrive(worker_db, channel, old, ArrivalState.DEAD),
    }
    async with worker_db.session() as session:
        assert await retention.forget_arrivals(session, now=NOW, days=7, limit=3) == 3
    async with worker_db.session() as session:
        assert await retention.forget_arrivals(session, now=NOW, days=7, limit=3) == 1
    assert set(await bodies(worker_db)) == kept


async def test_the_raw_form_of_what_was_deleted_is_blanked(
    worker_db: Database, house: House, brand: HouseBrand
) -> None:
    channel = await house.channel(brand)
    await hear(worker_db, channel, said("gone"), said("stays"))
    gone = await arrive(worker_db, channel, NOW, ArrivalState.SETTLED, "gone")
    stays = await arrive(worker_db, channel, NOW, ArrivalState.SETTLED, "stays")
    await hear(worker_db, channel, Deleted("gone", NOW))
    assert await forget_deleted(worker_db, brand) == 1
    assert await bodies(worker_db) == {gone: None, stays: b"{}"}


async def test_what_comes_after_its_deletion_is_blanked_too(
    worker_db: Database, house: House, brand: HouseBrand
) -> None:
    channel = await house.channel(brand)
    await hear(worker_db, channel, Deleted("gone", NOW))
    late = await arrive(worker_db, channel, NOW, ArrivalState.SETTLED, "gone")
    assert await forget_deleted(worker_db, brand) == 1
    assert await bodies(worker_db) == {late: None}


async def test_hourly_sums_go_after_ninety_days(worker_db: Database, brand: HouseBrand) -> None:
    async with worker_db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        for days in (1, 91):
            await session.execute(
                text(
                    "INSERT INTO rollup_hour (brand_id, hour, mentions, posts, positive, neutral, negative)"
                    " VALUES (:b, :h, 1, 0, 0, 1, 0)"
                ),
                {"b": brand.brand_id, "h": NOW - timedelta(days=days)},
            )
        assert await retention.forget_hours(session, scope, now=NOW) == 1


async def test_what_was_given_goes_when_its_hour_is_over_and_what_nothing_came_of_a_day_later(
    owner_db: Database, worker_db: Database, brand: HouseBrand
) -> None:
    who = Principal(new_uuid(), brand.user_id, brand.organization_id, frozenset({KeyScope.ALL}), {})
    scope = Scope(brand.brand_id, who, GrantRole.OWNER)
    today, vault = datetime.now(UTC), Vault(["k"])
    async with owner_db.session() as session:
        asked = [
            await consents.ask(
                session, scope, vault, network=Network.SANDBOX, app_id=new_uuid(), return_url="x", now=today - ago
            )
            for ago in (timedelta(0), timedelta(hours=2), timedelta(hours=3), timedelta(days=2))
        ]
        given = [Choice("cafe", "Café", {"access_token": "t"})]
        await consents.keep(session, scope, vault, asked[0].consent, given=given, now=today)
        await consents.keep(session, scope, vault, asked[1].consent, given=given, now=today - timedelta(hours=2))
    async with worker_db.session() as session:
        assert await consents.forget(session) == 2
        assert await consents.forget(session) == 0


async def test_a_turn_comes_once_whoever_takes_it(worker_db: Database) -> None:
    async with worker_db.session() as session:
        assert await leases.take(session, "sweep", new_uuid(), timedelta(hours=1))
        assert not await leases.take(session, "sweep", new_uuid(), timedelta(hours=1))
        assert await leases.take(session, "short", new_uuid(), timedelta(0))
        assert await leases.take(session, "short", new_uuid(), timedelta(0))


async def test_a_sweep_does_its_round_and_the_night_finds_wrong_sums(
    worker_db: Database, house: House, brand: HouseBrand
) -> None:
    channel = await house.channel(brand)
    await hear(worker_db, channel, said("one"))
    await arrive(worker_db, channel, NOW - timedelta(days=8), ArrivalState.SETTLED)
    own = Settings.model_validate({"REDIS_URL": "redis://127.0.0.1:1/0"})
    queues = Queues("redis://127.0.0.1:1/0")
    async with http.client(own) as client:
        shop = Shop(worker_db, queues, house.vault, client, own, clock=lambda: NOW + timedelta(days=1))
        await sweeps.sweep(shop)
        assert await bodies(worker_db) == {}
        assert await sweeps.recount(shop, brand.brand_id) == []
        async with worker_db.session() as session:
            await scopes.house(session, brand.brand_id)
            await session.execute(
                text("UPDATE rollup_day SET mentions = mentions + 1 WHERE brand_id = :b"), {"b": brand.brand_id}
            )
        assert len(await sweeps.recount(shop, brand.brand_id)) == 1
    await queues.close()
