"""What came in, listed, read and replayed."""

from datetime import datetime
from typing import Any

import orjson
import pytest

from shared.db import Database
from shared.ids import Prefix, typeid
from shared.models import Arrival
from shared.models.enums import ArrivalState, Network
from tests.conftest import House, HouseBrand, HouseChannel
from tests.services.api.graphql.asking import T0, Api, at, brand_id, hear, said

LIST = """query ($b: ID!, $state: ArrivalState) { brand(id: $b) { arrivals(state: $state) { nodes {
  id state network source key body channel { name } problems { index path message } ignored settledAt
  mentions { externalId } } } } }"""
REPLAY = """mutation ($input: ReplayArrivalInput!) { replayArrival(input: $input) {
  arrival { state settledAt } errors { code } } }"""


async def arrive(db: Database, channel: HouseChannel, key: str, received_at: datetime = T0, **more: Any) -> str:
    values: dict[str, Any] = {
        "hook_id": channel.channel.hook_id, "key": key, "network": Network.GENERIC,
        "brand_id": channel.brand.brand_id, "channel_id": channel.id, "body": orjson.dumps({"mentions": []}),
        "stamp": received_at, "received_at": received_at, "state": ArrivalState.SETTLED, "settled_at": received_at,
        **more,
    }  # fmt: skip
    arrival = Arrival(**values)
    async with db.session() as session:
        session.add(arrival)
    return typeid(Prefix.ARRIVAL, arrival.id)


async def mention_keys(db: Database, channel: HouseChannel) -> list[object]:
    async with db.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(f"SELECT parvis.scope('{channel.brand.brand_id}')")
        rows = await connection.exec_driver_sql("SELECT key FROM mention")
        return [row[0] for row in rows]


async def test_arrivals_are_listed_newest_first_with_what_became_of_them(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    await hear(worker_db, channel, said("1"))
    keys = await mention_keys(worker_db, channel)
    await arrive(worker_db, channel, "first", mention_keys=keys)
    problems = [{"index": 2, "path": "mentions.2.text", "code": "too_long", "message": "too long"}]
    await arrive(
        worker_db, channel, "second", at(1),
        state=ArrivalState.UNREADABLE, problems=problems, ignored=[{"reason": "a like"}],
    )  # fmt: skip
    second, first = (await api.data(LIST, brand.api_key, b=brand_id(brand)))["brand"]["arrivals"]["nodes"]
    assert (first["key"], first["state"], first["mentions"]) == ("first", "SETTLED", [{"externalId": "1"}])
    assert (first["body"], first["channel"], first["source"]) == ('{"mentions":[]}', {"name": "Letters"}, "webhook")
    assert second["problems"] == [{"index": 2, "path": "mentions.2.text", "message": "too long"}]
    assert second["ignored"] == ["a like"]
    only = await api.data(LIST, brand.api_key, b=brand_id(brand), state="UNREADABLE")
    assert [node["key"] for node in only["brand"]["arrivals"]["nodes"]] == ["second"]


@pytest.mark.parametrize("state", [ArrivalState.SETTLED, ArrivalState.UNREADABLE, ArrivalState.DEAD])
async def test_a_replay_puts_it_before_the_worker_once_more(
    api: Api, brand: HouseBrand, channel: HouseChannel, worker_db: Database, state: ArrivalState
) -> None:
    id_ = await arrive(worker_db, channel, "x", state=state, claims=3, claimed_until=T0)
    data = await api.data(REPLAY, brand.api_key, input={"id": id_})
    assert data["replayArrival"] == {"arrival": {"state": "RECEIVED", "settledAt": None}, "errors": []}
    async with worker_db.session() as session:
        (found,) = (
            await (await session.connection()).exec_driver_sql("SELECT claims, claimed_until FROM arrival")
        ).all()
    assert tuple(found) == (0, None)


async def test_what_is_forgotten_or_foreign_is_not_replayed(
    api: Api, house: House, brand: HouseBrand, channel: HouseChannel, worker_db: Database
) -> None:
    other = await house.brand("Other")
    forgotten = await arrive(worker_db, channel, "old", body=None)
    kept = await arrive(worker_db, channel, "kept")
    for key, id_, code in (
        (brand.api_key, forgotten, "FORGOTTEN"),
        (other.api_key, kept, "NOT_FOUND"),
        (brand.api_key, "arr_nonsense", "NOT_FOUND"),
    ):
        data = await api.data(REPLAY, key, input={"id": id_})
        assert data["replayArrival"] == {"arrival": None, "errors": [{"code": code}]}
    assert (await api.data(LIST, other.api_key, b=brand_id(other)))["brand"]["arrivals"]["nodes"] == []
