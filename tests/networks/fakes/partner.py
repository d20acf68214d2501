"""A partner's endpoint for `generic`: it verifies by the reference library and publishes each webhook-id once."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Partner:
    """The app. `posts` are what it published, by the id that it was given to know a repeat by."""

    secret: str
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        status, answer = self._answer(scope["method"], scope["path"], headers, body)
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            Webhook(self.secret).verify(body, headers, json_parse=False)
        except WebhookVerificationError as error:
            return 401, {"error": str(error)}
        if method == "POST":
            post = json.loads(body)["post"]
            return 201, self.posts.setdefault(
                headers["webhook-id"],
                {
                    "id": f"p{len(self.posts)}",
                    "url": "https://partner.example/1",
                    "said": post["text"],
                    "beneath": post["parent_id"],
                    "media": post["media"],
                },
            )
        found = self.posts.get(path.rpartition("/")[2])
        return (200, found) if found is not None else (404, {"error": "no such post"})
