"""Posts by REST, as a caller makes them and waits for them."""

import json
import time
from typing import Any

import httpx

from tests.contract.house import Channel, Json, Tenant


def create(tenant: Tenant, channel: Channel, text: str, **more: Any) -> Json:
    answer = tenant.rest("POST", "/posts", json={"text": text, "channel_ids": [channel.id], **more})
    assert answer.status_code == 201, answer.text
    post: Json = answer.json()
    return post


def publish(tenant: Tenant, post: Json) -> httpx.Response:
    return tenant.rest("POST", f"/posts/{post['id']}/publish")


def ends(tenant: Tenant, post: Json, *statuses: str, seconds: float = 60) -> Json:
    end = time.monotonic() + seconds
    while True:
        found: Json = tenant.get(f"/posts/{post['id']}")
        if found["status"] in statuses:
            return found
        assert time.monotonic() < end, json.dumps(found)
        time.sleep(0.05)


def on_the_network(tenant: Tenant) -> list[Json]:
    account = tenant.channel("sandbox").external_id
    found: list[Json] = tenant.web.get(f"{tenant.local['sandbox']}/api/posts", params={"account": account}).json()[
        "posts"
    ]
    return found
