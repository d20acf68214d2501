"""A WebSub hub (W3C, 2018): it asks back, keeps leases, signs what it pushes, and forgets who answers 410."""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx


@dataclass
class Subscriber:
    topic: str
    callback: str
    secret: str
    lease_seconds: int


@dataclass
class Hub:
    """An ASGI app. `asks_back`: before it answers a request (`first`), after it, or never; or it denies."""

    method: str = "sha256"
    longest_lease: int = 864_000
    asks_back: str = "after"
    refuses: str | None = None
    moved_to: str | None = None
    answers: list[int] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    verified: list[tuple[int, str]] = field(default_factory=list)
    subscribers: dict[tuple[str, str], Subscriber] = field(default_factory=dict)
    asking: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        status, text = await self._request(dict(parse_qsl(body.decode())))
        self.answers.append(status)
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        if status in {307, 308} and self.moved_to:
            headers.append((b"location", self.moved_to.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    async def _request(self, form: dict[str, str]) -> tuple[int, str]:
        self.requests.append(form)
        if self.moved_to is not None:
            return 307, ""
        if self.refuses is not None:
            return 400, self.refuses
        mode, topic, callback = form.get("hub.mode"), form.get("hub.topic"), form.get("hub.callback", "")
        if mode not in {"subscribe", "unsubscribe"} or not topic or not callback.startswith("http"):
            return 400, "hub.mode, hub.topic and hub.callback are required"
        if len(form.get("hub.secret", "")) >= 200:
            return 400, "hub.secret is shorter than 200 bytes"
        if self.asks_back == "first":
            await self._verify(mode, form)
        elif self.asks_back != "never":
            task = asyncio.create_task(self._verify(mode, form))
            self.asking.add(task)
            task.add_done_callback(self.asking.discard)
        return 202, ""

    async def _verify(self, mode: str, form: dict[str, str]) -> None:
        topic, callback = form["hub.topic"], form["hub.callback"]
        lease = min(int(form.get("hub.lease_seconds", "864000")), self.longest_lease)
        challenge = secrets.token_urlsafe(16)
        query = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge, "hub.lease_seconds": str(lease)}
        if self.asks_back == "denies":
            query = {"hub.mode": "denied", "hub.topic": topic, "hub.reason": "not from here"}
        async with httpx.AsyncClient() as http:
            answer = await http.get(callback + ("&" if "?" in callback else "?") + urlencode(query))
        self.verified.append((answer.status_code, answer.text))
        if not answer.is_success or answer.text != challenge:
            return
        if mode == "subscribe":
            self.subscribers[topic, callback] = Subscriber(topic, callback, form.get("hub.secret", ""), lease)
        else:
            self.subscribers.pop((topic, callback), None)

    async def asked_back(self) -> None:
        """Wait until everything that the hub had to ask back is asked."""
        await asyncio.gather(*self.asking)

    async def publish(self, topic: str, body: bytes, content_type: str, hub: str) -> list[int]:
        """Push the topic's content to who subscribed to it; the statuses that they answered with."""
        statuses = []
        async with httpx.AsyncClient() as http:
            for key, one in list(self.subscribers.items()):
                if one.topic != topic:
                    continue
                headers = {"content-type": content_type, "link": f'<{hub}>; rel="hub", <{topic}>; rel="self"'}
                if one.secret:
                    digest = hmac.new(one.secret.encode(), body, self.method).hexdigest()
                    headers["x-hub-signature"] = f"{self.method}={digest}"
                answer = await http.post(one.callback, content=body, headers=headers)
                statuses.append(answer.status_code)
                if answer.status_code == 410:
                    del self.subscribers[key]
        return statuses
