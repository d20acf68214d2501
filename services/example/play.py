"""Two dozen deliveries in four languages, signed and sent through the door as networks do it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from shared.connectors import meta_hooks, standard_webhooks
from shared.errors import ParvisError
from shared.models.enums import Network
from shared.settings import Settings

_PLAYED = "example.played"


class DoorRefused(ParvisError):
    """The door did not take one of the example's deliveries."""

    code = "door_refused"


async def play(settings: Settings, local: dict[str, Any]) -> None:
    """Send what has not been sent yet; a delivery that came through before is answered as a duplicate."""
    marker = settings.data_dir / _PLAYED
    if marker.exists():
        return
    by_network = {channel["network"]: channel for channel in local["channels"]}
    now = datetime.now(UTC)
    script = json.loads((Path(__file__).parent / "script.json").read_text())
    async with httpx.AsyncClient(timeout=10) as http:
        for delivery in _generic(script["generic"], now):
            await _send_generic(http, by_network[Network.GENERIC.value], delivery, now)
        page = by_network[Network.FACEBOOK.value]
        for entry in _facebook(script["facebook"], page["external_id"], now):
            await _send_facebook(http, page, entry)
        await _say(http, str(local["sandbox"]), by_network[Network.SANDBOX.value]["external_id"], script["sandbox"])
    marker.write_text(now.isoformat())


def _generic(deliveries: list[dict[str, Any]], now: datetime) -> Iterator[dict[str, Any]]:
    """Times in the script are minutes before now."""
    for delivery in deliveries:
        mentions = []
        for mention in delivery["mentions"]:
            timed = {k: v for k, v in mention.items() if k not in {"ago", "edited_ago"}}
            timed["published_at"] = (now - timedelta(minutes=mention["ago"])).isoformat()
            if "edited_ago" in mention:
                timed["edited_at"] = (now - timedelta(minutes=mention["edited_ago"])).isoformat()
            mentions.append(timed)
        yield {**delivery, "mentions": mentions}


async def _send_generic(
    http: httpx.AsyncClient, channel: dict[str, Any], delivery: dict[str, Any], now: datetime
) -> None:
    body = json.dumps({"mentions": delivery["mentions"], "deleted": delivery.get("deleted", [])}).encode()
    headers = standard_webhooks.sign(channel["secret"], f"example-{delivery['id']}", body, now)
    _check(await http.post(channel["webhook_url"], content=body, headers=headers))


def _facebook(values: list[dict[str, Any]], page: str, now: datetime) -> Iterator[dict[str, Any]]:
    """One feed change a delivery; `{page}` in the script is the page's id."""
    for value in values:
        told = json.loads(json.dumps(value).replace("{page}", page))
        spoken = int((now - timedelta(minutes=told.pop("ago"))).timestamp())
        told["created_time"] = spoken
        yield {"id": page, "time": spoken + 1, "changes": [{"field": "feed", "value": told}]}


async def _send_facebook(http: httpx.AsyncClient, channel: dict[str, Any], entry: dict[str, Any]) -> None:
    body = json.dumps({"object": "page", "entry": [entry]}).encode()
    signature = meta_hooks.signature(channel["secret"], body)
    headers = {"content-type": "application/json", "x-hub-signature-256": signature}
    _check(await http.post(channel["webhook_url"], content=body, headers=headers))


async def _say(http: httpx.AsyncClient, sandbox: str, account: str, lines: list[dict[str, Any]]) -> None:
    """On the practice network people speak; its own webhooks bring it to the door."""
    ids: dict[str, str] = {}
    for line in lines:
        body = {k: v for k, v in line.items() if k not in {"name_of_this", "answers"}}
        if "answers" in line:
            body["parent_id"] = ids[line["answers"]]
        answer = await http.post(f"{sandbox}/api/say", json={"account": account, **body})
        _check(answer)
        if "name_of_this" in line:
            ids[line["name_of_this"]] = answer.json()["id"]


def _check(answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        raise DoorRefused(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
