"""A caller's steps on the way to a channel by consent."""

from typing import Any

import httpx
from sqlalchemy import text

from shared.db import Database
from tests.services.api import journey
from tests.services.api.journey import RETURN, come_back, query_of
from tests.services.api.rest.conftest import Caller


async def authorize(caller: Caller, network: journey.Network, **more: Any) -> str:
    body = {"network": "sandbox", "base_url": network.url, "return_url": RETURN, **more}
    answer = await caller.post("/channels/authorize", body)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["authorize_url"]
    return url


async def consented(caller: Caller, network: journey.Network, **changes: Any) -> str:
    """The id of a consent that lea gave."""
    back = await network.allow(await authorize(caller, network), **changes)
    said = query_of((await come_back(caller.client, back)).headers["location"])
    assert "error" not in said, said
    return said["consent"]


async def connect(caller: Caller, consent: str, external_id: str = "cafe", **more: Any) -> httpx.Response:
    return await caller.post("/channels", {"consent_id": consent, "external_id": external_id, **more})


async def owner_does(owner_db: Database, statement: str, **values: Any) -> None:
    async with owner_db.session() as session:
        await session.execute(text(statement), values)
