"""From a network's refusal to a person's mail and a program's webhook, through the running scheduler."""

import json
from typing import Any

from pydantic import SecretStr
from redis.asyncio import Redis

from shared.domain.notifying import endpoints
from shared.models.enums import NotificationKind
from tests.connectors.loopback import Reply
from tests.connectors.loopback import receiver as web
from tests.domain.notifying.conftest import NOW, Desk, enter
from tests.services.scheduler.conftest import Yard, receiver, until
from tests.services.scheduler.mailbox import mailbox


async def test_a_post_that_a_network_refuses_is_told_in_the_app_by_mail_and_by_webhook_once_each(
    yard: Yard, desk: Desk
) -> None:
    async with receiver() as network, web() as program, mailbox() as box:
        program.otherwise = Reply(204)
        await _open(desk, f"{program.url}/hear")
        network.faults = [(False, 422, 0)] * 2
        async with yard.scheduler(smtp_url=SecretStr(box.url)), yard.scheduler(smtp_url=SecretStr(box.url)):
            channels = [await yard.channel(network), await yard.channel(network)]
            await yard.publish(*channels, text="Le marché de Noël")

            async def is_told() -> bool:
                return bool(box.taken and program.got)

            await until(is_told)
        assert await desk.told() == [NotificationKind.POST_FAILED]
        assert (len(box.taken), len(program.got)) == (1, 1)
        said = json.loads(program.got[0].body)["data"]["sentence"]
        assert said.startswith("« Le marché de Noël » n’a pas pu être publié sur ")


async def test_redis_emptied_and_away_loses_no_notification(yard: Yard, desk: Desk) -> None:
    redis_url = yard.database.settings.redis_url
    assert redis_url is not None
    await desk.eye.execute('UPDATE "user" SET email = $2 WHERE id = $1', desk.brand.user_id, "noor@dunes.example")
    async with receiver() as network, mailbox() as box:
        for changes in ({}, {"redis_url": "redis://127.0.0.1:1/0"}):
            network.faults = [(False, 422, 0)]
            async with yard.scheduler(smtp_url=SecretStr(box.url), **changes):
                count = len(box.taken)
                await yard.publish(await yard.channel(network))
                async with Redis.from_url(redis_url) as redis:
                    await redis.flushall()

                async def has_come(count: int = count) -> bool:
                    return len(box.taken) > count

                await until(has_come)
        assert len(await desk.told()) == 2


async def _open(desk: Desk, url: str) -> Any:
    await desk.eye.execute('UPDATE "user" SET email = $2 WHERE id = $1', desk.brand.user_id, "noor@dunes.example")
    async with desk.app.session() as session:
        await enter(session, desk.owner)
        kinds = [NotificationKind.POST_FAILED]
        return await endpoints.create(
            session, desk.owner, desk.house.vault, url=url, kinds=kinds, brand_id=None, now=NOW
        )
