"""What a user is told, by GraphQL: the same as by REST."""

import asyncio
from typing import Any

from shared.ids import Prefix, new_uuid, typeid
from tests.domain.notifying.conftest import Desk, desk, post
from tests.services.api.graphql.asking import Api
from tests.tenancy.socket import connected

__all__ = ["desk"]
LIST = """query { viewer { unreadCount notifications(first: 5) { nodes { id title sentence kind thingId readAt } }
  notificationPreferences { language digest version defaults { kind way isOn } } } }"""


async def data(api: Api, desk: Desk, query: str, **variables: Any) -> Any:
    return await api.data(query, desk.brand.api_key, **variables)


async def test_the_viewer_lists_counts_and_reads_what_they_are_told(api: Api, desk: Desk) -> None:
    id_ = new_uuid()
    await desk.happens(post("failed", id_), post("uncertain", new_uuid()))
    await desk.tell()

    viewer = (await data(api, desk, LIST))["viewer"]
    newest, oldest = viewer["notifications"]["nodes"]
    assert viewer["unreadCount"] == 2
    assert (oldest["kind"], oldest["thingId"]) == ("POST_FAILED", typeid(Prefix.POST, id_))

    mark = "mutation M($id: ID!) { markNotificationRead(input: {id: $id}) { notification { readAt } errors { code } } }"
    read = (await data(api, desk, mark, id=newest["id"]))["markNotificationRead"]
    assert read["errors"] == []
    assert read["notification"]["readAt"] is not None
    everything = "mutation { markAllNotificationsRead(input: {}) { count errors { code } } }"
    assert (await data(api, desk, everything))["markAllNotificationsRead"] == {"count": 1, "errors": []}
    assert (await data(api, desk, LIST))["viewer"]["unreadCount"] == 0


async def test_wishes_are_kept_and_what_is_wrong_with_them_is_said(api: Api, desk: Desk) -> None:
    wish = """mutation W($input: UpdateNotificationPreferencesInput!) { updateNotificationPreferences(input: $input) {
      notificationPreferences { digest quiet { days from to } version } errors { code path } } }"""
    wanted: dict[str, Any] = {"digest": "DAILY", "quiet": [{"days": [6, 7], "from": "00:00", "to": "00:00"}]}
    kept = (await data(api, desk, wish, input=wanted))["updateNotificationPreferences"]
    assert kept == {"notificationPreferences": {**wanted, "version": 1}, "errors": []}
    bad = (await data(api, desk, wish, input={"digestTime": "noon"}))["updateNotificationPreferences"]
    assert bad == {"notificationPreferences": None, "errors": [{"code": "INVALID", "path": ["digestTime"]}]}
    stale = (await data(api, desk, wish, input={"ifVersion": 0}))["updateNotificationPreferences"]
    assert stale["errors"][0]["code"] == "STALE"


async def test_an_endpoint_is_opened_tried_rotated_and_ended(api: Api, desk: Desk) -> None:
    create = """mutation C($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) {
      webhookEndpoint { id kinds isEnabled } secret errors { code message } } }"""
    made = (await data(api, desk, create, input={"url": "http://127.0.0.1:9/", "kinds": ["POST_FAILED"]}))[
        "createWebhookEndpoint"
    ]
    assert made["errors"] == []
    id_ = made["webhookEndpoint"]["id"]

    def verb(name: str, more: str) -> str:
        kind = name[0].upper() + name[1:]
        return f"mutation V($input: {kind}Input!) {{ {name}(input: $input) {{ {more} errors {{ code }} }} }}"

    tried = await data(api, desk, verb("testWebhookEndpoint", "webhookDelivery { id state type }"), input={"id": id_})
    assert tried["testWebhookEndpoint"]["webhookDelivery"]["type"] == "test"
    renewed = (await data(api, desk, verb("rotateWebhookSecret", "secret"), input={"id": id_}))["rotateWebhookSecret"]
    assert renewed["secret"] not in {None, made["secret"]}
    log = """query N($id: ID!) { node(id: $id) { ... on WebhookEndpoint {
      deliveries { nodes { type attempts { number } } } } } }"""
    assert (await data(api, desk, log, id=id_))["node"]["deliveries"]["nodes"] == [{"type": "test", "attempts": []}]
    ended = await data(api, desk, verb("removeWebhookEndpoint", "webhookEndpoint { id }"), input={"id": id_})
    assert ended["removeWebhookEndpoint"] == {"webhookEndpoint": {"id": id_}, "errors": []}
    assert (await data(api, desk, log, id=id_))["node"] is None


async def test_a_subscription_tells_what_the_viewer_is_told_as_it_happens(api: Api, desk: Desk) -> None:
    query = "subscription S($b: ID!) { notifications(brandId: $b) { seq notification { kind title } } }"
    async with connected(api.app, desk.brand.api_key) as socket:
        waiting = asyncio.create_task(socket.subscribe(query, {"b": typeid(Prefix.BRAND, desk.brand.brand_id)}))
        await asyncio.sleep(0.5)
        await desk.happens(post("failed", new_uuid()))
        await desk.tell()
        message = await waiting
    told = message["payload"]["data"]["notifications"]
    assert told["notification"] == {"kind": "POST_FAILED", "title": "Un billet n’est pas parti"}
    assert told["seq"] > 0
