"""Figures by query: what each of them matched."""

from uuid import UUID

from shared.db import Database
from shared.domain import scope as scopes
from shared.domain.listening import queries
from shared.domain.listening.batches import HeardPart
from shared.domain.listening.ears import Ears
from shared.domain.listening.filters import MentionFilter
from shared.domain.listening.queries import QueryDraft
from shared.domain.listening.record import record
from shared.ids import Prefix, typeid
from shared.models.enums import Dimension, MetricKey
from tests.conftest import NOW, House, HouseBrand, HouseChannel
from tests.domain.insight.test_metrics import LATER, ask, by_dimension, local, said


async def save(db: Database, brand: HouseBrand, expression: str) -> UUID:
    async with db.session() as session:
        scope = await scopes.house(session, brand.brand_id)
        draft = QueryDraft(name=expression, expression=expression)
        return (await queries.create(session, scope, draft=draft, now=NOW)).id


async def listen(db: Database, channel: HouseChannel, *texts: str) -> None:
    async with db.session() as session:
        scope = await scopes.house(session, channel.brand.brand_id)
        heard = [said(str(n), local(11, 21 + n % 2, 10), text=text) for n, text in enumerate(texts)]
        part = HeardPart(channel.id, channel.channel.network, str(channel.id), heard)
        await record(session, scope, [part], now=LATER, ears=Ears())


async def test_a_mention_counts_for_each_query_that_it_matches_and_zero_is_shown(
    app_db: Database, worker_db: Database, house: House, brand: HouseBrand
) -> None:
    channel = await house.channel(brand)
    beer, coffee, tea = [await save(worker_db, brand, word) for word in ("bier", "koffie", "thee")]
    await listen(worker_db, channel, "bier", "bier en koffie", "bier", "water")
    named = {name: typeid(Prefix.QUERY, id_) for name, id_ in (("beer", beer), ("coffee", coffee), ("tea", tea))}
    found = await ask(app_db, brand, local(11, 21), local(11, 23), group_by=[Dimension.QUERY])
    assert by_dimension(found) == {named["beer"]: [2, 1], named["coffee"]: [0, 1], named["tea"]: [0, 0]}


async def test_only_the_queries_that_are_asked_for_have_series(
    app_db: Database, worker_db: Database, house: House, brand: HouseBrand
) -> None:
    channel = await house.channel(brand)
    beer, coffee = [await save(worker_db, brand, word) for word in ("bier", "koffie")]
    await listen(worker_db, channel, "bier", "bier en koffie")
    where = MentionFilter(query_ids=(coffee,))
    found = await ask(
        app_db, brand, local(11, 21), local(11, 23),
        group_by=[Dimension.QUERY], where=where, keys=[MetricKey.MENTIONS, MetricKey.AUTHORS],
    )  # fmt: skip
    assert {(series.key, series.dimensions[0].value) for series in found} == {
        (MetricKey.MENTIONS, typeid(Prefix.QUERY, coffee)),
        (MetricKey.AUTHORS, typeid(Prefix.QUERY, coffee)),
    }
    assert beer != coffee
    assert by_dimension(found[:1]) == {typeid(Prefix.QUERY, coffee): [0, 1]}
