"""The example brand: what it is made of, and that it asks nobody who is not there."""

import json

from services.example import brand as example
from shared.connectors.registry import CONNECTORS
from shared.contract import Capability
from shared.db import Database
from shared.domain.brands import logins
from shared.models import BrandDraft
from shared.models.enums import Network
from shared.vault import Vault
from tests.conftest import TestDatabase


async def test_the_example_hears_on_every_network_that_pushes_and_polls_none_that_is_elsewhere(
    database: TestDatabase, owner_db: Database
) -> None:
    made = await example.create(owner_db, database.settings, None, "Dunes & Co", BrandDraft(name="Dunes"))
    async with owner_db.session() as session:
        connection = await session.connection()
        rows = (await connection.exec_driver_sql("SELECT network, status FROM channel")).all()
        polled = (
            await connection.exec_driver_sql(
                "SELECT id, network, credentials FROM channel WHERE id IN (SELECT channel_id FROM due_poll)"
            )
        ).all()
    cards = [known.card for network, known in CONNECTORS.items() if network is not Network.SANDBOX]
    pushing = [card for card in cards if card.can(Capability.WEBHOOKS)]
    asking = {card.network.value for card in pushing if card.can(Capability.POLL) and card.asks_with is None}
    only_hearing = {card.network.value: card.asks_with for card in pushing if card.asks_with is not None}
    assert {channel["network"] for channel in made["channels"]} == {card.network.value for card in pushing}
    assert {row.network for row in rows if row.status == "paused"} == asking
    vault = Vault([key.get_secret_value() for key in database.settings.secret_keys])
    assert {row.network for row in polled} == set(only_hearing)
    for row in polled:
        given = json.loads(vault.open(row.credentials, logins.place(row.id)))
        assert only_hearing[row.network] not in given
    assert all(channel["webhook_url"] and channel["secret"] for channel in made["channels"])
